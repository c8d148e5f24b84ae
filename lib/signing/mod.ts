/**
 * Keys, claims and tokens: what signs a provider archive, and what checks the signature. And bundles:
 * signatures and attestations that lie beside an archive.
 *
 * Start with {@linkcode KeyPair}, which makes keys and reads seeds. {@linkcode signClaims} turns
 * {@linkcode Claims} into a token, and {@linkcode verifyToken} checks a token and gives its claims
 * back. Every function throws a {@linkcode ParError} with a stable code.
 *
 * {@linkcode createStatement} and {@linkcode createBundle} sign what is said of an archive, in the form
 * of `cosign`. {@linkcode parseBundle} and {@linkcode verifyBundle} check it, with keys that
 * {@linkcode parseBundleKey} reads.
 *
 * This module is browser compatible. It reads no file: `findKey()` of the toolkit's `mod.ts` finds
 * keys in a directory, and `inspect()` there checks whole archives.
 *
 * @example Make keys, sign claims, verify the token
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const issuer = await KeyPair.generate("account");
 * const subject = await KeyPair.generate("service");
 * const token = await signClaims({
 *   jti: createTokenId(),
 *   iat: Math.floor(Date.now() / 1000),
 *   iss: issuer.publicKey,
 *   sub: subject.publicKey,
 *   wascap: { name: "Fake Payments", vendor: "wasmCloud", target_hashes: {} },
 *   wascap_revision: WASCAP_REVISION,
 * }, issuer);
 * const { claims } = await verifyToken(token);
 * assert.equal(claims.iss, issuer.publicKey);
 * ```
 *
 * @module
 */

export {
  KEY_ROLES,
  KeyPair,
  type KeyRole,
  parsePublicKey,
  type PublicKey,
  publicKeyBytes,
  roleOf,
  verifySignature,
} from "./nkey.ts";
export { type Claims, parseClaims, type ProviderMetadata, WASCAP_REVISION } from "./claims.ts";
export { type Json, JsonNumber } from "./json.ts";
export { signClaims, type VerifiedToken, verifyToken, type VerifyTokenOptions } from "./token.ts";
export { createTokenId } from "./token_id.ts";
export {
  BundleKey,
  type BundleKeyAlgorithm,
  BundleSigner,
  parseBundleKey,
  parseSigningKey,
  signerOf,
} from "./bundle_key.ts";
export {
  type ArchiveSubjects,
  checkPredicate,
  createStatement,
  formatStatement,
  isAbout,
  MAX_STATEMENT_SIZE,
  type NamedDigest,
  parsePredicateType,
  parseStatement,
  PREDICATE_TYPES,
  predicateTypeName,
  type Statement,
  type StatementSubject,
} from "./statement.ts";
export {
  type Bundle,
  BUNDLE_MEDIA_TYPE,
  createBundle,
  type ExpectedStatement,
  MAX_BUNDLE_SIZE,
  parseBundle,
  type VerifiedBundle,
  verifyBundle,
} from "./bundle.ts";
export {
  ERROR_CODES,
  type ErrorCategory,
  type ErrorCode,
  type ErrorCodeInfo,
  ParError,
} from "../errors.ts";
