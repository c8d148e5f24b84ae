/**
 * Copying an archive, and what refers to it, between registries and OCI image layouts.
 *
 * @module
 */

import type { ArchiveSource } from "../bytes/source.ts";
import { ParError } from "../errors.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import type { BlobCache } from "./cache.ts";
import type { Descriptor } from "./descriptor.ts";
import { checkBlob } from "./download.ts";
import { type FetchedManifest, fetchManifest, findManifest, openStore } from "./open_store.ts";
import type { RegistryOptions } from "./options.ts";
import { registrySource } from "./pull.ts";
import { formatReference, type Reference } from "./reference.ts";
import {
  describeManifest,
  type ManifestParts,
  MAX_REFERRERS,
  partsOf,
  tooManyReferrers,
} from "./referrers.ts";
import type { Store } from "./store.ts";
import { DEFAULT_CHUNK_SIZE } from "./upload.ts";

/** Settings of {@linkcode copyArchive}. */
export interface CopyArchiveOptions extends RegistryOptions {
  /** Settings of the registry that is written to, where they differ. */
  readonly to?: RegistryOptions | undefined;
  /** The digest that the manifest must have. */
  readonly digest?: string | undefined;
  /** The cache of blobs. Without it, an archive in a registry is downloaded twice. */
  readonly cache?: BlobCache | undefined;
  /** Checks the archive before anything is written. If it throws, nothing is written. */
  readonly verify?: ((archive: ArchiveSource) => Promise<unknown>) | undefined;
}

/** The result of {@linkcode copyArchive}. */
export interface Copied {
  /** The manifest's digest, which is the same at both places. */
  readonly digest: string;
  /** The archive's length in bytes. */
  readonly size: number;
  /** The digests of the manifests that refer to it and were copied too: signatures, attestations. */
  readonly referrers: readonly string[];
}

/** Referrers of referrers, such as the signature of an attestation, are copied to this depth. */
const MAX_DEPTH = 4;

/**
 * Copies an archive byte for byte: its manifest, its blobs, and the manifests that refer to it. Every
 * blob is checked against its digest.
 *
 * @param from The reference to read.
 * @param to The reference to write; it has a tag, or names a layout.
 * @param options How to reach the registries, and how to check the archive.
 * @returns The digest, the size and the referrers.
 * @throws {ParError} Categories `usage` and `failed`; category `untrusted` if a digest differs; and
 * what `verify` throws.
 *
 * @example A registry that is not there
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseReference } from "./reference.ts";
 *
 * const from = parseReference("127.0.0.1:9/kv:1.2.0");
 * await assert.rejects(copyArchive(from, parseReference("oci:copy:1.2.0"), { tries: 1 }), {
 *   code: "ERR_REGISTRY_UNREACHABLE",
 * });
 * ```
 */
export async function copyArchive(
  from: Reference,
  to: Reference,
  options: CopyArchiveOptions = {},
): Promise<Copied> {
  const { signal, cache } = options;
  const task = `copy ${formatReference(from)} to ${formatReference(to)}`;
  if ("registry" in to && to.tag === undefined || to.digest !== undefined) {
    throw new ParError(
      "ERR_REFERENCE_INVALID",
      `Cannot ${task}: the second reference must have a tag and no digest`,
    );
  }
  throwIfAborted(signal);
  using archive = registrySource(from, { ...options, cache });
  // From here on the digest decides: the tag may move meanwhile.
  const { digest, layer } = await archive.resolve();
  await options.verify?.(archive);

  await using source = openStore(from, { task, push: false }, options);
  await using target = openStore(to, { task, push: true }, { ...options, ...options.to });
  const progress = options.to?.onProgress ?? options.onProgress;
  const write = async (
    reference: string | undefined,
    { bytes, mediaType, digest }: FetchedManifest,
    parts: ManifestParts | undefined,
  ): Promise<void> => {
    throwIfAborted(signal);
    if (parts === undefined) {
      throw new ParError(
        "ERR_REGISTRY_CONTENT",
        `Cannot ${task}: the manifest ${digest} is not that of an image; copy it with another tool`,
      );
    }
    for (const blob of parts.blobs) {
      const isArchive = blob.digest === layer.digest;
      const upload = { ...blob, source: isArchive ? archive : blobSource(source, blob, task) };
      await target.writeBlob(upload, {
        chunkSize: DEFAULT_CHUNK_SIZE,
        onProgress: isArchive ? progress : undefined,
      });
    }
    const descriptor = describeManifest(bytes, mediaType, digest);
    await target.writeManifest(reference, {
      bytes,
      digest,
      mediaType: descriptor.mediaType,
      referrer: parts.subject === undefined ? undefined : { subject: parts.subject, descriptor },
    });
  };

  const manifest = await fetchManifest(source, { digest }, task);
  await write(to.tag, manifest, partsOf(manifest.bytes));
  const copied: string[] = [];
  const copyReferrers = async (subject: string, depth: number): Promise<void> => {
    for (const { digest } of await source.listReferrers(subject)) {
      if (copied.includes(digest) || depth > MAX_DEPTH) continue;
      const manifest = await findManifest(source, digest, task);
      const parts = manifest && partsOf(manifest.bytes);
      // Lists may keep what was deleted, or name what refers to something else.
      if (!manifest || parts && parts.subject !== subject) continue;
      copied.push(digest);
      if (copied.length > MAX_REFERRERS) throw tooManyReferrers(task);
      await write(digest, manifest, parts);
      await copyReferrers(digest, depth + 1);
    }
  };
  await copyReferrers(digest, 1);
  await target.finish();
  return { digest, size: layer.size, referrers: copied };
}

function blobSource(store: Store, blob: Descriptor, task: string): ArchiveSource {
  return {
    name: blob.digest,
    open: () => checkBlob(store.readBlob(blob, 0, blob.size), blob, task),
    range: (start, length) => store.readBlob(blob, start, Math.min(blob.size, start + length)),
  };
}
