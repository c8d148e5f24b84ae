/**
 * Pushing an archive to a registry, after it was verified.
 *
 * @module
 */

import type { Claims } from "../signing/claims.ts";
import { type ArchiveInput, inspect, openSource } from "./inspect.ts";
import type { Limits } from "../archive/limits.ts";
import { type Annotations, TITLE } from "../registry/media_types.ts";
import { pushArchive, type PushArchiveOptions, type Pushed } from "../registry/push.ts";
import { parseReference, type Reference, type ReferenceOptions } from "../registry/reference.ts";

/** Settings of {@linkcode push}. */
export interface PushOptions
  extends Omit<PushArchiveOptions, "verify">, Pick<ReferenceOptions, "registry" | "allowLatest"> {
  /** Bounds on the archive that is verified. */
  readonly limits?: Limits | undefined;
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
 * @returns The reference, and the digests of manifest and layer.
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
): Promise<Pushed> {
  const { limits, signal } = options;
  const to = typeof reference === "string"
    ? parseReference(reference, { ...options, hostRequired: true })
    : reference;
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
