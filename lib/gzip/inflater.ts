/**
 * Inflates piece by piece (RFC 1951), and proves where a piece ends. This module is browser compatible.
 *
 * @module
 */

import type { InflateRaw } from "node:zlib";
import { giveBack } from "../runtime/memory.ts";
import { concat } from "../bytes/chunks.ts";
import { ParError } from "../errors.ts";
import { builtin } from "../runtime/builtins.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { iterate, toStream } from "../bytes/streams.ts";

/** Bytes of one chunk. Larger chunks are no faster, smaller ones are slower. */
export const CHUNK_LENGTH = 1024 * 1024;

/** A final, empty block (RFC 1951, section 3.2.6). */
export const FINAL_BLOCK: Uint8Array<ArrayBuffer> = Uint8Array.of(3, 0);

/** A sync flush ends with the two lengths of an empty stored block (RFC 1951, section 3.2.4). */
export const FLUSH_LENGTH = 4;

/** Whether bytes are the end of a sync flush. */
export function isFlush(bytes: Uint8Array): boolean {
  return bytes.length === FLUSH_LENGTH && [0, 0, 0xff, 0xff].every((byte, i) => byte === bytes[i]);
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

/** Inflates one chunk at a time, and uses it up before it takes the next one. */
export class Inflater implements Disposable {
  readonly #stream: InflateRaw;
  #last: Uint8Array = new Uint8Array(0);
  #fed = 0;
  #failure: unknown;
  #wake = (): void => {};

  constructor(zlib: typeof import("node:zlib")) {
    this.#stream = zlib.createInflateRaw({ chunkSize: CHUNK_LENGTH });
    this.#stream.on("readable", () => this.#wake());
    this.#stream.on("error", (error) => {
      this.#failure = error;
      this.#wake();
    });
  }

  /** Whether the final block has ended and bytes are left. */
  get ended(): boolean {
    return this.#stream.bytesWritten < this.#fed;
  }

  /** The bytes of the last chunk that follow the final block. */
  get unused(): Uint8Array {
    return this.#last.subarray(this.#last.length - (this.#fed - this.#stream.bytesWritten));
  }

  /** Inflates a chunk. */
  async *feed(chunk: Uint8Array): Bytes {
    let done = false;
    this.#last = chunk;
    this.#fed += chunk.length;
    this.#stream.write(chunk, () => {
      done = true;
      this.#wake();
    });
    while (true) {
      const inflated: Uint8Array | null = this.#stream.read();
      if (inflated) {
        const { buffer, byteOffset, length } = inflated;
        // A plain array, because this is a `Buffer`, whose `slice` does not copy.
        yield new Uint8Array(buffer, byteOffset, length);
        // zlib goes on filling the buffer until its last byte is used.
        const last = byteOffset + length === CHUNK_LENGTH;
        if (last) giveBack(inflated, CHUNK_LENGTH);
      } else if (this.#failure) throw inflateError(this.#failure);
      else if (done) return;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /**
   * Tells whether the stream expects the lengths of a stored block that is not the final one, as it
   * does before the end of a sync flush. The stream cannot be used after this.
   */
  async awaitsLengths(): Promise<boolean> {
    const probe = createProbe();
    const found: Uint8Array[] = [];
    // If more blocks may come, the stream takes the byte behind; after the final block it does not.
    const behind = Uint8Array.of(0);
    try {
      for await (const part of this.feed(concat([probe.deflated, behind]))) {
        found.push(new Uint8Array(part));
      }
    } catch {
      return false;
    }
    return !this.ended && equal(concat(found), probe.inflated);
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }
}

/**
 * Inflates a segment: compressed bytes that were cut out of a member at byte boundaries.
 *
 * @param deflated The segment's bytes.
 * @returns Its content.
 * @throws {ParError} `ERR_GZIP_CORRUPT`.
 */
export async function* inflateSegment(deflated: Bytes): Bytes {
  const whole = async function* (): Bytes {
    yield* deflated;
    yield FINAL_BLOCK;
  }();
  const zlib = builtin("node:zlib");
  if (zlib) {
    using inflater = new Inflater(zlib);
    for await (const chunk of whole) yield* inflater.feed(chunk);
    return;
  }
  try {
    yield* iterate(toStream(whole).pipeThrough(new DecompressionStream("deflate-raw")));
  } catch (cause) {
    throw cause instanceof TypeError ? corrupt(cause.message, cause) : cause;
  }
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

function inflateError(cause: unknown): unknown {
  const { code, message } = cause as { code?: string; message?: string };
  return code?.startsWith("Z_") ? corrupt(message ?? code, cause) : cause;
}
