/**
 * The manifest of an archive: one configuration, one layer (OCI image specification 1.1).
 *
 * @module
 */

import { createSha256 } from "../bytes/digest.ts";
import { ParError } from "../errors.ts";
import { hex } from "../bytes/hex.ts";
import { oneLine } from "./answer.ts";
import type { Descriptor } from "./download.ts";
import { type Annotations, LAYER_TYPE, MANIFEST_TYPE, TAR_LAYER_TYPE } from "./media_types.ts";
import { isDigest } from "./reference.ts";

/** A manifest that says where an archive is. */
export interface ArchiveManifest {
  /** Its own media type. */
  readonly mediaType: string;
  /** The layer that holds the archive's bytes. */
  readonly layer: Descriptor;
  /** The configuration blob. */
  readonly config: Descriptor;
  /** What the one who pushed it wrote on it. */
  readonly annotations: Annotations;
}

const DOCKER_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json";
const INDEX = /image\.index|manifest\.list/;

/** What {@linkcode formatManifest} writes. */
export interface ManifestContent {
  /** The configuration blob. */
  readonly config: Descriptor;
  /** The archive, and what to write on its layer. */
  readonly layer: Descriptor & { readonly annotations: Annotations };
  /** What to write on the manifest. */
  readonly annotations: Annotations;
}

/**
 * Writes a manifest; equal contents give equal bytes.
 *
 * @param content The blobs, and what to write on them.
 * @returns The manifest's bytes.
 */
export function formatManifest({ config, layer, annotations }: ManifestContent): Uint8Array {
  const sorted = Object.fromEntries(
    Object.entries(annotations).sort(([a], [b]) => a < b ? -1 : 1),
  );
  return new TextEncoder().encode(JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config,
    layers: [layer],
    ...(Object.keys(sorted).length === 0 ? {} : { annotations: sorted }),
  }));
}

/**
 * Reads a manifest.
 *
 * @param bytes Its bytes.
 * @param contentType The media type it came with, which rules where it names none itself.
 * @param task What is tried, to follow "Cannot ".
 * @returns Where the archive is.
 * @throws {ParError} `ERR_REGISTRY_CONTENT` where it describes anything but one archive.
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string,
  task: string,
): ArchiveManifest {
  const refuse = (reason: string): ParError =>
    new ParError(
      "ERR_REGISTRY_CONTENT",
      `Cannot ${task}: what is there is no provider archive, for ${reason}`,
    );
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ParError(
      "ERR_REGISTRY_CONTENT",
      `Cannot ${task}: what is there is no provider archive, for its manifest is not JSON`,
      cause,
    );
  }
  if (!isRecord(value)) throw refuse("its manifest is no JSON object");
  const { mediaType = contentType, config, layers, annotations = {} } = value;
  if (typeof mediaType !== "string") throw refuse("its manifest has no media type");
  if (INDEX.test(mediaType) || "manifests" in value) {
    throw refuse("it is an index of several images; name one of them by its digest");
  }
  if (mediaType !== MANIFEST_TYPE && mediaType !== DOCKER_MANIFEST_TYPE) {
    throw refuse(`its manifest has the media type ${shown(mediaType)}`);
  }
  if (!Array.isArray(layers) || layers.length !== 1) {
    throw refuse(`it has ${Array.isArray(layers) ? layers.length : "no"} layers, and not one`);
  }
  const [layer] = layers as unknown[];
  if (!isDescriptor(layer)) throw refuse("its layer has no media type, digest and size");
  if (layer.mediaType !== LAYER_TYPE && layer.mediaType !== TAR_LAYER_TYPE) {
    throw refuse(`its layer has the media type ${shown(layer.mediaType)}`);
  }
  if (!isDescriptor(config)) throw refuse("its config has no media type, digest and size");
  return {
    mediaType,
    layer: descriptor(layer),
    config: descriptor(config),
    annotations: Object.fromEntries(
      Object.entries(isRecord(annotations) ? annotations : {}).filter(
        (entry): entry is [string, string] => typeof entry[1] === "string",
      ),
    ),
  };
}

/**
 * Computes the digest of bytes at hand.
 *
 * @param bytes The bytes.
 * @returns `sha256:` and 64 hexadecimal digits.
 */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  const hash = await createSha256();
  await hash.update(bytes);
  return `sha256:${hex(await hash.digest())}`;
}

function descriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

function isDescriptor(value: unknown): value is Descriptor {
  return isRecord(value) && typeof value["mediaType"] === "string" && isDigest(value["digest"]) &&
    Number.isSafeInteger(value["size"]) && value["size"] as number >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(text: string): string {
  return JSON.stringify(oneLine(text));
}
