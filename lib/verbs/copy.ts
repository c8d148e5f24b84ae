/**
 * Copying an archive between registries and OCI image layouts, after it was verified.
 *
 * @module
 */

import type { Limits } from "../archive/limits.ts";
import { type Copied, copyArchive, type CopyArchiveOptions } from "../registry/copy.ts";
import { parseReference, type Reference, type ReferenceOptions } from "../registry/reference.ts";
import { parseReferenceWithTags } from "../registry/tags.ts";
import { requireOptions, requireReference } from "./arguments.ts";
import { inspect } from "./inspect.ts";

/** Settings of {@linkcode copy}. */
export interface CopyOptions
  extends Omit<CopyArchiveOptions, "verify">, Pick<ReferenceOptions, "registry" | "allowLatest"> {
  /** Bounds on the archive that is verified. */
  readonly limits?: Limits | undefined;
}

/**
 * Verifies an archive and copies it, with what refers to it, to another place: from a registry to an
 * OCI image layout that can be carried over an air gap, from there to a registry, or from one
 * registry to another. The manifest's digest stays the same.
 *
 * @param from The reference to read: `host/repository:tag`, `oci:FOLDER:tag`, `oci-archive:FILE:tag`.
 * @param to The reference to write, of the same forms. A text must name the host, unless
 * `registry` is given.
 * @param options How to reach the registries.
 * @returns The digest, the size and the referrers.
 * @throws {ParError} Category `untrusted` if the archive fails verification, and then nothing was
 * written; category `usage` for the references; category `failed` for the registries and files.
 *
 * @example A registry that is not there
 * ```ts
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(copy("127.0.0.1:9/kv:1.2.0", "oci:copy:1.2.0", { tries: 1 }), {
 *   code: "ERR_REGISTRY_UNREACHABLE",
 * });
 * ```
 */
export async function copy(
  from: string | Reference,
  to: string | Reference,
  options: CopyOptions = {},
): Promise<Copied> {
  for (const reference of [from, to]) requireReference(reference);
  const { limits, signal } = requireOptions(options);
  const source = typeof from === "string" ? await parseReferenceWithTags(from, options) : from;
  const target = typeof to === "string"
    ? parseReference(to, { ...options, hostRequired: true })
    : to;
  return await copyArchive(source, target, {
    ...options,
    verify: (archive) => inspect(archive, { limits, signal }),
  });
}
