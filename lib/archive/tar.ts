/**
 * Reads and writes tar headers (POSIX.1-2017, pax, "ustar Interchange Format"), and refuses those that
 * readers read differently. This module is browser compatible.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { entryPath } from "./entries.ts";

/** The unit of tar in bytes. A header is one block; a content is padded to whole blocks. */
export const BLOCK_LENGTH = 512;

/** The largest size in bytes that the header's eleven octal digits can hold. */
export const MAX_ENTRY_SIZE = 0o77777777777;

/** The part of a header that a reader needs. */
export interface TarHeader {
  /** The name. */
  readonly name: string;
  /** The content's length in bytes, as this header states it. */
  readonly size: number;
  /** What it describes: a file, or the pax records of the file after it. */
  readonly type: "file" | "pax";
}

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether all bytes are zero. A callback for each byte would take seconds for large inputs. */
export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Rounds a content's length up to whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / BLOCK_LENGTH) * BLOCK_LENGTH;
}

/**
 * Writes a ustar header of a regular file. It has no owner and no time, so equal inputs give equal bytes.
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

/** The numbers of a header besides size and checksum. They may be empty. */
const NUMBERS = [
  ["mode", 100, 8],
  ["owner", 108, 8],
  ["group", 116, 8],
  ["time", 136, 12],
  ["device", 329, 8],
  ["device", 337, 8],
] as const;

/** POSIX puts the front of a long name here; other formats put data here that changes the content. */
const PREFIX_OFFSET = 345;

/** star and node-tar put two times here, at the end of an empty POSIX prefix. */
const STAR_TIMES = [["time", 476, 12], ["time", 488, 12]] as const;
const STAR_TIMES_END = 500;

/**
 * Reads a header and refuses it if another reader might read it differently. The rules are in
 * `docs/format.md`, section 1.2.
 *
 * @param block One block.
 * @returns The header, or `undefined` for the block of zeros that ends an archive.
 * @throws {ParError} Of the category `untrusted`.
 */
export function decodeHeader(block: Uint8Array): TarHeader | undefined {
  if (isZero(block)) return undefined;
  // node-tar wants something behind the digits of a checksum.
  const summed = octalField(block, 148, 8) === checksum(block);
  if (!summed || !/[ \0]/.test(String.fromCharCode(block[155] ?? 0))) {
    throw new ParError(
      "ERR_HEADER_INVALID",
      "Cannot read the archive: a tar header fails its checksum; is it a provider archive, and whole?",
    );
  }
  const format = formatOf(block);
  const name = textField(block, 0, 100);
  const times = format === "posix" ? STAR_TIMES : [];
  const prefixEnd = times[0]?.[1] ?? STAR_TIMES_END;
  if (format === "posix" && block[PREFIX_OFFSET] !== 0) throw entryPath(name);
  if (
    !isZero(block.subarray(PREFIX_OFFSET, prefixEnd)) || !isZero(block.subarray(STAR_TIMES_END))
  ) {
    throw ambiguous(`the header of ${quote(name)} has bytes that its format gives no meaning`);
  }
  const type = typeOf(block[156] ?? 0, name);
  if (type === "pax" && format !== "posix") {
    throw ambiguous("a pax header has another magic than POSIX gives it");
  }
  if (type === "pax" && name === "") throw ambiguous("a pax header has no name");
  if (textField(block, 157, 100) !== "") throw ambiguous(`${quote(name)} is a file and has a link`);
  for (const [title, offset, length] of [...NUMBERS, ...times]) {
    if (octalField(block, offset, length) !== undefined) continue;
    if (isZero(block.subarray(offset, offset + length))) continue;
    throw new ParError(
      "ERR_HEADER_INVALID",
      `Cannot read the archive: the ${title} in the header of ${quote(name)} is not in octal ` +
        "digits",
    );
  }
  for (const offset of [265, 297]) textField(block, offset, 32);
  const size = octalField(block, 124, 12);
  if (size === undefined) throw sizeError(name);
  return { name, size, type };
}

const MAGIC_OFFSET = 257;

/** Tells the format by magic and version. The oldest archives have neither. */
function formatOf(block: Uint8Array): "posix" | "gnu" | "v7" {
  const magic = String.fromCharCode(...block.subarray(MAGIC_OFFSET, MAGIC_OFFSET + 8));
  if (magic === "ustar\x0000") return "posix";
  if (magic === "ustar  \0") return "gnu";
  if (magic === "\0".repeat(8)) return "v7";
  throw ambiguous("the magic of a tar header is neither that of POSIX nor that of GNU");
}

function typeOf(flag: number, name: string): TarHeader["type"] {
  // Historic archives write NUL for a regular file.
  if (flag === 0x30 || flag === 0) return "file";
  if (flag === 0x78) return "pax";
  if (flag === 0x67) {
    throw ambiguous("it has a global pax header, which some readers take for a file");
  }
  throw new ParError(
    "ERR_ENTRY_TYPE",
    `Cannot trust the archive: entry ${quote(name)} is no regular file (tar type ` +
      `${quote(String.fromCharCode(flag))}); an archive holds nothing else`,
  );
}

function checksum(block: Uint8Array): number {
  let sum = 8 * 0x20; // the checksum's own field counts as spaces
  for (let i = 0; i < BLOCK_LENGTH; i++) sum += i < 148 || i >= 156 ? block[i] ?? 0 : 0;
  return sum;
}

