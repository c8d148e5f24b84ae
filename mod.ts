/**
 * Make, sign, inspect and verify wasmCloud provider archives.
 *
 * Importing this module reads nothing, writes nothing and asks for no permission.
 *
 * @module
 */

export { archivePath, create, type CreateOptions, type CreateResult } from "./lib/verbs/create.ts";
export { type ArchiveInput, inspect, inspectClaims } from "./lib/verbs/inspect.ts";
export { insert, type InsertOptions } from "./lib/verbs/insert.ts";
export { remove, type RemoveOptions } from "./lib/verbs/remove.ts";
export { merge, type MergeOptions } from "./lib/verbs/merge.ts";
export type { Resigning, RewriteResult } from "./lib/verbs/rewrite.ts";
export { extract, type ExtractOptions } from "./lib/verbs/extract.ts";
export { type Check, type Policy, verify, type VerifyReport } from "./lib/verbs/verify.ts";
export { push, type PushVerbOptions } from "./lib/verbs/push.ts";
export { pull, type PullVerbOptions } from "./lib/verbs/pull.ts";
export { copy, type CopyVerbOptions } from "./lib/verbs/copy.ts";
export type { Copied, CopyOptions } from "./lib/registry/copy.ts";
export { listTags, parseReferenceWithTags } from "./lib/registry/tags.ts";
export {
  type Pulled,
  type PullFileOptions,
  type PullOptions,
  type RegistrySource,
  registrySource,
  type ResolvedArchive,
  resolveReference,
} from "./lib/registry/pull.ts";
export type { Pushed, PushOptions } from "./lib/registry/push.ts";
export {
  formatReference,
  type LayoutReference,
  parseDigest,
  parseReference,
  type Reference,
  type ReferenceOptions,
  type RegistryReference,
} from "./lib/registry/reference.ts";
export {
  authFiles,
  type Credentials,
  type CredentialsOptions,
  dockerConfigPath,
  findCredentials,
} from "./lib/registry/credentials.ts";
export { login, type LoginOptions, logout, type LogoutOptions } from "./lib/registry/login.ts";
export { BlobCache, cacheFolder } from "./lib/registry/cache.ts";
export type { RegistryOptions } from "./lib/registry/options.ts";
export type { ArchiveManifest } from "./lib/registry/manifest.ts";
export type { Descriptor } from "./lib/registry/descriptor.ts";
export type { Annotations } from "./lib/registry/media_types.ts";
export type { TransportOptions, TrustOptions } from "./lib/registry/transport.ts";
export { registryEnvironment } from "./lib/registry/environment.ts";
export type { ProxySettings } from "./lib/registry/proxy.ts";
export type { Clock } from "./lib/registry/retry.ts";
export {
  type ArchiveWit,
  checkWit,
  decodeWit,
  encodeWit,
  inspectWit,
  readWit,
  type WitOptions,
} from "./lib/verbs/wit.ts";
export type { BinaryInput, BinaryOptions } from "./lib/verbs/binary.ts";
export {
  type Compression,
  type Content,
  packArchive,
  type PackedArchive,
  type PackOptions,
  type ProviderDescription,
  type Signing,
  type TargetContent,
  type WriteProgress,
} from "./lib/archive/pack.ts";
export {
  type EntryConsumer,
  type HashedEntry,
  readArchive,
  readClaims,
  type ReadOptions,
  type VerifiedArchive,
  type VerifiedClaims,
} from "./lib/archive/reader.ts";
export type { ReadSegment } from "./lib/archive/open.ts";
export type { EntryKind } from "./lib/archive/entries.ts";
export { writeArchive, type WriteEntry, type WriteOptions } from "./lib/archive/writer.ts";
export type { DeflatedSegment } from "./lib/gzip/gzip.ts";
export type { IndexedSegment, SegmentLengths } from "./lib/archive/index.ts";
export type { Limits } from "./lib/archive/limits.ts";
export {
  type Claims,
  type Json,
  parseClaims,
  type ProviderMetadata,
} from "./lib/signing/claims.ts";
export {
  signClaims,
  type VerifiedToken,
  verifyToken,
  type VerifyTokenOptions,
} from "./lib/signing/token.ts";
export {
  KEY_ROLES,
  KeyPair,
  type KeyRole,
  parsePublicKey,
  type PublicKey,
  publicKeyBytes,
  roleOf,
  verifySignature,
} from "./lib/signing/nkey.ts";
export {
  findKey,
  findKeyOf,
  type KeyLookup,
  listKeys,
  type StoredKey,
  storeKey,
} from "./lib/system/keystore.ts";
export {
  hostTarget,
  isKnownTarget,
  parseTarget,
  type Target,
  targetFromTriple,
} from "./lib/target/target.ts";
export {
  type Executable,
  EXECUTABLE_HEADER_LENGTH,
  type ExecutableFormat,
  readExecutable,
  runsOn,
} from "./lib/target/executable.ts";
export { type ArchiveSource, blobSource, streamSource } from "./lib/bytes/source.ts";
export { type Bytes, keep } from "./lib/bytes/chunks.ts";
export { fileSource } from "./lib/system/files.ts";
export {
  ERROR_CODES,
  type ErrorCategory,
  type ErrorCode,
  type ErrorCodeInfo,
  ParError,
} from "./lib/errors.ts";
