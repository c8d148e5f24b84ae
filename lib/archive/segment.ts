/**
 * Reads one entry of a compressed archive without the others, by the index. This module is browser
 * compatible.
 *
 * @module
 */

import { ByteReader } from "../bytes/byte_reader.ts";
import { ParError } from "../errors.ts";
import type { DeflatedSegment } from "../gzip/gzip.ts";
import { inflateSegment } from "../gzip/inflater.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { verifyToken } from "../signing/token.ts";
import { binaryEntry, CLAIMS_ENTRY, WIT_ENTRY } from "./entries.ts";
import type { ArchiveIndex } from "./index.ts";
import { checkSize } from "./limits.ts";
import { bounded, readStart } from "./open.ts";
import {
  type ReadOptions,
  readToken,
  type VerifiedArchive,
  type VerifiedClaims,
} from "./reader.ts";
import { BLOCK_LENGTH, padded } from "./tar.ts";
import { readTar } from "./tar_reader.ts";

/** Header, index and token of most archives fit into this many bytes. */
const FRONT_LENGTH = 16 * 1024;

/** An archive whose front was read. Its token is verified; its binaries may be anything. */
export interface IndexedArchive extends VerifiedClaims {
  /** Where the index says that the entries are. */
  readonly index: ArchiveIndex;
}

/**
 * Reads the front of an archive that has an index, and verifies its token.
 *
 * @param source The archive.
 * @param options Time, limits, signal.
 * @returns The claims and the index. `undefined` if the archive has no index or its source cannot read a
 * part: then it must be read from its beginning.
 * @throws {ParError} Of the category `untrusted`.
 */
export async function openIndexed(
  source: ArchiveSource,
  options: ReadOptions = {},
): Promise<IndexedArchive | undefined> {
  if (!source.range) return undefined;
  const reader = new ByteReader(readFront(source));
  try {
    const index = (await readStart(reader))?.index;
    if (!index) return undefined;
    const token = await readClaimsSegment(reader, index, options);
    return { ...await verifyToken(token, options), compressed: true, index };
  } finally {
    await reader.close();
  }
}

/**
 * Reads the content of one entry.
 *
 * Do not trust the bytes before all of them have the hash that the claims state.
 *
 * @param source The archive.
 * @param index Its index.
 * @param name The entry's name.
 * @param options Limits, signal, progress.
 * @throws {ParError} Of the category `untrusted`; `ERR_INDEX_MISMATCH` if the entry is not where the
 * index says.
 */
export async function* readEntry(
  source: ArchiveSource,
  index: ArchiveIndex,
  name: string,
  options: ReadOptions = {},
): AsyncGenerator<Uint8Array> {
  const segment = index.find((segment) => segment.name === name);
  if (!segment || !source.range) {
    throw new ParError(
      "ERR_INDEX_MISMATCH",
      `Cannot trust ${JSON.stringify(source.name)}: its index has no entry ${JSON.stringify(name)}`,
    );
  }
  const { offset, deflatedLength, length } = segment;
  checkSize(length, deflatedLength, options.limits ?? {});
  const raw = new ByteReader(source.range(offset, deflatedLength));
  try {
    const tar = new ByteReader(bounded(inflateSegment(raw.take(deflatedLength)), raw, options));
    yield* readOnlyEntry(tar, name, length);
  } finally {
    await raw.close();
  }
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

/** Reads the archive from its beginning in growing parts. The caller stops when it has enough. */
async function* readFront(source: ArchiveSource): Bytes {
  for (let start = 0, length = FRONT_LENGTH;; start += length, length *= 2) {
    let received = 0;
    for await (const chunk of source.range?.(start, length) ?? []) {
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

/** Reads the content of the only entry of a segment, which must fill it. */
async function* readOnlyEntry(tar: ByteReader, name: string, length: number): Bytes {
  for await (const entry of readTar(tar, {})) {
    if (entry.name !== name || tar.position + padded(entry.size) !== length) break;
    yield* entry.bytes;
    return;
  }
  throw misplaced(name);
}

function misplaced(name: string): ParError {
  return new ParError(
    "ERR_INDEX_MISMATCH",
    `Cannot trust the archive: its index says where ${
      JSON.stringify(name)
    } is, and it is not there`,
  );
}
