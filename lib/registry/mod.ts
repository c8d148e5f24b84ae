/**
 * OCI registries: references, credentials, the cache, and archives read where they lie.
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
  type Pulled,
  type PullFileOptions,
  type PullOptions,
  type RegistrySource,
  registrySource,
  type ResolvedArchive,
  resolveReference,
} from "./pull.ts";
export type { Pushed, PushOptions } from "./push.ts";
export {
  formatReference,
  parseDigest,
  parseReference,
  type Reference,
  type ReferenceOptions,
} from "./reference.ts";
export {
  type Credentials,
  type CredentialsOptions,
  dockerConfigPath,
  findCredentials,
} from "./credentials.ts";
export { BlobCache, cacheFolder } from "./cache.ts";
export type { RegistryOptions } from "./options.ts";
export type { ArchiveManifest } from "./manifest.ts";
export type { Descriptor } from "./download.ts";
export type { Annotations } from "./media_types.ts";
export type { TrustOptions } from "./transport.ts";
export type { Clock } from "./retry.ts";
