/**
 * A gzip member around a tar stream (RFC 1952) that tests may bend.
 *
 * @module
 */

import { constants, crc32, deflateRawSync, gzipSync } from "node:zlib";
import { concat } from "../_bytes.ts";
import { latin1 } from "./_tar_bends.ts";

/** A subfield of the extra field; its length is that of its text unless another is given. */
export interface Subfield {
  readonly id: string;
  readonly text: string;
  readonly length?: number;
}

/** What can be done to a member. Texts are bytes as the characters U+0000 to U+00FF. */
export type GzipBend =
  | {
    readonly do: "header";
    readonly time?: number;
    readonly effort?: number;
    readonly system?: number;
    readonly method?: number;
    /** Flags beside those that follow from what is in the header. */
    readonly flags?: number;
  }
  | { readonly do: "text"; readonly field: "name" | "comment"; readonly text: string }
  /** Adds subfields to the extra field, before the index or behind it. */
  | {
    readonly do: "extra";
    readonly subfields: readonly Subfield[];
    readonly before: boolean;
    /** Bytes behind the last subfield. */
    readonly behind: string;
  }
  | { readonly do: "crc16"; readonly value: "right" | "wrong" | "zero" }
  | { readonly do: "deflate"; readonly level: number; readonly strategy: number }
  /** Makes two members of one, cut at a part of the stream's length. */
  | { readonly do: "split"; readonly at: number }
  | {
    readonly do: "behind";
    readonly what:
      | "a zero"
      | "zeros"
      | "a byte"
      | "a magic"
      | "an empty member"
      | "another archive";
  }
  | { readonly do: "trailer"; readonly crc: number; readonly size: number }
  /** Alters a byte, at a part of the member's length. */
  | { readonly do: "byte"; readonly at: number; readonly xor: number }
  /** Alters a byte of the header. */
  | { readonly do: "header byte"; readonly at: number; readonly byte: number }
  | { readonly do: "cut"; readonly bytes: number }
  | { readonly do: "again" }
  /** Changes the index, where the member has one. */
  | {
    readonly do: "index";
    readonly segment: number;
    readonly name?: string;
    readonly deflated?: number;
    readonly length?: number;
  }
  | {
    readonly do: "index as a whole";
    readonly what:
      | "another version"
      | "blank"
      | "twice"
      | "swapped"
      | "without the last"
      | "cut"
      | "a byte more"
      | "no lengths at the end";
  };

/** What a member is made of. */
export interface GzipParts {
  /** The tar stream, in the segments that an index names, the end of the stream the last. */
  readonly segments: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  /** Whether the segments can be inflated alone, and an index says where. */
  readonly index: boolean;
  /** A tar stream of another archive. */
  readonly other: Uint8Array;
}

/** A final, empty block (RFC 1951, section 3.2.6). */
const FINAL_BLOCK = Uint8Array.of(3, 0);

interface Segment {
  name: string;
  deflated: number;
  length: number;
}

/** Compresses, bent. */
export function bentGzip(parts: GzipParts, bends: readonly GzipBend[]): Uint8Array {
  const deflate = last(bends, "deflate") ?? { level: 9, strategy: 0 };
  const stream = concat(...parts.segments.map(({ bytes }) => bytes));
  const split = last(bends, "split");
  let member: Uint8Array;
  if (split) {
    const at = Math.floor(split.at * stream.length);
    member = concat(gzipSync(stream.subarray(0, at)), gzipSync(stream.subarray(at)));
  } else {
    const pieces: Uint8Array[] = parts.index
      ? parts.segments.map(({ bytes }) =>
        deflateRawSync(bytes, { ...deflate, finishFlush: constants.Z_SYNC_FLUSH })
      )
      : [deflateRawSync(stream, deflate)];
    if (parts.index) pieces.push(FINAL_BLOCK);
    const header = headerOf(parts, pieces, bends);
    const trailer = last(bends, "trailer") ?? { crc: 0, size: 0 };
    const end = new DataView(new ArrayBuffer(8));
    end.setUint32(0, crc32(stream) ^ trailer.crc, true);
    end.setUint32(4, stream.length + trailer.size, true);
    member = concat(header, ...pieces, new Uint8Array(end.buffer));
  }
  return bends.reduce((bytes, bend) => bendMember(bytes, bend, parts), member);
}

function last<Kind extends GzipBend["do"]>(
  bends: readonly GzipBend[],
  kind: Kind,
): Extract<GzipBend, { do: Kind }> | undefined {
  return bends.findLast((bend) => bend.do === kind) as Extract<GzipBend, { do: Kind }> | undefined;
}

