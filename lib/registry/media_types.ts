/**
 * The media types of a provider archive in a registry, and the annotations of its manifest.
 *
 * @module
 */

/** The manifest of one image (OCI image specification 1.1). */
export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";

/** The configuration blob, for which two bytes, `{}`, will do. */
export const CONFIG_TYPE = "application/vnd.wasmcloud.provider.archive.config";

/** The layer that holds the archive's bytes. */
export const LAYER_TYPE = "application/vnd.wasmcloud.provider.archive.layer.v1+par";

/** What tools that know no archives label the same bytes with. */
export const TAR_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";

/** Manifests a registry may answer with: the first two are read, the others refused by name. */
export const ACCEPTED_MANIFEST_TYPES: readonly string[] = [
  MANIFEST_TYPE,
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

/** Texts that a manifest or a descriptor carries, by key. */
export type Annotations = Readonly<Record<string, string>>;

/** The key under which other clients look for the name of a layer's file. */
export const TITLE = "org.opencontainers.image.title";
