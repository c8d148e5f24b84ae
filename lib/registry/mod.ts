/**
 * OCI registries and OCI image layouts: references, tags, credentials, the cache, and archives that are
 * read without pulling them.
 *
 * Start with {@linkcode registrySource}, which every verb that reads an archive takes in place of a path.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const reference = parseReference("ghcr.io/example-corp/fakepay:1.0");
 * assert.equal(formatReference(reference), "ghcr.io/example-corp/fakepay:1.0");
 * using source = registrySource(reference);
 * assert.equal(source.name, "ghcr.io/example-corp/fakepay:1.0");
 * ```
 *
 * @module
 */

export {
  type PullArchiveOptions,
  type Pulled,
  type RegistrySource,
  registrySource,
  type RegistrySourceOptions,
  type ResolvedArchive,
  resolveReference,
} from "./pull.ts";
export type { PushArchiveOptions, Pushed } from "./push.ts";
export type { Copied, CopyArchiveOptions } from "./copy.ts";
export { listTags, parseReferenceWithTags } from "./tags.ts";
export {
  formatReference,
  type LayoutReference,
  parseDigest,
  parseReference,
  type Reference,
  type ReferenceOptions,
  type RegistryReference,
} from "./reference.ts";
export {
  authFiles,
  type Credentials,
  type CredentialsOptions,
  dockerConfigPath,
  findCredentials,
} from "./credentials.ts";
export { login, type LoginOptions, logout, type LogoutOptions } from "./login.ts";
export type { ProxySettings } from "./proxy.ts";
export { BlobCache, cacheFolder } from "./cache.ts";
export { registryEnvironment, type RegistryOptions } from "./options.ts";
export type { ArchiveManifest } from "./manifest.ts";
export type { Descriptor } from "./descriptor.ts";
export type { Annotations } from "./media_types.ts";
export type { TransportOptions, TrustOptions } from "./transport.ts";
export type { Clock } from "./retry.ts";
