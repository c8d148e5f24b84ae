/**
 * Archives with one trick each, which readers are known to read differently or which our own reader
 * once judged differently in another place. Each stands for a kind.
 *
 * @module
 */

import type { ErrorCode } from "../../lib/errors.ts";
import { OTHER_ISSUER } from "../_keys.ts";
import type { Base, Bend, Case } from "./_case.ts";
import type { GzipBend } from "./_gzip_bends.ts";
import type { JsonBend } from "./_json.ts";
import type { PaxRecord, TarBend } from "./_tar_bends.ts";

/** An archive, and what has to come of it. */
export interface CorpusCase extends Case {
  /** The error that refuses it; absent where it is accepted. */
  readonly code?: ErrorCode;
  /** The error that a browser has for it, whose decompressor does not say where a member ends. */
  readonly codeOnTheWeb?: ErrorCode;
  /** Readers that read another archive in it than the one that was bent. */
  readonly misreadBy?: readonly string[];
}

const PLAIN: Base = {
  packing: "plain",
  binaries: [["aarch64-linux", "text"], ["x86_64-linux", "entries"]],
  wit: false,
};
const SMALL: Base = { ...PLAIN, packing: "gzip" };
const LARGE: Base = { ...SMALL, binaries: [["aarch64-linux", "noise"], ["x86_64-linux", "text"]] };
const SMALL_INDEX: Base = { ...SMALL, packing: "index" };
const LARGE_INDEX: Base = { ...LARGE, packing: "index" };

const tar = (...bends: TarBend[]): Bend[] => bends.map((bend) => ({ to: "tar", bend }));
const gzip = (...bends: GzipBend[]): Bend[] => bends.map((bend) => ({ to: "gzip", bend }));
const payload = (...bends: JsonBend[]): Bend[] => bends.map((bend) => ({ to: "payload", bend }));

/** A pax header before the first binary, unless another entry is named. */
const pax = (
  records: readonly PaxRecord[],
  more: Partial<Extract<TarBend, { do: "pax" }>> = {},
): Bend[] => tar({ do: "pax", entry: 1, type: "x", records, ...more });

const NUMBER = { do: "number", entry: 1, field: "size" } as const;
const PYTHON = "Python's tarfile";
const GO = "Go's archive/tar";
const OLD = "provider-archive 0.8.0";
const NEW = "provider-archive 0.16.2";
const NODE_TAR = "npm's tar";
const TAR_STREAM = "npm's tar-stream";
const SEVEN_ZIP = "7-Zip";
const GNU_TAR = "GNU tar";
const BSDTAR = "bsdtar";
const BUSYBOX = "busybox";

