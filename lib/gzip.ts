/**
 * Writing one gzip member whose parts can be inflated alone. This module is browser compatible.
 *
 * @module
 */

import { builtin } from "./runtime.ts";
import { type Bytes, iterate } from "./source.ts";

/** Input bytes to one deflate call. A block's size is part of the format's reproducibility. */
const BLOCK_LENGTH = 1024 * 1024;

/** Deflate looks back at most so far (RFC 1951, section 2). */
const WINDOW_LENGTH = 32 * 1024;

/** RFC 1952, section 2.3: deflate, no flags, no time, slowest compression, unknown system. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff);

/** A final, empty deflate block (RFC 1951, section 3.2.6). */
const FINAL_BLOCK = Uint8Array.of(3, 0);

/** A part of the input that shall be inflatable without what stands before it. */
export interface Segment {
  /** Its bytes. */
  readonly bytes: Bytes;
}

/**
 * Compresses segments into one gzip member (RFC 1952).
 *
 * Each segment begins at a byte boundary with an empty history. Inside a segment, blocks of a fixed
 * size are compressed independently, each primed with the window before it, so that the same input
 * gives the same bytes however the blocks are shared out.
 *
 * @param segments The input, in order.
 * @param level Deflate's effort, 1 to 9.
 * @returns The member's bytes.
 */
export async function* gzip(segments: AsyncIterable<Segment>, level: number): Bytes {
  const zlib = builtin("node:zlib");
  if (!zlib) {
    yield* gzipOnTheWeb(segments);
    return;
  }
  let crc = 0;
  let length = 0;
  yield HEADER;
  for await (const segment of segments) {
    let window = new Uint8Array(0);
    for await (const block of blocks(segment.bytes)) {
      crc = zlib.crc32(block, crc);
      length += block.length;
      yield zlib.deflateRawSync(block, {
        level,
        ...(window.length > 0 && { dictionary: window }),
        finishFlush: zlib.constants.Z_SYNC_FLUSH,
      });
      window = block.subarray(-WINDOW_LENGTH);
    }
  }
  yield FINAL_BLOCK;
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(0, crc, true);
  trailer.setUint32(4, length % 2 ** 32, true);
  yield new Uint8Array(trailer.buffer);
}

/** Cuts bytes into blocks of {@linkcode BLOCK_LENGTH}, the last one shorter. */
async function* blocks(bytes: Bytes): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let block = new Uint8Array(BLOCK_LENGTH);
  let filled = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + BLOCK_LENGTH - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < BLOCK_LENGTH) continue;
      yield block;
      block = new Uint8Array(BLOCK_LENGTH);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}

/** The browser compresses at a level of its own choice, and without marks between segments. */
async function* gzipOnTheWeb(segments: AsyncIterable<Segment>): Bytes {
  const input = async function* (): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for await (const segment of segments) {
      yield* segment.bytes as AsyncIterable<Uint8Array<ArrayBuffer>>;
    }
  };
  yield* iterate(toStream(input()).pipeThrough(new CompressionStream("gzip")));
}

/** A web stream of what an iterator yields. */
export function toStream<T extends Uint8Array>(bytes: AsyncIterable<T>): ReadableStream<T> {
  const iterator = bytes[Symbol.asyncIterator]();
  return new ReadableStream<T>({
    async pull(controller): Promise<void> {
      const next = await iterator.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel(reason): Promise<void> {
      await iterator.return?.(reason);
    },
  }, { highWaterMark: 0 });
}
