/**
 * Inflating piece by piece (RFC 1951), and telling where one piece may end. This module is browser
 * compatible.
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

/** What is inflated at a time; larger chunks are no faster, smaller ones are slower. */
export const CHUNK_LENGTH = 1024 * 1024;

/** A final, empty block (RFC 1951, section 3.2.6). */
export const FINAL_BLOCK: Uint8Array<ArrayBuffer> = Uint8Array.of(3, 0);

/** What a sync flush ends in: the lengths of an empty stored block (RFC 1951, section 3.2.4). */
export const FLUSH_LENGTH = 4;

/** Whether bytes are what a sync flush ends in. */
export function isFlush(bytes: Uint8Array): boolean {
  return bytes.length === FLUSH_LENGTH && [0, 0, 0xff, 0xff].every((byte, i) => byte === bytes[i]);
}

/**
 * Something to put in the place of a flush's lengths: those of a stored block of random bytes, and
 * the bytes. Only where a stored block's lengths are due do they come out as they are; whatever else
 * a stream may have been bent to be in the middle of, it cannot know them.
 */
export interface Probe {
  /** What goes in. */
  readonly deflated: Uint8Array<ArrayBuffer>;
  /** What must come out. */
  readonly inflated: Uint8Array<ArrayBuffer>;
}

/** Makes a {@linkcode Probe}. */
export function createProbe(): Probe {
  const inflated = crypto.getRandomValues(new Uint8Array(32));
  return { deflated: concat([Uint8Array.of(32, 0, 223, 255), inflated]), inflated };
}

/** Inflates a chunk at a time: what it is fed is used up before it asks for more. */
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

  /** Whether the final block has ended, with bytes left over. */
  get ended(): boolean {
    return this.#stream.bytesWritten < this.#fed;
  }

  /** The bytes of the last chunk that are behind the final block. */
  get unused(): Uint8Array {
    return this.#last.subarray(this.#last.length - (this.#fed - this.#stream.bytesWritten));
  }

  /** Gives what a chunk inflates to. */
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
        // A plain array: `slice` of a `Buffer`, which this is, does not copy.
        yield new Uint8Array(buffer, byteOffset, length);
        // What zlib gives before the last bytes of its buffer leaves room for others in it.
        const last = byteOffset + length === CHUNK_LENGTH;
        if (last) giveBack(inflated, CHUNK_LENGTH);
      } else if (this.#failure) throw inflateError(this.#failure);
      else if (done) return;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /**
   * Tells whether the lengths of a stored block that is not the final one are due, as they are before
   * the last bytes of a sync flush. Nothing can be fed behind this.
   */
  async awaitsLengths(): Promise<boolean> {
    const probe = createProbe();
    const found: Uint8Array[] = [];
    // The byte behind is taken where more blocks may come, and left where the final one has ended.
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
 * Inflates a segment: deflated bytes that were cut out of a member at byte boundaries.
 *
 * @param deflated The segment's bytes.
 * @returns What they inflate to.
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
