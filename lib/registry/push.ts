/**
 * Writing an archive to a registry.
 *
 * @module
 */

import { ByteReader } from "../bytes/byte_reader.ts";
import { hashSource } from "../bytes/hashed_source.ts";
import { ParError } from "../errors.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import { digestOf } from "./descriptor.ts";
import { formatManifest } from "./manifest.ts";
import { type Annotations, CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, TITLE } from "./media_types.ts";
import { openStore } from "./open_store.ts";
import type { RegistryOptions } from "./options.ts";
import { fileName, isGzip } from "./pull.ts";
import { checkTag, formatReference, type Reference } from "./reference.ts";
import { toContent } from "./transport.ts";
import { DEFAULT_CHUNK_SIZE, MIN_CHUNK_SIZE } from "./upload.ts";

/** Settings of {@linkcode pushArchive}. */
export interface PushArchiveOptions extends RegistryOptions {
  /**
   * Checks the archive before anything is sent. If it throws, nothing is sent. It may return
   * annotations, such as those from the claims; `annotations` overrides them.
   */
  readonly verify?: ((archive: ArchiveSource) => Promise<Annotations | void>) | undefined;
  /** The manifest's annotations. */
  readonly annotations?: Annotations | undefined;
  /** Further tags for the same manifest. */
  readonly tags?: readonly string[] | undefined;
  /** The config blob; `{}` if left out. */
  readonly config?: Uint8Array | undefined;
  /** Sends the archive in one request. This happens by itself if the registry refuses chunks. */
  readonly monolithic?: boolean | undefined;
  /**
   * The most bytes that one request sends, at least 65 536; 4 MiB if left out. It becomes smaller by
   * itself if the registry refuses requests of that size.
   */
  readonly chunkSize?: number | undefined;
}

/** The result of {@linkcode pushArchive}. */
export interface Pushed {
  /** The archive's reference. */
  readonly reference: Reference;
  /** Every tag that names it now. */
  readonly tags: readonly string[];
  /** The manifest's digest. */
  readonly digest: string;
  /** The layer's digest, which is the archive's. */
  readonly layerDigest: string;
  /** The archive's length in bytes. */
  readonly size: number;
  /** Whether the archive was sent. It is not sent if the registry has it already. */
  readonly uploaded: boolean;
  /** Whether every tag named this manifest already, so that nothing was sent. */
  readonly unchanged: boolean;
}

/**
 * Pushes an archive: its config, its layer and its manifest, in this order, so that a tag never names
 * a manifest whose blobs are missing. Blobs that the registry has are not sent again.
 *
 * The archive is read twice: once to compute its digest, and once to send it. Parts are read again if
 * the connection breaks. Memory holds only a chunk of the file at a time.
 *
 * @param reference The reference to push to. It must have no digest, and a tag unless it is a layout.
 * @param source The archive.
 * @param options How to reach the registry, the annotations, and how to check the archive.
 * @returns The reference and the digests.
 * @throws {ParError} Categories `usage` and `failed`; `ERR_REGISTRY_DIGEST` if the registry computed
 * another digest; and what `verify` throws.
 *
 * @example A registry that is not there
 * ```ts
 * import assert from "node:assert/strict";
 * import { blobSource } from "../bytes/source.ts";
 * import { parseReference } from "./reference.ts";
 *
 * const archive = blobSource(new Uint8Array(1024), "kv.par");
 * const reference = parseReference("127.0.0.1:9/kv:1.2.0");
 * await assert.rejects(pushArchive(reference, archive, { insecure: true, tries: 1 }), {
 *   code: "ERR_REGISTRY_UNREACHABLE",
 * });
 * ```
 */
export async function pushArchive(
  reference: Reference,
  source: ArchiveSource,
  options: PushArchiveOptions = {},
): Promise<Pushed> {
  const { chunkSize = DEFAULT_CHUNK_SIZE, signal } = options;
  const { tag } = reference;
  const name = formatReference(reference);
  if ("registry" in reference && tag === undefined || reference.digest !== undefined) {
    throw new ParError(
      "ERR_REFERENCE_INVALID",
      `Cannot push to ${name}: the reference must have a tag and no digest`,
    );
  }
  const tags = [...new Set([tag, ...(options.tags ?? []).map((text) => checkTag(text, name))])];
  if (!Number.isSafeInteger(chunkSize) || chunkSize < MIN_CHUNK_SIZE) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot send chunks of ${chunkSize} bytes: give at least ${MIN_CHUNK_SIZE}`,
    );
  }
  throwIfAborted(signal);
  // The digest is that of the same bytes that were verified.
  const hashed = hashSource(source);
  const described = await options.verify?.(hashed);
  const { digest: layerDigest, size } = await hashed.hashed();
  const task = `push to ${name}`;
  await using store = openStore(reference, { task, push: true }, options);
  const config = options.config ?? new TextEncoder().encode("{}");
  const configDigest = await digestOf(config);
  const bytes = formatManifest({
    config: { mediaType: CONFIG_TYPE, digest: configDigest, size: config.length },
    layer: {
      mediaType: LAYER_TYPE,
      digest: layerDigest,
      size,
      // Other clients name the pulled file after this, and skip a layer without it.
      annotations: { [TITLE]: fileName(reference, await isCompressed(source)) },
    },
    annotations: { ...described, ...options.annotations },
  });
  const digest = await digestOf(bytes);
  const pushed = {
    reference,
    tags: tags.filter((name) => name !== undefined),
    digest,
    layerDigest,
    size,
  };
  const missing: (string | undefined)[] = [];
  for (const name of tags) if (await store.findDigest(name) !== digest) missing.push(name);
  if (missing.length === 0) return { ...pushed, uploaded: false, unchanged: true };
  await store.writeBlob({
    digest: configDigest,
    size: config.length,
    source: { name: "the config", open: toContent(config).open },
  }, { chunkSize });
  const uploaded = await store.writeBlob({ digest: layerDigest, size, source }, {
    chunkSize: options.monolithic ? Infinity : chunkSize,
    onProgress: options.onProgress,
  });
  for (const name of missing) {
    await store.writeManifest(name, { bytes, digest, mediaType: MANIFEST_TYPE });
  }
  await store.finish();
  return { ...pushed, uploaded, unchanged: false };
}

async function isCompressed(source: ArchiveSource): Promise<boolean> {
  const reader = new ByteReader(source.open());
  try {
    return isGzip(await reader.peek(2));
  } finally {
    await reader.close();
  }
}
