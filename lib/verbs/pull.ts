/**
 * Getting an archive from a registry, and only one that is in order.
 *
 * @module
 */

import type { Limits } from "../archive/limits.ts";
import { inspect } from "./inspect.ts";
import { pullArchive, type Pulled, type PullFileOptions } from "../registry/pull.ts";
import { parseReference, type Reference } from "../registry/reference.ts";

/** Settings of {@linkcode pull}. */
export interface PullVerbOptions extends Omit<PullFileOptions, "verify"> {
  /** Bounds on the archive that is verified. */
  readonly limits?: Limits | undefined;
}

/**
 * Pulls an archive from a registry (OCI distribution specification 1.1, "Pull") and verifies it while
 * it comes. The file has its name only once all was found right.
 *
 * @param reference Where it is: `host/repository:tag`, or with a digest.
 * @param options How to reach the registry, where to put the archive.
 * @returns The file, the manifest's digest, the size.
 * @throws {ParError} Any code of the category `untrusted`; `ERR_REFERENCE_INVALID`,
 * `ERR_REFERENCE_LATEST`, `ERR_FILE_UNWRITABLE`, `ERR_ABORTED`, and every code of a registry.
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
  options: PullVerbOptions = {},
): Promise<Pulled> {
  const { limits, signal } = options;
  const from = typeof reference === "string" ? parseReference(reference) : reference;
  return await pullArchive(from, {
    ...options,
    verify: (source) => inspect(source, { limits, signal }),
  });
}
