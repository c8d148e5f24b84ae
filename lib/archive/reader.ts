/**
 * Reads and verifies archives. Every verb that reads one does it here. This module is browser
 * compatible.
 *
 * @module
 */

import type { Claims } from "../signing/claims.ts";
import { createSha256, toClaimsHash } from "../bytes/digest.ts";
import { ParError, quote } from "../errors.ts";
import { HashThread } from "../bytes/hash_thread.ts";
import type { Bytes } from "../bytes/chunks.ts";
import type { Target } from "../target/target.ts";
import { type VerifiedToken, verifyToken, type VerifyTokenOptions } from "../signing/token.ts";
import { type EntryKind, hashKey, parseEntryName } from "./entries.ts";
import { MAX_CLAIMS_SIZE } from "./limits.ts";
import { type OpenOptions, openTar, type ReadSegment } from "./open.ts";
import { padded } from "./tar.ts";
import { readTar, type TarEntry } from "./tar_reader.ts";

/** Settings of {@linkcode readArchive} and {@linkcode readClaims}. */
export interface ReadOptions extends VerifyTokenOptions, OpenOptions {}

/** An entry whose hash is in the claims. */
export interface HashedEntry {
  /** The target of a binary; absent for the WIT. */
  readonly target?: Target;
  /** The content's length in bytes. */
  readonly size: number;
  /** The content's SHA-256 as upper-case hexadecimal. */
  readonly sha256: string;
}

/** An archive whose token and entries were all verified. */
export interface VerifiedArchive extends VerifiedToken {
  /** Whether it is compressed. */
  readonly compressed: boolean;
  /** Its length in bytes, as it was read. */
  readonly size: number;
  /** Its binaries, sorted by target. */
  readonly binaries: readonly (HashedEntry & { readonly target: Target })[];
  /** Its WIT package, if it has one. */
  readonly wit?: HashedEntry;
  /** Its segments, if the option `segments` is set and it has an index. */
  readonly segments?: readonly ReadSegment[];
}

/**
 * Receives the content of an entry while it is read. Do not trust the bytes before
 * {@linkcode readArchive} has returned. Each chunk is borrowed until the function has ended: to keep one,
 * copy it with `keep()`.
 */
export type EntryConsumer = (
  entry: Exclude<EntryKind, { kind: "claims" }>,
  size: number,
) => ((chunk: Uint8Array) => Promise<void> | void) | undefined;

/**
 * Reads an archive to its end and verifies it: the token, and each entry's bytes against it.
 *
 * @param source The archive's bytes.
 * @param options Time, limits, signal.
 * @param consume Called for each entry; returns a function that receives the bytes, or nothing.
 * @returns The verified archive.
 * @throws {ParError} Of the category `untrusted` if the archive must not be believed; `ERR_ABORTED`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * async function* nothing(): AsyncGenerator<Uint8Array> {}
 * await assert.rejects(readArchive(nothing()), { code: "ERR_ARCHIVE_EMPTY" });
 * ```
 */
export async function readArchive(
  source: Bytes,
  options: ReadOptions = {},
  consume?: EntryConsumer,
): Promise<VerifiedArchive> {
  const seen = new Set<string>();
  const hashed = new Map<string, HashedEntry>();
  let token: VerifiedToken | undefined;
  await using stream = await openTar(source, options);
  const { tar, check } = stream;
  // Inflating keeps one core busy. A plain archive is hashed as fast on the core that reads it.
  using thread = stream.compressed ? new HashThread(stream.length) : undefined;
  for await (const entry of readTar(tar, options.limits ?? {})) {
    check?.entry(entry.name, tar.position + padded(entry.size));
    const kind = parseEntryName(entry.name);
    if (seen.has(entry.name)) throw duplicate(entry.name, kind);
    seen.add(entry.name);
    if (kind.kind === "claims") {
      token = await verifyToken(await readToken(entry), options);
      for (const [key, read] of hashed) checkHash(key, read.sha256, token.claims);
      continue;
    }
    const key = hashKey(kind);
    if (token) expectedHash(key, token.claims);
    const sha256 = await hashEntry(entry, thread, consume?.(kind, entry.size));
    if (token) checkHash(key, sha256, token.claims);
    hashed.set(key, {
      ...(kind.kind === "binary" && { target: kind.target }),
      size: entry.size,
      sha256,
    });
  }
  check?.end(tar.position);
  if (!token) throw missingClaims();
  for (const key of Object.keys(token.claims.wascap.target_hashes)) {
    if (!hashed.has(key)) throw missingEntry(key);
  }
  const entries = [...hashed.values()];
  const wit = entries.find((entry) => entry.target === undefined);
  return {
    ...token,
    compressed: stream.compressed,
    size: stream.position,
    binaries: entries.filter(isBinary).sort((a, b) => a.target < b.target ? -1 : 1),
    ...(wit && { wit }),
    ...(stream.segments?.length && { segments: stream.segments }),
  };
}

