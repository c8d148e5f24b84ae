/**
 * The tar stream of an archive as a run of regular files. This module is browser compatible.
 *
 * @module
 */

import { ByteReader } from "../bytes/byte_reader.ts";
import { ParError } from "../errors.ts";
import type { Bytes } from "../bytes/source.ts";
import { checkEntries, type Limits } from "./limits.ts";
import {
  BLOCK_LENGTH,
  decodeHeader,
  decodePax,
  malformedPax,
  MAX_ENTRY_SIZE,
  padded,
  type PaxRecords,
  sizeError,
} from "./tar.ts";

/** No honest pax header comes near; a name or a size takes some dozens of bytes. */
const MAX_PAX_LENGTH = 64 * 1024;

/** A regular file in a tar stream. */
export interface TarEntry {
  /** Its name, with its path where it has one. */
  readonly name: string;
  /** Its length in bytes. */
  readonly size: number;
  /** Its content, to be read before the next entry is asked for; what is not read is skipped. */
  readonly bytes: Bytes;
}

/**
 * Reads the entries of a tar stream up to its end marker, and checks that nothing but zeros follows.
 *
 * @param reader The tar stream.
 * @param limits Bounds on the count of entries.
 * @throws {ParError} Whatever {@linkcode decodeHeader} and {@linkcode decodePax} throw,
 * `ERR_ARCHIVE_TRUNCATED`, `ERR_ARCHIVE_TRAILING_DATA`, `ERR_LIMIT_ENTRIES`.
 */
export async function* readTar(reader: ByteReader, limits: Limits): AsyncGenerator<TarEntry> {
  let pax: PaxRecords = {};
  let count = 0;
  while (true) {
    const header = decodeHeader(await reader.read(BLOCK_LENGTH));
    if (!header) break;
    checkEntries(++count, limits);
    if (header.type !== "file") {
      if (header.size > MAX_PAX_LENGTH) throw sizeError(header.name);
      const records = decodePax(new Uint8Array(await reader.read(header.size)));
      await skipPadding(reader, header.size);
      if (Object.keys(pax).length > 0) throw malformedPax();
      // A global record would change entries far from it: there is no honest use for one here.
      if (header.type === "pax") pax = { ...pax, ...records };
      else if (Object.keys(records).length > 0) throw sizeError(header.name);
      continue;
    }
    const size = effectiveSize(header.size, pax, header.name);
    const name = pax.path ?? header.name;
    pax = {};
    const end = reader.position + size;
    yield { name, size, bytes: reader.take(size) };
    for await (const _ of reader.take(end - reader.position));
    await skipPadding(reader, size);
  }
  if (decodeHeader(await reader.read(BLOCK_LENGTH))) throw trailing();
  for (let rest = await reader.readSome(); rest; rest = await reader.readSome()) {
    if (!isZero(rest)) throw trailing();
  }
}

/**
 * A pax size rules (CVE-2025-62518 came from readers that let the header's rule). Writers need one
 * only for sizes the header cannot hold; in any other place it must agree with the header, or old
 * readers would see other entries than new ones.
 */
function effectiveSize(stated: number, pax: PaxRecords, name: string): number {
  if (pax.size === undefined || pax.size === stated) return stated;
  if (pax.size <= MAX_ENTRY_SIZE) throw sizeError(name);
  return pax.size;
}

/** The space up to the next block must be empty: no place to hide bytes that nothing signs. */
async function skipPadding(reader: ByteReader, size: number): Promise<void> {
  const padding = await reader.read(padded(size) - size);
  if (padding.some((byte) => byte !== 0)) {
    throw new ParError(
      "ERR_ARCHIVE_TRAILING_DATA",
      "Cannot trust the archive: there are bytes between two entries",
    );
  }
}

/** A callback for each byte would take seconds for what costs a host nothing to send. */
function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

function trailing(): ParError {
  return new ParError(
    "ERR_ARCHIVE_TRAILING_DATA",
    "Cannot trust the archive: bytes follow the end of its tar stream",
  );
}
