/**
 * OCI image layouts: a repository in a folder, or in a tar archive (OCI image specification 1.1, "OCI
 * Image Layout Specification").
 *
 * @module
 */

import { BLOCK_LENGTH, encodeHeader, isZero, padded } from "../archive/tar.ts";
import { type Bytes, readAll } from "../bytes/chunks.ts";
import { ParError, quote } from "../errors.ts";
import { ifThere, makeFolder, readFile, stat, writeFile } from "../system/files.ts";
import type { ClientPurpose, RawManifest } from "./client.ts";
import { type Descriptor, isDescriptor, isDigest } from "./descriptor.ts";
import { checkBlob } from "./download.ts";
import { isJsonObject } from "../signing/json.ts";
import { parseRecord } from "./json.ts";
import { INDEX_TYPE, MANIFEST_TYPE } from "./media_types.ts";
import type { RegistryOptions } from "./options.ts";
import type { LayoutReference } from "./reference.ts";
import { partsOf, type Referrer } from "./referrers.ts";
import type { NewManifest, Store } from "./store.ts";
import { toContent } from "./transport.ts";
import type { Upload, UploadOptions } from "./upload.ts";

/** "Pre-Defined Annotation Keys": the tag of a manifest in `index.json`. */
const REF_NAME = "org.opencontainers.image.ref.name";
/** What `cosign save` calls a manifest in `index.json`, in the annotation `kind`. */
const COSIGN_IMAGE = "dev.cosignproject.cosign/image";
const MAX_JSON_LENGTH = 4 * 1024 * 1024;
const LAYOUT_FILE = "oci-layout";
const INDEX_FILE = "index.json";
const BLOBS = "blobs/sha256/";

/**
 * Opens a layout.
 *
 * @param reference The layout.
 * @param purpose What messages call the work, and whether it writes.
 * @param options Stops the work, and is told what is less safe on the file system.
 */
export function openLayout(
  reference: LayoutReference,
  purpose: ClientPurpose,
  options: LayoutOptions,
): Store {
  const { path, layout } = reference;
  if (layout === "oci") return new LayoutStore(reference, new Folder(path, options), purpose.task);
  return new LayoutStore(
    reference,
    purpose.push ? new NewArchive(path, options) : new Archive(path),
    purpose.task,
  );
}

type LayoutOptions = Pick<RegistryOptions, "signal" | "onNote">;

/** The files of a layout. */
interface Files {
  /** The size of a file, or `undefined` if there is none. */
  size(name: string): Promise<number | undefined>;
  /** Lists the names of the blobs' files, and may list others. */
  list?(): Promise<string[]>;
  /** Reads a part of a file. */
  read(name: string, start: number, length: number): Bytes;
  /** Writes a file. */
  write(name: string, bytes: () => Bytes | Promise<Bytes>): Promise<void>;
  /** Completes what was written. */
  finish?(): Promise<void>;
  /** Removes what was not completed. */
  remove?(): Promise<void>;
}

class LayoutStore implements Store {
  readonly #reference: LayoutReference;
  readonly #files: Files;
  readonly #task: string;

  constructor(reference: LayoutReference, files: Files, task: string) {
    this.#reference = reference;
    this.#files = files;
    this.#task = task;
  }

