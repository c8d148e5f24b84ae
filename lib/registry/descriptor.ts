/**
 * Descriptors and digests: how a blob is named (OCI image specification 1.1, "Descriptors").
 *
 * @module
 */

import { createSha256 } from "../bytes/digest.ts";
import { hex } from "../bytes/hex.ts";
import { isJsonObject } from "../signing/json.ts";

/** What names a blob: its media type, its digest and its size. */
export interface Descriptor {
  /** What kind of content the blob is. */
  readonly mediaType: string;
  /** `sha256:` and 64 lower-case hexadecimal digits. */
  readonly digest: string;
  /** The blob's length in bytes. */
  readonly size: number;
}

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Tells whether a value is a SHA-256 digest as descriptors write it. */
export function isDigest(value: unknown): value is string {
  return typeof value === "string" && DIGEST.test(value);
}

/** Tells whether a value has the fields of a descriptor. */
export function isDescriptor(value: unknown): value is Descriptor {
  return isJsonObject(value) && typeof value["mediaType"] === "string" &&
    isDigest(value["digest"]) &&
    Number.isSafeInteger(value["size"]) && value["size"] as number >= 0;
}

/**
 * Computes the digest of bytes in memory.
 *
 * @param bytes The bytes.
 * @returns `sha256:` and 64 hexadecimal digits.
 */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  const hash = await createSha256();
  await hash.update(bytes);
  return `sha256:${hex(await hash.digest())}`;
}
