/**
 * Writing an archive to a registry.
 *
 * @module
 */

import { createSha256 } from "../bytes/digest.ts";
import { ParError } from "../errors.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import { hex } from "../bytes/hex.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import { RegistryClient, toContent } from "./client.ts";
import { digestOf, formatManifest } from "./manifest.ts";
import { type Annotations, CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, TITLE } from "./media_types.ts";
import type { RegistryOptions } from "./options.ts";
import { fileName } from "./pull.ts";
import { formatReference, type Reference } from "./reference.ts";
import { retry } from "./retry.ts";
import { uploadBlob } from "./upload.ts";

/** Settings of {@linkcode pushArchive}. */
export interface PushOptions extends RegistryOptions {
  /**
   * Checks the archive before anything is sent; what it throws ends the work. The annotations it
   * gives, such as those that follow from the claims, yield to `annotations`.
   */
  readonly verify?: ((archive: ArchiveSource) => Promise<Annotations | void>) | undefined;
  /** What to write on the manifest. */
  readonly annotations?: Annotations | undefined;
  /** The configuration blob; `{}` where left out. */
  readonly config?: Uint8Array | undefined;
  /** Sends the archive in one request, for registries that take no chunks. */
  readonly monolithic?: boolean | undefined;
  /** The most bytes that one request sends, at least 65 536; 4 MiB where left out. */
  readonly chunkSize?: number | undefined;
}

/** What {@linkcode pushArchive} did. */
export interface Pushed {
  /** Where the archive is now. */
  readonly reference: Reference;
  /** The manifest's digest. */
  readonly digest: string;
  /** The layer's digest: that of the archive. */
  readonly layerDigest: string;
  /** The archive's length in bytes. */
  readonly size: number;
  /** Whether the archive was sent; the registry may have had it already. */
  readonly uploaded: boolean;
}

/** The largest that every registry in wide use takes; some refuse more, and few ask for more. */
const DEFAULT_CHUNK_SIZE = 4 * 1024 * 1024;
const MIN_CHUNK_SIZE = 64 * 1024;

/**
 * Pushes an archive: its configuration, its layer, its manifest, in this order, so that a reference
 * never names what is not there. Blobs that the registry has are not sent again.
 *
 * The archive is read twice, to compute its digest and to send it, and parts of it again where the
 * connection breaks. No more than a chunk of a file is held in memory.
 *
 * @param reference Where to; it needs a tag, and can have no digest.
 * @param source The archive.
 * @param options How to get there, what to write on it, and how to check it first.
 * @returns Where it is now, and its digests.
 * @throws {ParError} `ERR_REFERENCE_INVALID`, `ERR_OPTION_INVALID`, `ERR_FILE_CHANGED`, every code of
 * a registry, and what `verify` throws.
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
  options: PushOptions = {},
): Promise<Pushed> {
  const { chunkSize = DEFAULT_CHUNK_SIZE, signal } = options;
  const { tag } = reference;
  const name = formatReference(reference);
  if (tag === undefined || reference.digest !== undefined) {
    throw new ParError(
      "ERR_REFERENCE_INVALID",
      `Cannot push to ${name}: the digest follows from what is pushed; give a tag instead`,
    );
  }
  if (!Number.isSafeInteger(chunkSize) || chunkSize < MIN_CHUNK_SIZE) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot send chunks of ${chunkSize} bytes: give at least ${MIN_CHUNK_SIZE}`,
    );
  }
  throwIfAborted(signal);
  const archive = await examine(source, options);
  const task = `push to ${name}`;
  const client = new RegistryClient(reference, { task, push: true }, options);
  try {
    const config = options.config ?? new TextEncoder().encode("{}");
    const configDigest = await digestOf(config);
    const { digest: layerDigest, size } = archive;
    await uploadBlob(client, {
      digest: configDigest,
      size: config.length,
      source: { name: "the configuration", open: toContent(config).open },
    }, { chunkSize });
    const uploaded = await uploadBlob(client, { digest: layerDigest, size, source }, {
      chunkSize: options.monolithic ? Infinity : chunkSize,
      onProgress: options.onProgress,
    });
    const bytes = formatManifest({
      config: { mediaType: CONFIG_TYPE, digest: configDigest, size: config.length },
      layer: {
        mediaType: LAYER_TYPE,
        digest: layerDigest,
        size,
        // Other clients give the file this name when they pull, and skip a layer without one.
        annotations: { [TITLE]: fileName(reference, archive.start) },
      },
      annotations: { ...archive.annotations, ...options.annotations },
    });
    const digest = await digestOf(bytes);
    const computed = await retry(
      () => client.putManifest(tag, bytes, MANIFEST_TYPE),
      client.backoff,
    );
    if (computed !== undefined && computed !== digest) {
      throw new ParError(
        "ERR_REGISTRY_DIGEST",
        `Cannot ${task}: the manifest has the digest ${digest}, and the registry computed ` +
          `${computed}; something changed it on its way, push it again`,
      );
    }
    return { reference, digest, layerDigest, size, uploaded };
  } finally {
    client.close();
  }
}

interface Examined {
  readonly digest: string;
  readonly size: number;
  readonly start: Uint8Array;
  readonly annotations: Annotations | void;
}

/** Lets the archive be verified and computes the digest of the very bytes that were. */
async function examine(source: ArchiveSource, { verify, signal }: PushOptions): Promise<Examined> {
  let result: Omit<Examined, "annotations"> | undefined;
  const { size: knownSize } = source;
  const hashed: ArchiveSource = {
    name: source.name,
    ...(knownSize ? { size: () => knownSize.call(source) } : {}),
    async *open() {
      const hash = await createSha256();
      const start: number[] = [];
      let size = 0;
      for await (const chunk of source.open()) {
        throwIfAborted(signal);
        if (start.length < 2) start.push(...chunk.subarray(0, 2 - start.length));
        await hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
      result = {
        digest: `sha256:${hex(await hash.digest())}`,
        size,
        start: Uint8Array.from(start),
      };
    },
  };
  const annotations = await verify?.(hashed);
  if (result === undefined) {
    for await (const _ of hashed.open()) { /* only the digest is wanted */ }
  }
  return { ...result as unknown as Examined, annotations };
}
