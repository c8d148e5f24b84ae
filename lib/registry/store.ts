/**
 * Stores: what a registry and an OCI image layout have in common.
 *
 * @module
 */

import type { Bytes } from "../bytes/chunks.ts";
import type { RawManifest } from "./client.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Referrer } from "./referrers.ts";
import type { Upload, UploadOptions } from "./upload.ts";

/** One repository of manifests and blobs. */
export interface Store extends AsyncDisposable {
  /**
   * Reads a manifest. Nothing is checked.
   *
   * @param reference A tag or a digest; `undefined` for the only manifest of a layout.
   */
  getManifest(reference: string | undefined): Promise<RawManifest>;

  /** Gives the digest of the manifest that a tag names, if there is one. */
  findDigest(tag: string | undefined): Promise<string | undefined>;

  /**
   * Reads a part of a blob. Nothing is checked.
   *
   * @param onReceived Is told how many bytes came over the network.
   */
  readBlob(
    blob: Descriptor,
    start: number,
    end: number,
    onReceived?: (count: number) => void,
  ): Bytes;

  /** Writes a blob, and returns `false` if the store has it already. */
  writeBlob(upload: Upload, options: UploadOptions): Promise<boolean>;

  /** Writes a manifest whose blobs are there. */
  writeManifest(reference: string | undefined, manifest: NewManifest): Promise<void>;

  /** Lists the manifests whose subject has a digest: signatures, attestations. */
  listReferrers(digest: string): Promise<Referrer[]>;

  /** Lists the tags. */
  listTags(): Promise<string[]>;

  /** Completes what was written. Without it a new archive of a layout is not kept. */
  finish(): Promise<void>;
}

/** A manifest to write. */
export interface NewManifest {
  /** Its bytes. */
  readonly bytes: Uint8Array;
  /** Its digest. */
  readonly digest: string;
  /** Its media type. */
  readonly mediaType: string;
  /** What it refers to, and how lists of referrers describe it. */
  readonly referrer?: { readonly subject: string; readonly descriptor: Referrer } | undefined;
}