/** Reads octal digits with spaces or zeros before them and spaces or NULs behind. */
function octalField(block: Uint8Array, offset: number, length: number): number | undefined {
  let field = "";
  for (const byte of block.subarray(offset, offset + length)) field += String.fromCharCode(byte);
  const digits = /^ *([0-7]+)[ \0]*$/.exec(field)?.[1];
  return digits === undefined ? undefined : parseInt(digits, 8);
}

/** Reads a text that ends at its field's end or at a NUL. Only NULs may follow. */
function textField(block: Uint8Array, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  const used = end < 0 ? field : field.subarray(0, end);
  if (!isZero(field.subarray(used.length))) {
    throw ambiguous("a name in a tar header goes on behind its end");
  }
  try {
    return text.decode(used);
  } catch (cause) {
    throw new ParError(
      "ERR_HEADER_INVALID",
      "Cannot read the archive: a name in a tar header is not UTF-8",
      cause,
    );
  }
}

/** The pax records of a file that this reader checks. */
export interface PaxRecords {
  /** The file's name. It must be the header's. */
  readonly path?: string;
  /** The file's size in bytes, if the header cannot hold it. */
  readonly size?: number;
}

/** What a regular expression has, and any other condition. */
interface Form {
  test(value: string): boolean;
}

/** Keywords that change neither name nor content, and the form of their values. */
const HARMLESS: readonly (readonly [keyword: RegExp, value: Form])[] = [
  // GNU tar, Go and the reference fail at seconds past 64 bits, and at owners past 32 or 64.
  [/^[acm]time$/, /^-?[0-9]{1,18}(\.[0-9]+)?$/],
  [/^[ug]id$/, { test: (id) => /^[0-9]{1,10}$/.test(id) && Number(id) < 2 ** 32 }],
  [/^SCHILY\.(dev|ino|nlink)$/, /^-?[0-9]+$/],
  [/^([ug]name|comment)$/, /^/],
  [/^(SCHILY\.(acl|xattr)|RHT\.security|LIBARCHIVE\.xattr|MSWINDOWS)\./, /^/],
  [/^(SCHILY\.fflags|LIBARCHIVE\.creationtime)$/, /^/],
];

/**
 * Reads pax records (POSIX.1-2017, pax, "pax Extended Header").
 *
 * Accepts `path` and `size`, which the caller compares with the header, and keywords that change neither
 * name nor content of a file for any reader.
 *
 * @param content The header's content: `<length> <keyword>=<value>` and a line feed, repeated.
 * @throws {ParError} Of the category `untrusted`; `ERR_ENTRY_TYPE` if a record makes the file's content
 * differ from its bytes.
 */
export function decodePax(content: Uint8Array): PaxRecords {
  const records: { path?: string; size?: number } = {};
  const seen = new Set<string>();
  // tar-stream never reads past a header without a content.
  if (content.length === 0) throw malformedPax();
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const digits = space - at > 9 ? "" : String.fromCharCode(...content.subarray(at, space));
    const length = /^[1-9][0-9]*$/.test(digits) ? Number(digits) : NaN;
    const end = at + length - 1;
    const record = content.subarray(space + 1, end);
    const equals = record.indexOf(0x3d);
    // There is no line feed past the content's end, nor where the length is no number.
    if (equals < 1 || content[end] !== 0x0a) throw malformedPax();
    const keyword = decodeText(record.subarray(0, equals));
    const value = decodeText(record.subarray(equals + 1));
    // Readers disagree about a repeated keyword, and about where a value with a line feed or NUL ends.
    if (seen.has(keyword) || !/^[!-~]+$/.test(keyword) || /[\n\0]/.test(value)) {
      throw malformedPax();
    }
    seen.add(keyword);
    at += length;
    if (keyword === "path") records.path = value;
    else if (keyword === "size") {
      records.size = /^[0-9]{1,16}$/.test(value) ? Number(value) : NaN;
      if (!Number.isSafeInteger(records.size)) throw sizeError("a pax header");
    } else if (
      /^(linkpath|GNU\.sparse\..*|SUN\.holesdata|SCHILY\.(realsize|filetype))$/.test(keyword)
    ) {
      throw new ParError(
        "ERR_ENTRY_TYPE",
        `Cannot trust the archive: a pax header makes an entry no regular file (${keyword})`,
      );
    } else if (!HARMLESS.some(([name, form]) => name.test(keyword) && form.test(value))) {
      throw ambiguous(`a pax header says ${quote(`${keyword}=${value}`)}, which readers differ on`);
    }
  }
  return records;
}

/** The error for a pax record that is malformed or repeated. */
function malformedPax(): ParError {
  return new ParError("ERR_HEADER_INVALID", "Cannot read the archive: a pax record is malformed");
}

/** The error for headers that readers read differently. */
export function ambiguous(reason: string): ParError {
  return new ParError(
    "ERR_HEADER_AMBIGUOUS",
    `Cannot trust the archive: ${reason}; other readers may see another archive in it`,
  );
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** The error for a size that is unreadable or stated twice. */
export function sizeError(name: string): ParError {
  return new ParError(
    "ERR_HEADER_SIZE",
    `Cannot trust the archive: the tar header of ${quote(name)} states a size that is ` +
      "unreadable, or that another one repeats or contradicts",
  );
}
