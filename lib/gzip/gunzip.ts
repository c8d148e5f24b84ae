/**
 * Reads one gzip member and refuses anything that follows it. This module is browser compatible.
 *
 * @module
 */

import type { ByteReader } from "../bytes/byte_reader.ts";
import { concat, lengthOf } from "../bytes/chunks.ts";
import { combineCrc32, crc32 } from "./crc32.ts";
import { ParError } from "../errors.ts";
import {
  CHUNK_LENGTH,
  corrupt,
  createProbe,
  equal,
  FINAL_BLOCK,
  FLUSH_LENGTH,
  Inflater,
  isFlush,
} from "./inflater.ts";
import { builtin, refusesTrailingData } from "../runtime/builtins.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { iterate, toStream } from "../bytes/streams.ts";

/** The largest small member, in bytes. */
const SMALL_LENGTH = 16 * 1024;

/** The largest content of a small member, in bytes. It is held in memory. */
const SMALL_CONTENT_LENGTH = 1024 * 1024;

/** RFC 1952, section 2.3.1: a checksum and a length. */
const TRAILER_LENGTH = 8;

/** RFC 1952, section 2.3.1. */
const FLAG = { HCRC: 2, EXTRA: 4, NAME: 8, COMMENT: 16, RESERVED: 0xe0 } as const;

/** Tells whether a stream is gzip by its first two bytes, as other readers do. */
export async function isGzip(reader: ByteReader): Promise<boolean> {
  const [first, second] = await reader.peek(2);
  return first === 0x1f && second === 0x8b;
}

/** A gzip member's header. */
export interface GzipHeader {
  /** The header's own bytes. */
  readonly bytes: Uint8Array;
  /** The data of its extra field (RFC 1952, section 2.3.1.1), where there is one. */
  readonly extra?: Uint8Array;
}

/**
 * Reads a gzip member's header (RFC 1952, section 2.3).
 *
 * @param reader The stream, at the member's first byte.
 * @throws {ParError} `ERR_GZIP_CORRUPT` or `ERR_ARCHIVE_TRUNCATED`.
 */
export async function readGzipHeader(reader: ByteReader): Promise<GzipHeader> {
  const parts: Uint8Array[] = [];
  const take = async (length: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(await reader.read(length));
    parts.push(bytes);
    return bytes;
  };
  const [, , method, flags = 0] = await take(10);
  if (method !== 8) throw corrupt("its compression method is not deflate");
  if (flags & FLAG.RESERVED) throw corrupt("its header has flags that no standard gives a meaning");
  let extra: Uint8Array | undefined;
  if (flags & FLAG.EXTRA) {
    const [low = 0, high = 0] = await take(2);
    extra = await take(low | (high << 8));
  }
  for (const flag of [FLAG.NAME, FLAG.COMMENT]) {
    if (!(flags & flag)) continue;
    for (let length = 0; (await take(1))[0] !== 0; length++) {
      if (length > 65535) throw corrupt("a text in its header does not end");
    }
  }
  if (flags & FLAG.HCRC) {
    const stated = crc32(concat(parts)) & 0xffff;
    const [low = 0, high = 0] = await take(2);
    if ((low | (high << 8)) !== stated) throw corrupt("the checksum of its header is wrong");
  }
  const bytes = concat(parts);
  return extra ? { bytes, extra } : { bytes };
}

/** A place in a member where the compressed and the decompressed bytes can both be cut. */
export interface Boundary {
  /** Compressed bytes before it, counted from the end of the header. */
  readonly deflated: number;
  /** Decompressed bytes before it. */
  readonly inflated: number;
}

/** Settings of {@linkcode gunzip}. */
export interface GunzipOptions {
  /** Where the member must be cut, in order. The last boundary is the member's end. */
  readonly boundaries?: readonly Boundary[] | undefined;
  /** Receives the CRC-32 of the content before each boundary, counted from the boundary before. */
  readonly onChecksum?: ((crc32: number) => void) | undefined;
}

