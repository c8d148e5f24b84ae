/**
 * Reads a tar stream as a sequence of regular files. This module is browser compatible.
 *
 * @module
 */

import { ByteReader } from "../bytes/byte_reader.ts";
import { ParError, quote } from "../errors.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { checkEntries, type Limits } from "./limits.ts";
import {
  ambiguous,
  BLOCK_LENGTH,
  decodeHeader,
  decodePax,
  isZero,
  MAX_ENTRY_SIZE,
  padded,
  type PaxRecords,
  sizeError,
  type TarHeader,
} from "./tar.ts";

/** The longest pax header in bytes. Honest ones have some dozens of bytes. */
export const MAX_PAX_LENGTH = 64 * 1024;

/** A regular file in a tar stream. */
export interface TarEntry {
  /** Its name. */
  readonly name: string;
  /** Its length in bytes. */
  readonly size: number;
  /** Its content. Read it before you ask for the next entry; the rest of it is skipped. */
  readonly bytes: Bytes;
}

/**
 * Reads the entries of a tar stream up to its end marker, and checks that nothing but zeros follows.
 *
 * @throws {ParError} Of the category `untrusted`.
 */
export async function* readTar(reader: ByteReader, limits: Limits): AsyncGenerator<TarEntry> {
  let pax: PaxRecords | undefined;
  let count = 0;
  while (true) {
    const header = decodeHeader(await reader.read(BLOCK_LENGTH));
    if (pax && header?.type !== "file") throw ambiguous("a pax header has no file behind it");
    if (!header) break;
    checkEntries(++count, limits);
    if (header.type === "pax") {
      if (header.size > MAX_PAX_LENGTH) throw sizeError(header.name);
      pax = decodePax(new Uint8Array(await reader.read(header.size)));
      await skipPadding(reader, header.size);
      continue;
    }
    const { name } = header;
    const size = effectiveSize(header, pax);
    if (pax?.path !== undefined && pax.path !== name) {
      throw ambiguous(
        `a header calls an entry ${quote(name)}, and its pax header ${quote(pax.path)}`,
      );
    }
    pax = undefined;
    const end = reader.position + size;
    yield { name, size, bytes: reader.take(size) };
    for await (const _ of reader.take(end - reader.position));
    await skipPadding(reader, size);
  }
  if (decodeHeader(await reader.read(BLOCK_LENGTH))) throw trailing();
  for (let rest = await reader.readSome(); rest; rest = await reader.readSome()) {
    if (!isZero(rest)) throw trailing();
  }
  // A part of a block is where tar-stream fails.
  if (reader.position % BLOCK_LENGTH !== 0) throw trailing();
}

/**
 * The size of an entry is the pax size if there is one: CVE-2025-62518 came from readers that used the
 * header's. A pax size that the header could hold is refused, because the reference uses it for all later
 * entries, too.
 */
function effectiveSize({ name, size }: TarHeader, pax: PaxRecords | undefined): number {
  if (pax?.size === undefined) return size;
  if (pax.size <= MAX_ENTRY_SIZE) throw sizeError(name);
  return pax.size;
}

/** The padding must be zeros, so that it cannot hide bytes that nobody signed. */
async function skipPadding(reader: ByteReader, size: number): Promise<void> {
  const padding = await reader.read(padded(size) - size);
  if (!isZero(padding)) {
    throw new ParError(
      "ERR_ARCHIVE_TRAILING_DATA",
      "Cannot trust the archive: there are bytes between two entries",
    );
  }
}

function trailing(): ParError {
  return new ParError(
    "ERR_ARCHIVE_TRAILING_DATA",
    "Cannot trust the archive: bytes follow the end of its tar stream",
  );
}
