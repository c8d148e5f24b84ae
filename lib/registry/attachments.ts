/**
 * Attachments: small artifacts, such as signatures and SBOMs, whose manifests have an archive's manifest
 * as their subject (OCI image specification 1.1, "Guidelines for Artifact Usage").
 *
 * @module
 */

import { readAll } from "../bytes/chunks.ts";
import { ParError } from "../errors.ts";
import { type Descriptor, digestOf } from "./descriptor.ts";
import { checkBlob } from "./download.ts";
import { type Annotations, EMPTY_TYPE, MANIFEST_TYPE } from "./media_types.ts";
import { fetchManifest, findManifest, openStore } from "./open_store.ts";
import type { RegistryOptions } from "./options.ts";
import { formatReference, type Reference } from "./reference.ts";
import { describeManifest, partsOf } from "./referrers.ts";
import type { Store } from "./store.ts";
import { toContent } from "./transport.ts";
import { DEFAULT_CHUNK_SIZE } from "./upload.ts";

/** Something that is attached to an archive. */
export interface Attachment {
  /** The digest of its manifest. */
  readonly digest: string;
  /** What kind of artifact it is, as its own manifest says. */
  readonly artifactType: string | undefined;
  /** The blobs that hold its content. */
  readonly layers: readonly Descriptor[];
  /** The annotations of its manifest. Other than texts are left out. */
  readonly annotations: Annotations;
}

/** Something to attach to an archive. */
export interface NewAttachment {
  /** What kind of artifact it is: the media type of its content. */
  readonly artifactType: string;
  /** Its content. */
  readonly content: Uint8Array<ArrayBuffer>;
  /** The annotations of its manifest. */
  readonly annotations: Annotations;
}

/** Settings of {@linkcode openAttachments}. */
export interface AttachmentsOptions extends RegistryOptions {
  /** Whether something will be attached. */
  readonly write?: boolean | undefined;
}

/** All manifests that refer to one archive have at most so many bytes. */
const MAX_TOTAL = 16 * 1024 * 1024;

/** All blobs that are read have together at most so many bytes. */
const MAX_CONTENT = 64 * 1024 * 1024;

/** How many manifests are requested at once. */
const AT_ONCE = 8;

const EMPTY = new TextEncoder().encode("{}");

/**
 * Opens what is attached to an archive. No request is sent and no file is read yet.
 *
 * @param reference Where the archive is.
 * @param subject The digest of its manifest.
 * @param options How to reach the registry.
 * @throws {ParError} `ERR_REFERENCE_INVALID` if something shall be attached in a tar archive, which
 * cannot be changed.
 */
export function openAttachments(
  reference: Reference,
  subject: string,
  options: AttachmentsOptions = {},
): Attachments {
  const { write = false } = options;
  const name = formatReference(reference);
  const task = write ? `attach to ${name}` : `read what is attached to ${name}`;
  if (write) checkAttachable(reference);
  return new Attachments(openStore(reference, { task, push: write }, options), task, subject);
}

/**
 * Checks that something can be attached where a reference leads.
 *
 * @throws {ParError} `ERR_REFERENCE_INVALID` for a layout in a tar archive, which is never changed.
 */
export function checkAttachable(reference: Reference): void {
  if (!("layout" in reference) || reference.layout === "oci") return;
  throw new ParError(
    "ERR_REFERENCE_INVALID",
    `Cannot attach to ${formatReference(reference)}: a layout in a tar archive is not changed; ` +
      "copy it to a folder (oci:FOLDER), and back when everything is attached",
  );
}

/** What is attached to one archive. {@linkcode openAttachments} opens it. */
export class Attachments implements AsyncDisposable {
  readonly #store: Store;
  readonly #task: string;
  readonly #subject: string;
  #content = 0;

  constructor(store: Store, task: string, subject: string) {
    this.#store = store;
    this.#task = task;
    this.#subject = subject;
  }

