/**
 * Opens an archive: tells gzip from tar, reads the index, and gives the tar stream. Whatever reads an
 * archive from its beginning opens it here. This module is browser compatible.
 *
 * @module
 */

import { throwIfAborted } from "../bytes/abort.ts";
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
  /** Limits on what is read. */
  readonly limits?: Limits | undefined;
  /** Stops the reading with `ERR_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the number of bytes that were read of the archive so far. */
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
  /** The length of the tar stream in bytes if the index states it. It may be wrong. */
  readonly length?: number | undefined;
  /** Compares the entries with the index, if the archive has one. */
  readonly check?: IndexCheck | undefined;
  /** The segments that were read so far, if the option `segments` is set. */
  readonly segments?: readonly ReadSegment[] | undefined;
  /** Bytes of the archive that were read so far. */
  readonly position: number;
}

/** The start of a compressed archive, before its tar stream. */
export interface GzipStart {
  /** The header of the gzip member. */
  readonly header: GzipHeader;
  /** The index in the header, if there is one. */
  readonly index: ArchiveIndex | undefined;
}

/**
 * Reads the start of an archive, up to where its tar stream begins.
 *
 * @param raw The archive's bytes, from the first one.
 * @returns The gzip header and the index. `undefined` for a plain archive; nothing of it is read then.
 * @throws {ParError} Of the category `untrusted`; `ERR_ARCHIVE_EMPTY` if there are no bytes at all.
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
 * Opens an archive at its beginning; `await using` closes it.
 *
 * @throws {ParError} Of the category `untrusted`, also while the tar stream is read; and `ERR_ABORTED`.
 */
export async function openTar(source: Bytes, options: OpenOptions = {}): Promise<OpenTar> {
  const raw = new ByteReader(source);
  const start = await readStart(raw).catch(async (error) => {
    await raw[Symbol.asyncDispose]();
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
      await tar[Symbol.asyncDispose]();
      await raw[Symbol.asyncDispose]();
    },
  };
}

/** Passes bytes on, checks the limits and the signal, and reports progress. */
export async function* bounded(plain: Bytes, raw: ByteReader, options: OpenOptions): Bytes {
  let unpacked = 0;
  for await (const chunk of plain) {
    throwIfAborted(options.signal);
    unpacked += chunk.length;
    checkSize(unpacked, raw.position, options.limits ?? {});
    options.onProgress?.(raw.position);
    yield chunk;
  }
}
