/**
 * Tar headers (POSIX.1-2017, pax, "ustar Interchange Format"), as strictly as an archive that others
 * must read the same way asks for. This module is browser compatible.
 *
 * @module
 */

import { ParError } from "../errors.ts";

/** Tar's unit: headers are one block, contents are padded to whole ones. */
export const BLOCK_LENGTH = 512;

/** The largest size that the header's eleven octal digits hold, in bytes. */
export const MAX_ENTRY_SIZE = 0o77777777777;

/** A header's kind of entry: a file, or a pax record that describes the file after it. */
export type HeaderType = "file" | "pax" | "pax-global";

/** What a reader needs of a header. */
export interface TarHeader {
  /** The name, with its path where it has one. */
  readonly name: string;
  /** The content's length in bytes, as this header alone states it. */
  readonly size: number;
  /** The kind of entry. */
  readonly type: HeaderType;
}

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Rounds a content's length up to whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / BLOCK_LENGTH) * BLOCK_LENGTH;
}

/**
 * Writes a ustar header of a regular file: no owner, no time, so that equal inputs give equal bytes.
 *
 * @param name ASCII, at most 100 bytes.
 * @param size The content's length, at most {@linkcode MAX_ENTRY_SIZE} bytes.
 * @param mode Permission bits.
 * @returns One block.
 */
export function encodeHeader(name: string, size: number, mode: number): Uint8Array {
  const block = new Uint8Array(BLOCK_LENGTH);
  const put = (offset: number, value: string): void => {
    for (let i = 0; i < value.length; i++) block[offset + i] = value.charCodeAt(i);
  };
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  put(0, name);
  put(100, octal(mode, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(size, 11));
  put(136, octal(0, 11));
  put(156, "0");
  put(257, "ustar\x0000");
  put(329, octal(0, 7));
  put(337, octal(0, 7));
  put(148, `${octal(checksum(block), 6)}\0 `);
  return block;
}

/**
 * Reads a header.
 *
 * @param block One block.
 * @returns The header, or `undefined` for the block of zeros that ends an archive.
 * @throws {ParError} `ERR_HEADER_INVALID`, `ERR_HEADER_SIZE` or `ERR_ENTRY_TYPE`.
 */
export function decodeHeader(block: Uint8Array): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const stated = octalField(block, 148, 8);
  if (stated !== checksum(block)) {
    throw new ParError(
      "ERR_HEADER_INVALID",
      "Cannot read the archive: a tar header fails its checksum; is it a provider archive, and whole?",
    );
  }
  const prefix = isUstar(block) ? textField(block, 345, 155) : "";
  const name = (prefix && `${prefix}/`) + textField(block, 0, 100);
  return { name, size: sizeField(block, name), type: typeOf(block[156] ?? 0, name) };
}

/** POSIX `ustar` and NUL; GNU's older form, `ustar` and two spaces, keeps other things there. */
function isUstar(block: Uint8Array): boolean {
  return textField(block, 257, 6) === "ustar" && block[262] === 0;
}

function typeOf(flag: number, name: string): HeaderType {
  // Historic archives write NUL for a regular file.
  if (flag === 0x30 || flag === 0) return "file";
  if (flag === 0x78) return "pax";
  if (flag === 0x67) return "pax-global";
  throw new ParError(
    "ERR_ENTRY_TYPE",
    `Cannot trust the archive: entry ${JSON.stringify(name)} is no regular file (tar type ` +
      `${JSON.stringify(String.fromCharCode(flag))}); an archive holds nothing else`,
  );
}

function checksum(block: Uint8Array): number {
  let sum = 8 * 0x20; // the checksum's own field counts as spaces
  for (let i = 0; i < BLOCK_LENGTH; i++) sum += i < 148 || i >= 156 ? block[i] ?? 0 : 0;
  return sum;
}

function sizeField(block: Uint8Array, name: string): number {
  const first = block[124] ?? 0;
  // GNU's base-256 form: 0x80 marks it, 0xff a negative number in it.
  const size = first === 0x80
    ? block.subarray(125, 136).reduce((sum, byte) => sum * 256 + byte, 0)
    : octalField(block, 124, 12);
  if (size === undefined || !Number.isSafeInteger(size)) throw sizeError(name);
  return size;
}

/** Octal digits, led by spaces or zeros and ended by spaces or NULs. */
function octalField(block: Uint8Array, offset: number, length: number): number | undefined {
  let field = "";
  for (const byte of block.subarray(offset, offset + length)) field += String.fromCharCode(byte);
  const digits = /^ *([0-7]+)[ \0]*$/.exec(field)?.[1];
  return digits === undefined ? undefined : parseInt(digits, 8);
}

function textField(block: Uint8Array, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  try {
    return text.decode(end < 0 ? field : field.subarray(0, end));
  } catch (cause) {
    throw new ParError(
      "ERR_HEADER_INVALID",
      "Cannot read the archive: a name in a tar header is not UTF-8",
      cause,
    );
  }
}

/** What a pax header overrides of the file after it. */
export interface PaxRecords {
  readonly path?: string;
  readonly size?: number;
}

/**
 * Reads pax records (POSIX.1-2017, pax, "pax Extended Header").
 *
 * @param content The header's content: `<length> <keyword>=<value>` and a line feed, repeated.
 * @throws {ParError} `ERR_HEADER_INVALID`, `ERR_HEADER_SIZE`, and `ERR_ENTRY_TYPE` for records that
 * would make the file something else than its bytes.
 */
export function decodePax(content: Uint8Array): PaxRecords {
  const records: { path?: string; size?: number } = {};
  const seen = new Set<string>();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const digits = space - at > 9 ? "" : String.fromCharCode(...content.subarray(at, space));
    const length = /^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0;
    const record = content.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (
      length === 0 || at + length > content.length || equals < 1 ||
      content[at + length - 1] !== 0x0a
    ) {
      throw malformedPax();
    }
    const keyword = decodeText(record.subarray(0, equals));
    const value = decodeText(record.subarray(equals + 1));
    // Readers differ in which of two they take, and in where a value with a line feed ends.
    if (seen.has(keyword) || value.includes("\n")) throw malformedPax();
    seen.add(keyword);
    if (keyword === "path") records.path = value;
    if (keyword === "size") {
      records.size = /^[0-9]{1,16}$/.test(value) ? Number(value) : -1;
      if (!Number.isSafeInteger(records.size) || records.size < 0) throw sizeError("a pax header");
    }
    if (keyword === "linkpath" || keyword.startsWith("GNU.sparse.")) {
      throw new ParError(
        "ERR_ENTRY_TYPE",
        `Cannot trust the archive: a pax header makes an entry no regular file (${keyword})`,
      );
    }
    at += length;
  }
  return records;
}

/** The error for pax records that readers could take in different ways. */
export function malformedPax(): ParError {
  return new ParError("ERR_HEADER_INVALID", "Cannot read the archive: a pax record is malformed");
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** The error for a size that cannot be believed. */
export function sizeError(name: string): ParError {
  return new ParError(
    "ERR_HEADER_SIZE",
    `Cannot trust the archive: the tar header of ${JSON.stringify(name)} states a size that is ` +
      "negative, unreadable or contradicted by another",
  );
}
