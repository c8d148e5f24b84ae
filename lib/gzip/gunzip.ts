/**
 * Reads one gzip member and refuses anything that follows it. This module is browser compatible.
 *
 * @module
 */

import type { ByteReader } from "../bytes/byte_reader.ts";
import { type Bytes, bytesOf, concat, lengthOf } from "../bytes/chunks.ts";
import { combineCrc32, crc32 } from "./crc32.ts";
import { ParError } from "../errors.ts";
import { CHUNK_LENGTH, Inflater } from "./inflater.ts";
import {
  type Boundary,
  corrupt,
  createProbe,
  equal,
  FINAL_BLOCK,
  FLUSH_LENGTH,
  isFlush,
  mismatch,
  truncated,
} from "./parts.ts";
import { decompress, findEnd, type Inflated, inflateParts, SMALL_LENGTH } from "./web.ts";
import { builtin, refusesTrailingData } from "../runtime/builtins.ts";

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
 * @param options What to check besides the checksum.
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
  const inflated = yield* zlib
    ? inflateNative(zlib, reader, options)
    : inflateOnTheWeb(reader, header, options);
  if (inflated) await checkEnd(reader, inflated);
}

/** Checks what follows the content: the trailer, and nothing behind that. */
async function checkEnd(reader: ByteReader, { crc, length }: Inflated): Promise<void> {
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

/** Leaves the reader behind the compressed data. */
async function* inflateNative(
  zlib: typeof import("node:zlib"),
  reader: ByteReader,
  { boundaries = [], onChecksum }: GunzipOptions,
): AsyncGenerator<Uint8Array, Inflated> {
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
  return { crc, length };
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
    const boundary = this.#boundaries[this.#passed++];
    if (boundary?.inflated !== inflated) throw mismatch();
  }

  /** Ends the member. It must be at the last boundary. */
  end(deflated: number): void {
    const last = this.#boundaries.at(-1);
    if (!last) return;
    if (this.#passed < this.#boundaries.length || last.deflated !== deflated) throw mismatch();
  }
}

/**
 * Leaves the reader behind the compressed data, or at the end of the stream where the decompressor has
 * checked all there is: it gives no result then.
 *
 * Without boundaries, where a member ends is only found out for a small one. If anything follows a
 * larger one, that is `ERR_GZIP_CORRUPT` like any other fault that the decompressor finds.
 */
async function* inflateOnTheWeb(
  reader: ByteReader,
  header: GzipHeader,
  { boundaries = [], onChecksum }: GunzipOptions,
): AsyncGenerator<Uint8Array, Inflated | undefined> {
  if (boundaries.length > 0) return yield* inflateParts(reader, boundaries, onChecksum);
  const member = await reader.peek(SMALL_LENGTH + 1);
  if (member.length > SMALL_LENGTH) {
    const whole = async function* (): Bytes {
      yield header.bytes;
      yield* reader.rest();
    };
    yield* decompress("gzip", whole());
    return undefined;
  }
  let inflated: Inflated = { crc: 0, length: 0 };
  for await (const chunk of decompress("deflate-raw", reader.take(await findEnd(member)))) {
    inflated = { crc: crc32(chunk, inflated.crc), length: inflated.length + chunk.length };
    yield chunk;
  }
  return inflated;
}

/**
 * Decompresses a small member without `node:zlib`, because loading that takes longer than the work.
 *
 * @returns The content. `undefined` if the member is not small or has any fault; then the reader stands
 * where it stood, and the other way finds the fault that comes first.
 */
async function gunzipSmall(
  reader: ByteReader,
  header: GzipHeader,
  { boundaries = [] }: GunzipOptions,
): Promise<Uint8Array[] | undefined> {
  const member = await reader.peek(SMALL_LENGTH + 1);
  if (member.length > SMALL_LENGTH) return undefined;
  const content = await decompressSmall("gzip", header.bytes, member);
  if (!content) return undefined;
  const end = member.length - TRAILER_LENGTH;
  if ((boundaries.at(-1)?.deflated ?? end) !== end) return undefined;
  let before: Boundary = { deflated: 0, inflated: 0 };
  for (const boundary of boundaries) {
    const part = member.subarray(before.deflated, boundary.deflated);
    const length = boundary.inflated - before.inflated;
    if (!await isPart(part, length, boundary.deflated === end)) return undefined;
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
  const content = concat(await decompressSmall("deflate-raw", ...blocks) ?? []);
  if (last) return content.length === length;
  return isFlush(deflated.subarray(-FLUSH_LENGTH)) &&
    equal(content.subarray(length), probe.inflated);
}

/** Decompresses bytes in memory; `undefined` if they are corrupt or have too much in them. */
async function decompressSmall(
  format: CompressionFormat,
  ...parts: readonly Uint8Array[]
): Promise<Uint8Array[] | undefined> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of decompress(format, bytesOf(...parts))) {
      chunks.push(chunk);
      if (lengthOf(chunks) > SMALL_CONTENT_LENGTH) return undefined;
    }
  } catch {
    return undefined;
  }
  return chunks;
}
