/**
 * The tar stream of an archive as blocks that tests may bend.
 *
 * @module
 */

import { concat } from "../_bytes.ts";
import { tarHeader } from "../_tar.ts";

const BLOCK = 512;

/** The fields of a header (POSIX.1-2017, pax, "ustar Interchange Format"): offset and length. */
export const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkname: [157, 100],
  magic: [257, 6],
  version: [263, 2],
  uname: [265, 32],
  gname: [297, 32],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
  // Where star and node-tar put two times.
  atime: [476, 12],
  ctime: [488, 12],
  rest: [500, 12],
} as const;

/** A header's field. */
export type Field = keyof typeof FIELDS;

/** How a number stands in its field. */
export type Spelling =
  | "octal"
  | "octal, a space behind"
  | "octal, nothing behind"
  | "octal, spaces before"
  | "octal, NULs before"
  | "octal, short"
  | "octal, a space before"
  | "octal, digits behind a NUL"
  | "octal, garbage behind a space"
  | "decimal"
  | "hexadecimal"
  | "minus"
  | "plus"
  | "base-256"
  | "base-256, negative"
  | "base-256, its mark alone"
  | "base-256, high bits"
  | "spaces"
  | "NULs";

/** All spellings. */
export const SPELLINGS: readonly Spelling[] = [
  "octal",
  "octal, a space behind",
  "octal, nothing behind",
  "octal, spaces before",
  "octal, NULs before",
  "octal, short",
  "octal, a space before",
  "octal, digits behind a NUL",
  "octal, garbage behind a space",
  "decimal",
  "hexadecimal",
  "minus",
  "plus",
  "base-256",
  "base-256, negative",
  "base-256, its mark alone",
  "base-256, high bits",
  "spaces",
  "NULs",
];

/**
 * A value of a pax record, bytes as the characters U+0000 to U+00FF. In it, `{name}` and `{size}`
 * stand for the next entry's, `{other}` for another entry's name, `{token}` for another token.
 */
export interface PaxRecord {
  readonly keyword: string;
  readonly value: string;
  /** How its length is written. */
  readonly length?: "zeros before" | "a space before" | "one less" | "one more" | "none" | "plus";
  /** What ends it in place of a line feed. */
  readonly end?: string;
}

/** What can be done to a tar stream. Texts are bytes as the characters U+0000 to U+00FF. */
export type TarBend =
  /** Puts bytes at the start of a field; the field's rest is filled, or left. */
  | {
    readonly do: "field";
    readonly entry: number;
    readonly field: Field;
    readonly text: string;
    readonly fill?: string;
  }
  /** Puts bytes at an offset in a header. */
  | { readonly do: "byte"; readonly entry: number; readonly at: number; readonly byte: number }
  /** Writes a number in another way, itself or another one. */
  | {
    readonly do: "number";
    readonly entry: number;
    readonly field: Field;
    readonly spelling: Spelling;
    readonly value?: number;
    readonly add?: number;
  }
  /** Spells the checksum in another way. */
  | { readonly do: "checksum"; readonly entry: number; readonly style: ChecksumStyle }
  /** Puts an extended header before an entry, or behind the last. */
  | {
    readonly do: "pax";
    readonly entry: number;
    readonly type: string;
    readonly name?: string;
    readonly records: readonly PaxRecord[];
    readonly magic?: "gnu" | "v7";
    /** Bytes behind the last record, in the content. */
    readonly behind?: string;
  }
  /** Puts GNU's long name before an entry, or behind the last. */
  | {
    readonly do: "long";
    readonly entry: number;
    readonly type: string;
    readonly text: string;
    readonly magic?: "gnu" | "v7";
  }
  /** Puts an entry before another one, once more or away from its place. */
  | {
    readonly do: "copy";
    readonly entry: number;
    readonly before: number;
    readonly keep: boolean;
  }
  | { readonly do: "drop"; readonly entry: number }
  /** Fills the space behind a content. */
  | { readonly do: "padding"; readonly entry: number; readonly text: string }
  /** Leaves blocks of zeros before an entry. */
  | { readonly do: "gap"; readonly entry: number; readonly blocks: number }
  /** Ends the stream in another way. */
  | {
    readonly do: "end";
    readonly blocks: number;
    readonly behind: "" | "a byte" | "zeros" | "a block" | "another archive" | "an entry";
  };

/** How a checksum is written. */
export type ChecksumStyle =
  | "six digits, NUL, space"
  | "seven digits, NUL"
  | "eight digits"
  | "spaces before"
  | "six digits, space, NUL"
  | "signed"
  | "wrong"
  | "zeros"
  | "spaces"
  | "NUL first";

/** All styles. */
export const CHECKSUM_STYLES: readonly ChecksumStyle[] = [
  "six digits, NUL, space",
  "seven digits, NUL",
  "eight digits",
  "spaces before",
  "six digits, space, NUL",
  "signed",
  "wrong",
  "zeros",
  "spaces",
  "NUL first",
];

