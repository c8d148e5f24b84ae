/**
 * The container: what is inside of an archive, and how it gets there.
 *
 * Start with {@linkcode readArchive}, which verifies an archive and passes on the bytes of its entries,
 * or {@linkcode packArchive}, which signs claims and gives the bytes of an archive. `docs/format.md`
 * describes the format.
 *
 * This module is browser compatible.
 *
 * @example Read the bytes of every binary
 * ```ts
 * import assert from "node:assert/strict";
 *
 * async function* nothing(): AsyncGenerator<Uint8Array> {}
 * const reading = readArchive(nothing(), {}, (entry) => (chunk) => console.log(entry, chunk.length));
 * await assert.rejects(reading, { code: "ERR_ARCHIVE_EMPTY" });
 * ```
 *
 * @module
 */

export {
  type Compression,
  type Content,
  packArchive,
  type PackedArchive,
  type PackOptions,
  type ProviderDescription,
  type Signers,
  type Signing,
  type TargetContent,
  type WriteProgress,
} from "./pack.ts";
export {
  type EntryConsumer,
  type HashedEntry,
  readArchive,
  readClaims,
  type ReadOptions,
  type VerifiedArchive,
  type VerifiedClaims,
} from "./reader.ts";
export type { OpenOptions, ReadSegment } from "./open.ts";
export type { EntryKind } from "./entries.ts";
export { writeArchive, type WriteEntry, type WriteOptions } from "./writer.ts";
export type { DeflatedSegment } from "../gzip/gzip.ts";
export type { IndexedSegment, SegmentLengths } from "./index.ts";
export type { Limits } from "./limits.ts";
export { type ArchiveSource, blobSource, streamSource } from "../bytes/source.ts";
export { type Bytes, keep } from "../bytes/chunks.ts";
