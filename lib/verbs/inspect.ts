/**
 * Looking into an archive, which always means to verify it.
 *
 * @module
 */

import {
  readArchive,
  readClaims,
  type ReadOptions,
  type VerifiedArchive,
  type VerifiedClaims,
} from "../archive/reader.ts";
import { wrongType } from "./arguments.ts";
import { fileSource } from "../system/files.ts";
import { openRepeatable } from "../system/spool.ts";
import { type ArchiveSource, blobSource, streamSource } from "../bytes/source.ts";

/** An archive to read: a file's path, a stream, bytes at hand, or a source of another kind. */
export type ArchiveInput =
  | string
  | ReadableStream<Uint8Array>
  | Blob
  | Uint8Array<ArrayBuffer>
  | ArchiveSource;

/**
 * Makes a source of whatever a caller gave.
 *
 * @param input The archive.
 * @param signal Ends the waiting for a pipe.
 */
export function toSource(input: ArchiveInput, signal?: AbortSignal): ArchiveSource {
  if (typeof input === "string") return fileSource(input, signal);
  if (typeof input !== "object" || input === null) {
    throw wrongType(input, "the archive", "a path, a stream, bytes or another source");
  }
  // Asked for before the classes: to name `ReadableStream` makes Deno load all that it is made of.
  if ("open" in input) return input;
  if (input instanceof ReadableStream) return streamSource(input, "the archive");
  if (input instanceof Blob || input instanceof Uint8Array) return blobSource(input, "the archive");
  throw wrongType(input, "the archive", "a path, a stream, bytes or another source");
}

/** A source that can be read more than once, until it is disposed of. */
export interface OpenSource extends Disposable {
  /** The source. */
  readonly source: ArchiveSource;
}

/**
 * Makes a source of whatever a caller gave, for work that reads an archive more than once: what a
 * pipe gives is kept meanwhile.
 *
 * @param input The archive.
 * @param signal Ends the waiting for a pipe.
 */
export async function openSource(
  input: ArchiveInput,
  signal: AbortSignal | undefined,
): Promise<OpenSource> {
  if (typeof input !== "string") {
    return { source: toSource(input), [Symbol.dispose]: (): void => {} };
  }
  const source = await openRepeatable(input, signal);
  return { source, [Symbol.dispose]: (): void => source[Symbol.dispose]() };
}

/**
 * Reads an archive to its end, and verifies its token and every binary against it.
 *
 * @param archive A file's path, a stream, bytes, or another source.
 * @param options The time to judge at, limits, a signal.
 * @returns The claims, the token, and what the archive holds.
 * @throws {ParError} Any code of the category `untrusted`, `ERR_FILE_NOT_FOUND`,
 * `ERR_FILE_UNREADABLE`, `ERR_ABORTED`.
 *
 * @example A file that is no archive
 * ```ts
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(inspect(new Uint8Array(2048).fill(1)), { code: "ERR_HEADER_INVALID" });
 * ```
 */
export async function inspect(
  archive: ArchiveInput,
  options: ReadOptions = {},
): Promise<VerifiedArchive> {
  return await readArchive(toSource(archive, options.signal).open(), options);
}

/**
 * Reads an archive up to its token and verifies that alone, which takes the same short time at any
 * size. The binaries may be anything.
 *
 * @param archive A file's path, a stream, bytes, or another source.
 * @param options The time to judge at, limits, a signal.
 * @returns The token and its claims.
 * @throws {ParError} As {@linkcode inspect}.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(inspectClaims(new Uint8Array(2048)), { code: "ERR_CLAIMS_MISSING" });
 * ```
 */
export async function inspectClaims(
  archive: ArchiveInput,
  options: ReadOptions = {},
): Promise<VerifiedClaims> {
  return await readClaims(toSource(archive, options.signal).open(), options);
}