  /**
   * Lists what is attached. The manifests themselves are read: lists of referrers may state wrong types.
   * What is listed and not there, or has another subject, is left out.
   *
   * @throws {ParError} `ERR_LIMIT_REFERRERS` if too much is attached; other errors of category `failed`;
   * `ERR_REGISTRY_DIGEST` if a manifest has not the digest that it is listed with.
   */
  async list(): Promise<Attachment[]> {
    const referrers = await this.#store.listReferrers(this.#subject);
    const found: Attachment[] = [];
    let total = 0;
    for (let at = 0; at < referrers.length; at += AT_ONCE) {
      const group = referrers.slice(at, at + AT_ONCE);
      const manifests = await Promise.all(
        group.map(({ digest }) => findManifest(this.#store, digest, this.#task)),
      );
      for (const [index, manifest] of manifests.entries()) {
        const bytes = manifest?.bytes;
        total += bytes?.length ?? 0;
        if (total > MAX_TOTAL) throw this.#tooLarge("the manifests that refer to it", MAX_TOTAL);
        const parts = bytes && partsOf(bytes);
        if (parts?.subject !== this.#subject) continue;
        const { artifactType, layers, annotations = {} } = parts;
        found.push({ digest: group[index]?.digest as string, artifactType, layers, annotations });
      }
    }
    return found;
  }

  /**
   * Reads a blob of an attachment, and checks its digest.
   *
   * @param blob The blob.
   * @param maxSize The most bytes that it may have.
   * @throws {ParError} `ERR_LIMIT_REFERRERS` if it is larger, or too much was read;
   * `ERR_REGISTRY_DIGEST` if it has another digest; other errors of category `failed`.
   */
  async read(blob: Descriptor, maxSize: number): Promise<Uint8Array<ArrayBuffer>> {
    if (blob.size > maxSize) throw this.#tooLarge(`the blob ${blob.digest}`, maxSize);
    const content = this.#content + blob.size;
    if (content > MAX_CONTENT) throw this.#tooLarge("what is attached", MAX_CONTENT);
    this.#content = content;
    return await readAll(checkBlob(this.#store.readBlob(blob, 0, blob.size), blob, this.#task));
  }

  /**
   * Attaches something to the archive.
   *
   * @returns The digest of its manifest.
   * @throws {ParError} Category `failed`.
   */
  async add({ artifactType, content, annotations }: NewAttachment): Promise<string> {
    const subject = await fetchManifest(this.#store, { digest: this.#subject }, this.#task);
    const { mediaType, digest, size } = describeManifest(
      subject.bytes,
      subject.mediaType,
      this.#subject,
    );
    const config = { mediaType: EMPTY_TYPE, digest: await digestOf(EMPTY), size: EMPTY.length };
    const layer = {
      mediaType: artifactType,
      digest: await digestOf(content),
      size: content.length,
    };
    for (const [blob, bytes] of [[config, EMPTY], [layer, content]] as const) {
      const source = { name: "an attachment", open: toContent(bytes).open };
      await this.#store.writeBlob({ ...blob, source }, { chunkSize: DEFAULT_CHUNK_SIZE });
    }
    const bytes = new TextEncoder().encode(JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      artifactType,
      config,
      layers: [layer],
      subject: { mediaType, digest, size },
      annotations,
    }));
    const own = await digestOf(bytes);
    await this.#store.writeManifest(own, {
      bytes,
      digest: own,
      mediaType: MANIFEST_TYPE,
      referrer: {
        subject: this.#subject,
        descriptor: describeManifest(bytes, MANIFEST_TYPE, own),
      },
    });
    await this.#store.finish();
    return own;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  #tooLarge(what: string, limit: number): ParError {
    return new ParError(
      "ERR_LIMIT_REFERRERS",
      `Cannot ${this.#task}: ${what} has more than ${limit} bytes; delete what nobody needs`,
    );
  }
}
