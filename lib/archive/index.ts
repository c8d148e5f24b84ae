/**
 * The index of a compressed archive. It tells where each entry lies, so that one can be read without
 * the others. It is only a hint: bytes that are found through it must have the signed hash. This module
 * is browser compatible.
 *
 * It is subfield `PA` of the gzip header's extra field (RFC 1952, section 2.3.1.1): a version byte, then
 * for each segment the name of its entry (a length byte and UTF-8; empty for the last segment, which
 * holds the end marker), its compressed length and its length (64 bits each, little-endian).
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { CLAIMS_ENTRY } from "./entries.ts";
import type { Boundary } from "../gzip/parts.ts";

/** The bytes of the subfield's id, `PA`. */
const ID = [0x50, 0x41] as const;

const VERSION = 1;

/** The length of the extra field is a number of 16 bits. */
const MAX_EXTRA = 0xffff;

const SUBFIELD_HEADER = 4;
const LENGTHS = 16;

/** The lengths of one segment. */
export interface SegmentLengths {
  /** The name of the entry in it; empty for the last segment. */
  readonly name: string;
  /** Its compressed length in bytes. */
  readonly deflatedLength: number;
  /** Its length in the tar stream in bytes: header, content and padding. */
  readonly length: number;
}

/** A segment, and where it lies. */
export interface IndexedSegment extends SegmentLengths {
  /** Offset of its first byte in the archive. */
  readonly offset: number;
}

/** The segments of an archive, in order. */
export type ArchiveIndex = readonly IndexedSegment[];

/**
 * Writes the data of the extra field.
 *
 * @param segments The segments in order. Lengths that are not known yet are zero.
 * @returns The data. Its length depends on the names alone. `undefined` if it does not fit the field.
 */
export function encodeIndex(segments: readonly SegmentLengths[]): Uint8Array | undefined {
  const names = segments.map(({ name }) => new TextEncoder().encode(name));
  const size = names.reduce((sum, name) => sum + 1 + name.length + LENGTHS, SUBFIELD_HEADER + 1);
  if (size > MAX_EXTRA || names.some((name) => name.length > 255)) return undefined;
  const extra = new Uint8Array(size);
  const view = new DataView(extra.buffer);
  extra.set(ID);
  view.setUint16(2, size - SUBFIELD_HEADER, true);
  extra[SUBFIELD_HEADER] = VERSION;
  let at = SUBFIELD_HEADER + 1;
  for (const [i, { deflatedLength, length }] of segments.entries()) {
    const name = names[i] as Uint8Array;
    extra[at] = name.length;
    extra.set(name, at + 1);
    at += 1 + name.length;
    view.setBigUint64(at, BigInt(deflatedLength), true);
    view.setBigUint64(at + 8, BigInt(length), true);
    at += LENGTHS;
  }
  return extra;
}

/**
 * Reads the index.
 *
 * @param extra The data of the extra field.
 * @param start Offset of the first segment: the length of the gzip header.
 * @returns The index. `undefined` if there is none, if it has another version, or if its lengths were
 * never filled in.
 * @throws {ParError} `ERR_INDEX_MISMATCH` if the index contradicts itself.
 */
export function decodeIndex(extra: Uint8Array, start: number): ArchiveIndex | undefined {
  const data = findSubfield(extra);
  if (!data || data[0] !== VERSION) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const segments: IndexedSegment[] = [];
  const names = new Set<string>();
  let offset = start;
  let total = 0;
  for (let at = 1; at < data.length;) {
    const lengths = at + 1 + (data[at] ?? 0);
    if (lengths + LENGTHS > data.length) throw malformed("it ends within a segment's lengths");
    const name = decodeName(data.subarray(at + 1, lengths));
    const deflatedLength = Number(view.getBigUint64(lengths, true));
    const length = Number(view.getBigUint64(lengths + 8, true));
    at = lengths + LENGTHS;
    if (names.has(name)) throw malformed(`it has ${quote(name)} twice`);
    if ((name === "") !== (at === data.length)) throw malformed("its last segment is not the last");
    names.add(name);
    segments.push({ name, deflatedLength, length, offset });
    offset += deflatedLength;
    total += length;
    // Larger sums would not be exact, and comparisons with them would be wrong.
    if (!Number.isSafeInteger(offset + total)) throw malformed("its lengths are beyond reason");
  }
  if (segments.length === 0) throw malformed("it has no segments");
  return offset === start ? undefined : segments;
}

/** RFC 1952, section 2.3.1.1: each subfield has two bytes of id and two of length. */
function findSubfield(extra: Uint8Array): Uint8Array | undefined {
  for (let at = 0; at + SUBFIELD_HEADER <= extra.length;) {
    const end = at + SUBFIELD_HEADER + ((extra[at + 2] ?? 0) | ((extra[at + 3] ?? 0) << 8));
    if (extra[at] === ID[0] && extra[at + 1] === ID[1]) {
      if (end > extra.length) throw malformed("it is longer than the header field it is in");
      return extra.subarray(at + SUBFIELD_HEADER, end);
    }
    at = end;
  }
  return undefined;
}

function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed("a name in it is not UTF-8");
  }
}

function malformed(reason: string): ParError {
  return new ParError(
    "ERR_INDEX_MISMATCH",
    `Cannot trust the archive: its index cannot be right: ${reason}`,
  );
}

/** The boundaries between the segments, for decompressing. */
export function boundariesOf(index: ArchiveIndex): Boundary[] {
  const start = index[0]?.offset ?? 0;
  let inflated = 0;
  return index.map(({ offset, deflatedLength, length }) => ({
    deflated: offset + deflatedLength - start,
    inflated: inflated += length,
  }));
}

/**
 * Compares the entries of a tar stream with the index while they are read.
 */
export class IndexCheck {
  readonly #index: ArchiveIndex;
  #count = 0;
  #end = 0;

  constructor(index: ArchiveIndex) {
    this.#index = index;
  }

  /**
   * Checks the next entry.
   *
   * @param name Its name.
   * @param end Offset of the end of its padding in the tar stream.
   * @throws {ParError} `ERR_INDEX_MISMATCH`.
   */
  entry(name: string, end: number): void {
    // Whoever reads the front alone looks for the claims there.
    if (this.#count === 0 && name !== CLAIMS_ENTRY) {
      throw malformed(`its first segment is not that of ${CLAIMS_ENTRY}`);
    }
    const segment = this.#index[this.#count++];
    this.#end += segment?.length ?? 0;
    if (segment?.name !== name || this.#end !== end) throw mismatch(name);
  }

  /**
   * Checks the end.
   *
   * @param length The length of the tar stream.
   * @throws {ParError} `ERR_INDEX_MISMATCH`.
   */
  end(length: number): void {
    this.entry("", length);
  }
}

function mismatch(name: string): ParError {
  return new ParError(
    "ERR_INDEX_MISMATCH",
    "Cannot trust the archive: its index and its content disagree at " +
      (name ? quote(name) : "the end"),
  );
}
