/**
 * Referrers: manifests, such as signatures, that name another one as their subject (OCI distribution
 * specification 1.1, "Listing Referrers").
 *
 * @module
 */

import { type Descriptor, digestOf, isDescriptor } from "./descriptor.ts";
import { isRecord, parseRecord } from "./json.ts";
import { INDEX_TYPE } from "./media_types.ts";

/** A manifest in a list of referrers. */
export interface Referrer extends Descriptor {
  /** What kind of artifact it is. */
  readonly artifactType?: string | undefined;
  /** Its annotations. */
  readonly annotations?: Readonly<Record<string, unknown>> | undefined;
}

/** Names the tag under which clients keep the list for a registry that keeps none. */
export function fallbackTag(digest: string): string {
  return digest.replace(":", "-");
}

/** Reads the descriptors of an index. What is malformed in it is left out. */
export function referrersOf(bytes: Uint8Array | undefined): Referrer[] {
  const { manifests } = parseRecord(bytes) ?? {};
  return Array.isArray(manifests) ? manifests.filter(isDescriptor) : [];
}

/**
 * Adds a referrer to an index.
 *
 * @param index The index as it is, if there is one.
 * @param referrer The referrer.
 * @returns The new index, or `undefined` if the referrer is in it already.
 */
export async function addReferrer(
  index: { readonly bytes: Uint8Array } | undefined,
  referrer: Referrer,
): Promise<{ bytes: Uint8Array; digest: string; mediaType: string } | undefined> {
  const present = referrersOf(index?.bytes);
  if (present.some(({ digest }) => digest === referrer.digest)) return undefined;
  const bytes = new TextEncoder().encode(JSON.stringify({
    schemaVersion: 2,
    mediaType: INDEX_TYPE,
    manifests: [...present, referrer],
  }));
  return { bytes, digest: await digestOf(bytes), mediaType: INDEX_TYPE };
}

/** What a manifest refers to, and the blobs that it needs. */
export interface ManifestParts {
  /** The digest of its subject, if it has one. */
  readonly subject: string | undefined;
  /** Its config and its layers. */
  readonly blobs: readonly Descriptor[];
  /** How a list of referrers describes it. */
  readonly artifactType: string | undefined;
  /** Its annotations. */
  readonly annotations: Readonly<Record<string, unknown>> | undefined;
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
    artifactType: typeof artifactType === "string" ? artifactType : config.mediaType,
    annotations: isRecord(annotations) ? annotations : undefined,
  };
}
