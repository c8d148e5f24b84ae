/**
 * Listing the tags of a repository.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { openStore } from "./open_store.ts";
import type { RegistryOptions } from "./options.ts";
import {
  formatRepository,
  parseReference,
  type Reference,
  type ReferenceOptions,
} from "./reference.ts";

/**
 * Lists the tags of a repository, or of an OCI image layout.
 *
 * @param repository `host/repository`, `oci:FOLDER`, or a reference, whose tag is ignored.
 * @param options How to reach the registry.
 * @returns The tags, sorted so that `1.10` comes after `1.9`. Registries list them in any order.
 * @throws {ParError} Category `usage` for the repository; category `failed` for the registry.
 *
 * @example A registry that is not there
 * ```ts
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(listTags("127.0.0.1:9/kv", { tries: 1 }), {
 *   code: "ERR_REGISTRY_UNREACHABLE",
 * });
 * ```
 */
export async function listTags(
  repository: string | Reference,
  options: RegistryOptions & Pick<ReferenceOptions, "registry"> = {},
): Promise<string[]> {
  const reference = typeof repository === "string"
    ? parseReference(repository, { allowLatest: true, registry: options.registry })
    : repository;
  const task = `list the tags of ${formatRepository(reference)}`;
  await using store = openStore(reference, { task, push: false }, options);
  return (await store.listTags()).sort(BY_VERSION.compare);
}

const BY_VERSION = new Intl.Collator("en", { numeric: true });

/** A refusal shows no more tags than this. */
const MAX_SHOWN = 20;

/**
 * Reads a reference, and shows the tags of its repository if it is refused for the tag `latest`.
 *
 * @param text The reference.
 * @param options How to reach the registry, and whether `latest` is allowed.
 * @returns The reference.
 * @throws {ParError} As {@linkcode parseReference}.
 */
export async function parseReferenceWithTags(
  text: string,
  options: RegistryOptions & ReferenceOptions = {},
): Promise<Reference> {
  try {
    return parseReference(text, options);
  } catch (error) {
    if (!(error instanceof ParError) || error.code !== "ERR_REFERENCE_LATEST") throw error;
    // The refusal stands, whether or not the registry answers.
    const quick = { ...options, tries: 1, stallTimeout: 5_000, onNote: undefined };
    const tags = await listTags(text, quick).catch(() => []);
    if (tags.length === 0) throw error;
    const shown = tags.slice(-MAX_SHOWN).join(", ");
    const count = tags.length > MAX_SHOWN
      ? `the last ${MAX_SHOWN} of its ${tags.length} tags`
      : "its tags";
    throw new ParError("ERR_REFERENCE_LATEST", `${error.message}; ${count} are: ${shown}`, error);
  }
}