/** The result of {@linkcode readClaims}. The binaries were not read. */
export interface VerifiedClaims extends VerifiedToken {
  /** Whether the archive is compressed. */
  readonly compressed: boolean;
}

/**
 * Reads an archive up to its token and verifies the token. The binaries may be anything.
 *
 * @param source The archive's bytes.
 * @param options Time, limits, signal.
 * @returns The token and its claims.
 * @throws {ParError} As {@linkcode readArchive}, for the part that was read.
 */
export async function readClaims(
  source: Bytes,
  options: ReadOptions = {},
): Promise<VerifiedClaims> {
  await using stream = await openTar(source, options);
  for await (const entry of readTar(stream.tar, options.limits ?? {})) {
    if (parseEntryName(entry.name).kind !== "claims") continue;
    return {
      ...await verifyToken(await readToken(entry), options),
      compressed: stream.compressed,
    };
  }
  throw missingClaims();
}

/** Reads the token, which is at most {@linkcode MAX_CLAIMS_SIZE} bytes long. */
export async function readToken(entry: TarEntry): Promise<string> {
  if (entry.size > MAX_CLAIMS_SIZE) {
    throw new ParError(
      "ERR_CLAIMS_TOO_LARGE",
      `Cannot trust the archive: its claims have ${entry.size} bytes, more than ${MAX_CLAIMS_SIZE}`,
    );
  }
  let text = "";
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  for await (const chunk of entry.bytes) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

async function hashEntry(
  entry: TarEntry,
  thread: HashThread | undefined,
  consume: ((chunk: Uint8Array) => Promise<void> | void) | undefined,
): Promise<string> {
  const hash = await (thread?.createSha256(entry.size) ?? createSha256());
  for await (const chunk of entry.bytes) {
    await hash.update(chunk);
    await consume?.(chunk);
  }
  return toClaimsHash(await hash.digest());
}

function isBinary(entry: HashedEntry): entry is HashedEntry & { readonly target: Target } {
  return entry.target !== undefined;
}

function expectedHash(key: string, claims: Claims): string {
  const hashes = claims.wascap.target_hashes;
  const hash = Object.hasOwn(hashes, key) ? hashes[key] : undefined;
  if (hash === undefined) {
    throw new ParError(
      "ERR_HASH_UNLISTED",
      `Cannot trust the archive: its claims have no hash of ${quote(key)}, which is in it`,
    );
  }
  return hash;
}

/**
 * Compares the hash of an entry's bytes with the claims.
 *
 * @throws {ParError} `ERR_HASH_UNLISTED` or `ERR_HASH_MISMATCH`.
 */
export function checkHash(key: string, sha256: string, claims: Claims): void {
  const expected = expectedHash(key, claims);
  if (sha256 === expected) return;
  throw new ParError(
    "ERR_HASH_MISMATCH",
    `Cannot trust the archive: ${quote(key)} has the SHA-256 ${sha256}, and the claims ` +
      `say ${expected}`,
  );
}

function duplicate(name: string, kind: EntryKind): ParError {
  return new ParError(
    kind.kind === "claims" ? "ERR_CLAIMS_DUPLICATE" : "ERR_ENTRY_DUPLICATE",
    `Cannot trust the archive: entry ${quote(name)} appears twice, and readers differ in ` +
      "which one they take",
  );
}

function missingClaims(): ParError {
  return new ParError(
    "ERR_CLAIMS_MISSING",
    "Cannot trust the archive: it has no claims.jwt; is it a provider archive?",
  );
}

/** The error for an entry that is in the claims and not in the archive. */
export function missingEntry(key: string): ParError {
  return new ParError(
    "ERR_ENTRY_MISSING",
    `Cannot trust the archive: its claims name ${quote(key)}, which is not in it`,
  );
}
