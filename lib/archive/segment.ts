/**
 * Reading one entry of an archive without the others. This module is browser compatible.
 *
 * @module
 */

import { ByteReader } from "../bytes/byte_reader.ts";
import { ParError, quote } from "../errors.ts";
import type { DeflatedSegment } from "../gzip/gzip.ts";
import { inflateSegment } from "../gzip/inflater.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { verifyToken } from "../signing/token.ts";
import { binaryEntry, CLAIMS_ENTRY, WIT_ENTRY } from "./entries.ts";
import type { ArchiveIndex } from "./index.ts";
import { checkEntries, checkSize } from "./limits.ts";
import { bounded, readStart } from "./open.ts";
import {
  missingEntry,
  type ReadOptions,
  readToken,
  type VerifiedArchive,
  type VerifiedClaims,
} from "./reader.ts";
import { BLOCK_LENGTH, padded } from "./tar.ts";
import { MAX_PAX_LENGTH, readTar } from "./tar_reader.ts";

/** Header, index and token of most archives fit into this many bytes. */
const FRONT_LENGTH = 16 * 1024;

/** A source that can read parts of itself. */
type RangedSource = ArchiveSource & Required<Pick<ArchiveSource, "range">>;

function isRanged(source: ArchiveSource): source is RangedSource {
  return source.range !== undefined;
}

/**
 * An archive whose front was read: its token is verified. Its binaries may be anything until they are
 * read and have the hash that the claims state.
 */
export interface RangedArchive extends VerifiedClaims {
  /** The index, if the archive is compressed. */
  readonly index: ArchiveIndex | undefined;

  /**
   * Reads the content of one entry. Nothing that it gives may be believed before the whole has the
   * hash that the claims state.
   *
   * @throws {ParError} Category `untrusted` if the entry is not where the archive says, or not in it.
   */
  readEntry(name: string): Bytes;
}

/**
 * Reads the front of an archive whose entries can be read alone, and verifies its token. A compressed
 * archive needs an index for that. A plain one is read from header to header, if its source is remote;
 * a file is read whole, which checks more and costs little.
 *
 * @param source The archive.
 * @param options Time, limits, signal.
 * @returns The claims and the entries; `undefined` if the archive must be read from its beginning: its
 * source knows no ranges, or it is compressed without an index.
 * @throws {ParError} Category `untrusted`, such as `ERR_INDEX_MISMATCH`.
 */
export async function openRanged(
  source: ArchiveSource,
  options: ReadOptions = {},
): Promise<RangedArchive | undefined> {
  if (!isRanged(source)) return undefined;
  await using reader = new ByteReader(readFrom(source, 0, FRONT_LENGTH));
  const start = await readStart(reader);
  if (start === undefined) {
    return source.remote ? await openPlain(source, reader, options) : undefined;
  }
  const { index } = start;
  if (!index) return undefined;
  const token = await readClaimsSegment(reader, index, options);
  return {
    ...await verifyToken(token, options),
    compressed: true,
    index,
    readEntry: (name) => readSegment(source, index, name, options),
  };
}

/** The front of a plain archive. Where the claims do not come first, it is read in one pass. */
async function openPlain(
  source: RangedSource,
  reader: ByteReader,
  options: ReadOptions,
): Promise<RangedArchive | undefined> {
  for await (const entry of readTar(reader, options.limits ?? {})) {
    if (entry.name !== CLAIMS_ENTRY) break;
    const content = reader.position;
    const token = await readToken(entry);
    return {
      ...await verifyToken(token, options),
      compressed: false,
      index: undefined,
      readEntry: (name) => readPlain(source, content + padded(entry.size), name, options),
    };
  }
  return undefined;
}

/** A pax header, its records and the header of the file itself; rarely the records take more. */
const HEADERS_LENGTH = 3 * BLOCK_LENGTH;
const MAX_HEADERS_LENGTH = 2 * BLOCK_LENGTH + MAX_PAX_LENGTH;

