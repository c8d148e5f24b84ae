/**
 * Writes tar streams, broken ones among them. It shares no code with what it tests.
 *
 * @module
 */

import { concat } from "./_bytes.ts";

const BLOCK = 512;

/** A tar header and what follows it. Each field left out is as an honest writer has it. */
export interface TarEntry {
  readonly name: string;
  /** The bytes behind the header. */
  readonly content?: Uint8Array | string;
  /** The size the header states, or the field's text, or its bytes. */
  readonly size?: number | string | Uint8Array;
  /** The type flag; "0" is a regular file. */
  readonly type?: string;
  readonly magic?: "ustar" | "gnu" | "v7";
  readonly prefix?: string;
  readonly link?: string;
  readonly mode?: number;
  /** The checksum field's text. */
  readonly checksum?: string;
  /** The byte that fills the last block. */
  readonly filler?: number;
  /** Changes the header before its checksum is taken. */
  readonly patch?: (header: Uint8Array) => void;
}

/** A header of one block. */
export function tarHeader(entry: TarEntry): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(BLOCK);
  const put = (offset: number, value: string | Uint8Array): void =>
    header.set(typeof value === "string" ? new TextEncoder().encode(value) : value, offset);
  const size = entry.size ?? concat(entry.content ?? "").length;
  put(0, entry.name);
  put(100, octal(entry.mode ?? 0o644, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  put(124, typeof size === "number" ? octal(size, 12) : size);
  put(136, octal(0, 12));
  put(156, entry.type ?? "0");
  put(157, entry.link ?? "");
  if (entry.magic === "gnu") put(257, "ustar  \0");
  else if (entry.magic !== "v7") put(257, "ustar\x0000");
  put(345, entry.prefix ?? "");
  entry.patch?.(header);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, entry.checksum ?? `${sum.toString(8).padStart(6, "0")}\0 `);
  return header;
}

/** An entry: header, content and padding. */
export function tarEntry(entry: TarEntry): Uint8Array<ArrayBuffer> {
  const content = concat(entry.content ?? "");
  const padding = new Uint8Array((BLOCK - content.length % BLOCK) % BLOCK);
  return concat(tarHeader(entry), content, padding.fill(entry.filler ?? 0));
}

/** A pax header entry (type `x`, or `g` for a global one) of records, or of raw text. */
export function paxEntry(
  records: Readonly<Record<string, string>> | string,
  type: "x" | "g" = "x",
): Uint8Array<ArrayBuffer> {
  const content = typeof records === "string"
    ? records
    : Object.entries(records).map(([keyword, value]) => paxRecord(keyword, value)).join("");
  return tarEntry({ name: "PaxHeader", type, content });
}

/** One pax record. Its length counts itself. */
export function paxRecord(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`;
  const bytes = new TextEncoder().encode(rest).length;
  let length = bytes;
  while (String(length).length + bytes !== length) length = String(length).length + bytes;
  return `${length}${rest}`;
}

/** The two zero blocks at the end of a tar stream. */
export const TAR_END: Uint8Array<ArrayBuffer> = new Uint8Array(2 * BLOCK);

/** A number that GNU tar writes when octal digits do not suffice. */
export function base256(value: bigint, marker = 0x80): Uint8Array<ArrayBuffer> {
  const field = new Uint8Array(12);
  for (let i = 11; i > 0; i--, value >>= 8n) field[i] = Number(value & 0xffn);
  field[0] = marker;
  return field;
}

function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, "0")}\0`;
}
