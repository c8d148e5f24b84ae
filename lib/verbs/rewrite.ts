/**
 * What insert, remove and merge share: an archive's content taken over, its claims signed anew.
 *
 * @module
 */

import { requireKeys, requireOptions, requireText } from "./arguments.ts";
import { EntryCursor } from "../archive/cursor.ts";
import { binaryEntry, WIT_ENTRY } from "../archive/entries.ts";
import {
  type HashedEntry,
  readArchive,
  type ReadOptions,
  type VerifiedArchive,
} from "../archive/reader.ts";
import { copySegments } from "../archive/segment.ts";
import type { Claims } from "../signing/claims.ts";
import { ParError, quote } from "../errors.ts";
import { fileChanged, fileSource, identityOf, stat, writeFile } from "../system/files.ts";
import type { KeyPair, PublicKey } from "../signing/nkey.ts";
import {
  type MeasuredContent,
  signContents,
  type Signing,
  type SignOptions,
  type WriteProgress,
} from "../archive/pack.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { Bytes } from "../bytes/chunks.ts";
import type { Target } from "../target/target.ts";

/** Who signs an archive that was signed before. */
export interface Resigning {
  /** The account that vouches for the archive: the one that did before. */
  readonly issuer: KeyPair;
  /** The provider's own key: the one it had before. */
  readonly subject: KeyPair;
  /** Whether the keys may be others than before, which makes it another provider. */
  readonly newIdentity?: boolean | undefined;
  /** Is called when all else was checked, and gives the keys to sign with; see `Signing`. */
  readonly confirmKeys?: Signing["confirmKeys"];
  /** Seconds since the epoch to state as the time of issue; see `Signing`. */
  readonly sourceDateEpoch?: number | undefined;
  /** Deflate's effort from 1 to 9 for what is compressed anew; 9 where left out. */
  readonly compressLevel?: number | undefined;
  /** How many threads compress; as many as cores where left out. */
  readonly jobs?: number | undefined;
  /** Bounds on the archive that is read. */
  readonly limits?: ReadOptions["limits"];
  /** Stops the work; the archive is left as it was. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how many bytes of the contents are written, and of how many. */
  readonly onProgress?: WriteProgress | undefined;
}

/** What a verb that signs anew has made. */
export interface RewriteResult {
  /** The claims that were signed. */
  readonly claims: Claims;
  /** The signed token. */
  readonly token: string;
  /** The targets in the archive, sorted. */
  readonly targets: readonly Target[];
}

/** An archive that was verified, with its content ready to be written again. */
export interface OpenArchive {
  /** What was verified. */
  readonly archive: VerifiedArchive;
  /** Its content by the key of its hash. */
  readonly contents: Map<string, MeasuredContent>;
}

/**
 * Verifies an archive and opens its content. One that is not valid yet may be prepared further.
 *
 * @param source The archive.
 * @param cursor Reads the content; to be closed by the caller.
 * @param options Limits and signal.
 */
export async function openArchive(
  source: ArchiveSource,
  cursor: EntryCursor,
  options: Pick<Resigning, "limits" | "signal">,
): Promise<OpenArchive> {
  const { limits, signal } = options;
  const archive = await readArchive(source.open(), {
    limits,
    signal,
    allowEarly: true,
    segments: true,
  });
  const copies = copySegments(source, archive);
  const contents = new Map<string, MeasuredContent>();
  const add = (key: string, name: string, { size, sha256 }: HashedEntry): void => {
    const open = (): Bytes => cursor.open(name);
    contents.set(key, { size, sha256, open, deflated: copies.get(name) });
  };
  for (const binary of archive.binaries) add(binary.target, binaryEntry(binary.target), binary);
  if (archive.wit) add(WIT_ENTRY, WIT_ENTRY, archive.wit);
  return { archive, contents };
}

/**
 * Replaces an archive by one with changed content and the same claims otherwise.
 *
 * @param path The archive's path.
 * @param options Who signs.
 * @param change Changes the content.
 * @throws {ParError} Any code of the category `untrusted`; `ERR_KEY_MISMATCH`, `ERR_FILE_CHANGED`,
 * `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_FILE_UNWRITABLE`, `ERR_ABORTED`.
 */
export async function rewriteArchive(
  path: string,
  options: Resigning,
  change: (archive: OpenArchive) => Promise<void> | void,
): Promise<RewriteResult> {
  requireText(path, "the archive's path");
  requireKeys(requireOptions(options));
  await stat(path);
  return await writeFile(path, async (sink) => {
    const before = identityOf(await stat(path));
    const source = fileSource(path);
    await using cursor = new EntryCursor(source, {
      limits: options.limits,
      signal: options.signal,
    });
    const open = await openArchive(source, cursor, options);
    const { archive, contents } = open;
    requireIdentity(archive.claims, options, path);
    await change(open);
    const { claims, token, targets, bytes } = await signContents({
      ...options,
      ...keptClaims(archive.claims),
      contents,
      compress: archive.compressed,
      patch: sink.patch,
    });
    for await (const chunk of bytes) await sink.write(chunk);
    if (identityOf(await stat(path)) !== before) throw fileChanged(path);
    return { claims, token, targets };
  }, { signal: options.signal });
}

/** Everything of the claims that signing anew keeps. */
export function keptClaims(
  claims: Claims,
): Pick<SignOptions, "wascap" | "others" | "exp" | "nbf"> {
  const { exp, jti: _jti, iat: _iat, iss: _iss, sub: _sub, nbf, wascap, ...others } = claims;
  return { wascap, others, exp, nbf };
}

/**
 * Refuses to sign an archive as another one than it was.
 *
 * @throws {ParError} `ERR_KEY_MISMATCH`.
 */
export function requireIdentity(claims: Claims, options: Resigning, name: string): void {
  if (options.newIdentity) return;
  const check = (title: string, before: PublicKey, now: KeyPair): void => {
    if (before === now.publicKey) return;
    throw new ParError(
      "ERR_KEY_MISMATCH",
      `Cannot sign ${
        quote(name)
      } anew: its ${title} is ${before}, and the key at hand is that of ` +
        `${now.publicKey}; give the seed of the first, or ask for a new identity`,
    );
  };
  check("issuer", claims.iss, options.issuer);
  check("subject", claims.sub, options.subject);
}
