/**
 * Merges archives that were made on different machines.
 *
 * @module
 */

import { requireKeys, requireList, requireOptions, requireText } from "./arguments.ts";
import { EntryCursor } from "../archive/cursor.ts";
import { WIT_ENTRY } from "../archive/entries.ts";
import type { Claims, ProviderMetadata } from "../signing/claims.ts";
import { inFile, ParError, quote } from "../errors.ts";
import { sorted } from "../signing/json.ts";
import { checkDestination, writeFile } from "../system/files.ts";
import { openSource } from "./inspect.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { MeasuredContent, SignOptions } from "../archive/pack.ts";
import {
  openArchive,
  requireIdentity,
  type Resigning,
  type RewriteResult,
  signAgain,
} from "./rewrite.ts";

/** Settings of {@linkcode merge}. */
export interface MergeOptions extends Resigning {
  /** The merged archive's path. */
  readonly destination: string;
  /** Whether to compress. Default: like the first archive. */
  readonly compress?: boolean | undefined;
}

/**
 * Merges archives of one provider into one archive with all targets, and signs it.
 *
 * Every archive is verified. Name, vendor, capability contract, version, schema, issuer and subject
 * must be equal. If several archives have the same target, its bytes must be equal. The result has the
 * highest revision, and it is valid only while all archives are. Other claims come from the first
 * archive.
 *
 * @param archives At least one archive: a path, or a source that can be read more than once.
 * @param options The destination, and the keys that sign.
 * @returns The claims, the token and the targets.
 * @throws {ParError} Of the category `untrusted` if an archive is refused, of the category `usage` for a
 * wrong option, else of the category `failed`; `ERR_MERGE_CONFLICT` if the archives differ, and
 * `ERR_KEY_MISMATCH` for other keys than before.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { create } from "./create.ts";
 * import { KeyPair } from "../signing/nkey.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const issuer = await KeyPair.generate("account");
 * const subject = await KeyPair.generate("service");
 * const archives = [];
 * for (const target of ["x86_64-linux", "x86_64-macos"]) {
 *   const destination = `${folder}/${target}.par`;
 *   const binaries = [{ source: new Uint8Array(1000), target }];
 *   const named = { name: "Fake Payments", vendor: "wasmCloud" };
 *   await create({ ...named, issuer, subject, binaries, destination });
 *   archives.push(destination);
 * }
 * const { targets } = await merge(archives, { issuer, subject, destination: `${folder}/all.par` });
 * assert.deepEqual(targets, ["x86_64-linux", "x86_64-macos"]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function merge(
  archives: readonly (string | ArchiveSource)[],
  options: MergeOptions,
): Promise<RewriteResult> {
  requireList(archives, "the archives");
  requireKeys(requireOptions(options));
  requireText(options.destination, "the destination");
  await checkDestination(options.destination);
  // Before the destination is locked, because reading a pipe may take long.
  using opened = new DisposableStack();
  const sources: ArchiveSource[] = [];
  for (const archive of archives) {
    sources.push(opened.use(await openSource(archive, options.signal)).source);
  }
  await using cursors = new AsyncDisposableStack();
  return await writeFile(options.destination, async (sink) => {
    const contents = new Map<string, MeasuredContent>();
    let first: { path: string; claims: Claims; compressed: boolean } | undefined;
    let claims: Claims | undefined;
    for (const source of sources) {
      const path = source.name;
      const { limits, signal } = options;
      const cursor = cursors.use(new EntryCursor(source, { limits, signal }));
      const { archive, contents: more } = await openArchive(source, cursor, options).catch(
        (error) => {
          throw error instanceof ParError ? inFile(error, path) : error;
        },
      );
      first ??= { path, claims: archive.claims, compressed: archive.compressed };
      const facts = options.newIdentity ? DESCRIPTION : [...DESCRIPTION, ...KEYS];
      requireAgreement(facts, first, { path, claims: archive.claims });
      requireIdentity(archive.claims, options, path);
      addContents(contents, more, path);
      claims = claims ? combine(claims, archive.claims) : archive.claims;
    }
    if (!first || !claims) {
      throw new ParError("ERR_OPTION_INVALID", "Cannot merge: give at least one archive");
    }
    const compress = options.compress ?? first.compressed;
    return await signAgain(sink, claims, { ...options, contents, compress });
  }, { signal: options.signal, onWarning: options.onWarning });
}

/** A part of the claims, and its name in messages. */
export type Fact = readonly [title: string, value: (claims: Described) => unknown];

/** The claims that describe a provider. */
type Described = Pick<Claims, "wascap"> & Partial<Pick<Claims, "iss" | "sub">>;

/** The claims that are equal in all archives of one provider. */
export const DESCRIPTION: readonly Fact[] = [
  ["name", ({ wascap }) => wascap.name],
  ["vendor", ({ wascap }) => wascap.vendor],
  ["capability contract id", ({ wascap }) => wascap.capid],
  ["version", ({ wascap }) => wascap.ver],
  ["schema", ({ wascap }) => JSON.stringify(sorted(wascap.config_schema))],
];

/** The claims that must be equal too, unless the merged archive gets a new identity. */
const KEYS: readonly Fact[] = [
  ["issuer", ({ iss }) => iss],
  ["subject", ({ sub }) => sub],
];

/** Claims, and the file that they are in. */
interface Named {
  readonly path: string;
  readonly claims: Described;
}

/**
 * Checks that two files describe the same provider.
 *
 * @throws {ParError} `ERR_MERGE_CONFLICT`.
 */
export function requireAgreement(facts: readonly Fact[], first: Named, other: Named): void {
  for (const [title, value] of facts) {
    const [wanted, found] = [value(first.claims), value(other.claims)];
    if (wanted === found) continue;
    throw conflict(
      `the ${title} of ${quote(first.path)} is ${wanted ?? "not stated"}, and that of ` +
        `${quote(other.path)} is ${found ?? "not stated"}`,
    );
  }
}

/**
 * Adds the contents of an archive to a map.
 *
 * @throws {ParError} `ERR_MERGE_CONFLICT` if the map has another content of the same name.
 */
export function addContents(
  contents: Map<string, MeasuredContent>,
  more: ReadonlyMap<string, MeasuredContent>,
  path: string,
): void {
  for (const [key, content] of more) {
    const known = contents.get(key);
    if (known && known.sha256 !== content.sha256) {
      const what = key === WIT_ENTRY ? "WIT package" : `binary for ${key}`;
      throw conflict(`the ${what} in ${quote(path)} differs from that of an archive before it`);
    }
    if (!known) contents.set(key, content);
  }
}

function combine(claims: Claims, other: Claims): Claims {
  const rev = Math.max(claims.wascap.rev ?? -Infinity, other.wascap.rev ?? -Infinity);
  const wascap: ProviderMetadata = { ...claims.wascap, ...(Number.isFinite(rev) && { rev }) };
  return { ...claims, ...commonValidity([claims, other]), wascap };
}

/** The time in which all claims are valid. */
export function commonValidity(
  all: readonly Pick<SignOptions, "exp" | "nbf">[],
): Pick<Claims, "exp" | "nbf"> {
  const nbf = Math.max(...all.map(({ nbf = -Infinity }) => nbf));
  const exp = Math.min(...all.map(({ exp = Infinity }) => exp));
  return { ...(Number.isFinite(nbf) && { nbf }), ...(Number.isFinite(exp) && { exp }) };
}

function conflict(reason: string): ParError {
  return new ParError(
    "ERR_MERGE_CONFLICT",
    `Cannot merge archives of different providers: ${reason}`,
  );
}
