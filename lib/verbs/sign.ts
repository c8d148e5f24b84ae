/**
 * Signing archives with bundles of Sigstore, as `cosign` does: plain signatures and attestations.
 *
 * @module
 */

import type { Limits } from "../archive/limits.ts";
import { hashSource } from "../bytes/hashed_source.ts";
import { ParError } from "../errors.ts";
import { openAttachments } from "../registry/attachments.ts";
import { registrySource, type RegistrySourceOptions } from "../registry/pull.ts";
import type { Reference } from "../registry/reference.ts";
import type { BundleKey, BundleSigner } from "../signing/bundle_key.ts";
import type { KeyPair } from "../signing/nkey.ts";
import { parseJsonObject } from "../signing/json.ts";
import { MAX_STATEMENT_SIZE, PREDICATE_TYPES } from "../signing/statement.ts";
import { fileSource, stat, writeFile } from "../system/files.ts";
import { requireOptions, requireText, wrongType } from "./arguments.ts";
import {
  attachBundle,
  type Attestation,
  makeBundle,
  SIGNATURE,
  subjectsOf,
  toSigner,
  writeBundleBeside,
} from "./bundles.ts";
import { inspect } from "./inspect.ts";

/** Settings of {@linkcode sign}. */
export interface SignOptions extends RegistrySourceOptions {
  /** The key: an nkey's pair, or what `parseSigningKey()` in `lib/signing/mod.ts` makes of PEM. */
  readonly signer: BundleSigner | KeyPair;
  /**
   * The path of the file for the bundle. If left out, the bundle of an archive in a registry or a layout
   * is attached to it, and that of a file is `<archive>.sigstore.json`.
   */
  readonly bundle?: string | undefined;
  /** When the bundle is made, as its manifest says it. Default: now. */
  readonly now?: Date | undefined;
  /** Bounds on the archive that is verified. */
  readonly limits?: Limits | undefined;
}

/** Settings of {@linkcode attest}. */
export interface AttestOptions extends SignOptions, Attestation {}

/** The result of {@linkcode sign} and {@linkcode attest}. */
export interface Signed {
  /** The digest of the archive's manifest, if the archive is in a registry or a layout. */
  readonly manifest?: string;
  /** The digest of the archive's bytes. */
  readonly archive: string;
  /** The URI of the type of the predicate. */
  readonly predicateType: string;
  /** The public key that verifies the bundle. */
  readonly key: BundleKey;
  /** The digest of the manifest that the bundle is attached with, if it is. */
  readonly attached?: string;
  /** The path of the file that the bundle is in, if it is in one. */
  readonly path?: string;
}

/**
 * Verifies an archive and signs it. `cosign verify` verifies the signature of an archive in a registry,
 * `cosign verify-blob-attestation` that of a file.
 *
 * @param archive The path of a file, or a reference.
 * @param options The key, and how to reach the registry.
 * @returns What was signed, and where the bundle is.
 * @throws {ParError} Category `untrusted` if the archive fails verification; category `usage` for the
 * reference; category `failed` for files and the registry.
 *
 * @example A file that is not there
 * ```ts
 * import assert from "node:assert/strict";
 * import { KeyPair } from "../signing/nkey.ts";
 *
 * const signer = await KeyPair.generate("account");
 * await assert.rejects(sign("none.par.gz", { signer }), { code: "ERR_FILE_NOT_FOUND" });
 * ```
 */
export async function sign(archive: string | Reference, options: SignOptions): Promise<Signed> {
  return await attest(archive, { ...requireOptions(options), ...SIGNATURE });
}

