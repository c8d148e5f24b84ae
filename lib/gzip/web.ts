/**
 * Inflates with the web's own decompressor. It refuses what follows the compressed data, but does not
 * say where that ends; this module finds out. This module is browser compatible.
 *
 * @module
 */

import type { ByteReader } from "../bytes/byte_reader.ts";
import { type Bytes, bytesOf, concat, keep } from "../bytes/chunks.ts";
import { iterate } from "../bytes/streams.ts";
import { combineCrc32, crc32 } from "./crc32.ts";
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

/** The largest small member, in bytes. */
export const SMALL_LENGTH = 16 * 1024;

/**
 * Decompresses a stream.
 *
 * @param format What is in it.
 * @param input The compressed bytes, and nothing behind them.
 * @throws {ParError} `ERR_GZIP_CORRUPT`; `ERR_ARCHIVE_TRUNCATED` if all bytes were taken and more are
 * due.
 */
export async function* decompress(format: CompressionFormat, input: Bytes): Bytes {
  const { readable, writable } = new DecompressionStream(format);
  const writer = writable.getWriter();
  let position = 0;
  let taken = false;
  const written = (async (): Promise<void> => {
    try {
      for await (const chunk of input) {
        // A decompressor may hold on to it: that of Node 24 does when this has ended.
        await writer.write(keep(chunk));
        position += chunk.length;
      }
      taken = true;
      // Deno 2.9.6 takes no bytes at all for a whole stream.
      if (position === 0) throw truncated(0);
      await writer.close();
    } catch (error) {
      // To abort drops what is still to be read. This waits until nothing is.
      await writer.write(new Uint8Array(0)).catch(() => {});
      await writer.abort(error).catch(() => {});
      throw error;
    }
  })();
  written.catch(() => {});
  try {
    yield* iterate(readable);
    await written;
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw taken ? truncated(position) : corrupt(cause.message, cause);
  }
}

/** What came out of a member. */
export interface Inflated {
  /** The CRC-32 of its content. */
  readonly crc: number;
  /** The length of its content in bytes. */
  readonly length: number;
}

/**
 * Inflates the parts between boundaries, each with an empty history. A probe proves that a part ends at
 * its boundary for a reader that knows no boundaries, too.
 *
 * @param reader The compressed bytes. It is read up to the last boundary.
 * @param boundaries The boundaries.
 * @param onChecksum Receives the CRC-32 of each part.
 * @throws {ParError} `ERR_INDEX_MISMATCH`, `ERR_GZIP_CORRUPT` or `ERR_ARCHIVE_TRUNCATED`.
 */
export async function* inflateParts(
  reader: ByteReader,
  boundaries: readonly Boundary[],
  onChecksum?: (crc32: number) => void,
): AsyncGenerator<Uint8Array, Inflated> {
  let inflated: Inflated = { crc: 0, length: 0 };
  let start = 0;
  for (const [i, { deflated, inflated: end }] of boundaries.entries()) {
    const last = i === boundaries.length - 1;
    const part = yield* inflatePart(reader, deflated - start, end - inflated.length, last);
    onChecksum?.(part);
    const crc = combineCrc32(inflated.crc, part, end - inflated.length);
    inflated = { crc, length: end };
    start = deflated;
  }
  return inflated;
}

/** Gives a part's content, and returns its CRC-32. */
async function* inflatePart(
  reader: ByteReader,
  deflatedLength: number,
  length: number,
  last: boolean,
): AsyncGenerator<Uint8Array, number> {
  const probe = createProbe();
  let probing = false;
  const input = async function* (): Bytes {
    const end = await findPartEnd(reader, deflatedLength, last);
    if (end !== deflatedLength) {
      yield* reader.take(Math.min(end, deflatedLength));
      throw mismatch();
    }
    if (last) return yield* reader.take(deflatedLength);
    if (deflatedLength < FLUSH_LENGTH) throw mismatch();
    yield* reader.take(deflatedLength - FLUSH_LENGTH);
    if (!isFlush(await reader.read(FLUSH_LENGTH))) throw mismatch();
    probing = true;
    yield probe.deflated;
    yield FINAL_BLOCK;
  };
  const held = last ? 0 : probe.inflated.length;
  let [crc, given] = [0, 0];
  let end = new Uint8Array(0);
  try {
    for await (const chunk of decompress("deflate-raw", input())) {
      // The probe's bytes are no content, and come last.
      const joined = concat([end, chunk]);
      const content = joined.subarray(0, Math.max(0, joined.length - held));
      end = joined.slice(content.length);
      given += content.length;
      crc = crc32(content, crc);
      if (content.length > 0) yield content;
    }
  } catch (error) {
    // Whoever reads the content may find a fault in its last bytes, which comes first then.
    if (!probing && end.length > 0) yield end;
    throw error;
  }
  if (given !== length || (!last && !equal(end, probe.inflated))) throw mismatch();
  return crc;
}

/** Where a part ends: at its boundary, unless it is small and the final block ends elsewhere. */
async function findPartEnd(
  reader: ByteReader,
  deflatedLength: number,
  last: boolean,
): Promise<number> {
  if (deflatedLength > SMALL_LENGTH) return deflatedLength;
  const bytes = await reader.peek(last ? SMALL_LENGTH : deflatedLength);
  const end = await findEnd(bytes);
  // Where bytes are missing, taking them says so.
  return end === bytes.length && end < deflatedLength ? deflatedLength : end;
}

/**
 * Finds where compressed data ends, in bytes that begin with it. The decompressor takes every part of
 * it, and refuses one byte more.
 *
 * @param bytes Few bytes: they are inflated over and over.
 * @returns The length of the compressed data, or of all bytes if more of it is due.
 * @throws {ParError} `ERR_GZIP_CORRUPT`.
 */
export async function findEnd(bytes: Uint8Array): Promise<number> {
  if (await inflates(bytes) !== "no") return bytes.length;
  let [most, least] = [0, bytes.length];
  while (least - most > 1) {
    const middle = (most + least) >>> 1;
    if (await inflates(bytes.subarray(0, middle)) === "no") least = middle;
    else most = middle;
  }
  if (await inflates(bytes.subarray(0, most)) !== "yes") {
    throw corrupt("its data is no deflate data");
  }
  return most;
}

/** Whether bytes are compressed data, the beginning of it, or neither. */
async function inflates(bytes: Uint8Array): Promise<"yes" | "begin" | "no"> {
  try {
    for await (const _ of decompress("deflate-raw", bytesOf(bytes)));
    return "yes";
  } catch (error) {
    return (error as { code?: string }).code === "ERR_ARCHIVE_TRUNCATED" ? "begin" : "no";
  }
}