/**
 * Decompresses the member whose header was just read.
 *
 * The bytes between two boundaries are inflated with an empty history. A probe proves that they end at
 * the boundary for a reader that knows no boundaries, too. So every reader gets the same content, and
 * each part can be copied into another member.
 *
 * @param reader The stream, right after the header. It is read to its end.
 * @param header The header.
 * @param options What to check besides the checksum. A browser cannot check boundaries.
 * @throws {ParError} Of the category `untrusted`: `ERR_INDEX_MISMATCH` if the member cannot be cut at
 * a boundary, `ERR_GZIP_SECOND_MEMBER` or `ERR_ARCHIVE_TRAILING_DATA` if anything follows it.
 */
export async function* gunzip(
  reader: ByteReader,
  header: GzipHeader,
  options: GunzipOptions = {},
): Bytes {
  if (!options.onChecksum && refusesTrailingData()) {
    const content = await gunzipSmall(reader, header, options);
    if (content) {
      yield* content;
      return;
    }
  }
  const zlib = builtin("node:zlib");
  if (!zlib) {
    yield* gunzipOnTheWeb(reader, header);
    return;
  }
  const { boundaries = [], onChecksum } = options;
  const parts = new Parts(boundaries);
  let fed = 0;
  let length = 0;
  let crc = 0;
  let part = { start: 0, crc: 0 };
  const endPart = (): void => {
    crc = combineCrc32(crc, part.crc, length - part.start);
    onChecksum?.(part.crc);
    part = { start: length, crc: 0 };
  };
  let inflater = new Inflater(zlib);
  try {
    while (!inflater.ended) {
      const most = parts.rest(fed);
      if (most === 0) {
        if (!parts.last) {
          fed += FLUSH_LENGTH;
          if (!isFlush(await reader.read(FLUSH_LENGTH))) throw mismatch();
          if (!await inflater.awaitsLengths()) throw mismatch();
          inflater[Symbol.dispose]();
          inflater = new Inflater(zlib);
        }
        parts.pass(length);
        endPart();
        continue;
      }
      const chunk = await reader.readSome(Math.min(CHUNK_LENGTH, most));
      if (!chunk) throw truncated(reader.position);
      fed += chunk.length;
      for await (const inflated of inflater.feed(chunk)) {
        part.crc = zlib.crc32(inflated, part.crc);
        length += inflated.length;
        yield inflated;
      }
    }
    const { unused } = inflater;
    parts.end(fed - unused.length);
    if (boundaries.length === 0) endPart();
    reader.unread(unused);
  } finally {
    inflater[Symbol.dispose]();
  }
  const trailer = await reader.read(TRAILER_LENGTH);
  const view = new DataView(trailer.buffer, trailer.byteOffset, TRAILER_LENGTH);
  if (view.getUint32(0, true) !== crc || view.getUint32(4, true) !== length % 2 ** 32) {
    throw corrupt("its checksum does not match its content");
  }
  if ((await reader.peek(1)).length === 0) return;
  if (await isGzip(reader)) {
    throw new ParError(
      "ERR_GZIP_SECOND_MEMBER",
      "Cannot trust the archive: a second gzip member follows the first, and other readers would " +
        "not see it",
    );
  }
  throw new ParError(
    "ERR_ARCHIVE_TRAILING_DATA",
    "Cannot trust the archive: bytes follow the end of its gzip member",
  );
}

/** The parts between the boundaries, and which of them is being read. */
class Parts {
  readonly #boundaries: readonly Boundary[];
  #passed = 0;

  constructor(boundaries: readonly Boundary[]) {
    this.#boundaries = boundaries;
  }

  /** Whether this is the last part, which holds the final block. */
  get last(): boolean {
    return this.#passed === this.#boundaries.length - 1;
  }

  /** Compressed bytes left before the part ends, or before its closing flush. */
  rest(fed: number): number {
    const boundary = this.#boundaries[this.#passed];
    if (!boundary) return Infinity;
    const rest = boundary.deflated - fed - (this.last ? 0 : FLUSH_LENGTH);
    if (rest < 0) throw mismatch();
    return rest;
  }

