/**
 * The one writer of archives. This module is browser compatible.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { gzip, type Segment } from "../gzip.ts";
import type { Bytes } from "../source.ts";
import { CLAIMS_ENTRY, WIT_ENTRY } from "./entries.ts";
import { BLOCK_LENGTH, encodeHeader, MAX_ENTRY_SIZE, padded } from "./tar.ts";

/** Deflate's effort that the reference writes archives with. */
export const COMPRESSION_LEVEL = 9;

/** An entry to write. */
export interface WriteEntry {
  /** Its name, as `lib/archive/entries.ts` spells it. */
  readonly name: string;
  /** The content's length in bytes. */
  readonly size: number;
  /** Gives the content, exactly `size` bytes. */
  readonly open: () => Bytes;
}

/**
 * Writes an archive.
 *
 * @param entries The entries, in their order in the archive.
 * @param level Deflate's effort from 1 to 9, or `undefined` for a plain tar stream.
 * @returns The archive's bytes.
 * @throws {ParError} `ERR_BINARY_TOO_LARGE` or `ERR_FILE_CHANGED`.
 */
export async function* writeArchive(
  entries: readonly WriteEntry[],
  level: number | undefined,
): Bytes {
  const segments = tarSegments(entries);
  if (level !== undefined) {
    yield* gzip(segments, level);
    return;
  }
  for await (const segment of segments) yield* segment.bytes;
}

/** One segment for each entry, header and padding with it, and one for the end marker. */
async function* tarSegments(entries: readonly WriteEntry[]): AsyncGenerator<Segment> {
  for (const entry of entries) yield { bytes: tarEntry(entry) };
  yield { bytes: endMarker() };
}

async function* tarEntry(entry: WriteEntry): Bytes {
  if (entry.size > MAX_ENTRY_SIZE) {
    throw new ParError(
      "ERR_BINARY_TOO_LARGE",
      `Cannot put ${entry.name} into an archive: it has ${entry.size} bytes, and ` +
        `${MAX_ENTRY_SIZE} is the most`,
    );
  }
  yield encodeHeader(entry.name, entry.size, mode(entry.name));
  let written = 0;
  for await (const chunk of entry.open()) {
    written += chunk.length;
    if (written > entry.size) break;
    yield chunk;
  }
  if (written !== entry.size) {
    throw new ParError(
      "ERR_FILE_CHANGED",
      `Cannot write ${entry.name}: its binary changed while it was read; try again when it is built`,
    );
  }
  yield new Uint8Array(padded(entry.size) - entry.size);
}

async function* endMarker(): Bytes {
  yield new Uint8Array(2 * BLOCK_LENGTH);
}

/** What plain `tar x` should leave: libraries that load, and documents that do not run. */
function mode(name: string): number {
  return name === CLAIMS_ENTRY || name === WIT_ENTRY ? 0o644 : 0o755;
}
