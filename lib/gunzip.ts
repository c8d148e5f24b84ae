/**
 * Reading one gzip member, and refusing anything beside it. This module is browser compatible.
 *
 * @module
 */

import type { InflateRaw } from "node:zlib";
import type { ByteReader } from "./byte_reader.ts";
import { concat, lengthOf } from "./bytes.ts";
import { combineCrc32 } from "./crc32.ts";
import { ParError } from "./errors.ts";
import { builtin } from "./runtime.ts";
import { type Bytes, iterate, toStream } from "./source.ts";

/** What is inflated at a time; larger chunks are no faster, smaller ones are slower. */
const CHUNK_LENGTH = 1024 * 1024;

/** A member up to this length is small. */
const SMALL_LENGTH = 16 * 1024;

/** What a small member may decompress to, as it is held in memory. */
const SMALL_CONTENT_LENGTH = 1024 * 1024;

/** RFC 1952, section 2.3.1: a checksum and a length. */
const TRAILER_LENGTH = 8;

/** What a sync flush ends in: the lengths of an empty stored block (RFC 1951, section 3.2.4). */
const FLUSH = [0, 0, 0xff, 0xff];

/** A final, empty deflate block (RFC 1951, section 3.2.6). */
const FINAL_BLOCK = Uint8Array.of(3, 0);

/** RFC 1952, section 2.3.1. */
const FLAG = { HCRC: 2, EXTRA: 4, NAME: 8, COMMENT: 16, RESERVED: 0xe0 } as const;

/** Tells a gzip member from a plain tar stream, as readers in the field do: by two bytes. */
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
    const bytes = (await reader.read(length)).slice();
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
  if (flags & FLAG.HCRC) await take(2);
  const bytes = concat(parts);
  return extra ? { bytes, extra } : { bytes };
}

/** A place in a member that can be told from the outside, counted from behind its header. */
export interface Boundary {
  /** How many compressed bytes are before it. */
  readonly deflated: number;
  /** How many bytes they are decompressed. */
  readonly inflated: number;
}

/** Settings of {@linkcode gunzip}. */
export interface GunzipOptions {
  /** Places where the two must meet, in order; the last is the member's end. */
  readonly boundaries?: readonly Boundary[] | undefined;
  /** Is told, for each boundary in order, the checksum of what is between the last one and it. */
  readonly onChecksum?: ((crc32: number) => void) | undefined;
}

/**
 * Decompresses the member whose header was just read.
 *
 * It is one stream, as every other reader has it. To inflate it part by part instead could come to
 * other bytes than theirs: where a part ends, nothing but the stream itself can tell.
 *
 * @param reader The stream, behind the header; left at its end.
 * @param header The header.
 * @param options What to check beside the checksum. In a browser, boundaries are not seen.
 * @throws {ParError} `ERR_GZIP_CORRUPT`, `ERR_ARCHIVE_TRUNCATED`, `ERR_INDEX_MISMATCH` for a boundary
 * that is none, and where anything follows the member `ERR_GZIP_SECOND_MEMBER` or
 * `ERR_ARCHIVE_TRAILING_DATA`.
 */