  /** Starts the next part. The boundary must be at this length of the content. */
  pass(inflated: number): void {
    if (this.#boundaries[this.#passed++]?.inflated !== inflated) throw mismatch();
  }

  /** Ends the member. It must be at the last boundary. */
  end(deflated: number): void {
    const last = this.#boundaries.at(-1);
    if (!last) return;
    if (this.#passed < this.#boundaries.length || last.deflated !== deflated) throw mismatch();
  }
}

function truncated(position: number): ParError {
  return new ParError(
    "ERR_ARCHIVE_TRUNCATED",
    `Cannot read the archive to its end: its gzip member stops after ${position} bytes; ` +
      "get a complete copy",
  );
}

function mismatch(): ParError {
  return new ParError(
    "ERR_INDEX_MISMATCH",
    "Cannot trust the archive: its index does not say where its entries are",
  );
}

/** The browser's decompressor checks the trailer and refuses anything that follows. */
async function* gunzipOnTheWeb(reader: ByteReader, header: GzipHeader): Bytes {
  const member = async function* (): Bytes {
    yield header.bytes;
    yield* reader.rest();
  }();
  try {
    yield* iterate(toStream(member).pipeThrough(new DecompressionStream("gzip")));
  } catch (cause) {
    throw cause instanceof TypeError ? corrupt(cause.message, cause) : cause;
  }
}

/**
 * Decompresses a small member without `node:zlib`, because loading that takes longer than the work.
 *
 * @returns The content. `undefined` if the member is not small or has any fault; then the reader stands
 * where it stood, and {@linkcode gunzip} finds the fault.
 */
async function gunzipSmall(
  reader: ByteReader,
  header: GzipHeader,
  { boundaries = [] }: GunzipOptions,
): Promise<Uint8Array[] | undefined> {
  const member = await reader.peek(SMALL_LENGTH + 1);
  if (member.length > SMALL_LENGTH) return undefined;
  let content: Uint8Array[];
  try {
    content = await decompress("gzip", header.bytes, member);
  } catch {
    return undefined;
  }
  const end = member.length - TRAILER_LENGTH;
  if ((boundaries.at(-1)?.deflated ?? end) !== end) throw mismatch();
  let before: Boundary = { deflated: 0, inflated: 0 };
  for (const boundary of boundaries) {
    const part = member.subarray(before.deflated, boundary.deflated);
    const length = boundary.inflated - before.inflated;
    if (!await isPart(part, length, boundary.deflated === end)) throw mismatch();
    before = boundary;
  }
  await reader.read(member.length);
  return content;
}

/** Whether a part inflates alone, has this length, and ends as the last or as another part must. */
async function isPart(deflated: Uint8Array, length: number, last: boolean): Promise<boolean> {
  const probe = createProbe();
  const blocks = last
    ? [deflated]
    : [deflated.subarray(0, -FLUSH_LENGTH), probe.deflated, FINAL_BLOCK];
  const content = concat(await decompress("deflate-raw", ...blocks).catch(() => []));
  if (last) return content.length === length;
  return isFlush(deflated.subarray(-FLUSH_LENGTH)) &&
    equal(content.subarray(length), probe.inflated);
}

/** Decompresses bytes in memory, up to {@linkcode SMALL_CONTENT_LENGTH}. */
async function decompress(
  format: CompressionFormat,
  ...parts: readonly Uint8Array[]
): Promise<Uint8Array[]> {
  const { readable, writable } = new DecompressionStream(format);
  const writer = writable.getWriter();
  const written = (async (): Promise<void> => {
    for (const part of parts) await writer.write(part as Uint8Array<ArrayBuffer>);
    await writer.close();
  })();
  written.catch(() => {});
  const chunks: Uint8Array[] = [];
  for await (const chunk of iterate(readable)) {
    chunks.push(chunk);
    if (lengthOf(chunks) > SMALL_CONTENT_LENGTH) throw new RangeError("more than expected");
  }
  await written;
  return chunks;
}
