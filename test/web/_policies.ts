/**
 * A policy that asks for bundles, and bundles of an archive.
 *
 * @module
 */

import { createHash } from "node:crypto";
import {
  type BundleSigner,
  createBundle,
  createStatement,
  parseSigningKey,
  PREDICATE_TYPES,
} from "../../lib/signing/mod.ts";
import { ISSUER } from "../_keys.ts";
import { p256Pem } from "../signing/_bundles.ts";

/** The key of a release, the same at every call. */
export const RELEASE: BundleSigner = await parseSigningKey(await p256Pem());

/** A policy that trusts the usual issuer, with other members where they are given. */
export function policyText(members: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    issuers: [{ name: "Payments team, Acme", key: ISSUER.publicKey }],
    ...members,
  });
}

/** A policy that asks for a signature and an SBOM by the key of the release. */
export function strictPolicy(): string {
  return policyText({
    keys: [{ name: "release", key: RELEASE.key.pem() }],
    requiredAttestations: [{ type: "cyclonedx" }],
  });
}

/** A bundle about an archive. */
export function bundleOf(
  archive: Uint8Array,
  type: keyof typeof PREDICATE_TYPES = "signature",
  signer: BundleSigner = RELEASE,
): Promise<Uint8Array<ArrayBuffer>> {
  const digest = `sha256:${createHash("sha256").update(archive).digest("hex")}`;
  return createBundle(createStatement({ archive: { digest } }, PREDICATE_TYPES[type]), signer);
}
