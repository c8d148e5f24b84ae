/**
 * Opening an archive: gzip or not, its index, and the tar stream in it. Everything that reads one from
 * its beginning does it here. This module is browser compatible.
 *
 * @module
 */

import { ByteReader } from "../bytes/byte_reader.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { ParError } from "../errors.ts";
import { gunzip, type GzipHeader, isGzip, readGzipHeader } from "../gzip/gunzip.ts";
import {
  type ArchiveIndex,
  boundariesOf,
  decodeIndex,
  IndexCheck,
  type IndexedSegment,
} from "./index.ts";
import { checkSize, type Limits } from "./limits.ts";

/** Settings of {@linkcode openTar}. */
export interface OpenOptions {
  /** Bounds on what is read. */
  readonly limits?: Limits | undefined;
  /** Stops the reading with `ERR_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how many bytes of the archive were read so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
  /** Whether to find the segments of an archive with an index. */
  readonly segments?: boolean | undefined;
}

/** A segment of an archive that was read. */
export interface ReadSegment extends IndexedSegment {
  /** The CRC-32 of what it holds. */
  readonly crc32: number;
}

/** An open archive. */
export interface OpenTar extends AsyncDisposable {
  /** The tar stream. */
  readonly tar: ByteReader;
  /** Whether it is compressed. */
  readonly compressed: boolean;
  /** The length of the tar stream, where the archive states it; it may be wrong. */
  readonly length?: number | undefined;
  /** Compares the entries with the archive's index, where it has one. */
  readonly check?: IndexCheck | undefined;
  /** What was found of its segments so far, where that was asked for. */
  readonly segments?: readonly ReadSegment[] | undefined;
  /** Bytes of the archive that were read. */
  readonly position: number;
}

/** What stands before the tar stream of a compressed archive. */
export interface GzipStart {
  /** The header of the gzip member. */
  readonly header: GzipHeader;
  /** The index in it, where there is one. */
  readonly index: ArchiveIndex | undefined;
}

/**
 * Reads the start of an archive, up to where its tar stream begins.
 *
 * @param raw The archive's bytes, from the first one on.
 * @returns The gzip header and the index; `undefined` for a plain archive, of which nothing was read.
 * @throws {ParError} `ERR_ARCHIVE_EMPTY`, `ERR_ARCHIVE_TRUNCATED`, `ERR_GZIP_CORRUPT` or
 * `ERR_INDEX_MISMATCH`.
 */
export async function readStart(raw: ByteReader): Promise<GzipStart | undefined> {
  if ((await raw.peek(1)).length === 0) {
    throw new ParError(
      "ERR_ARCHIVE_EMPTY",
      "Cannot read the archive: it holds no bytes at all; was it written to its end?",
    );
  }
  if (!await isGzip(raw)) return undefined;
  const header = await readGzipHeader(raw);
  return { header, index: header.extra && decodeIndex(header.extra, header.bytes.length) };
}

/**
 * Opens an archive at its beginning.
 *
 * @param source The archive's bytes.
 * @param options Limits, signal, progress.
 * @returns Its tar stream; `await using` closes it.
 * @throws {ParError} As {@linkcode readStart}; and from the tar stream, the codes of gunzipping, of
 * limits, and `ERR_ABORTED`.
 */
export async function openTar(source: Bytes, options: OpenOptions = {}): Promise<OpenTar> {
  const raw = new ByteReader(source);
  const start = await readStart(raw).catch(async (error) => {
    await raw.close();
    throw error;
  });
  const segments: ReadSegment[] | undefined = options.segments ? [] : undefined;
  const index = start?.index;
  const plain = start
    ? gunzip(raw, start.header, {
      boundaries: index && boundariesOf(index),
      onChecksum: segments && index && ((crc32) => {
        const segment = index[segments.length];
        if (segment) segments.push({ ...segment, crc32 });
      }),
    })
    : raw.rest();
  const tar = new ByteReader(bounded(plain, raw, options));
  return {
    tar,
    compressed: start !== undefined,
    length: index?.reduce((sum, { length }) => sum + length, 0),
    check: index && new IndexCheck(index),
    segments,
    get position(): number {
      return raw.position;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await tar.close();
      await raw.close();
    },
  };
}

/** Watches the bytes that pass: limits, the wish to stop, progress. */
export async function* bounded(plain: Bytes, raw: ByteReader, options: OpenOptions): Bytes {
  let unpacked = 0;
  for await (const chunk of plain) {
    if (options.signal?.aborted) {
      throw new ParError(
        "ERR_ABORTED",
        "Cannot go on: the work was stopped",
        options.signal.reason,
      );
    }
    unpacked += chunk.length;
    checkSize(unpacked, raw.position, options.limits ?? {});
    options.onProgress?.(raw.position);
    yield chunk;
  }
}
