/**
 * Reading an archive from a registry: resolving a reference, reading by range, writing a file.
 *
 * @module
 */

import { ByteReader } from "../bytes/byte_reader.ts";
import { ParError } from "../errors.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import type { Hashed, HashedSource } from "../bytes/hashed_source.ts";
import { type FileSink, readFile, writeFile } from "../system/files.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { Bytes } from "../bytes/chunks.ts";
import type { BlobCache } from "./cache.ts";
import type { Descriptor } from "./descriptor.ts";
import { checkBlob, FIRST_REQUEST } from "./download.ts";
import { type ArchiveManifest, parseManifest } from "./manifest.ts";
import { fetchManifest, openStore } from "./open_store.ts";
import type { RegistryOptions } from "./options.ts";
import { baseName, formatReference, type Reference } from "./reference.ts";
import type { Store } from "./store.ts";

/** Settings of {@linkcode registrySource}. */
export interface RegistrySourceOptions extends RegistryOptions {
  /** The digest that the manifest must have, as {@linkcode parseDigest} gives it. */
  readonly digest?: string | undefined;
  /** The cache of blobs. If left out, everything is downloaded. */
  readonly cache?: BlobCache | undefined;
}

/** The manifest that a reference names, checked against its digest. */
export interface ResolvedArchive extends ArchiveManifest {
  /** The reference. */
  readonly reference: Reference;
  /** The manifest's digest, computed from its bytes. */
  readonly digest: string;
}

/** An archive in a registry. Its bytes are downloaded when they are read. */
export interface RegistrySource extends ArchiveSource, Disposable {
  /** The reference, as text. */
  readonly name: string;

  /**
   * How many bytes of the layer were downloaded so far, including those that were not used.
   */
  readonly bytesRead: number;

  /** Fetches the manifest. Further calls give the same one. */
  resolve(): Promise<ResolvedArchive>;

  /**
   * Reads the layer from its beginning, and fails at the end if its digest is wrong.
   *
   * The first request is for 32 KiB, which hold the token; the second one is for the rest.
   */
  open(): Bytes;

  /**
   * Reads a part of the layer and downloads no more than that. Only the whole layer has a digest, so
   * the caller must check the part against something else, such as the hashes in the signed claims.
   *
   * @param start Offset of the first byte.
   * @param length Bytes to read; fewer if the layer ends before.
   */
  range(start: number, length: number): Bytes;

  /** The layer's length in bytes. */
  size(): Promise<number>;

  /** Closes the connections. */
  close(): void;
}

/** Settings of {@linkcode pullArchive}. */
export interface PullArchiveOptions extends RegistrySourceOptions {
  /**
   * The file to write. If left out, it is named after the last part of the repository, with `.par.gz`
   * or, for an archive that is not compressed, `.par`, in the current folder.
   */
  readonly destination?: string | undefined;
  /**
   * Checks the archive while it is downloaded. It must read to the end. If it throws, no file is
   * written.
   */
  readonly verify?: ((archive: ArchiveSource) => Promise<unknown>) | undefined;
}

/** The result of {@linkcode pullArchive}. */
export interface Pulled {
  /** The file that was written. */
  readonly path: string;
  /** The manifest's digest. */
  readonly digest: string;
  /** The layer's digest, which is the archive's. */
  readonly layerDigest: string;
  /** The archive's length in bytes. */
  readonly size: number;
}

/**
 * Makes a source of an archive in a registry. No request is sent before something is read.
 *
 * @param reference The archive's reference.
 * @param options How to reach the registry, and the digest that the manifest must have.
 * @returns The source; `using` closes its connections.
 *
 * @example A registry that is not there
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseReference } from "./reference.ts";
 *
 * const reference = parseReference("127.0.0.1:9/kv:1.2.0");
 * using source = registrySource(reference, { insecure: true, tries: 1 });
 * assert.equal(source.name, "127.0.0.1:9/kv:1.2.0");
 * await assert.rejects(source.resolve(), { code: "ERR_REGISTRY_UNREACHABLE" });
 * ```
 */
export function registrySource(
  reference: Reference,
  options: RegistrySourceOptions = {},
): RegistrySource {
  return new LayerSource(reference, options);
}

/**
 * Fetches the manifest that a reference names.
 *
 * @param reference The reference.
 * @param options How to reach the registry, and the digest that the manifest must have.
 * @returns The manifest, checked against its digest.
 * @throws {ParError} Category `failed`; category `untrusted` if the digest differs or the manifest is
 * not that of an archive.
 *
 * @example A registry that is not there
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseReference } from "./reference.ts";
 *
 * const reference = parseReference("127.0.0.1:9/kv:1.2.0");
 * await assert.rejects(resolveReference(reference, { insecure: true, tries: 1 }), {
 *   code: "ERR_REGISTRY_UNREACHABLE",
 * });
 * ```
 */
export async function resolveReference(
  reference: Reference,
  options: RegistrySourceOptions = {},
): Promise<ResolvedArchive> {
  using source = registrySource(reference, options);
  return await source.resolve();
}

/**
 * Downloads an archive to a file. The file gets its name only after all checks succeeded.
 *
 * @param reference The archive's reference.
 * @param options How to reach the registry, the file to write, and how to check the archive.
 * @returns The file, the manifest's digest and the size.
 * @throws {ParError} As {@linkcode resolveReference}; `ERR_FILE_UNWRITABLE`; and what `verify` throws.
 *
 * @example A registry that is not there
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseReference } from "./reference.ts";
 *
 * const reference = parseReference("127.0.0.1:9/kv:1.2.0");
 * await assert.rejects(pullArchive(reference, { insecure: true, tries: 1 }), {
 *   code: "ERR_REGISTRY_UNREACHABLE",
 * });
 * ```
 */
