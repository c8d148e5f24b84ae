/**
 * The media types of a provider archive in a registry, and the annotations of its manifest.
 *
 * @module
 */

/** The manifest of one image (OCI image specification 1.1). */
export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** The same, as Docker had it before. */
export const DOCKER_MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json";

/** A list of manifests. */
export const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

/** The config blob, which is usually `{}`. */
export const CONFIG_TYPE = "application/vnd.wasmcloud.provider.archive.config";

/** The config of an artifact that needs none: the bytes `{}`. */
export const EMPTY_TYPE = "application/vnd.oci.empty.v1+json";

/** The layer that holds the archive's bytes. */
export const LAYER_TYPE = "application/vnd.wasmcloud.provider.archive.layer.v1+par";

/** The layer type of tools that do not know provider archives. */
export const TAR_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";

/** The manifests that a registry may send. The first two are read; the others get a clear refusal. */
export const ACCEPTED_MANIFEST_TYPES: readonly string[] = [
  MANIFEST_TYPE,
  DOCKER_MANIFEST_TYPE,
  INDEX_TYPE,
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

/** Annotations of a manifest or a descriptor: texts by key. */
export type Annotations = Readonly<Record<string, string>>;

/** The annotation of a layer that other clients take as its file name. */
export const TITLE = "org.opencontainers.image.title";