/** One entry: a header and what follows it. */
export interface Entry {
  readonly name: string;
  readonly header: Uint8Array;
  readonly content: Uint8Array;
  /** What fills its last block. */
  padding: Uint8Array;
  checksum: ChecksumStyle;
  /** Whether it goes with the entry behind it. */
  readonly leads: boolean;
  /** Blocks of zeros before it. */
  gap: number;
}

/** The entries of an archive in order, and what else a bend may need. */
export interface TarDraft {
  entries: Entry[];
  end: Uint8Array;
  /** Other entries, signed too. */
  readonly others: readonly Entry[];
  /** A token of other claims. */
  readonly otherToken: string;
}

/** An entry in order. */
export function entryOf(name: string, content: Uint8Array, type = "0", leads = false): Entry {
  return {
    name,
    header: tarHeader({ name, content, type, mode: name.endsWith(".bin") ? 0o755 : 0o644 }),
    content,
    padding: new Uint8Array((BLOCK - content.length % BLOCK) % BLOCK),
    checksum: "six digits, NUL, space",
    leads,
    gap: 0,
  };
}

/** The bytes of an entry, its checksum put right. */
export function entryBytes({ header, content, padding, checksum, gap }: Entry): Uint8Array {
  const sealed = header.slice();
  sealed.set(checksumField(sealed, checksum), FIELDS.checksum[0]);
  return concat(new Uint8Array(gap * BLOCK), sealed, content, padding);
}

/** Bytes from the characters U+0000 to U+00FF. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Does one thing to the entries. A bend of an entry that is not there does nothing. */
export function bendTar(draft: TarDraft, bend: TarBend): void {
  if (bend.do === "end") {
    draft.end = concat(new Uint8Array(bend.blocks * BLOCK), behindTheEnd(draft, bend.behind));
    return;
  }
  const own = draft.entries.filter(({ leads }) => !leads);
  if (bend.do === "pax" || bend.do === "long") {
    const next = own[bend.entry % (own.length + 1)];
    const at = next ? draft.entries.indexOf(next) : draft.entries.length;
    draft.entries.splice(at, 0, extension(draft, bend, next));
    return;
  }
  const entry = own[bend.entry % own.length];
  if (!entry) return;
  if (bend.do === "field") {
    const [offset, length] = FIELDS[bend.field];
    const bytes = latin1(bend.text).subarray(0, length);
    if (bend.fill !== undefined) {
      entry.header.fill(bend.fill.charCodeAt(0), offset + bytes.length, offset + length);
    }
    entry.header.set(bytes, offset);
  } else if (bend.do === "byte") entry.header[bend.at % BLOCK] = bend.byte;
  else if (bend.do === "number") writeNumber(entry, bend);
  else if (bend.do === "checksum") entry.checksum = bend.style;
  else if (bend.do === "padding") {
    entry.padding.set(latin1(bend.text).subarray(0, entry.padding.length));
  } else if (bend.do === "gap") entry.gap = bend.blocks;
  else if (bend.do === "drop") draft.entries.splice(draft.entries.indexOf(entry), 1);
  else {
    const next = own[bend.before % (own.length + 1)];
    const copy = { ...entry, header: entry.header.slice(), padding: entry.padding.slice() };
    const at = next ? draft.entries.indexOf(next) : draft.entries.length;
    draft.entries.splice(at, 0, copy);
    if (!bend.keep) draft.entries.splice(draft.entries.indexOf(entry), 1);
  }
}

function behindTheEnd(
  { entries, others }: TarDraft,
  behind: Extract<TarBend, { do: "end" }>["behind"],
): Uint8Array {
  const end = new Uint8Array(2 * BLOCK);
  switch (behind) {
    case "":
      return new Uint8Array(0);
    case "a byte":
      return Uint8Array.of(1);
    case "zeros":
      return new Uint8Array(700);
    case "a block":
      return new Uint8Array(BLOCK).fill(0x61);
    case "another archive":
      return concat(...others.map(entryBytes), end);
    case "an entry":
      return concat(...entries.slice(-1).map(entryBytes), end);
  }
}

function extension(
  draft: TarDraft,
  bend: Extract<TarBend, { do: "pax" | "long" }>,
  next: Entry | undefined,
): Entry {
  const fill = (text: string): string => fillIn(text, draft, next);
  const content = bend.do === "long"
    ? latin1(fill(bend.text))
    : latin1(bend.records.map((record) => paxText(record, fill)).join("") + (bend.behind ?? ""));
  const name = bend.do === "long" ? "././@LongLink" : fill(bend.name ?? "PaxHeaders/{name}");
  const entry = entryOf(name.slice(0, 100), content, bend.type, true);
  const magic = bend.magic ?? (bend.do === "long" ? "gnu" : undefined);
  if (magic) entry.header.set(latin1(magic === "gnu" ? "ustar  \0" : "\0".repeat(8)), 257);
  return entry;
}