export async function* gunzip(
  reader: ByteReader,
  header: GzipHeader,
  options: GunzipOptions = {},
): Bytes {
  if (!options.onChecksum) {
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
  let passed = 0;
  let length = 0;
  let crc = 0;
  let part = { start: 0, crc: 0 };
  const endPart = (): void => {
    crc = combineCrc32(crc, part.crc, length - part.start);
    onChecksum?.(part.crc);
    part = { start: length, crc: 0 };
  };
  using inflater = new Inflater(zlib);
  while (!inflater.ended) {
    const boundary = boundaries[passed];
    if (boundary?.deflated === inflater.fed) {
      const last = ++passed === boundaries.length;
      if (boundary.inflated !== length || !(last || isFlushed(inflater.tail))) throw mismatch();
      endPart();
      continue;
    }
    const chunk = await reader.readSome(
      Math.min(CHUNK_LENGTH, (boundary?.deflated ?? Infinity) - inflater.fed),
    );
    if (!chunk) throw truncated(reader.position);
    for await (const inflated of inflater.feed(chunk)) {
      part.crc = zlib.crc32(inflated, part.crc);
      length += inflated.length;
      yield inflated;
    }
  }
  const { unused } = inflater;
  const end = inflater.fed - unused.length;
  if (passed < boundaries.length || end !== (boundaries.at(-1)?.deflated ?? end)) throw mismatch();
  if (boundaries.length === 0) endPart();
  reader.unread(unused);
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
/** Inflates a chunk at a time: what it is fed is used up before it asks for more. */
class Inflater implements Disposable {
  readonly #stream: InflateRaw;
  #last: Uint8Array = new Uint8Array(0);
  #tail: Uint8Array = new Uint8Array(0);
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

  /** How many bytes it was fed. */
  get fed(): number {
    return this.#fed;
  }

  /** The last of them, as many as a sync flush ends in. */
  get tail(): Uint8Array {
    return this.#tail;
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
    this.#tail = concat([this.#tail, chunk.subarray(-FLUSH.length)]).subarray(-FLUSH.length);
    this.#fed += chunk.length;
    this.#stream.write(chunk, () => {
      done = true;
      this.#wake();
    });
    while (true) {
      const inflated: Uint8Array | null = this.#stream.read();
      if (inflated) yield inflated;
      else if (this.#failure) throw inflateError(this.#failure);
      else if (done) return;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  [Symbol.dispose](): void {
    this.#stream.destroy();
  }
}

/**
 * Inflates a segment: deflated bytes that were cut out of a member at byte boundaries.
 *
 * @param deflated The segment's bytes.
 * @throws {ParError} `ERR_GZIP_CORRUPT`.
 */
export async function* inflateSegment(deflated: Bytes): Bytes {
  const whole = async function* (): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    yield* deflated as AsyncIterable<Uint8Array<ArrayBuffer>>;
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

/** Whether bytes end in a sync flush, as all that can be copied does. */
function isFlushed(deflated: Uint8Array): boolean {
  return FLUSH.every((byte, i) => byte === deflated.at(i - FLUSH.length));
}

function inflateError(cause: unknown): unknown {
  const { code, message } = cause as { code?: string; message?: string };
  return code?.startsWith("Z_") ? corrupt(message ?? code, cause) : cause;
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

/** The browser's own decompressor checks the trailer, and refuses what follows it. */
async function* gunzipOnTheWeb(reader: ByteReader, header: GzipHeader): Bytes {
  const member = async function* (): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    yield header.bytes as Uint8Array<ArrayBuffer>;
    yield* reader.rest() as AsyncIterable<Uint8Array<ArrayBuffer>>;
  }();
  try {
    yield* iterate(toStream(member).pipeThrough(new DecompressionStream("gzip")));
  } catch (cause) {
    throw cause instanceof TypeError ? corrupt(cause.message, cause) : cause;
  }
}

/**
 * Decompresses a small member, without loading `node:zlib`, which takes longer than all the rest.
 *
 * @returns The content, and the reader left at its end; or `undefined`, and the reader left where it
 * was, where the member is not small, or not in order in any way: the other way finds out in which.
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
  for (const { deflated, inflated } of boundaries) {
    const before = member.subarray(0, deflated);
    const flushed = deflated === end || isFlushed(before);
    const blocks = deflated === end ? [before] : [before, FINAL_BLOCK];
    const found = await decompress("deflate-raw", ...blocks).catch(() => []);
    if (!flushed || lengthOf(found) !== inflated) throw mismatch();
  }
  await reader.read(member.length);
  return content;
}

/** Decompresses what is in memory, up to {@linkcode SMALL_CONTENT_LENGTH}. */
async function decompress(
  format: CompressionFormat,
  ...parts: readonly Uint8Array[]
): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  const stream = new Blob(parts as Uint8Array<ArrayBuffer>[]).stream();
  for await (const chunk of iterate(stream.pipeThrough(new DecompressionStream(format)))) {
    chunks.push(chunk);
    if (lengthOf(chunks) > SMALL_CONTENT_LENGTH) throw new RangeError("more than expected");
  }
  return chunks;
}

function corrupt(reason: string, cause?: unknown): ParError {
  return new ParError(
    "ERR_GZIP_CORRUPT",
    `Cannot decompress the archive: ${reason}; get another copy`,
    cause,
  );
}
