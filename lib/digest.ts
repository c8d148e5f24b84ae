/**
 * SHA-256 of bytes as they pass. WebCrypto digests only what is in memory, so this takes the native
 * hash where there is one. This module is browser compatible.
 *
 * @module
 */

import { hex } from "./hex.ts";
import { builtin } from "./runtime.ts";

/** A SHA-256 computation (FIPS 180-4) under way. */
export interface Sha256 {
  /** Takes the next bytes. */
  update(chunk: Uint8Array): void;
  /** Ends the computation and gives its 32 bytes; to be called once. */
  digest(): Uint8Array;
}

/**
 * Begins a SHA-256 computation.
 *
 * @returns The computation.
 */
export async function createSha256(): Promise<Sha256> {
  const native = builtin("node:crypto")?.createHash("sha256");
  if (native) {
    return {
      update: (chunk) => void native.update(chunk),
      digest: () => native.digest(),
    };
  }
  const { sha256 } = await import("npm:@noble/hashes@2.4.0/sha2.js");
  const hash = sha256.create();
  return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest() };
}

/** A digest as the claims spell it: upper-case hexadecimal. */
export function toClaimsHash(digest: Uint8Array): string {
  return hex(digest).toUpperCase();
}
