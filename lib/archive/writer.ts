/**
 * Writes archives. This module is browser compatible.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { type DeflatedSegment, EXTRA_OFFSET, gzip, type Segment } from "../gzip/gzip.ts";
import { type Bytes, bytesOf } from "../bytes/chunks.ts";
import { CLAIMS_ENTRY, WIT_ENTRY } from "./entries.ts";
import { encodeIndex } from "./index.ts";
import { BLOCK_LENGTH, encodeHeader, MAX_ENTRY_SIZE, padded } from "./tar.ts";

/** The compression level of the reference. */
export const COMPRESSION_LEVEL = 9;

/** More threads than any machine has cores. Each one takes memory. */
const MAX_JOBS = 256;

/** An entry to write. */
export interface WriteEntry {
  /** Its name, as in `entries.ts`. */
  readonly name: string;
  /** The content's length in bytes. */
  readonly size: number;
  /** Gives the content, exactly `size` bytes. */
  readonly open: () => Bytes;
  /** The segment with the same entry in another archive, to copy it if possible. */
  readonly deflated?: DeflatedSegment | undefined;
}

/** Settings of {@linkcode writeArchive}. */
export interface WriteOptions {
  /** The compression level from 1 to 9. Default: no compression. */
  readonly level?: number | undefined;
  /** How many threads compress; default: one for each core. The bytes do not depend on it. */
  readonly jobs?: number | undefined;
  /**
   * Replaces bytes that were written before. Leave it out for a pipe; then a compressed archive has no
   * index.
   */
  readonly patch?: ((offset: number, bytes: Uint8Array) => Promise<void>) | undefined;
}

/**
 * Writes an archive.
 *
 * @param entries The entries, in their order in the archive.
 * @param options Whether and how to compress.
 * @returns The archive's bytes. Read them once.
 * @throws {ParError} Of the category `usage` for a wrong option; while the bytes are read, of the category
 * `failed`.
 */
export function writeArchive(entries: readonly WriteEntry[], options: WriteOptions = {}): Bytes {
  const { level, jobs } = options;
  requireWhole(level, 9, "the compression level");
  requireWhole(jobs, MAX_JOBS, "the number of jobs");
  const segments = [...entries.map(toSegment), END_SEGMENT];
  return level === undefined ? plain(segments) : compressed(segments, { ...options, level });
}

function requireWhole(value: number | undefined, most: number, what: string): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= most)) return;
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot use ${value} as ${what}: give a whole number from 1 to ${most}`,
  );
}

/** An entry as a segment: header, content and padding. */
interface EntrySegment extends Segment {
  readonly name: string;
}

function toSegment(entry: WriteEntry): EntrySegment {
  const { name, size, deflated } = entry;
  if (size > MAX_ENTRY_SIZE) {
    throw new ParError(
      "ERR_BINARY_TOO_LARGE",
      `Cannot put ${name} into an archive: it has ${size} bytes, and ${MAX_ENTRY_SIZE} is the most`,
    );
  }
  return { name, length: BLOCK_LENGTH + padded(size), open: () => tarEntry(entry), deflated };
}

/** The end marker. */
const END_SEGMENT: EntrySegment = {
  name: "",
  length: 2 * BLOCK_LENGTH,
  open: () => bytesOf(new Uint8Array(2 * BLOCK_LENGTH)),
};

async function* plain(segments: readonly EntrySegment[]): Bytes {
  for (const { open } of segments) yield* open();
}

/** Writes zeros in place of the index, and the index once the lengths are known. */
async function* compressed(
  segments: readonly EntrySegment[],
  { level, jobs, patch }: WriteOptions & { readonly level: number },
): Bytes {
  const lengths: number[] = [];
  const index = (): Uint8Array | undefined =>
    encodeIndex(segments.map(({ name, length }, i) => (
      { name, length, deflatedLength: lengths[i] ?? 0 }
    )));
  yield* gzip(segments, {
    level,
    jobs,
    extra: patch && index(),
    onSegment: (length) => lengths.push(length),
  });
  const extra = index();
  if (extra && lengths.length === segments.length) await patch?.(EXTRA_OFFSET, extra);
}

async function* tarEntry(entry: WriteEntry): Bytes {
  yield encodeHeader(entry.name, entry.size, mode(entry.name));
  let written = 0;
  for await (const chunk of entry.open()) {
    written += chunk.length;
    if (written > entry.size) break;
    yield chunk;
  }
  if (written !== entry.size) throw contentChanged(entry.name);
  yield new Uint8Array(padded(entry.size) - entry.size);
}

/** The error for a content that is not what was measured. */
export function contentChanged(name: string): ParError {
  return new ParError(
    "ERR_FILE_CHANGED",
    `Cannot write ${name}: it changed while it was read; try again after its build has finished`,
  );
}

/** The mode that plain `tar x` gives the file: binaries can run, the others cannot. */
function mode(name: string): number {
  return name === CLAIMS_ENTRY || name === WIT_ENTRY ? 0o644 : 0o755;
}
