/**
 * Reading one gzip member, and refusing anything beside it. This module is browser compatible.
 *
 * @module
 */

import type { InflateRaw } from "node:zlib";
import { ByteReader } from "./byte_reader.ts";
import { ParError } from "./errors.ts";
import { builtin } from "./runtime.ts";
import { type Bytes, iterate } from "./source.ts";

const OUTPUT_LENGTH = 256 * 1024;

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

/**
 * Decompresses the member whose header was just read.
 *
 * @param reader The stream, behind the header; left at its end.
 * @param header The header.
 * @throws {ParError} `ERR_GZIP_CORRUPT`, `ERR_ARCHIVE_TRUNCATED`, and where anything follows the
 * member `ERR_GZIP_SECOND_MEMBER` or `ERR_ARCHIVE_TRAILING_DATA`.
 */
export async function* gunzip(reader: ByteReader, header: GzipHeader): Bytes {
  const zlib = builtin("node:zlib");
  if (!zlib) {
    yield* gunzipOnTheWeb(reader, header);
    return;
  }
  let crc = 0;
  let length = 0;
  for await (const chunk of inflate(reader, zlib.createInflateRaw({ chunkSize: OUTPUT_LENGTH }))) {
    crc = zlib.crc32(chunk, crc);
    length += chunk.length;
    yield chunk;
  }
  const trailer = await reader.read(8);
  const view = new DataView(trailer.buffer, trailer.byteOffset, 8);
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

/** Runs a raw inflater, and leaves the reader right behind the last byte that it used. */
async function* inflate(reader: ByteReader, inflater: InflateRaw): Bytes {
  let fed = 0;
  let last: Uint8Array = new Uint8Array(0);
  const ended = new Promise<void>((resolve) => inflater.once("close", resolve));
  const feed = async (): Promise<void> => {
    while (!inflater.destroyed && !inflater.readableEnded) {
      const chunk = await reader.readSome(OUTPUT_LENGTH);
      if (!chunk) return void inflater.end();
      fed += chunk.length;
      last = chunk;
      const written = new Promise<void>((resolve) => inflater.write(chunk, () => resolve()));
      await Promise.race([written, ended]);
    }
  };
  let failure: unknown;
  const feeding = feed().catch((error) => {
    failure = error;
    inflater.destroy();
  });
  try {
    yield* inflater as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (failure) throw failure;
    throw inflateError(cause, reader.position);
  } finally {
    inflater.destroy();
    await feeding;
  }
  if (failure) throw failure;
  reader.unread(last.subarray(last.length - (fed - inflater.bytesWritten)));
}

function inflateError(cause: unknown, position: number): unknown {
  const { code, message } = cause as { code?: string; message?: string };
  if (code === "Z_BUF_ERROR") {
    return new ParError(
      "ERR_ARCHIVE_TRUNCATED",
      `Cannot read the archive to its end: its gzip member stops after ${position} bytes; ` +
        "get a complete copy",
      cause,
    );
  }
  return code?.startsWith("Z_") ? corrupt(message ?? code, cause) : cause;
}

/** The browser's own decompressor checks the trailer, and refuses what follows it. */
async function* gunzipOnTheWeb(reader: ByteReader, header: GzipHeader): Bytes {
  const member = async function* (): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    yield header.bytes as Uint8Array<ArrayBuffer>;
    for (let chunk = await reader.readSome(); chunk; chunk = await reader.readSome()) {
      yield chunk as Uint8Array<ArrayBuffer>;
    }
  }();
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller): Promise<void> {
      const next = await member.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel(): Promise<void> {
      await member.return(undefined);
    },
  });
  try {
    yield* iterate(stream.pipeThrough(new DecompressionStream("gzip")));
  } catch (cause) {
    throw cause instanceof TypeError ? corrupt(cause.message, cause) : cause;
  }
}

function corrupt(reason: string, cause?: unknown): ParError {
  return new ParError(
    "ERR_GZIP_CORRUPT",
    `Cannot decompress the archive: ${reason}; get another copy`,
    cause,
  );
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
