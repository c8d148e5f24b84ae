/**
 * Opening the store that a reference names, and reading its manifests.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { ifFound } from "./answer.ts";
import { type ClientPurpose, type RawManifest, RegistryClient } from "./client.ts";
import { digestOf } from "./descriptor.ts";
import { openLayout } from "./layout.ts";
import type { RegistryOptions } from "./options.ts";
import type { Reference } from "./reference.ts";
import { RegistryStore } from "./registry_store.ts";
import type { Store } from "./store.ts";

/**
 * Opens the store that a reference names. No request is sent and no file is read yet.
 *
 * @param reference The reference.
 * @param purpose What messages call the work, and whether it writes.
 * @param options How to reach a registry.
 */
export function openStore(
  reference: Reference,
  purpose: ClientPurpose,
  options: RegistryOptions,
): Store {
  return "registry" in reference
    ? new RegistryStore(new RegistryClient(reference, purpose, options))
    : openLayout(reference, purpose, options);
}

/** A manifest, and the digest of its bytes. */
export type FetchedManifest = RawManifest & { readonly digest: string };

/**
 * Reads a manifest and checks its digest.
 *
 * @param store Where it is.
 * @param reference What names it; a digest in it must be the manifest's.
 * @param task What is tried, to follow "Cannot ".
 * @param expected Another digest that it must have.
 * @throws {ParError} `ERR_REGISTRY_DIGEST` if it has another digest.
 */
export async function fetchManifest(
  store: Store,
  { tag, digest: pinned }: Pick<Reference, "tag" | "digest">,
  task: string,
  expected?: string | undefined,
): Promise<FetchedManifest> {
  const raw = await store.getManifest(pinned ?? tag);
  const digest = await digestOf(raw.bytes);
  for (const wanted of [pinned, expected]) {
    if (wanted !== undefined && wanted !== digest) {
      throw new ParError(
        "ERR_REGISTRY_DIGEST",
        `Cannot ${task}: its manifest has the digest ${digest} instead of ` +
          `${wanted}; do not use it unless you expected a change`,
      );
    }
  }
  if (raw.digest !== undefined && raw.digest !== digest) {
    throw new ParError(
      "ERR_REGISTRY_DIGEST",
      `Cannot ${task}: its manifest has the digest ${digest}, and the registry says ` +
        `${raw.digest}; it changed on its way, try again`,
    );
  }
  return { ...raw, digest };
}

/**
 * Reads a manifest by its digest, if it is there: lists of referrers may keep what was deleted.
 *
 * @throws {ParError} As {@linkcode fetchManifest}.
 */
export async function findManifest(
  store: Store,
  digest: string,
  task: string,
): Promise<FetchedManifest | undefined> {
  return await ifFound(fetchManifest(store, { digest }, task));
}