/** The corpus. */
export const CORPUS: Readonly<Record<string, CorpusCase>> = {
  "in order": { base: PLAIN, bends: [] },
  "in order, in a small member": { base: SMALL, bends: [] },
  "in order, in a large member": { base: LARGE, bends: [] },
  "in order, with an index": { base: SMALL_INDEX, bends: [] },
  "in order, large, with an index": { base: LARGE_INDEX, bends: [] },

  // Those of the field, one for each kind.
  "a global pax header as the claims": {
    base: PLAIN,
    bends: pax([{ keyword: "comment", value: "{token}" }], {
      entry: 3,
      type: "g",
      name: "claims.jwt",
    }),
    code: "ERR_HEADER_AMBIGUOUS",
    misreadBy: [OLD, NEW, GO],
  },
  "a pax size that is the header's": {
    base: { ...PLAIN, binaries: [["x86_64-linux", "blocks and entries"]] },
    bends: pax([{ keyword: "size", value: "{size}" }], { entry: 0 }),
    code: "ERR_HEADER_SIZE",
    misreadBy: [NEW],
  },
  "a pax path that is not the header's name": {
    base: PLAIN,
    bends: pax([{ keyword: "path", value: "s390x-linux.bin" }]),
    code: "ERR_HEADER_AMBIGUOUS",
    misreadBy: [PYTHON, GO, NODE_TAR, TAR_STREAM, SEVEN_ZIP, GNU_TAR, BSDTAR, BUSYBOX],
  },
  "a prefix under GNU's magic": {
    base: PLAIN,
    bends: tar(
      { do: "field", entry: 0, field: "magic", text: "ustar  \0" },
      { do: "byte", entry: 0, at: 263, byte: 0x20 },
      { do: "byte", entry: 0, at: 264, byte: 0 },
      { do: "field", entry: 0, field: "prefix", text: "evil" },
    ),
    code: "ERR_HEADER_AMBIGUOUS",
    misreadBy: [PYTHON, GO, SEVEN_ZIP, BUSYBOX],
  },
  "holes as Solaris writes them": {
    base: PLAIN,
    bends: pax([
      { keyword: "SUN.holesdata", value: " 0 4" },
      { keyword: "SCHILY.realsize", value: "{size}" },
    ]),
    code: "ERR_ENTRY_TYPE",
    misreadBy: [BSDTAR],
  },
  "two pax headers before one entry": {
    base: PLAIN,
    bends: [
      ...pax([{ keyword: "path", value: "s390x-linux.bin" }]),
      ...pax([{ keyword: "mtime", value: "1" }]),
    ],
    code: "ERR_HEADER_AMBIGUOUS",
    misreadBy: [PYTHON, NODE_TAR, BUSYBOX],
  },
  "two members, small": {
    base: SMALL,
    bends: gzip({ do: "split", at: 0.5 }),
    code: "ERR_GZIP_SECOND_MEMBER",
  },
  "a header checksum that is wrong": {
    base: SMALL,
    bends: gzip({ do: "crc16", value: "wrong" }),
    code: "ERR_GZIP_CORRUPT",
  },

  // Headers.
  "a size in base-256": {
    base: PLAIN,
    bends: tar({ ...NUMBER, spelling: "base-256" }),
    code: "ERR_HEADER_SIZE",
  },
  "a size in hexadecimal": {
    base: PLAIN,
    bends: tar({ ...NUMBER, spelling: "hexadecimal" }),
    code: "ERR_HEADER_SIZE",
    misreadBy: [PYTHON, BSDTAR],
  },
  "a size with digits behind a NUL": {
    base: PLAIN,
    bends: tar({ ...NUMBER, spelling: "octal, digits behind a NUL" }),
    code: "ERR_HEADER_SIZE",
  },
  "a size with NULs before it": {
    base: PLAIN,
    bends: tar({ ...NUMBER, spelling: "octal, NULs before" }),
    code: "ERR_HEADER_SIZE",
    misreadBy: [PYTHON, BSDTAR],
  },
  "a size of minus": {
    base: PLAIN,
    bends: tar({ ...NUMBER, spelling: "minus" }),
    code: "ERR_HEADER_SIZE",
    misreadBy: [PYTHON, BUSYBOX],
  },
  "a size that makes a thread worth it, in a compressed archive": {
    base: SMALL,
    bends: tar({ ...NUMBER, spelling: "octal", value: 2 ** 30 }),
    code: "ERR_ARCHIVE_TRUNCATED",
  },
  "an owner in base-256": {
    base: PLAIN,
    bends: tar({ ...NUMBER, field: "uid", spelling: "base-256", value: 2 ** 24 }),
    code: "ERR_HEADER_INVALID",
  },
  "a checksum of signed bytes": {
    base: PLAIN,
    bends: tar(
      { do: "field", entry: 1, field: "uname", text: "\xff\xff", fill: "\0" },
      { do: "checksum", entry: 1, style: "signed" },
    ),
    code: "ERR_HEADER_INVALID",
  },
  "a checksum of eight digits": {
    base: PLAIN,
    bends: tar({ do: "checksum", entry: 1, style: "eight digits" }),
    code: "ERR_HEADER_INVALID",
  },
  "a name that goes on behind a NUL": {
    base: PLAIN,
    bends: tar({ do: "field", entry: 1, field: "name", text: "aarch64-linux.bin\0x" }),
    code: "ERR_HEADER_AMBIGUOUS",
  },
  "a name with a slash behind it": {
    base: PLAIN,
    bends: tar({ do: "field", entry: 1, field: "name", text: "aarch64-linux.bin/" }),
    code: "ERR_ENTRY_PATH",
    misreadBy: [PYTHON, GO, TAR_STREAM, SEVEN_ZIP, BSDTAR],
  },
  "a name with a dot and a slash before it": {
    base: PLAIN,
    bends: tar({ do: "field", entry: 1, field: "name", text: "./aarch64-linux.bin" }),
    code: "ERR_ENTRY_PATH",
    misreadBy: [PYTHON, GO, NODE_TAR, TAR_STREAM],
  },
  "a prefix of one NUL and more": {
    base: PLAIN,
    bends: tar({ do: "field", entry: 1, field: "prefix", text: "\0a" }),
    code: "ERR_HEADER_AMBIGUOUS",
  },
  "a magic of neither": {
    base: PLAIN,
    bends: tar({ do: "field", entry: 1, field: "magic", text: "ustar " }),
    code: "ERR_HEADER_AMBIGUOUS",
  },
  "a contiguous file": {
    base: PLAIN,
    bends: tar({ do: "field", entry: 1, field: "type", text: "7" }),
    code: "ERR_ENTRY_TYPE",
    misreadBy: [GO, NODE_TAR, TAR_STREAM],
  },
  "a link with a content": {
    base: PLAIN,
    bends: tar({ do: "field", entry: 2, field: "type", text: "1" }),
    code: "ERR_ENTRY_TYPE",
    misreadBy: [PYTHON, GO, TAR_STREAM, SEVEN_ZIP, BSDTAR, BUSYBOX],
  },
  "a directory with a content": {
    base: PLAIN,
    bends: tar({ do: "field", entry: 2, field: "type", text: "5" }),
    code: "ERR_ENTRY_TYPE",
    misreadBy: [PYTHON, GO, NODE_TAR, SEVEN_ZIP, GNU_TAR, BSDTAR],
  },
  "a link's name in a file": {
    base: PLAIN,
    bends: tar({ do: "field", entry: 1, field: "linkname", text: "claims.jwt", fill: "\0" }),
    code: "ERR_HEADER_AMBIGUOUS",
  },
  "a type of no meaning": {
    base: PLAIN,
    bends: tar({ do: "field", entry: 1, field: "type", text: "Z" }),
    code: "ERR_ENTRY_TYPE",
    misreadBy: [PYTHON, GO, NODE_TAR, TAR_STREAM],
  },
  "a sparse file as GNU had it first": {
    base: PLAIN,
    bends: tar({ do: "field", entry: 1, field: "type", text: "S" }),
    code: "ERR_ENTRY_TYPE",
    misreadBy: [PYTHON, NODE_TAR, TAR_STREAM],
  },

  // Extended headers.
  "a pax header of another vendor's type": {
    base: PLAIN,
    bends: pax([{ keyword: "path", value: "s390x-linux.bin" }], { type: "X" }),
    code: "ERR_ENTRY_TYPE",
    misreadBy: [PYTHON, GO, NODE_TAR, TAR_STREAM, SEVEN_ZIP, GNU_TAR, BSDTAR],
  },
  "a pax header under GNU's magic": {
    base: PLAIN,
    bends: pax([{ keyword: "path", value: "{name}" }], { magic: "gnu" }),
    code: "ERR_HEADER_AMBIGUOUS",
  },
  "a pax header before no entry": {
    base: PLAIN,
    bends: pax([{ keyword: "mtime", value: "1" }], { entry: 3 }),
    code: "ERR_HEADER_AMBIGUOUS",
  },
  "an empty global pax header": {
    base: PLAIN,
    bends: pax([], { type: "g" }),
    code: "ERR_HEADER_AMBIGUOUS",
    misreadBy: [GO],
  },
  "a pax header without a name": {
    base: PLAIN,
    bends: pax([{ keyword: "mtime", value: "1" }], { name: "" }),
    code: "ERR_HEADER_AMBIGUOUS",
  },
  "pax records of more than a block": {
    base: PLAIN,
    bends: pax([{ keyword: "comment", value: "x".repeat(2000) }]),
  },
  "a pax header without records": {
    base: PLAIN,
    bends: pax([]),
    code: "ERR_HEADER_INVALID",
  },
  "a pax owner of more than 32 bits": {
    base: PLAIN,
    bends: pax([{ keyword: "uid", value: "4294967296" }]),
    code: "ERR_HEADER_AMBIGUOUS",
  },
  "a pax time of more than 64 bits": {
    base: PLAIN,
    bends: pax([{ keyword: "mtime", value: "9223372036854775808" }]),
    code: "ERR_HEADER_AMBIGUOUS",
  },
  "a pax size that is less": {
    base: PLAIN,
    bends: pax([{ keyword: "size", value: "0" }], { entry: 2 }),
    code: "ERR_HEADER_SIZE",
    misreadBy: [PYTHON, GO, NODE_TAR, TAR_STREAM, SEVEN_ZIP, GNU_TAR, BSDTAR],
  },
  "a pax record twice": {
    base: PLAIN,
    bends: pax([
      { keyword: "path", value: "{name}" },
      { keyword: "path", value: "s390x-linux.bin" },
    ]),
    code: "ERR_HEADER_INVALID",
    misreadBy: [PYTHON, GO, NODE_TAR, TAR_STREAM, SEVEN_ZIP, GNU_TAR, BSDTAR, BUSYBOX],
  },
  "a pax value with a line feed": {
    base: PLAIN,
    bends: pax([{ keyword: "comment", value: "a\n24 path=s390x-linux.bin" }]),
    code: "ERR_HEADER_INVALID",
    misreadBy: [NODE_TAR],
  },
  "a pax path with a NUL": {
    base: PLAIN,
    bends: pax([{ keyword: "path", value: "{name}\0x" }]),
    code: "ERR_HEADER_INVALID",
    misreadBy: [PYTHON, TAR_STREAM],
  },
  "an empty pax path": {
    base: PLAIN,
    bends: pax([{ keyword: "path", value: "" }]),
    code: "ERR_HEADER_AMBIGUOUS",
    misreadBy: [PYTHON, SEVEN_ZIP],
  },
  "a pax record whose length has zeros before it": {
    base: PLAIN,
    bends: pax([{ keyword: "path", value: "s390x-linux.bin", length: "zeros before" }]),
    code: "ERR_HEADER_INVALID",
    misreadBy: [PYTHON, GO, TAR_STREAM, SEVEN_ZIP, GNU_TAR, BSDTAR, BUSYBOX],
  },
  "a pax record that does not end in a line feed": {
    base: PLAIN,
    bends: pax([{ keyword: "path", value: "s390x-linux.bin", end: "x" }]),
    code: "ERR_HEADER_INVALID",
    misreadBy: [PYTHON, TAR_STREAM, BUSYBOX],
  },
  "bytes behind the last pax record": {
    base: PLAIN,
    bends: pax([{ keyword: "path", value: "{name}" }], { behind: "\0\0" }),
    code: "ERR_HEADER_INVALID",
  },
  "a keyword that is a text of another size": {
    base: PLAIN,
    bends: pax([{ keyword: "SCHILY.realsize", value: "1" }]),
    code: "ERR_ENTRY_TYPE",
  },
  "a sparse file in pax records": {
    base: PLAIN,
    bends: pax([
      { keyword: "GNU.sparse.major", value: "0" },
      { keyword: "GNU.sparse.minor", value: "1" },
      { keyword: "GNU.sparse.name", value: "s390x-linux.bin" },
      { keyword: "GNU.sparse.size", value: "100" },
      { keyword: "GNU.sparse.numblocks", value: "1" },
      { keyword: "GNU.sparse.map", value: "0,{size}" },
    ]),
    code: "ERR_ENTRY_TYPE",
    misreadBy: [PYTHON, GO, GNU_TAR],
  },
  "a character set for the pax records": {
    base: PLAIN,
    bends: pax([{ keyword: "hdrcharset", value: "BINARY" }]),
    code: "ERR_HEADER_AMBIGUOUS",
  },
  "a long name as GNU has it": {
    base: PLAIN,
    bends: tar({ do: "long", entry: 1, type: "L", text: "s390x-linux.bin\0" }),
    code: "ERR_ENTRY_TYPE",
    misreadBy: [PYTHON, GO, NODE_TAR, TAR_STREAM, SEVEN_ZIP, GNU_TAR, BSDTAR, BUSYBOX],
  },
  "a long link name": {
    base: PLAIN,
    bends: tar({ do: "long", entry: 1, type: "K", text: "claims.jwt\0" }),
    code: "ERR_ENTRY_TYPE",
  },

  // The stream.
  "an entry twice": {
    base: PLAIN,
    bends: tar({ do: "copy", entry: 1, before: 3, keep: true }),
    code: "ERR_ENTRY_DUPLICATE",
    misreadBy: [PYTHON, GO, NODE_TAR, TAR_STREAM],
  },
  "a block of zeros between two entries": {
    base: PLAIN,
    bends: tar({ do: "gap", entry: 2, blocks: 1 }),
    code: "ERR_ARCHIVE_TRAILING_DATA",
    misreadBy: [OLD, NEW, PYTHON, SEVEN_ZIP, GNU_TAR, BSDTAR],
  },
  "an archive behind the end": {
    base: PLAIN,
    bends: tar({ do: "end", blocks: 2, behind: "another archive" }),
    code: "ERR_ARCHIVE_TRAILING_DATA",
    misreadBy: [TAR_STREAM],
  },
  "a part of a block behind the end": {
    base: PLAIN,
    bends: tar({ do: "end", blocks: 2, behind: "zeros" }),
    code: "ERR_ARCHIVE_TRAILING_DATA",
  },
  "one block of zeros at the end": {
    base: PLAIN,
    bends: tar({ do: "end", blocks: 1, behind: "" }),
    code: "ERR_ARCHIVE_TRUNCATED",
  },
  "no end": {
    base: PLAIN,
    bends: tar({ do: "end", blocks: 0, behind: "" }),
    code: "ERR_ARCHIVE_TRUNCATED",
  },
  "bytes in the padding": {
    base: PLAIN,
    bends: tar({ do: "padding", entry: 1, text: "x" }),
    code: "ERR_ARCHIVE_TRAILING_DATA",
  },

  // Gzip.
  "two members, large": {
    base: LARGE,
    bends: gzip({ do: "split", at: 0.5 }),
    code: "ERR_GZIP_SECOND_MEMBER",
    codeOnTheWeb: "ERR_GZIP_CORRUPT",
  },
  "an empty member behind a small one": {
    base: SMALL,
    bends: gzip({ do: "behind", what: "an empty member" }),
    code: "ERR_GZIP_SECOND_MEMBER",
  },
  "another archive behind a large member": {
    base: LARGE,
    bends: gzip({ do: "behind", what: "another archive" }),
    code: "ERR_GZIP_SECOND_MEMBER",
    codeOnTheWeb: "ERR_GZIP_CORRUPT",
    misreadBy: [TAR_STREAM],
  },
  "another archive behind a large member with an index": {
    base: LARGE_INDEX,
    bends: gzip({ do: "behind", what: "another archive" }),
    code: "ERR_GZIP_SECOND_MEMBER",
    misreadBy: [TAR_STREAM],
  },
  "zeros behind a small member": {
    base: SMALL,
    bends: gzip({ do: "behind", what: "zeros" }),
    code: "ERR_ARCHIVE_TRAILING_DATA",
  },
  "zeros behind a large member": {
    base: LARGE,
    bends: gzip({ do: "behind", what: "zeros" }),
    code: "ERR_ARCHIVE_TRAILING_DATA",
    codeOnTheWeb: "ERR_GZIP_CORRUPT",
  },
  "a wrong checksum of a small member": {
    base: SMALL,
    bends: gzip({ do: "trailer", crc: 1, size: 0 }),
    code: "ERR_GZIP_CORRUPT",
  },
  "a wrong checksum of a large member": {
    base: LARGE,
    bends: gzip({ do: "trailer", crc: 1, size: 0 }),
    code: "ERR_GZIP_CORRUPT",
  },
  "a wrong length of a small member": {
    base: SMALL,
    bends: gzip({ do: "trailer", crc: 0, size: 1 }),
    code: "ERR_GZIP_CORRUPT",
  },
  "a wrong checksum of a large member with an index": {
    base: LARGE_INDEX,
    bends: gzip({ do: "trailer", crc: 1, size: 0 }),
    code: "ERR_GZIP_CORRUPT",
  },
  "a small member cut short": {
    base: SMALL,
    bends: gzip({ do: "cut", bytes: 20 }),
    code: "ERR_ARCHIVE_TRUNCATED",
  },
  "a small member without its last byte": {
    base: SMALL,
    bends: gzip({ do: "cut", bytes: 1 }),
    code: "ERR_ARCHIVE_TRUNCATED",
  },
  "a large member cut short": {
    base: LARGE,
    bends: gzip({ do: "cut", bytes: 100 }),
    code: "ERR_ARCHIVE_TRUNCATED",
  },
  "a large member without its last byte": {
    base: LARGE,
    bends: gzip({ do: "cut", bytes: 1 }),
    code: "ERR_ARCHIVE_TRUNCATED",
  },
  "a large member with an index, cut short": {
    base: LARGE_INDEX,
    bends: gzip({ do: "cut", bytes: 100 }),
    code: "ERR_ARCHIVE_TRUNCATED",
  },
  "a flag that is reserved": {
    base: SMALL,
    bends: gzip({ do: "header", flags: 0x20 }),
    code: "ERR_GZIP_CORRUPT",
  },
  "a gzip member in a gzip member": {
    base: SMALL,
    bends: gzip({ do: "again" }),
    code: "ERR_HEADER_INVALID",
  },
  "a header with everything in it": {
    base: SMALL,
    bends: gzip(
      { do: "header", flags: 1, time: 1_700_000_000 },
      { do: "extra", subfields: [{ id: "AP", text: "a" }], before: true, behind: "" },
      { do: "text", field: "name", text: "fakepay.par" },
      { do: "text", field: "comment", text: "\xe9" },
      { do: "crc16", value: "right" },
    ),
  },

  // The index.
  "an index of which a small archive's entry is a byte too long": {
    base: SMALL_INDEX,
    bends: gzip({ do: "index", segment: 1, deflated: 1 }),
    code: "ERR_INDEX_MISMATCH",
  },
  "an index of which a large archive's entry is a byte too long": {
    base: LARGE_INDEX,
    bends: gzip({ do: "index", segment: 1, deflated: 1 }),
    code: "ERR_INDEX_MISMATCH",
  },
  "an index of which an entry is a block too long inflated": {
    base: LARGE_INDEX,
    bends: gzip({ do: "index", segment: 1, length: 512 }),
    code: "ERR_INDEX_MISMATCH",
  },
  "an index whose last segment ends behind the end": {
    base: SMALL_INDEX,
    bends: gzip({ do: "index", segment: 3, deflated: 1 }),
    code: "ERR_INDEX_MISMATCH",
  },
  "an index that goes a thousand bytes past the final block": {
    base: SMALL_INDEX,
    bends: gzip({ do: "index", segment: 1, deflated: 1000 }),
    code: "ERR_INDEX_MISMATCH",
  },
  "an index with other names": {
    base: SMALL_INDEX,
    bends: gzip({ do: "index", segment: 1, name: "s390x-linux.bin" }),
    code: "ERR_INDEX_MISMATCH",
  },
  "an index whose first entry is not the claims": {
    base: SMALL_INDEX,
    bends: tar({ do: "copy", entry: 0, before: 2, keep: false }),
    code: "ERR_INDEX_MISMATCH",
  },
  "an index twice": {
    base: SMALL_INDEX,
    bends: gzip({ do: "index as a whole", what: "twice" }),
  },
  "an index that was not filled in": {
    base: LARGE_INDEX,
    bends: gzip({ do: "index as a whole", what: "blank" }),
  },

  // Two faults, of which every runtime has to find the same one first.
  "a wrong index before a wrong header": {
    base: SMALL_INDEX,
    bends: [
      ...gzip({ do: "index", segment: 0, length: 1 }),
      ...tar({ do: "field", entry: 2, field: "magic", text: "ustar " }),
    ],
    code: "ERR_INDEX_MISMATCH",
  },
  "bytes in the padding before a wrong index": {
    base: SMALL_INDEX,
    bends: [
      ...tar({ do: "padding", entry: 0, text: " " }),
      ...gzip({ do: "index", segment: 0, deflated: 2 }),
    ],
    code: "ERR_ARCHIVE_TRAILING_DATA",
  },
  "a wrong header before a wrong checksum": {
    base: SMALL_INDEX,
    bends: [
      ...gzip({ do: "trailer", crc: 1, size: -1 }),
      ...tar({ ...NUMBER, spelling: "base-256, negative" }),
    ],
    code: "ERR_HEADER_SIZE",
    misreadBy: [PYTHON],
  },
  "a wrong header before the end that is missing": {
    base: SMALL,
    bends: [
      ...gzip({ do: "cut", bytes: 9 }),
      ...tar({ do: "field", entry: 1, field: "name", text: "claims.jwt ", fill: "\0" }),
    ],
    code: "ERR_ENTRY_UNKNOWN",
    misreadBy: [PYTHON],
  },

  // The claims.
  "an issuer twice": {
    base: PLAIN,
    bends: payload({
      do: "twice",
      path: ["iss"],
      text: `"${OTHER_ISSUER.publicKey}"`,
      first: true,
    }),
    code: "ERR_TOKEN_MALFORMED",
  },
  "an issuer in capitals": {
    base: PLAIN,
    bends: payload({
      do: "add",
      path: [],
      name: '"ISS"',
      text: `"${OTHER_ISSUER.publicKey}"`,
      first: false,
    }),
    code: "ERR_CLAIMS_INVALID",
    misreadBy: [GO],
  },
  "an issuer with a long s": {
    base: PLAIN,
    bends: payload({
      do: "add",
      path: [],
      name: '"i\u017f\u017f"',
      text: `"${OTHER_ISSUER.publicKey}"`,
      first: false,
    }),
    code: "ERR_CLAIMS_INVALID",
    misreadBy: [GO],
  },
  "a name with an escape, beside itself": {
    base: PLAIN,
    bends: payload({
      do: "twice",
      path: ["wascap", "vendor"],
      name: '"vend\\u006fr"',
      text: '"Evil"',
      first: false,
    }),
    code: "ERR_TOKEN_MALFORMED",
    misreadBy: [PYTHON, GO],
  },
  "a revision with a fraction": {
    base: PLAIN,
    bends: payload({ do: "value", path: ["wascap", "rev"], text: "1.0" }),
    code: "ERR_CLAIMS_INVALID",
  },
  "a revision of more than 32 bits": {
    base: PLAIN,
    bends: payload({ do: "value", path: ["wascap", "rev"], text: "2147483648" }),
    code: "ERR_CLAIMS_INVALID",
    misreadBy: [PYTHON],
  },
  "a time past what numbers of JavaScript's hold": {
    base: PLAIN,
    bends: payload({ do: "value", path: ["exp"], text: "9007199254740993" }),
    code: "ERR_CLAIMS_INVALID",
    misreadBy: [OLD, NEW, PYTHON, GO],
  },
  "half a surrogate pair": {
    base: PLAIN,
    bends: payload({ do: "value", path: ["wascap", "name"], text: '"\\ud800"' }),
    code: "ERR_TOKEN_MALFORMED",
    misreadBy: [PYTHON, GO],
  },
  "a byte order mark": {
    base: PLAIN,
    bends: payload({ do: "between", at: 0, text: "\ufeff" }),
    code: "ERR_TOKEN_MALFORMED",
  },
  "a member __proto__": {
    base: PLAIN,
    bends: payload({ do: "add", path: ["wascap"], name: '"__proto__"', text: "{}", first: false }),
    code: "ERR_TOKEN_MALFORMED",
  },
  "a schema that is too deep": {
    base: PLAIN,
    bends: payload({
      do: "value",
      path: ["wascap", "config_schema"],
      text: "[".repeat(126) + "]".repeat(126),
    }),
    code: "ERR_TOKEN_MALFORMED",
    misreadBy: [PYTHON, GO],
  },
  "a schema with a number past the range of a double": {
    base: PLAIN,
    bends: payload({ do: "value", path: ["wascap", "config_schema"], text: '{"a":1e400}' }),
    code: "ERR_TOKEN_MALFORMED",
    misreadBy: [PYTHON],
  },
  "a schema with numbers in many spellings": {
    base: PLAIN,
    bends: payload({
      do: "value",
      path: ["wascap", "config_schema"],
      text: '{"a":1.0,"b":1e3,"c":-0.0,"d":12345678901234567890,"e":0.1}',
    }),
  },
};
