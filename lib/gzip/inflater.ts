/**
 * Inflates piece by piece (RFC 1951), and proves where a piece ends. This module is browser compatible.
 *
 * @module
 */

import type { InflateRaw } from "node:zlib";
import { giveBack } from "../runtime/memory.ts";
import { type Bytes, concat } from "../bytes/chunks.ts";
import { builtin } from "../runtime/builtins.ts";
import { corrupt, createProbe, equal, FINAL_BLOCK } from "./parts.ts";
import { decompress } from "./web.ts";

/** Bytes of one chunk. Larger chunks are no faster, smaller ones are slower. */
export const CHUNK_LENGTH = 1024 * 1024;

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
 * @throws {ParError} `ERR_GZIP_CORRUPT`; in a browser also `ERR_ARCHIVE_TRUNCATED`.
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
  } else yield* decompress("deflate-raw", whole);
}

function inflateError(cause: unknown): unknown {
  const { code, message } = cause as { code?: string; message?: string };
  return code?.startsWith("Z_") ? corrupt(message ?? code, cause) : cause;
}
