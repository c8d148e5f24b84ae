/**
 * Referrers: manifests, such as signatures, that name another one as their subject (OCI distribution
 * specification 1.1, "Listing Referrers").
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { type Descriptor, digestOf, isDescriptor } from "./descriptor.ts";
import { parseRecord } from "./json.ts";
import { annotationsOf } from "./manifest.ts";
import { type Annotations, INDEX_TYPE, MANIFEST_TYPE } from "./media_types.ts";

/** A manifest in a list of referrers. */
export interface Referrer extends Descriptor {
  /** What kind of artifact it is. */
  readonly artifactType?: string | undefined;
  /** Its annotations. */
  readonly annotations?: Annotations | undefined;
}

/** The most manifests that may refer to one. No archive has so many signatures and attestations. */
export const MAX_REFERRERS = 1000;

/** The error for a list of referrers that is too long. */
export function tooManyReferrers(task: string): ParError {
  return new ParError(
    "ERR_LIMIT_REFERRERS",
    `Cannot ${task}: more than ${MAX_REFERRERS} manifests refer to it; delete those that nobody needs`,
  );
}

/** Names the tag under which clients keep the list for a registry that keeps none. */
export function fallbackTag(digest: string): string {
  return digest.replace(":", "-");
}

/** Reads the descriptors of an index. What is malformed in it, or there twice, is left out. */
export function referrersOf(bytes: Uint8Array | undefined): Referrer[] {
  const { manifests } = parseRecord(bytes) ?? {};
  const found: Referrer[] = Array.isArray(manifests) ? manifests.filter(isDescriptor) : [];
  return [...new Map(found.map((referrer) => [referrer.digest, referrer])).values()];
}

/**
 * Adds a referrer to an index. Everything else in the index stays as it is.
 *
 * @param index The index as it is, if there is one.
 * @param referrer The referrer.
 * @param task What is tried, to follow "Cannot ".
 * @returns The new index, or `undefined` if the referrer is in it already.
 * @throws {ParError} `ERR_REGISTRY_CONTENT` if it is not an index.
 */
export async function addReferrer(
  index: { readonly bytes: Uint8Array } | undefined,
  referrer: Referrer,
  task: string,
): Promise<{ bytes: Uint8Array; digest: string; mediaType: string } | undefined> {
  const before = index ? parseRecord(index.bytes) : { manifests: [] };
  const manifests: unknown = before?.["manifests"];
  if (!Array.isArray(manifests)) {
    throw new ParError(
      "ERR_REGISTRY_CONTENT",
      `Cannot ${task}: the tag that lists what refers to it names something else than an index; ` +
        "delete the tag",
    );
  }
  if (manifests.some((entry) => isDescriptor(entry) && entry.digest === referrer.digest)) {
    return undefined;
  }
  const bytes = new TextEncoder().encode(JSON.stringify({
    ...before,
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    manifests: [...manifests, referrer],
  }));
  return { bytes, digest: await digestOf(bytes), mediaType: INDEX_TYPE };
}

/** What a manifest refers to, and the blobs that it needs. */
export interface ManifestParts {
  /** The digest of its subject, if it has one. */
  readonly subject: string | undefined;
  /** Its config and its layers. */
  readonly blobs: readonly Descriptor[];
  /** Its layers alone. */
  readonly layers: readonly Descriptor[];
  /** How a list of referrers describes it. */
  readonly artifactType: string | undefined;
  /** Its annotations. */
  readonly annotations: Annotations | undefined;
}

/**
 * Reads the parts of any image manifest.
 *
 * @param bytes The manifest's bytes.
 * @returns Its parts, or `undefined` if it is not an image manifest.
 */
export function partsOf(bytes: Uint8Array): ManifestParts | undefined {
  const value = parseRecord(bytes);
  const { subject, config, layers, artifactType, annotations } = value ?? {};
  if (!isDescriptor(config) || !Array.isArray(layers) || !layers.every(isDescriptor)) {
    return undefined;
  }
  return {
    subject: isDescriptor(subject) ? subject.digest : undefined,
    blobs: [config, ...layers],
    layers,
    artifactType: typeof artifactType === "string" ? artifactType : config.mediaType,
    annotations: annotations === undefined ? undefined : annotationsOf(annotations),
  };
}

/**
 * Describes a manifest as lists of referrers do.
 *
 * @param bytes Its bytes.
 * @param mediaType The media type that it came with. It counts if the manifest states none.
 * @param digest Its digest.
 */
export function describeManifest(bytes: Uint8Array, mediaType: string, digest: string): Referrer {
  const { mediaType: own } = parseRecord(bytes) ?? {};
  const { artifactType, annotations } = partsOf(bytes) ?? {};
  return {
    mediaType: typeof own === "string" ? own : mediaType || MANIFEST_TYPE,
    digest,
    size: bytes.length,
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations && { annotations }),
  };
}
