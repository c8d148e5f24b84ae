/**
 * The parts of a member that can be used alone: where they end, how that is proved, and the errors of
 * whoever reads them. This module is browser compatible.
 *
 * @module
 */

import { concat } from "../bytes/chunks.ts";
import { ParError } from "../errors.ts";

/** A place in a member where the compressed and the decompressed bytes can both be cut. */
export interface Boundary {
  /** Compressed bytes before it, counted from the end of the header. */
  readonly deflated: number;
  /** Decompressed bytes before it. */
  readonly inflated: number;
}

/** A final, empty block (RFC 1951, section 3.2.6). */
export const FINAL_BLOCK: Uint8Array<ArrayBuffer> = Uint8Array.of(3, 0);

/** A sync flush ends with the two lengths of an empty stored block (RFC 1951, section 3.2.4). */
const FLUSH = Uint8Array.of(0, 0, 0xff, 0xff);
export const FLUSH_LENGTH: number = FLUSH.length;

/** Whether bytes are the end of a sync flush. */
export function isFlush(bytes: Uint8Array): boolean {
  return equal(bytes, FLUSH);
}

/**
 * A stored block of random bytes, to feed in place of a flush's lengths. The random bytes come out
 * unchanged only if the stream expects the lengths of a stored block. A stream that was forged to be in
 * the middle of anything else cannot know them.
 */
export interface Probe {
  /** The bytes to feed. */
  readonly deflated: Uint8Array<ArrayBuffer>;
  /** The bytes that must come out. */
  readonly inflated: Uint8Array<ArrayBuffer>;
}

/** Makes a {@linkcode Probe}. */
export function createProbe(): Probe {
  const inflated = crypto.getRandomValues(new Uint8Array(32));
  return { deflated: concat([Uint8Array.of(32, 0, 223, 255), inflated]), inflated };
}

/** The error for a member that goes on behind the last byte there is. */
export function truncated(position: number): ParError {
  return new ParError(
    "ERR_ARCHIVE_TRUNCATED",
    `Cannot read the archive to its end: its gzip member stops after ${position} bytes; ` +
      "get a complete copy",
  );
}

/** The error for boundaries that are not where they were said to be. */
export function mismatch(): ParError {
  return new ParError(
    "ERR_INDEX_MISMATCH",
    "Cannot trust the archive: its index does not say where its entries are",
  );
}

/** The error for a member that cannot be decompressed. */
export function corrupt(reason: string, cause?: unknown): ParError {
  return new ParError(
    "ERR_GZIP_CORRUPT",
    `Cannot decompress the archive: ${reason}; get another copy`,
    cause,
  );
}

/** Whether two byte strings are the same. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
