/**
 * What insert, remove and merge share: they keep an archive's contents and claims, and sign them again.
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
import {
  fileChanged,
  type FileSink,
  fileSource,
  identityOf,
  stat,
  writeFile,
} from "../system/files.ts";
import type { KeyPair, PublicKey } from "../signing/nkey.ts";
import {
  type MeasuredContent,
  signContents,
  type Signing,
  type SignOptions,
  type Writing,
} from "../archive/pack.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { Bytes } from "../bytes/chunks.ts";
import type { Target } from "../target/target.ts";

/** The keys that sign an archive again, and other settings for this. */
export interface Resigning
  extends Omit<Signing, "notBefore" | "expires">, Omit<Writing, "compress" | "patch"> {
  /** Whether other keys than before are accepted. They make it another provider. */
  readonly newIdentity?: boolean | undefined;
  /** Limits on the archive that is read. */
  readonly limits?: ReadOptions["limits"];
  /** Stops the work. The archive stays as it was. */
  readonly signal?: AbortSignal | undefined;
  /** Receives warnings, each a sentence. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** The result of a verb that signs an archive again. */
export interface RewriteResult {
  /** The claims that were signed. */
  readonly claims: Claims;
  /** The signed token. */
  readonly token: string;
  /** The targets in the archive, sorted. */
  readonly targets: readonly Target[];
  /** Whether the archive is compressed. */
  readonly compressed: boolean;
}

/** An archive that was verified, and its contents to write again. */
export interface OpenArchive {
  /** The verified archive. */
  readonly archive: VerifiedArchive;
  /** The contents by the key of their hash. */
  readonly contents: Map<string, MeasuredContent>;
}

/**
 * Verifies an archive and opens its contents. An archive that is not valid yet is accepted.
 *
 * @param cursor Reads the contents. The caller closes it.
 * @throws {ParError} Of the category `untrusted` if the archive is refused, else of the category
 * `failed`.
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
 * Changes the contents of an archive and signs it again. The other claims stay.
 *
 * @throws {ParError} Of the category `untrusted` if the archive is refused, else of the category
 * `failed`; `ERR_KEY_MISMATCH` for other keys than before. Errors of `change` are passed on.
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
    const compress = archive.compressed;
    const result = await signAgain(sink, archive.claims, { ...options, contents, compress });
    if (identityOf(await stat(path)) !== before) throw fileChanged(path);
    return result;
  }, { signal: options.signal, onWarning: options.onWarning });
}

/** Signs claims again, and writes the archive. */
export async function signAgain(
  sink: FileSink,
  before: Claims,
  options: Omit<SignOptions, "wascap" | "others" | "exp" | "nbf">,
): Promise<RewriteResult> {
  const { exp, jti: _jti, iat: _iat, iss: _iss, sub: _sub, nbf, wascap, ...others } = before;
  const kept = { exp, nbf, wascap, others };
  const { patch } = sink;
  const { claims, token, targets, bytes } = await signContents({ ...options, ...kept, patch });
  for await (const chunk of bytes) await sink.write(chunk);
  return { claims, token, targets, compressed: options.compress === true };
}

/**
 * Checks that the keys are those that the archive was signed for, unless a new identity is allowed.
 *
 * @throws {ParError} `ERR_KEY_MISMATCH`.
 */
export function requireIdentity(claims: Claims, options: Resigning, name: string): void {
  if (options.newIdentity) return;
  const check = (title: string, before: PublicKey, now: KeyPair): void => {
    if (before === now.publicKey) return;
    throw new ParError(
      "ERR_KEY_MISMATCH",
      `Cannot sign ${quote(name)} again: its ${title} is ${before}, and the given key is ` +
        `${now.publicKey}; give the seed of the former, or allow a new identity`,
    );
  };
  check("issuer", claims.iss, options.issuer);
  check("subject", claims.sub, options.subject);
}