/** RFC 1952, section 2.3. */
function headerOf(
  parts: GzipParts,
  pieces: readonly Uint8Array[],
  bends: readonly GzipBend[],
): Uint8Array {
  const { time = 0, effort = 2, system = 255, method = 8, flags = 0 } = last(bends, "header") ?? {};
  const extra = extraField(parts, pieces, bends);
  const [name, comment] = ["name", "comment"].map((field) =>
    bends.findLast((bend) => bend.do === "text" && bend.field === field)
  );
  const crc16 = last(bends, "crc16");
  const fixed = new DataView(new ArrayBuffer(10));
  fixed.setUint16(0, 0x1f8b);
  fixed.setUint8(2, method);
  fixed.setUint8(
    3,
    flags | (extra ? 4 : 0) | (name ? 8 : 0) | (comment ? 16 : 0) | (crc16 ? 2 : 0),
  );
  fixed.setUint32(4, time, true);
  fixed.setUint8(8, effort);
  fixed.setUint8(9, system);
  const before = concat(
    new Uint8Array(fixed.buffer),
    ...(extra ? [littleEndian(extra.length, 2), extra] : []),
    ...[name, comment].map((bend) =>
      bend?.do === "text" ? latin1(`${bend.text}\0`) : new Uint8Array(0)
    ),
  );
  if (!crc16) return before;
  const right = crc32(before) & 0xffff;
  const stated = { right, wrong: right ^ 1, zero: 0 }[crc16.value];
  return concat(before, littleEndian(stated, 2));
}

function extraField(
  parts: GzipParts,
  pieces: readonly Uint8Array[],
  bends: readonly GzipBend[],
): Uint8Array | undefined {
  const added = bends.filter((bend) => bend.do === "extra");
  if (!parts.index && added.length === 0) return undefined;
  const texts = (before: boolean): Uint8Array[] =>
    added.filter((bend) => bend.before === before)
      .map(({ subfields, behind }) => concat(...subfields.map(subfieldBytes), latin1(behind)));
  const index = parts.index ? indexOf(parts, pieces, bends) : new Uint8Array(0);
  return concat(...texts(true), index, ...texts(false)).subarray(0, 0xffff);
}

function subfieldBytes({ id, text, length = text.length }: Subfield): Uint8Array {
  return concat(latin1(id.slice(0, 2)), littleEndian(length, 2), latin1(text));
}

/** What `docs/format.md` says of the index, by a hand that knows nothing of `lib/`. */
function indexOf(
  parts: GzipParts,
  pieces: readonly Uint8Array[],
  bends: readonly GzipBend[],
): Uint8Array {
  const segments: Segment[] = parts.segments.map(({ name, bytes }, i) => {
    const final = i === parts.segments.length - 1 ? 2 : 0;
    return { name, deflated: (pieces[i]?.length ?? 0) + final, length: bytes.length };
  });
  for (const bend of bends) {
    if (bend.do !== "index") continue;
    const segment = segments[bend.segment % segments.length];
    if (!segment) continue;
    segment.name = bend.name ?? segment.name;
    segment.deflated += bend.deflated ?? 0;
    segment.length += bend.length ?? 0;
  }
  const whole = (what: string): boolean =>
    bends.some((bend) => bend.do === "index as a whole" && bend.what === what);
  if (whole("blank")) { for (const segment of segments) segment.deflated = segment.length = 0; }
  if (whole("swapped")) segments.reverse();
  if (whole("without the last")) segments.pop();
  let data = concat(
    Uint8Array.of(whole("another version") ? 2 : 1),
    ...segments.map(({ name, deflated, length }) =>
      concat(
        Uint8Array.of(name.length),
        name,
        littleEndian(deflated, 8),
        littleEndian(length, 8),
      )
    ),
  );
  if (whole("cut")) data = data.slice(0, -1);
  if (whole("no lengths at the end")) data = data.slice(0, -16);
  if (whole("a byte more")) data = concat(data, Uint8Array.of(0));
  const subfield = concat("PA", littleEndian(data.length, 2), data);
  return whole("twice") ? concat(subfield, subfield) : subfield;
}

function littleEndian(value: number, length: number): Uint8Array<ArrayBuffer> {
  let rest = BigInt(value);
  return new Uint8Array(length).map(() => {
    const byte = Number(rest & 0xffn);
    rest >>= 8n;
    return byte;
  });
}

function bendMember(bytes: Uint8Array, bend: GzipBend, parts: GzipParts): Uint8Array {
  switch (bend.do) {
    case "behind":
      return concat(bytes, behindIt(bend.what, parts));
    case "cut":
      return bytes.subarray(0, Math.max(2, bytes.length - bend.bytes));
    case "again":
      return new Uint8Array(gzipSync(bytes));
    case "byte": {
      const at = Math.min(Math.floor(bend.at * bytes.length), bytes.length - 1);
      return bytes.slice().with(at, (bytes[at] ?? 0) ^ bend.xor);
    }
    case "header byte":
      return bytes.slice().with(bend.at % Math.min(10, bytes.length), bend.byte);
    default:
      return bytes;
  }
}

function behindIt(
  what: Extract<GzipBend, { do: "behind" }>["what"],
  parts: GzipParts,
): Uint8Array {
  switch (what) {
    case "a zero":
      return new Uint8Array(1);
    case "zeros":
      return new Uint8Array(512);
    case "a byte":
      return Uint8Array.of(0x61);
    case "a magic":
      return Uint8Array.of(0x1f, 0x8b);
    case "an empty member":
      return new Uint8Array(gzipSync(new Uint8Array(0)));
    case "another archive":
      return new Uint8Array(gzipSync(parts.other));
  }
}
