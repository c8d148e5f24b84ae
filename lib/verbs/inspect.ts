/**
 * Reads what is in an archive, and verifies it.
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

/** An archive to read: a file's path, a stream, bytes, or another source. */
export type ArchiveInput =
  | string
  | ReadableStream<Uint8Array>
  | Blob
  | Uint8Array<ArrayBuffer>
  | ArchiveSource;

/** Makes a source of what the caller gave. The signal stops the wait for a pipe. */
export function toSource(input: ArchiveInput, signal?: AbortSignal): ArchiveSource {
  if (typeof input === "string") return fileSource(input, signal);
  if (typeof input !== "object" || input === null) {
    throw wrongType(input, "the archive", "a path, a stream, bytes or another source");
  }
  // First, because Deno loads all its code for streams when `ReadableStream` is used.
  if ("open" in input) return input;
  if (input instanceof ReadableStream) return streamSource(input, "the archive");
  if (input instanceof Blob || input instanceof Uint8Array) return blobSource(input, "the archive");
  throw wrongType(input, "the archive", "a path, a stream, bytes or another source");
}

/** A source that can be read more than once until it is disposed of. */
export interface OpenSource extends Disposable {
  /** The source. */
  readonly source: ArchiveSource;
}

/**
 * Makes a source for reading an archive more than once. The bytes of a pipe are kept in a temporary
 * file. The signal stops the wait for one.
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
 * Reads an archive to its end, and verifies its token and the hash of every binary.
 *
 * @param archive A file's path, a stream, bytes, or another source.
 * @param options The time at which it must be valid, limits, a signal.
 * @returns The claims, the token, and the contents.
 * @throws {ParError} Of the category `untrusted` if the archive is refused, of the category `failed` if
 * it cannot be read.
 *
 * @example A file that is not an archive
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
 * Reads an archive up to its token, and verifies the token. The binaries are not verified. So this is
 * fast for archives of any size.
 *
 * @param archive A file's path, a stream, bytes, or another source.
 * @param options The time at which it must be valid, limits, a signal.
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