  async getManifest(reference: string | undefined): Promise<RawManifest> {
    const entries = await this.#index();
    const [found, second] = entries.filter(({ digest, tag, referrer }) =>
      reference === undefined ? !referrer : reference === digest || reference === tag
    );
    const digest = found?.digest ?? (isDigest(reference) ? reference : undefined);
    if (digest === undefined || second && reference === undefined) {
      const tags = entries.map(({ tag }) => tag).filter(Boolean).join(", ") || "none";
      throw new ParError(
        "ERR_REGISTRY_NOT_FOUND",
        `Cannot ${this.#task}: the layout has ` +
          `${found ? "several manifests" : `no manifest ${quote(reference ?? "")}`}; ` +
          `its tags are: ${tags}`,
      );
    }
    return { bytes: await this.#readManifest(digest), mediaType: found?.mediaType ?? "", digest };
  }

  async findDigest(tag: string | undefined): Promise<string | undefined> {
    if (await this.#files.size(INDEX_FILE) === undefined) return undefined;
    return (await this.#index()).find((entry) => entry.tag === tag)?.digest;
  }

  async *readBlob(blob: Descriptor, start: number, end: number): Bytes {
    const size = await this.#sizeOf(blobPath(blob.digest), "copy it again");
    if (size !== blob.size) {
      throw new ParError(
        "ERR_REGISTRY_DIGEST",
        `Cannot ${this.#task}: the blob ${blob.digest} has ${size} bytes, and ${blob.size} ` +
          "according to the manifest",
      );
    }
    yield* this.#files.read(blobPath(blob.digest), start, end - start);
  }

  async writeBlob(
    { digest, size, source }: Upload,
    { onProgress }: UploadOptions,
  ): Promise<boolean> {
    const path = blobPath(digest);
    const blob = { digest, size };
    if (await this.#files.size(path) === size) {
      try {
        for await (const _ of checkBlob(this.#files.read(path, 0, size), blob, this.#task));
        return false;
      } catch {
        // It is damaged, and is replaced.
      }
    }
    const watched = async function* (bytes: Bytes): Bytes {
      let done = 0;
      for await (const chunk of bytes) {
        yield chunk;
        done += chunk.length;
        onProgress?.(done, size);
      }
    };
    await this.#files.write(path, () => watched(checkBlob(source.open(), blob, this.#task)));
    return true;
  }

  async writeManifest(reference: string | undefined, manifest: NewManifest): Promise<void> {
    const { bytes, digest, mediaType, referrer } = manifest;
    await this.#files.write(blobPath(digest), toContent(bytes).open);
    await this.#files.write(LAYOUT_FILE, () => encode({ imageLayoutVersion: "1.0.0" }));
    const tag = reference === digest ? undefined : reference;
    await this.#files.write(INDEX_FILE, async () => {
      // Read while the file is locked, so that of two writers at once both are kept.
      const present = await this.#files.size(INDEX_FILE) === undefined
        ? {}
        : await this.#readIndex();
      const kept: Record<string, unknown>[] = [];
      for (const entry of manifestsOf(present)) {
        const { [REF_NAME]: name, ...annotations } = isJsonObject(entry["annotations"])
          ? entry["annotations"]
          : {};
        const same = entry["digest"] === digest;
        if (same && (tag === undefined || name === undefined || name === tag)) {
          // Nothing that names it gets lost where it is written without a tag.
          if (tag === undefined && name !== undefined) return encode(present);
          continue;
        }
        // A tag moves. What it named stays in the layout without a name, as other tools leave it.
        kept.push(tag !== undefined && name === tag ? { ...entry, annotations } : entry);
      }
      const descriptor = referrer?.descriptor;
      kept.push({
        mediaType,
        digest,
        size: bytes.length,
        ...(descriptor?.artifactType ? { artifactType: descriptor.artifactType } : {}),
        ...(tag === undefined ? {} : { annotations: { [REF_NAME]: tag } }),
      });
      return encode({ schemaVersion: 2, mediaType: INDEX_TYPE, ...present, manifests: kept });
    });
  }

  async listReferrers(digest: string): Promise<Referrer[]> {
    const found = new Map<string, Referrer>();
    for (const entry of [...await this.#index(), ...await this.#savedByCosign()]) {
      const { mediaType, digest: own, size } = entry;
      if (partsOf(await this.#readManifest(own))?.subject !== digest) continue;
      found.set(own, { mediaType, digest: own, size });
    }
    return [...found.values()];
  }

  async listTags(): Promise<string[]> {
    const tags = (await this.#index()).map(({ tag }) => tag);
    return tags.filter((tag) => tag !== undefined).sort();
  }

  async finish(): Promise<void> {
    await this.#files.finish?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files.remove?.();
  }

  async #readIndex(): Promise<Record<string, unknown>> {
    const value = parseRecord(await this.#readSmall(INDEX_FILE, "copy it again"));
    if (value && Array.isArray(value["manifests"])) return value;
    throw new ParError(
      "ERR_REGISTRY_CONTENT",
      `Cannot ${this.#task}: the ${INDEX_FILE} of the layout is not a JSON object with manifests`,
    );
  }

  async #index(): Promise<(Descriptor & { tag: string | undefined; referrer: boolean })[]> {
    if (await this.#files.size(INDEX_FILE) === undefined) {
      throw new ParError(
        "ERR_REGISTRY_NOT_FOUND",
        `Cannot ${this.#task}: there is no OCI image layout in ${quote(this.#reference.path)}`,
      );
    }
    const entries: unknown[] = manifestsOf(await this.#readIndex());
    return await Promise.all(
      entries.filter(isDescriptor).map(async (entry) => {
        const { mediaType, digest, size } = entry;
        const { annotations } = entry as { annotations?: unknown };
        const name = isJsonObject(annotations) ? annotations[REF_NAME] : undefined;
        const tag = typeof name === "string" ? name : undefined;
        const referrer = tag === undefined &&
          partsOf(await this.#readManifest(digest))?.subject !== undefined;
        return { mediaType, digest, size, tag, referrer };
      }),
    );
  }

  /**
   * The blobs that may be manifests of bundles, in a layout that `cosign save` wrote. It lists none of
   * them in the index, and reads every blob to find them.
   */
  async #savedByCosign(): Promise<Descriptor[]> {
    const isSaved = manifestsOf(await this.#readIndex()).some(({ annotations }) =>
      isJsonObject(annotations) && annotations["kind"] === COSIGN_IMAGE
    );
    const found: Descriptor[] = [];
    for (const name of isSaved ? (await this.#files.list?.() ?? []).sort() : []) {
      const digest = name.replace(BLOBS, "sha256:");
      const size = await this.#files.size(name) ?? 0;
      if (isDigest(digest) && size <= MAX_JSON_LENGTH) {
        found.push({ mediaType: MANIFEST_TYPE, digest, size });
      }
    }
    return found;
  }

  #readManifest(digest: string): Promise<Uint8Array> {
    return this.#readSmall(blobPath(digest), "check the digest, or copy it again");
  }

  async #readSmall(name: string, advice: string): Promise<Uint8Array> {
    const size = await this.#sizeOf(name, advice);
    if (size > MAX_JSON_LENGTH) {
      throw notALayout(
        this.#reference.path,
        `${quote(name)} has more than ${MAX_JSON_LENGTH} bytes`,
      );
    }
    return await readAll(this.#files.read(name, 0, size));
  }

  async #sizeOf(name: string, advice: string): Promise<number> {
    const size = await this.#files.size(name);
    if (size !== undefined) return size;
    throw new ParError(
      "ERR_REGISTRY_NOT_FOUND",
      `Cannot ${this.#task}: the layout has no file ${quote(name)}; ${advice}`,
    );
  }
}

/** A layout in a folder. */
class Folder implements Files {
  readonly #path: string;
  readonly #options: LayoutOptions;

  constructor(path: string, options: LayoutOptions) {
    this.#path = path;
    this.#options = options;
  }

  async size(name: string): Promise<number | undefined> {
    try {
      return (await ifThere(stat(`${this.#path}/${name}`)))?.size;
    } catch (cause) {
      if (!((cause as ParError).cause instanceof Deno.errors.NotADirectory)) throw cause;
      throw notALayout(this.#path, "it is a file; a layout in a tar archive is oci-archive:FILE");
    }
  }

  async list(): Promise<string[]> {
    const files = await Array.fromAsync(Deno.readDir(`${this.#path}/${BLOBS}`));
    return files.map(({ name }) => BLOBS + name);
  }

  read(name: string, start: number, length: number): Bytes {
    return readFile(`${this.#path}/${name}`, { start, length });
  }

  async write(name: string, bytes: () => Bytes | Promise<Bytes>): Promise<void> {
    const path = `${this.#path}/${name}`;
    await makeFolder(path.slice(0, path.lastIndexOf("/")));
    await writeFile(path, async (sink) => {
      for await (const chunk of await bytes()) await sink.write(chunk);
    }, { signal: this.#options.signal, onWarning: this.#options.onNote });
  }
}

/** A layout in a tar archive, which is read and never changed. */
class Archive implements Files {
  readonly #path: string;
  #entries: Promise<ReadonlyMap<string, { start: number; size: number }>> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async size(name: string): Promise<number | undefined> {
    return (await (this.#entries ??= listTar(this.#path))).get(name)?.size;
  }

  async list(): Promise<string[]> {
    return [...(await (this.#entries ??= listTar(this.#path))).keys()];
  }

  async *read(name: string, start: number, length: number): Bytes {
    const entry = (await (this.#entries ??= listTar(this.#path))).get(name);
    const size = Math.max(0, Math.min(length, (entry?.size ?? 0) - start));
    if (entry) yield* readFile(this.#path, { start: entry.start + start, length: size });
  }

  write(): Promise<void> {
    throw new TypeError("An archive that is read cannot be written");
  }
}

/** A new archive: a folder beside it, which becomes a tar archive when it is complete. */
class NewArchive implements Files {
  readonly #path: string;
  readonly #options: LayoutOptions;
  readonly #names = new Map<string, number>();
  #temporary: Promise<string> | undefined;

  constructor(path: string, options: LayoutOptions) {
    this.#path = path;
    this.#options = options;
  }

  size(name: string): Promise<number | undefined> {
    return Promise.resolve(this.#names.get(name));
  }

  async *read(name: string, start: number, length: number): Bytes {
    yield* (await this.#folder()).read(name, start, length);
  }

  async write(name: string, bytes: () => Bytes | Promise<Bytes>): Promise<void> {
    const folder = await this.#folder();
    await folder.write(name, bytes);
    this.#names.set(name, await folder.size(name) ?? 0);
  }

  async finish(): Promise<void> {
    const folder = await this.#folder();
    await writeFile(this.#path, async (sink) => {
      for (const name of [...this.#names.keys()].sort()) {
        const size = this.#names.get(name) ?? 0;
        await sink.write(encodeHeader(name, size, 0o644));
        for await (const chunk of folder.read(name, 0, size)) await sink.write(chunk);
        await sink.write(new Uint8Array(padded(size) - size));
      }
      await sink.write(new Uint8Array(2 * BLOCK_LENGTH));
    }, { signal: this.#options.signal, onWarning: this.#options.onNote });
  }

  async remove(): Promise<void> {
    const temporary = await this.#temporary?.catch(() => undefined);
    if (temporary) await Deno.remove(temporary, { recursive: true }).catch(() => {});
  }

  async #folder(): Promise<Folder> {
    const dir = this.#path.slice(0, this.#path.lastIndexOf("/") + 1) || ".";
    this.#temporary ??= Deno.makeTempDir({ dir, prefix: ".par-layout-" }).catch((cause) => {
      throw new ParError(
        "ERR_FILE_UNWRITABLE",
        `Cannot write ${quote(this.#path)}: no folder can be made beside it`,
        cause,
      );
    });
    return new Folder(await this.#temporary, this.#options);
  }
}

/**
 * Finds the files of a tar archive by their headers. Other tools write archives with folders, owners
 * and long names, so this reads no more of a header than it needs: digests decide what is right.
 */
async function listTar(path: string): Promise<Map<string, { start: number; size: number }>> {
  const entries = new Map<string, { start: number; size: number }>();
  const text = (block: Uint8Array, offset: number, length: number): string =>
    new TextDecoder().decode(block.subarray(offset, offset + length)).replace(/\0.*$/s, "");
  for (let at = 0;;) {
    const block = await readAll(readFile(path, { start: at, length: BLOCK_LENGTH }));
    if (block.length < BLOCK_LENGTH || isZero(block)) break;
    if (text(block, 257, 5) !== "ustar") throw notALayout(path, "it is not a tar archive");
    // GNU tar writes sizes from 8 GiB on as binary numbers.
    const size = (block[124] ?? 0) >= 0x80
      ? Number(new DataView(block.buffer).getBigUint64(128))
      : parseInt(text(block, 124, 12).trim() || "0", 8);
    if (!Number.isSafeInteger(size)) throw notALayout(path, "a size in it is not a number");
    const name = text(block, 0, 100).replace(/^\.\//, "");
    const type = text(block, 156, 1);
    if (type === "" || type === "0") entries.set(name, { start: at + BLOCK_LENGTH, size });
    at += BLOCK_LENGTH + padded(size);
  }
  if (!entries.has(INDEX_FILE)) throw notALayout(path, `it has no ${INDEX_FILE}`);
  return entries;
}

function notALayout(path: string, reason: string): ParError {
  return new ParError(
    "ERR_REGISTRY_CONTENT",
    `Cannot read ${quote(path)} as an OCI image layout: ${reason}`,
  );
}

function blobPath(digest: string): string {
  return digest.replace("sha256:", BLOBS);
}

function manifestsOf(index: Record<string, unknown>): Record<string, unknown>[] {
  const { manifests } = index;
  return Array.isArray(manifests) ? manifests.filter(isJsonObject) : [];
}

function encode(value: unknown): Bytes {
  return toContent(new TextEncoder().encode(JSON.stringify(value))).open();
}
