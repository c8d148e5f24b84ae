/**
 * Listing and reading what is attached to an archive: signatures, attestations, other artifacts.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { openAttachments } from "../registry/attachments.ts";
import { digestOf } from "../registry/descriptor.ts";
import { registrySource, type RegistrySourceOptions } from "../registry/pull.ts";
import { formatReference, type Reference } from "../registry/reference.ts";
import { BUNDLE_MEDIA_TYPE, parseBundle } from "../signing/bundle.ts";
import { BundleKey } from "../signing/bundle_key.ts";
import type { PublicKey } from "../signing/nkey.ts";
import type { CandidateBundle } from "./bundle_search.ts";
import { readBundle, readBundlesBeside } from "./bundles.ts";
import { inspectClaims } from "./inspect.ts";

/** Something that is attached to an archive, or lies beside its file. Nothing in it was verified. */
export interface ListedAttachment {
  /** The digest of its manifest; for a file, the digest of the file. */
  readonly digest: string;
  /** Its media type. */
  readonly type: string | undefined;
  /** The length of its content in bytes. */
  readonly size: number;
  /** The path of its file, if it lies beside the archive's. */
  readonly path?: string;
  /** What a bundle says of itself. {@linkcode verify} checks it. */
  readonly bundle?: BundleSummary;
  /** Why a bundle cannot be read. */
  readonly flaw?: string;
}

/** What a bundle says of itself. */
export interface BundleSummary {
  /** The URI of the type of its predicate. */
  readonly predicateType: string;
  /** Whether a plain key or the holder of a certificate signed it. */
  readonly signer: "key" | "certificate";
  /** How it names the key. */
  readonly hint?: string | undefined;
  /** The public key, if it names that of the archive's issuer. */
  readonly issuer?: PublicKey | undefined;
}

/** The most bytes of an attachment that is read whole. */
const MAX_ATTACHMENT = 64 * 1024 * 1024;

/**
 * Lists what is attached to an archive: in a registry or a layout the manifests that refer to it, and
 * for a file the bundles beside it, `<archive>.sigstore.json` and so on. Signatures are not verified.
 *
 * @param archive The path of a file, or a reference.
 * @param options How to reach the registry.
 * @returns What is attached.
 * @throws {ParError} `ERR_LIMIT_REFERRERS` if too much is attached; errors of the registry and of files;
 * category `untrusted` if the archive's token cannot be verified.
 *
 * @example A registry that is not there
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseReference } from "../registry/reference.ts";
 *
 * const reference = parseReference("127.0.0.1:9/kv:1.2.0");
 * await assert.rejects(listAttachments(reference, { insecure: true, tries: 1 }), {
 *   code: "ERR_REGISTRY_UNREACHABLE",
 * });
 * ```
 */
export async function listAttachments(
  archive: string | Reference,
  options: RegistrySourceOptions = {},
): Promise<ListedAttachment[]> {
  const { signal } = options;
  if (typeof archive === "string") {
    const { claims } = await inspectClaims(archive, { signal });
    const found = await readBundlesBeside(archive);
    const issuer = await BundleKey.fromNkey(claims.iss);
    return await Promise.all(found.map(async ({ bytes, place }) => ({
      digest: await digestOf(bytes),
      type: BUNDLE_MEDIA_TYPE,
      size: bytes.length,
      path: place,
      ...summarize({ bytes, place }, issuer),
    })));
  }
  using source = registrySource(archive, options);
  const { claims } = await inspectClaims(source, { signal });
  const { digest: subject } = await source.resolve();
  const issuer = await BundleKey.fromNkey(claims.iss);
  await using attachments = openAttachments(archive, subject, options);
  const listed: ListedAttachment[] = [];
  for (const attachment of await attachments.list()) {
    const { digest, artifactType, layers } = attachment;
    const bundle = await readBundle(attachments, attachment);
    listed.push({
      digest,
      type: artifactType,
      size: layers.reduce((sum, { size }) => sum + size, 0),
      ...(bundle && summarize(bundle, issuer)),
    });
  }
  return listed;
}

/**
 * Reads the content of an attachment. Its signature is not verified.
 *
 * @param archive The path of a file, or a reference.
 * @param digest The digest that {@linkcode listAttachments} gives.
 * @param options How to reach the registry.
 * @returns The content.
 * @throws {ParError} `ERR_REGISTRY_NOT_FOUND` if nothing with this digest is attached, and as
 * {@linkcode listAttachments}.
 *
 * @example A registry that is not there
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseReference } from "../registry/reference.ts";
 *
 * const reference = parseReference("127.0.0.1:9/kv:1.2.0");
 * const digest = `sha256:${"0".repeat(64)}`;
 * await assert.rejects(readAttachment(reference, digest, { insecure: true, tries: 1 }), {
 *   code: "ERR_REGISTRY_UNREACHABLE",
 * });
 * ```
 */
export async function readAttachment(
  archive: string | Reference,
  digest: string,
  options: RegistrySourceOptions = {},
): Promise<Uint8Array> {
  const notFound = (name: string): ParError =>
    new ParError(
      "ERR_REGISTRY_NOT_FOUND",
      `Cannot read ${quote(digest)}: nothing with this digest is attached to ${name}; list what is`,
    );
  if (typeof archive === "string") {
    for (const { bytes } of await readBundlesBeside(archive)) {
      if (await digestOf(bytes) === digest) return bytes;
    }
    throw notFound(quote(archive));
  }
  using source = registrySource(archive, options);
  const { digest: subject } = await source.resolve();
  await using attachments = openAttachments(archive, subject, options);
  const found = (await attachments.list()).find((attachment) => attachment.digest === digest);
  if (!found) throw notFound(formatReference(archive));
  const [layer, ...others] = found.layers;
  if (!layer || others.length > 0) {
    throw new ParError(
      "ERR_REGISTRY_CONTENT",
      `Cannot read ${digest}: it has ${found.layers.length} layers instead of one; pull it with oras`,
    );
  }
  return await attachments.read(layer, MAX_ATTACHMENT);
}

function summarize(
  { bytes, place, flaw }: CandidateBundle,
  issuer: BundleKey,
): Pick<ListedAttachment, "bundle" | "flaw"> {
  if (flaw) return { flaw: flaw.message };
  try {
    const { statement, signer, hint } = parseBundle(bytes, `the bundle ${place}`);
    return {
      bundle: {
        predicateType: statement.predicateType,
        signer,
        hint,
        issuer: hint === issuer.hint ? issuer.nkey : undefined,
      },
    };
  } catch (error) {
    if (!(error instanceof ParError)) throw error;
    return { flaw: error.message };
  }
}
