/**
 * Pushing an archive to a registry, after it was verified.
 *
 * @module
 */

import type { Claims } from "../signing/claims.ts";
import { requireOptions, requireReference } from "./arguments.ts";
import { type ArchiveInput, inspect, openSource } from "./inspect.ts";
import type { Limits } from "../archive/limits.ts";
import { hashSource } from "../bytes/hashed_source.ts";
import { ParError } from "../errors.ts";
import { checkAttachable, openAttachments } from "../registry/attachments.ts";
import { type Annotations, TITLE } from "../registry/media_types.ts";
import { fileName } from "../registry/pull.ts";
import { pushArchive, type PushArchiveOptions, type Pushed } from "../registry/push.ts";
import { parseReference, type Reference, type ReferenceOptions } from "../registry/reference.ts";
import type { BundleSigner } from "../signing/bundle_key.ts";
import type { KeyPair } from "../signing/nkey.ts";
import { checkPredicate } from "../signing/statement.ts";
import {
  attachBundle,
  type Attestation,
  makeBundle,
  SIGNATURE,
  subjectsOf,
  toSigner,
} from "./bundles.ts";

/** Settings of {@linkcode push}. */
export interface PushOptions
  extends Omit<PushArchiveOptions, "verify">, Pick<ReferenceOptions, "registry" | "allowLatest"> {
  /** Bounds on the archive that is verified. */
  readonly limits?: Limits | undefined;
  /** The key that signs the archive, or what `attestations` say of it, after the push. */
  readonly signer?: BundleSigner | KeyPair | undefined;
  /** Whether to sign the archive. Default: if there is a `signer` and there are no `attestations`. */
  readonly sign?: boolean | undefined;
  /** What is said of the archive, such as its SBOM. It is signed and attached. */
  readonly attestations?: readonly Attestation[] | undefined;
  /** When the bundles are made, as their manifests say it. Default: now. */
  readonly now?: Date | undefined;
}

/** The result of {@linkcode push}. */
export interface PushResult extends Pushed {
  /** The bundles that were attached. */
  readonly attached: readonly AttachedBundle[];
}

/** A bundle that was attached to an archive. */
export interface AttachedBundle {
  /** The digest of the manifest that it is attached with. */
  readonly digest: string;
  /** The URI of the type of its predicate. */
  readonly predicateType: string;
}

/**
 * Verifies an archive and pushes it to a registry (OCI distribution specification 1.1, "Push").
 *
 * An archive that fails verification is not sent. The manifest's annotations for title, version, vendor
 * and time of issue come from the claims, unless others are given.
 *
 * @param archive A file's path, bytes, or another source that can be read more than once.
 * @param reference The reference to push to: `host/repository:tag`, or an OCI image layout,
 * `oci:FOLDER:tag` or `oci-archive:FILE:tag`. A text must name the host,
 * unless `registry` is given.
 * @param options How to reach the registry, and the annotations.
 * @returns The reference, the digests of manifest and layer, and the bundles that were attached.
 * @throws {ParError} Category `untrusted` if the archive fails verification; category `usage` for the
 * reference; category `failed` for the file and the registry.
 *
 * @example Bytes that are not an archive are not sent
 * ```ts
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(push(new Uint8Array(2048), "127.0.0.1:9/kv:1.0"), {
 *   code: "ERR_CLAIMS_MISSING",
 * });
 * ```
 */
export async function push(
  archive: ArchiveInput,
  reference: string | Reference,
  options: PushOptions = {},
): Promise<PushResult> {
  requireReference(reference);
  const { limits, signal, attestations = [], now = new Date() } = requireOptions(options);
  const signer = options.signer && await toSigner(options.signer);
  const { sign = signer !== undefined && attestations.length === 0 } = options;
  const to = typeof reference === "string"
    ? parseReference(reference, { ...options, hostRequired: true })
    : reference;
  const signed = [...(sign ? [SIGNATURE] : []), ...attestations];
  if (signed.length > 0) checkAttachable(to);
  if (signed.length > 0 && !signer) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      "Cannot sign what is pushed without a key: give a signer",
    );
  }
  using opened = await openSource(archive, signal);
  let compressed = false;
  const pushed = await pushArchive(to, opened.source, {
    ...options,
    verify: async (source) => {
      const verified = await inspect(source, { limits, signal });
      compressed = verified.compressed;
      const { digest } = await hashSource(source).hashed();
      const known = { archive: { name: fileName(to, compressed), digest } };
      // Whether it can be signed should not be found out when the archive is public.
      for (const { predicate, predicateType } of attestations) {
        checkPredicate(predicate, predicateType, known);
      }
      return describe(verified.claims);
    },
  });
  const attached: AttachedBundle[] = [];
  if (signer && signed.length > 0) {
    const { digest, layerDigest } = pushed;
    const subjects = subjectsOf(to, digest, layerDigest, compressed);
    await using attachments = openAttachments(to, digest, { ...options, write: true });
    for (const attestation of signed) {
      const { predicateType } = attestation;
      const bundle = await makeBundle(subjects, attestation, signer);
      const digest = await attachBundle(attachments, bundle, predicateType, now);
      attached.push({ digest, predicateType });
    }
  }
  return { ...pushed, attached };
}

/** OCI image specification 1.1, "Pre-Defined Annotation Keys". */
function describe({ iat, wascap }: Claims): Annotations {
  const key = (name: string): string => `org.opencontainers.image.${name}`;
  return {
    ...(wascap.name !== undefined && { [TITLE]: wascap.name }),
    ...(wascap.ver !== undefined && { [key("version")]: wascap.ver }),
    [key("vendor")]: wascap.vendor,
    [key("created")]: new Date(iat * 1000).toISOString(),
  };
}
