/**
 * Pulling an archive from a registry, and verifying it.
 *
 * @module
 */

import type { Limits } from "../archive/limits.ts";
import { requireOptions, requireReference } from "./arguments.ts";
import { readAttachedBundles, writeBundleBeside } from "./bundles.ts";
import { inspect } from "./inspect.ts";
import { pullArchive, type PullArchiveOptions, type Pulled } from "../registry/pull.ts";
import type { Reference, ReferenceOptions } from "../registry/reference.ts";
import { parseReferenceWithTags } from "../registry/tags.ts";

/** Settings of {@linkcode pull}. */
export interface PullOptions
  extends Omit<PullArchiveOptions, "verify">, Pick<ReferenceOptions, "registry" | "allowLatest"> {
  /** Bounds on the archive that is verified. */
  readonly limits?: Limits | undefined;
  /** Whether to put the bundles that are attached to the archive beside the file. */
  readonly withAttachments?: boolean | undefined;
}

/** The result of {@linkcode pull}. */
export interface PullResult extends Pulled {
  /** The paths of the bundles: `<file>.sigstore.json`, `<file>.sigstore.2.json` and so on. */
  readonly bundles: readonly string[];
}

/**
 * Pulls an archive from a registry (OCI distribution specification 1.1, "Pull") and verifies it while
 * it is downloaded. The file gets its name only after all checks succeeded.
 *
 * @param reference The archive's reference: `host/repository:tag`, with a digest instead of the tag, or
 * an OCI image layout, `oci:FOLDER:tag` or `oci-archive:FILE:tag`.
 * @param options How to reach the registry, and the file to write.
 * @returns The file, the manifest's digest and the size, and the files of the bundles.
 * @throws {ParError} Category `untrusted` if the archive fails verification; category `usage` for the
 * reference; category `failed` for the file and the registry.
 *
 * @example A registry that is not there
 * ```ts
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(pull("127.0.0.1:9/kv:1.0", { insecure: true, tries: 1 }), {
 *   code: "ERR_REGISTRY_UNREACHABLE",
 * });
 * ```
 */
export async function pull(
  reference: string | Reference,
  options: PullOptions = {},
): Promise<PullResult> {
  requireReference(reference);
  const { limits, signal, withAttachments = false } = requireOptions(options);
  const from = typeof reference === "string"
    ? await parseReferenceWithTags(reference, options)
    : reference;
  const pulled = await pullArchive(from, {
    ...options,
    verify: (source) => inspect(source, { limits, signal }),
  });
  const bundles = new Set<string>();
  if (withAttachments) {
    const digests = [pulled.layerDigest, pulled.digest];
    for await (const { bytes, place, flaw } of readAttachedBundles(from, pulled.digest, options)) {
      if (flaw) options.onNote?.(`left out the bundle ${place}: ${flaw.message}`);
      else bundles.add(await writeBundleBeside(pulled.path, digests, bytes));
    }
  }
  return { ...pulled, bundles: [...bundles] };
}
