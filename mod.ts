/**
 * Make, sign, inspect, verify and distribute wasmCloud provider archives: bundles of a capability
 * provider's native binaries, with a signed token that says whose they are and what they hash to.
 *
 * Start here:
 *
 * - {@linkcode create} makes an archive of binaries, {@linkcode createStream} one without a file;
 * - {@linkcode inspect} verifies an archive and tells what is in it;
 * - {@linkcode verify} compares an archive with a policy: whom you trust, and what it must have;
 * - {@linkcode extract} verifies an archive and writes binaries to files;
 * - {@linkcode insert}, {@linkcode remove} and {@linkcode merge} change archives;
 * - {@linkcode push}, {@linkcode pull} and {@linkcode copy} move archives to, from and between OCI
 *   registries;
 * - {@linkcode diff} compares two archives.
 *
 * Keys come from {@linkcode KeyPair} or, on disk, {@linkcode findKey}. Every failure that a caller can
 * cause is a {@linkcode ParError} with a stable code.
 *
 * Other entry points have what fewer programs need: `lib/verbs/attestations.ts` (signatures and
 * attestations, as `cosign` makes them), `lib/signing/mod.ts` (keys, claims, tokens),
 * `lib/system/mod.ts` (the key directory), `lib/archive/mod.ts` (the container),
 * `lib/target/mod.ts` (targets, and the headers of binaries), `lib/registry/mod.ts` (references,
 * credentials, the cache), `lib/verbs/wit.ts` (WIT packages) and `lib/verbs/project/mod.ts` (building a
 * provider's project).
 *
 * Importing this module reads nothing, writes nothing and asks for no permission.
 *
 * @example Make an archive and read it
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const { stream } = await createStream({
 *   name: "Fake Payments",
 *   vendor: "wasmCloud",
 *   issuer: await KeyPair.generate("account"),
 *   subject: await KeyPair.generate("service"),
 *   binaries: [{ source: new Uint8Array(1000), target: "x86_64-linux" }],
 * });
 * const { claims, binaries } = await inspect(stream);
 * assert.equal(claims.wascap.name, "Fake Payments");
 * assert.equal(binaries[0]?.size, 1000);
 * ```
 *
 * @module
 */

export {
  create,
  type CreatedStream,
  type CreateOptions,
  type CreateResult,
  createStream,
  type CreateStreamOptions,
} from "./lib/verbs/create.ts";
export { insert, type InsertOptions } from "./lib/verbs/insert.ts";
export { remove, type RemoveOptions } from "./lib/verbs/remove.ts";
export { merge, type MergeOptions } from "./lib/verbs/merge.ts";
export type { Resigning, RewriteResult } from "./lib/verbs/rewrite.ts";
export { type ArchiveInput, inspect, inspectClaims } from "./lib/verbs/inspect.ts";
export { verify, type VerifyReport } from "./lib/verbs/verify.ts";
export type { Check, Policy, TrustedIssuer } from "./lib/verbs/policy.ts";
export { parsePolicy, type ParsePolicyOptions } from "./lib/verbs/policy_file.ts";
export { diff, type Difference, type DiffOptions } from "./lib/verbs/diff.ts";
export { extract, type ExtractOptions } from "./lib/verbs/extract.ts";
export { push, type PushOptions, type PushResult } from "./lib/verbs/push.ts";
export { pull, type PullOptions, type PullResult } from "./lib/verbs/pull.ts";
export { copy, type CopyOptions } from "./lib/verbs/copy.ts";
export type { BinaryInput, BinaryOptions } from "./lib/verbs/binary.ts";
export type { ReadOptions, VerifiedArchive, VerifiedClaims } from "./lib/archive/reader.ts";
export type { Claims } from "./lib/signing/claims.ts";
export { type Json, JsonNumber } from "./lib/signing/json.ts";
export { KeyPair, parsePublicKey, type PublicKey } from "./lib/signing/nkey.ts";
export { findKey } from "./lib/system/keystore.ts";
export type { Target } from "./lib/target/target.ts";
export type { ArchiveSource } from "./lib/bytes/source.ts";
export { type ErrorCategory, type ErrorCode, ParError } from "./lib/errors.ts";