function fillIn(text: string, draft: TarDraft, next: Entry | undefined): string {
  const other = draft.entries.find((entry) => entry !== next && !entry.leads);
  return text
    .replaceAll("{name}", next?.name ?? "none")
    .replaceAll("{size}", String(next?.content.length ?? 0))
    .replaceAll("{other}", other?.name ?? "other")
    .replaceAll("{token}", draft.otherToken);
}

function paxText(record: PaxRecord, fill: (text: string) => string): string {
  const rest = ` ${record.keyword}=${fill(record.value)}${record.end ?? "\n"}`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  switch (record.length) {
    case "zeros before":
      return `00${length + 2}${rest}`;
    case "a space before":
      return ` ${length + 1}${rest}`;
    case "one less":
      return `${length - 1}${rest}`;
    case "one more":
      return `${length + 1}${rest}`;
    case "plus":
      return `+${length + 1}${rest}`;
    case "none":
      return rest;
    default:
      return `${length}${rest}`;
  }
}

function writeNumber(entry: Entry, bend: Extract<TarBend, { do: "number" }>): void {
  const [offset, length] = FIELDS[bend.field];
  const field = entry.header.subarray(offset, offset + length);
  const stated = parseInt(String.fromCharCode(...field).replaceAll("\0", ""), 8) || 0;
  const value = (bend.value ?? stated) + (bend.add ?? 0);
  field.set(spell(Math.max(value, 0), length, bend.spelling));
}

function spell(value: number, length: number, spelling: Spelling): Uint8Array {
  const octal = value.toString(8);
  const digits = (count: number): string => octal.padStart(count, "0").slice(-count);
  const text = (field: string): Uint8Array => latin1(field.padEnd(length, "\0").slice(0, length));
  switch (spelling) {
    case "octal":
      return text(digits(length - 1));
    case "octal, a space behind":
      return text(`${digits(length - 1)} `);
    case "octal, nothing behind":
      return text(digits(length));
    case "octal, spaces before":
      return text(octal.padStart(length - 1, " "));
    case "octal, a space before":
      return text(` ${digits(length - 2)}`);
    case "octal, NULs before":
      return text(octal.padStart(length - 1, "\0"));
    case "octal, short":
      return text(octal);
    case "octal, digits behind a NUL":
      return text(`${octal.slice(-(length - 3))}\0${"7".repeat(length)}`);
    case "octal, garbage behind a space":
      return text(`${octal.slice(-(length - 3))} ${"x".repeat(length)}`);
    case "decimal":
      return text(String(value).padStart(length - 1, "0"));
    case "hexadecimal":
      return text(`0x${value.toString(16)}`);
    case "minus":
      return text(`-${octal}`);
    case "plus":
      return text(`+${octal}`);
    case "spaces":
      return text(" ".repeat(length));
    case "NULs":
      return text("");
    case "base-256":
    case "base-256, negative":
    case "base-256, its mark alone":
    case "base-256, high bits": {
      const bytes = new Uint8Array(length);
      let rest = BigInt(spelling === "base-256, its mark alone" ? 0 : value);
      if (spelling === "base-256, negative") rest = (1n << BigInt(8 * length)) - rest;
      for (let i = length - 1; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
      bytes[0] = (bytes[0] ?? 0) | (spelling === "base-256, high bits" ? 0xc0 : 0x80);
      return bytes;
    }
  }
}

function checksumField(header: Uint8Array, style: ChecksumStyle): Uint8Array {
  let sum = 8 * 0x20;
  let signed = 8 * 0x20;
  for (let i = 0; i < header.length; i++) {
    if (i >= 148 && i < 156) continue;
    const byte = header[i] ?? 0;
    sum += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  const octal = sum.toString(8);
  switch (style) {
    case "six digits, NUL, space":
      return latin1(`${octal.padStart(6, "0")}\0 `);
    case "seven digits, NUL":
      return latin1(`${octal.padStart(7, "0")}\0`);
    case "eight digits":
      return latin1(octal.padStart(8, "0"));
    case "spaces before":
      return latin1(`${octal.padStart(6, " ")}\0 `);
    case "six digits, space, NUL":
      return latin1(`${octal.padStart(6, "0")} \0`);
    case "signed":
      return latin1(`${Math.max(signed, 0).toString(8).padStart(6, "0")}\0 `);
    case "wrong":
      return latin1(`${(sum + 1).toString(8).padStart(6, "0")}\0 `);
    case "zeros":
      return latin1("0000000\0");
    case "spaces":
      return latin1("        ");
    case "NUL first":
      return latin1(`\0${octal.padStart(6, "0")} `);
  }
}
