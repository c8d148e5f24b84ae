/**
 * A repository of a registry as a store: requests that are tried again, uploads and downloads.
 *
 * @module
 */

import type { Bytes } from "../bytes/chunks.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import { ParError } from "../errors.ts";
import { ifFound, RefusedError } from "./answer.ts";
import type { RawManifest, RegistryClient } from "./client.ts";
import type { Descriptor } from "./descriptor.ts";
import { downloadBlob } from "./download.ts";
import {
  addReferrer,
  fallbackTag,
  MAX_REFERRERS,
  type Referrer,
  referrersOf,
  tooManyReferrers,
} from "./referrers.ts";
import { retry, TransientError } from "./retry.ts";
import type { NewManifest, Store } from "./store.ts";
import { type Upload, uploadBlob, type UploadOptions } from "./upload.ts";

/** How often a list is written before it counts as too busy. */
const MAX_ROUNDS = 20;
/** Milliseconds to wait at least, and at most, before a list that was written is looked at again. */
const MIN_PAUSE = 100;
const MAX_PAUSE = 5_000;

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
    const computed = await this.#putManifest(reference, manifest);
    if (computed !== undefined && computed !== digest) {
      throw new ParError(
        "ERR_REGISTRY_DIGEST",
        `Cannot ${task}: the manifest has the digest ${digest}, and the registry computed ` +
          `${computed}; it changed on its way, push it again`,
      );
    }
    if (!referrer || await this.#isListed(reference, referrer.subject, manifest)) return;
    // "Pushing Manifests with Subject": this registry keeps no list of referrers, so the client does.
    const descriptor = { ...referrer.descriptor, mediaType, digest, size: bytes.length };
    await this.#addToFallback(fallbackTag(referrer.subject), descriptor);
  }

  async listReferrers(digest: string): Promise<Referrer[]> {
    let failure: unknown;
    const list = await this.#getReferrers(digest, (error) => failure = error);
    if (list) return list;
    const fallback = await ifFound(this.getManifest(fallbackTag(digest)));
    // Without its list, nobody knows that nothing refers to it.
    if (!fallback && failure) throw failure;
    const found = referrersOf(fallback?.bytes);
    if (found.length > MAX_REFERRERS) throw tooManyReferrers(this.#client.task);
    return found;
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

  /**
   * Asks for the registry's own list. A registry that has none, or that cannot give it, leaves it to the
   * tag.
   */
  async #getReferrers(
    digest: string,
    onFailure: (error: unknown) => void,
  ): Promise<Referrer[] | undefined> {
    try {
      return await this.#retry(() => this.#client.getReferrers(digest));
    } catch (error) {
      if (!(error instanceof ParError && error.cause instanceof TransientError)) throw error;
      onFailure(error);
      return undefined;
    }
  }

  /**
   * Tells whether the registry lists a manifest that was just written. What it says in answer to the
   * PUT is not enough: some registries state `OCI-Subject` and have no list, others have one and do not
   * state it. A list that lacks the manifest may have been overwritten, as olareg 0.1.2 does it when
   * several write at once; writing the manifest again adds it.
   */
  async #isListed(reference: string, subject: string, manifest: NewManifest): Promise<boolean> {
    let again = false;
    return await this.#retry(async () => {
      if (again) await this.#putManifest(reference, manifest);
      const list = await this.#getReferrers(subject, () => {});
      again = list !== undefined && !list.some(({ digest }) => digest === manifest.digest);
      if (again) {
        throw new TransientError(
          `the registry's list of what refers to ${subject} lacks ${manifest.digest}`,
        );
      }
      return list !== undefined;
    });
  }

  /**
   * Adds a referrer to the index under a tag. The protocol has no lock, and few registries support
   * conditional requests. So this looks again after the time that another writer may need between
   * reading the index and writing it, and writes again if its entry was lost.
   */
  async #addToFallback(tag: string, descriptor: Referrer): Promise<void> {
    const { task, backoff: { clock, signal } } = this.#client;
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      const start = clock.now();
      const present = await ifFound(this.getManifest(tag));
      const index = await addReferrer(present, descriptor, task);
      if (!index) return;
      await this.#putFallback(tag, index, present);
      const pause = Math.min(MAX_PAUSE, Math.max(MIN_PAUSE, 3 * (clock.now() - start)));
      await clock.sleep(pause * (1 + clock.random() * Math.min(round, 4)), signal);
      throwIfAborted(signal);
    }
    throw new ParError(
      "ERR_REGISTRY_REFUSED",
      `Cannot ${task}: others overwrote the tag ${tag}, which lists it, ${MAX_ROUNDS} times; ` +
        "try again when fewer write at once",
    );
  }

  /** Writes an index under a tag that others may write too. */
  async #putFallback(
    tag: string,
    { bytes, mediaType }: Pick<NewManifest, "bytes" | "mediaType">,
    present: RawManifest | undefined,
  ): Promise<void> {
    const { etag = "" } = present ?? {};
    const conditions: Record<string, string> = {};
    if (!present) conditions["if-none-match"] = "*";
    // A weak one does not name the same bytes (RFC 9110, section 8.8.1).
    else if (etag && !etag.startsWith("W/")) conditions["if-match"] = etag;
    try {
      await this.#retry(() => this.#client.putManifest(tag, bytes, mediaType, conditions));
    } catch (error) {
      // Somebody else wrote first.
      if (!(error instanceof RefusedError && error.status === 412)) throw error;
    }
  }

  /** Writes a manifest. A registry may refuse to move a tag, and may say so in many ways. */
  async #putManifest(
    reference: string,
    { bytes, digest, mediaType }: Pick<NewManifest, "bytes" | "digest" | "mediaType">,
  ): Promise<string | undefined> {
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
      if (present === digest) return digest;
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
