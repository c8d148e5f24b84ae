/**
 * The manifest of an archive: one config and one layer (OCI image specification 1.1).
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { oneLine } from "./answer.ts";
import { type Descriptor, isDescriptor } from "./descriptor.ts";
import { isJsonObject } from "../signing/json.ts";
import { parseRecord } from "./json.ts";
import {
  type Annotations,
  DOCKER_MANIFEST_TYPE,
  LAYER_TYPE,
  MANIFEST_TYPE,
  TAR_LAYER_TYPE,
} from "./media_types.ts";

/** The manifest of an archive. */
export interface ArchiveManifest {
  /** Its own media type. */
  readonly mediaType: string;
  /** The layer that holds the archive's bytes. */
  readonly layer: Descriptor;
  /** The configuration blob. */
  readonly config: Descriptor;
  /** Its annotations. */
  readonly annotations: Annotations;
}

const INDEX = /image\.index|manifest\.list/;

/** The content of a manifest that {@linkcode formatManifest} writes. */
export interface ManifestContent {
  /** The configuration blob. */
  readonly config: Descriptor;
  /** The layer that holds the archive, and its annotations. */
  readonly layer: Descriptor & { readonly annotations: Annotations };
  /** The manifest's annotations. */
  readonly annotations: Annotations;
}

/**
 * Writes a manifest. Equal content gives equal bytes.
 *
 * It states no media type, which is optional in it: wasmCloud hosts of 2020 and 2021 refuse a
 * manifest that states the one of an OCI image. The `Content-Type` of the request states it.
 *
 * @param content The descriptors and annotations.
 * @returns The manifest's bytes.
 */
export function formatManifest({ config, layer, annotations }: ManifestContent): Uint8Array {
  const sorted = Object.fromEntries(
    Object.entries(annotations).sort(([a], [b]) => a < b ? -1 : 1),
  );
  return new TextEncoder().encode(JSON.stringify({
    schemaVersion: 2,
    config,
    layers: [layer],
    ...(Object.keys(sorted).length === 0 ? {} : { annotations: sorted }),
  }));
}

/**
 * Reads a manifest.
 *
 * @param bytes Its bytes.
 * @param contentType The `Content-Type` of the answer. It counts if the manifest states no media type.
 * @param task What is tried, to follow "Cannot ".
 * @returns The parts of the manifest.
 * @throws {ParError} `ERR_REGISTRY_CONTENT` if it is not the manifest of one archive.
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string,
  task: string,
): ArchiveManifest {
  const refuse = (reason: string): ParError =>
    new ParError(
      "ERR_REGISTRY_CONTENT",
      `Cannot ${task}: this is not a provider archive: ${reason}`,
    );
  const value = parseRecord(bytes);
  if (value === undefined) throw refuse("its manifest is not a JSON object");
  const { mediaType = contentType, config, layers, annotations } = value;
  if (typeof mediaType !== "string") throw refuse("its manifest has no media type");
  if (INDEX.test(mediaType) || "manifests" in value) {
    throw refuse("it is an index of several images; give the digest of one of them");
  }
  if (mediaType !== MANIFEST_TYPE && mediaType !== DOCKER_MANIFEST_TYPE) {
    throw refuse(`its manifest has the media type ${quote(oneLine(mediaType))}`);
  }
  if (!Array.isArray(layers) || layers.length !== 1) {
    throw refuse(`it has ${Array.isArray(layers) ? layers.length : "no"} layers instead of one`);
  }
  const [layer] = layers as unknown[];
  if (!isDescriptor(layer)) throw refuse("its layer has no media type, digest and size");
  if (layer.mediaType !== LAYER_TYPE && layer.mediaType !== TAR_LAYER_TYPE) {
    throw refuse(`its layer has the media type ${quote(oneLine(layer.mediaType))}`);
  }
  if (!isDescriptor(config)) throw refuse("its config has no media type, digest and size");
  return {
    mediaType,
    layer: descriptor(layer),
    config: descriptor(config),
    annotations: annotationsOf(annotations),
  };
}

/** Takes the annotations of a manifest. Other than texts are left out. */
export function annotationsOf(value: unknown): Annotations {
  const all = Object.entries(isJsonObject(value) ? value : {});
  return Object.fromEntries(
    all.filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function descriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
