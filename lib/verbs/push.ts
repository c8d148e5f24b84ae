/**
 * Sending an archive to a registry, once it is known to be in order.
 *
 * @module
 */

import type { Claims } from "../signing/claims.ts";
import { type ArchiveInput, inspect, openSource } from "./inspect.ts";
import type { Limits } from "../archive/limits.ts";
import { type Annotations, TITLE } from "../registry/media_types.ts";
import { pushArchive, type Pushed, type PushOptions } from "../registry/push.ts";
import { parseReference, type Reference } from "../registry/reference.ts";

/** Settings of {@linkcode push}. */
export interface PushVerbOptions extends Omit<PushOptions, "verify"> {
  /** Bounds on the archive that is verified. */
  readonly limits?: Limits | undefined;
}

/**
 * Verifies an archive and pushes it to a registry (OCI distribution specification 1.1, "Push").
 *
 * What is not to be trusted is not sent. The manifest's annotations say title, version, vendor and
 * time of issue as the claims do, unless others are given.
 *
 * @param archive A file's path, bytes, or another source that can be read more than once.
 * @param reference Where to: `host/repository:tag`.
 * @param options How to reach the registry, what to write on the manifest.
 * @returns Where it is now, and the digests of manifest and layer.
 * @throws {ParError} Any code of the category `untrusted`; `ERR_REFERENCE_INVALID`,
 * `ERR_REFERENCE_LATEST`, `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_FILE_CHANGED`,
 * `ERR_ABORTED`, and every code of a registry.
 *
 * @example What is no archive is not sent
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
  options: PushVerbOptions = {},
): Promise<Pushed> {
  const { limits, signal } = options;
  const to = typeof reference === "string" ? parseReference(reference) : reference;
  using opened = await openSource(archive, signal);
  return await pushArchive(to, opened.source, {
    ...options,
    verify: async (source) => describe((await inspect(source, { limits, signal })).claims),
  });
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