/** Goes from header to header, and reads the content of one entry. */
async function* readPlain(
  source: RangedSource,
  start: number,
  name: string,
  options: ReadOptions,
): Bytes {
  let count = 1;
  for (let at = start;;) {
    const entry = await readHeader(source, at, options);
    if (entry === undefined) throw missingEntry(name);
    checkEntries(++count, options.limits ?? {});
    if (entry.name === name) {
      checkSize(entry.size, entry.size, options.limits ?? {});
      await using raw = new ByteReader(source.range(entry.content, entry.size));
      return yield* bounded(raw.take(entry.size), raw, options);
    }
    at = entry.content + padded(entry.size);
  }
}

/** Reads the headers of one entry: its name, its size, and where its content begins. */
async function readHeader(
  source: RangedSource,
  at: number,
  options: ReadOptions,
): Promise<{ name: string; size: number; content: number } | undefined> {
  await using reader = new ByteReader(readFrom(source, at, HEADERS_LENGTH, MAX_HEADERS_LENGTH));
  for await (const { name, size } of readTar(reader, options.limits ?? {})) {
    return { name, size, content: at + reader.position };
  }
  return undefined;
}

/** Reads the content of one entry by the index. */
async function* readSegment(
  source: RangedSource,
  index: ArchiveIndex,
  name: string,
  options: ReadOptions,
): Bytes {
  const segment = index.find((segment) => segment.name === name);
  if (!segment) {
    throw new ParError(
      "ERR_INDEX_MISMATCH",
      `Cannot trust ${quote(source.name)}: its index has no entry ${quote(name)}`,
    );
  }
  const { offset, deflatedLength, length } = segment;
  checkSize(length, deflatedLength, options.limits ?? {});
  await using raw = new ByteReader(source.range(offset, deflatedLength));
  const tar = new ByteReader(bounded(inflateSegment(raw.take(deflatedLength)), raw, options));
  // Its only entry must fill the segment.
  for await (const entry of readTar(tar, {})) {
    if (entry.name !== name || tar.position + padded(entry.size) !== length) break;
    return yield* entry.bytes;
  }
  throw misplaced(name);
}

/**
 * Gives the segments of an archive, to copy them into another one.
 *
 * @param source The archive.
 * @param archive The result of reading it with the option `segments`.
 * @returns The segments of its binaries and its WIT package by the name of the entry. Empty if the
 * archive has no index.
 */
export function copySegments(
  source: ArchiveSource,
  { binaries, wit, segments = [] }: VerifiedArchive,
): ReadonlyMap<string, DeflatedSegment> {
  const copies = new Map<string, DeflatedSegment>();
  const sizes = new Map(binaries.map(({ target, size }) => [binaryEntry(target), size]));
  if (wit) sizes.set(WIT_ENTRY, wit.size);
  for (const { name, offset, deflatedLength, length, crc32 } of segments) {
    const size = sizes.get(name);
    // A longer segment has more in its header than this toolkit writes.
    if (size === undefined || length !== BLOCK_LENGTH + padded(size) || !source.range) continue;
    const range = source.range.bind(source, offset, deflatedLength);
    copies.set(name, { length: deflatedLength, crc32, open: range });
  }
  return copies;
}

/** At most so many bytes of the archive from an offset on, in growing parts, while they are asked for. */
async function* readFrom(
  source: RangedSource,
  start: number,
  length: number,
  most = Infinity,
): Bytes {
  for (const end = start + most; start < end; start += length, length *= 2) {
    length = Math.min(length, end - start);
    let received = 0;
    for await (const chunk of source.range(start, length)) {
      received += chunk.length;
      yield chunk;
    }
    if (received < length) return;
  }
}

async function readClaimsSegment(
  reader: ByteReader,
  index: ArchiveIndex,
  options: ReadOptions,
): Promise<string> {
  const [first] = index;
  if (first?.name !== CLAIMS_ENTRY) throw misplaced(CLAIMS_ENTRY);
  const inflated = inflateSegment(reader.take(first.deflatedLength));
  const tar = new ByteReader(bounded(inflated, reader, options));
  for await (const entry of readTar(tar, options.limits ?? {})) {
    if (entry.name !== CLAIMS_ENTRY) break;
    return await readToken(entry);
  }
  throw misplaced(CLAIMS_ENTRY);
}

function misplaced(name: string): ParError {
  return new ParError(
    "ERR_INDEX_MISMATCH",
    `Cannot trust the archive: its index says where ${quote(name)} is, and it is not there`,
  );
}
