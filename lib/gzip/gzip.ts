/**
 * Writes one gzip member whose parts can be inflated and copied alone. This module is browser
 * compatible.
 *
 * @module
 */

import { combineCrc32 } from "./crc32.ts";
import { createDeflatePool } from "./deflate_pool.ts";
import { ParError } from "../errors.ts";
import { builtin } from "../runtime/builtins.ts";
import { type Bytes, bytesOf } from "../bytes/chunks.ts";
import { FINAL_BLOCK } from "./parts.ts";
import { iterate, toStream } from "../bytes/streams.ts";

/**
 * Input bytes of one deflate call, which starts with an empty history. At this size that costs next to
 * no bytes. Changing it changes the bytes of every archive.
 */
const BLOCK_LENGTH = 1024 * 1024;

/** Starting a worker takes about as long as deflating one block. */
const BLOCKS_WORTH_WORKERS = 4;

/** A part of the input that can be inflated without the parts before it. */
export interface Segment {
  /** Its length in bytes. */
  readonly length: number;
  /** Gives its bytes. */
  readonly open: () => Bytes;
  /** The same part in another member, to copy instead of compressing it again. */
  readonly deflated?: DeflatedSegment | undefined;
}

/** A part of another member that can be inflated alone. */
export interface DeflatedSegment {
  /** Its compressed length in bytes. */
  readonly length: number;
  /** The CRC-32 of its content. */
  readonly crc32: number;
  /** Gives its compressed bytes: whole blocks, none of them final, that end at a byte boundary. */
  readonly open: () => Bytes;
}

/** Settings of {@linkcode gzip}. */
export interface GzipOptions {
  /** Deflate's effort, 1 to 9. */
  readonly level: number;
  /** How many threads deflate; default: one for each core. The bytes do not depend on it. */
  readonly jobs?: number | undefined;
  /** The data of the header's extra field (RFC 1952, section 2.3.1.1), at most 65535 bytes. */
  readonly extra?: Uint8Array | undefined;
  /**
   * Receives the compressed length of each segment in order, after the segment is given out. A browser
   * can neither mark where a segment ends nor copy one: there it is not called, and the header has no
   * extra field.
   */
  readonly onSegment?: (deflatedLength: number) => void;
}

/** Where the data of the extra field begins in the member. */
export const EXTRA_OFFSET = 12;

/**
 * Compresses segments into one gzip member (RFC 1952).
 *
 * Each segment begins at a byte boundary with an empty history. Inside a segment, blocks of a fixed size
 * are compressed independently, so that the bytes do not depend on the number of threads. The last
 * segment holds the final block.
 */
export async function* gzip(segments: readonly Segment[], options: GzipOptions): Bytes {
  const zlib = builtin("node:zlib");
  if (!zlib) {
    yield* gzipOnTheWeb(segments);
    return;
  }
  let crc = 0;
  let length = 0;
  using pool = createDeflatePool({
    level: options.level,
    jobs: countJobs(segments, options.jobs),
    blockLength: BLOCK_LENGTH,
  });
  const output = new OutputQueue(options);
  yield encodeHeader(options);
  for (const [index, segment] of segments.entries()) {
    if (segment.deflated) {
      crc = combineCrc32(crc, segment.deflated.crc32, segment.length);
      output.add(copy(segment.deflated));
    } else {
      for await (const block of blocks(segment.open(), pool.allocate)) {
        crc = zlib.crc32(block, crc);
        output.add(pool.deflate(block));
        yield* output.take(pool.depth);
      }
    }
    length += segment.length;
    if (index === segments.length - 1) output.add(bytesOf(FINAL_BLOCK));
    output.endSegment();
  }
  yield* output.take(0);
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(0, crc, true);
  trailer.setUint32(4, length % 2 ** 32, true);
  yield new Uint8Array(trailer.buffer);
}

/** RFC 1952, section 2.3: deflate, perhaps an extra field, no time, the effort, unknown system. */
function encodeHeader({ level, extra }: GzipOptions): Uint8Array {
  const effort = level === 9 ? 2 : level === 1 ? 4 : 0;
  const fixed = [0x1f, 0x8b, 8, extra ? 4 : 0, 0, 0, 0, 0, effort, 0xff];
  return Uint8Array.from(
    extra ? [...fixed, extra.length & 0xff, extra.length >> 8, ...extra] : fixed,
  );
}

function countJobs(segments: readonly Segment[], jobs: number | undefined): number {
  let length = 0;
  for (const segment of segments) if (!segment.deflated) length += segment.length;
  const blocks = Math.ceil(length / BLOCK_LENGTH);
  if (blocks < BLOCKS_WORTH_WORKERS) return 1;
  return Math.min(jobs ?? globalThis.navigator?.hardwareConcurrency ?? 1, blocks);
}

/** Puts deflated bytes into the order of the input, whichever thread finishes first. */
class OutputQueue {
  readonly #parts: (Bytes | "end of segment")[] = [];
  readonly #onSegment: (deflatedLength: number) => void;
  #segmentLength = 0;

  constructor({ onSegment = (): void => {} }: GzipOptions) {
    this.#onSegment = onSegment;
  }

  add(bytes: Bytes): void {
    this.#parts.push(bytes);
  }

  endSegment(): void {
    this.#parts.push("end of segment");
  }

  /** Gives out the first parts and leaves `rest` of them. */
  async *take(rest: number): Bytes {
    while (this.#parts.length > rest) {
      const part = this.#parts.shift();
      if (part === undefined) return;
      if (part === "end of segment") {
        this.#onSegment(this.#segmentLength);
        this.#segmentLength = 0;
        continue;
      }
      for await (const chunk of part) {
        this.#segmentLength += chunk.length;
        yield chunk;
      }
    }
  }
}

async function* copy({ length, open }: DeflatedSegment): Bytes {
  let copied = 0;
  for await (const chunk of open()) {
    copied += chunk.length;
    yield chunk;
  }
  if (copied === length) return;
  throw new ParError(
    "ERR_FILE_CHANGED",
    "Cannot copy from the archive: it changed while it was read; try again",
  );
}

/** Cuts bytes into blocks of {@linkcode BLOCK_LENGTH}, the last one shorter. */
async function* blocks(input: Bytes, allocate: () => Uint8Array): AsyncGenerator<Uint8Array> {
  let block: Uint8Array | undefined;
  let filled = 0;
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length;) {
      block ??= allocate();
      const part = chunk.subarray(at, at + BLOCK_LENGTH - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < BLOCK_LENGTH) continue;
      yield block;
      block = undefined;
      filled = 0;
    }
  }
  if (block) yield block.subarray(0, filled);
}

/** The browser chooses the level itself and cannot mark where a segment ends. */
async function* gzipOnTheWeb(segments: readonly Segment[]): Bytes {
  const input = async function* (): Bytes {
    for (const segment of segments) yield* segment.open();
  };
  yield* iterate(toStream(input()).pipeThrough(new CompressionStream("gzip")));
}