export async function pullArchive(
  reference: Reference,
  options: PullArchiveOptions = {},
): Promise<Pulled> {
  using source = registrySource(reference, options);
  const { digest, layer } = await source.resolve();
  const reader = new ByteReader(source.open());
  try {
    const path = options.destination ?? fileName(reference, isGzip(await reader.peek(2)));
    const copy = async (sink: FileSink): Promise<void> => {
      let complete = false;
      const archive = {
        name: source.name,
        size: () => Promise.resolve(layer.size),
        async *open(): Bytes {
          for await (const chunk of reader.rest()) {
            await sink.write(chunk);
            yield chunk;
          }
          complete = true;
        },
      };
      await (options.verify ?? readToEnd)(archive);
      // Bytes that were not read were neither written nor checked against the digest.
      if (!complete) {
        throw new ParError(
          "ERR_ARCHIVE_TRAILING_DATA",
          `Cannot pull ${source.name}: its bytes were not read to the end; nothing was written`,
        );
      }
    };
    await writeFile(path, copy, { signal: options.signal, whole: true, onWarning: options.onNote });
    return { path, digest, layerDigest: layer.digest, size: layer.size };
  } finally {
    await reader.close();
  }
}

async function readToEnd(archive: ArchiveSource): Promise<void> {
  for await (const _ of archive.open());
}

/**
 * Names the file of an archive: the last part of its repository and `.par.gz`, or `.par`.
 *
 * @param reference The archive's reference.
 * @param compressed Whether the archive is compressed.
 * @returns The file's name.
 */
export function fileName(reference: Reference, compressed: boolean): string {
  return `${baseName(reference)}.par${compressed ? ".gz" : ""}`;
}

/** Tells whether an archive is compressed, by its first two bytes. */
export function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

class LayerSource implements RegistrySource, HashedSource {
  readonly name: string;
  readonly remote: boolean;
  readonly #reference: Reference;
  readonly #options: RegistrySourceOptions;
  readonly #task: string;
  #store: Store | undefined;
  #resolved: Promise<ResolvedArchive> | undefined;
  #cached: Promise<string | undefined> | undefined;
  #bytesRead = 0;
  #checked = false;

  constructor(reference: Reference, options: RegistrySourceOptions) {
    this.name = formatReference(reference);
    this.remote = "registry" in reference;
    this.#reference = reference;
    // A layout is on this machine already.
    this.#options = this.remote ? options : { ...options, cache: undefined };
    this.#task = `read ${this.name}`;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  resolve(): Promise<ResolvedArchive> {
    return this.#resolved ??= this.#resolve();
  }

  async size(): Promise<number> {
    return (await this.resolve()).layer.size;
  }

  async *open(): Bytes {
    const { layer } = await this.resolve();
    const { cache, signal } = this.#options;
    const path = await this.#find(layer);
    const receive = (): Bytes => checkBlob(this.#receive(layer), layer, this.#task);
    if (path !== undefined) yield* checkBlob(readFile(path), layer, this.#task);
    else if (cache !== undefined) yield* cache.keep(layer, receive, signal);
    else yield* receive();
    this.#checked = true;
  }

  /** The manifest states the digest, and {@linkcode open} fails unless the bytes have it. */
  async hashed(): Promise<Hashed> {
    if (!this.#checked) { for await (const _ of this.open()) { /* checks the digest */ } }
    const { digest, size } = (await this.resolve()).layer;
    return { digest, size };
  }

  async *range(start: number, length: number): Bytes {
    const { layer } = await this.resolve();
    const end = Math.min(layer.size, start + length);
    const path = await this.#find(layer);
    const part = { start, length: Math.max(0, end - start) };
    if (path !== undefined) yield* readFile(path, part);
    else yield* this.#download(layer, start, end);
  }

  close(): void {
    // Nothing that is read leaves anything behind, so nobody has to wait for this.
    this.#store?.[Symbol.asyncDispose]();
    this.#store = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async *#receive(layer: Descriptor): Bytes {
    const first = Math.min(layer.size, FIRST_REQUEST);
    yield* this.#download(layer, 0, first);
    yield* this.#download(layer, first, layer.size);
  }

  async *#download(layer: Descriptor, start: number, end: number): Bytes {
    const { onProgress } = this.#options;
    let at = start;
    const received = (count: number): void => void (this.#bytesRead += count);
    for await (const chunk of this.#open().readBlob(layer, start, end, received)) {
      at += chunk.length;
      onProgress?.(at, layer.size);
      yield chunk;
    }
  }

  /** A cached blob is checked once as a whole; after that, any part of it can be read. */
  #find(layer: Descriptor): Promise<string | undefined> {
    const { cache, signal } = this.#options;
    return this.#cached ??= Promise.resolve(cache?.find(layer, signal));
  }

  #open(): Store {
    return this.#store ??= openStore(
      this.#reference,
      { task: this.#task, push: false },
      this.#options,
    );
  }

  async #resolve(): Promise<ResolvedArchive> {
    throwIfAborted(this.#options.signal);
    const { bytes, mediaType, digest } = await fetchManifest(
      this.#open(),
      this.#reference,
      this.#task,
      this.#options.digest,
    );
    const manifest = parseManifest(bytes, mediaType, this.#task);
    return { ...manifest, reference: this.#reference, digest };
  }
}
