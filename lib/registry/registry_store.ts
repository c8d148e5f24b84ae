/**
 * A repository of a registry as a store: requests that are tried again, uploads and downloads.
 *
 * @module
 */

import type { Bytes } from "../bytes/chunks.ts";
import { ParError } from "../errors.ts";
import { RefusedError } from "./answer.ts";
import type { RawManifest, RegistryClient } from "./client.ts";
import type { Descriptor } from "./descriptor.ts";
import { downloadBlob } from "./download.ts";
import { addReferrer, fallbackTag, type Referrer, referrersOf } from "./referrers.ts";
import { retry } from "./retry.ts";
import type { NewManifest, Store } from "./store.ts";
import { type Upload, uploadBlob, type UploadOptions } from "./upload.ts";

/** A repository of a registry. */
export class RegistryStore implements Store {
  readonly #client: RegistryClient;

  /** Makes a store of a client, which it closes. */
  constructor(client: RegistryClient) {
    this.#client = client;
  }

  getManifest(reference = "latest"): Promise<RawManifest> {
    return this.#retry(() => this.#client.getManifest(reference));
  }

  async findDigest(tag = "latest"): Promise<string | undefined> {
    return await this.#retry(() => this.#client.headManifest(tag));
  }

  readBlob(
    blob: Descriptor,
    start: number,
    end: number,
    onReceived: (count: number) => void = () => {},
  ): Bytes {
    return downloadBlob(this.#client, blob, start, end, onReceived);
  }

  writeBlob(upload: Upload, options: UploadOptions): Promise<boolean> {
    return uploadBlob(this.#client, upload, options);
  }

  async writeManifest(reference = "latest", manifest: NewManifest): Promise<void> {
    const { bytes, digest, mediaType, referrer } = manifest;
    const { task } = this.#client;
    const { digest: computed, subject } = await this.#putManifest(reference, manifest);
    if (computed !== undefined && computed !== digest) {
      throw new ParError(
        "ERR_REGISTRY_DIGEST",
        `Cannot ${task}: the manifest has the digest ${digest}, and the registry computed ` +
          `${computed}; it changed on its way, push it again`,
      );
    }
    if (referrer === undefined || subject !== undefined) return;
    // "Pushing Manifests with Subject": this registry keeps no list of referrers, so the client does.
    const tag = fallbackTag(referrer.subject);
    const descriptor = { ...referrer.descriptor, mediaType, digest, size: bytes.length };
    const list = await addReferrer(await this.#getFallback(tag), descriptor);
    if (list) await this.#putManifest(tag, list);
  }

  async listReferrers(digest: string): Promise<Referrer[]> {
    const list = await this.#retry(() => this.#client.getReferrers(digest));
    return list ?? referrersOf((await this.#getFallback(fallbackTag(digest)))?.bytes);
  }

  listTags(): Promise<string[]> {
    return this.#retry(() => this.#client.listTags());
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  async #getFallback(tag: string): Promise<RawManifest | undefined> {
    try {
      return await this.getManifest(tag);
    } catch (error) {
      if (error instanceof RefusedError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Writes a manifest. A registry may refuse to move a tag, and may say so in many ways. */
  async #putManifest(
    reference: string,
    { bytes, digest, mediaType }: Pick<NewManifest, "bytes" | "digest" | "mediaType">,
  ): Promise<{ digest: string | undefined; subject: string | undefined }> {
    const { task } = this.#client;
    try {
      return await this.#retry(() => this.#client.putManifest(reference, bytes, mediaType));
    } catch (cause) {
      // These say what else is wrong: no login, no repository, too large, or not a good manifest.
      const other = !(cause instanceof RefusedError) || [401, 404, 413].includes(cause.status) ||
        /MANIFEST_INVALID|BLOB_UNKNOWN/.test(cause.message);
      if (other) throw cause;
      const present = await this.findDigest(reference);
      // Another process may have pushed the same archive meanwhile.
      if (present === digest) return { digest, subject: undefined };
      if (present === undefined) throw cause;
      const said = cause.message.replace(`Cannot ${task}: `, "").replace(/;.*$/s, "");
      throw new ParError(
        "ERR_REGISTRY_REFUSED",
        `Cannot ${task}: the tag exists and names ${present}, and the registry does not allow you to ` +
          `overwrite it (${said}); push with another tag`,
        cause,
      );
    }
  }

  #retry<T>(work: () => Promise<T>): Promise<T> {
    return retry(work, this.#client.backoff);
  }
}
