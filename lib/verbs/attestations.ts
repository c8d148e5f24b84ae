/**
 * Signatures and attestations of archives, as `cosign` makes them: Sigstore bundles that are attached to
 * an archive in a registry or an OCI image layout, or lie beside its file.
 *
 * Start with {@linkcode sign} and {@linkcode attest}, which make them. {@linkcode listAttachments} lists
 * what is attached, and {@linkcode readAttachment} reads one of it. `verify()` of the toolkit's `mod.ts`
 * checks bundles that {@linkcode readBundlesBeside} or {@linkcode readAttachedBundles} reads.
 *
 * @example Sign an archive, and list what lies beside it
 * ```ts
 * import assert from "node:assert/strict";
 * import { create, KeyPair } from "../../mod.ts";
 *
 * const folder = await Deno.makeTempDir();
 * const issuer = await KeyPair.generate("account");
 * await create({
 *   name: "Fake Payments",
 *   vendor: "wasmCloud",
 *   issuer,
 *   subject: await KeyPair.generate("service"),
 *   binaries: [{ source: new Uint8Array(1000), target: "x86_64-linux" }],
 *   destination: `${folder}/fakepay.par`,
 * });
 * await sign(`${folder}/fakepay.par`, { signer: issuer });
 * const [attachment] = await listAttachments(`${folder}/fakepay.par`);
 * assert.equal(attachment?.bundle?.issuer, issuer.publicKey);
 * await Deno.remove(folder, { recursive: true });
 * ```
 *
 * @module
 */

export { attest, type AttestOptions, sign, type Signed, type SignOptions } from "./sign.ts";
export { type Attestation, readAttachedBundles, readBundlesBeside } from "./bundles.ts";
export type { AttachedBundle } from "./push.ts";
export type { CandidateBundle } from "./bundle_search.ts";
export type { NamedKey, RequiredAttestation } from "./policy.ts";
export {
  type BundleSummary,
  listAttachments,
  type ListedAttachment,
  readAttachment,
} from "./attachments.ts";
export { BundleKey, parseBundleKey } from "../signing/bundle_key.ts";