/**
 * Verifies an archive and signs what is said of it, such as an SBOM. What it says is not verified, only
 * that it is JSON of its type and does not contradict the archive.
 *
 * @param archive The path of a file, or a reference.
 * @param options The type of the predicate and the predicate, the key, and how to reach the registry.
 * @returns What was signed, and where the bundle is.
 * @throws {ParError} As {@linkcode sign}; `ERR_PREDICATE_INVALID` and `ERR_PREDICATE_MISMATCH`.
 *
 * @example An SBOM of a file that is not there
 * ```ts
 * import assert from "node:assert/strict";
 * import { KeyPair } from "../signing/nkey.ts";
 *
 * const predicate = new TextEncoder().encode('{"bomFormat":"CycloneDX","specVersion":"1.6"}');
 * const attested = attest("none.par.gz", {
 *   signer: await KeyPair.generate("account"),
 *   predicateType: "https://cyclonedx.org/bom",
 *   predicate,
 * });
 * await assert.rejects(attested, { code: "ERR_FILE_NOT_FOUND" });
 * ```
 */
export async function attest(
  archive: string | Reference,
  options: AttestOptions,
): Promise<Signed> {
  const { predicateType, predicate } = requireOptions(options);
  requireText(predicateType, "the type of the predicate");
  if (!(predicate instanceof Uint8Array)) {
    throw wrongType(predicate, "the predicate", "a Uint8Array");
  }
  const signer = await toSigner(options.signer);
  const all = { ...options, signer };
  const place = typeof archive === "string"
    ? await signFile(archive, all)
    : await signReference(archive, all);
  return { predicateType, key: signer.key, ...place };
}

type Signing = AttestOptions & { readonly signer: BundleSigner };

type Place = Pick<Signed, "manifest" | "archive" | "attached" | "path">;

async function signFile(path: string, options: Signing): Promise<Place> {
  const { signer, bundle, limits, signal } = options;
  // Before long work: nothing can be put beside a pipe.
  if (bundle === undefined) await stat(path);
  const source = hashSource(fileSource(path, signal));
  await inspect(source, { limits, signal });
  const { digest } = await source.hashed();
  const bytes = await makeBundle({ archive: { name: fileNameOf(path), digest } }, options, signer);
  if (bundle === undefined) {
    return { archive: digest, path: await writeBundleBeside(path, [digest], bytes) };
  }
  await writeFile(bundle, (sink) => sink.write(bytes), { signal });
  return { archive: digest, path: bundle };
}

async function signReference(reference: Reference, options: Signing): Promise<Place> {
  const { signer, bundle, now = new Date(), limits, signal, onProgress: _, ...rest } = options;
  using registry = registrySource(reference, options);
  const { digest: manifest } = await registry.resolve();
  // Before long work: a layout in a tar archive cannot be changed.
  await using attachments = openAttachments(reference, manifest, {
    ...rest,
    signal,
    write: bundle === undefined,
  });
  const source = hashSource(registry);
  const { compressed } = await inspect(source, { limits, signal });
  const { digest } = await source.hashed();
  const subjects = subjectsOf(reference, manifest, digest, compressed);
  const bytes = await makeBundle(subjects, options, signer);
  if (bundle !== undefined) {
    await writeFile(bundle, (sink) => sink.write(bytes), { signal });
    return { manifest, archive: digest, path: bundle };
  }
  const attached = await attachBundle(attachments, bytes, options.predicateType, now);
  return { manifest, archive: digest, attached };
}

/** The last part of a path. */
function fileNameOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/**
 * Tells what kind of SBOM a file is.
 *
 * @param sbom The SBOM, JSON in UTF-8.
 * @param name What error messages call it.
 * @returns The URI of the type of the predicate: CycloneDX's or SPDX's.
 * @throws {ParError} `ERR_PREDICATE_INVALID` if it is neither.
 */
export function sbomType(sbom: Uint8Array, name = "the SBOM"): string {
  const refuse = (reason: string, cause?: unknown): ParError =>
    new ParError(
      "ERR_PREDICATE_INVALID",
      `Cannot use ${name} as an SBOM: ${reason}; give CycloneDX or SPDX as JSON`,
      cause,
    );
  const json = parseJsonObject(sbom, MAX_STATEMENT_SIZE, refuse);
  if (json["bomFormat"] === "CycloneDX") return PREDICATE_TYPES.cyclonedx;
  if ("spdxVersion" in json) return PREDICATE_TYPES.spdx;
  throw refuse("it has neither `bomFormat` nor `spdxVersion`");
}
