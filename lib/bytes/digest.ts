/**
 * SHA-256 of bytes in chunks. This module is browser compatible.
 *
 * @module
 */

import { concat, keep } from "./chunks.ts";
import { hex } from "./hex.ts";
import { builtin, hasBuiltins } from "../runtime/builtins.ts";

/** Up to this length WebCrypto digests in one call. Loading `node:crypto` takes longer than that. */
const SMALL_LENGTH = 256 * 1024;

/** A SHA-256 computation (FIPS 180-4). */
export interface Sha256 {
  /** Takes the next bytes. They are no longer needed after this has ended. */
  update(chunk: Uint8Array): Promise<void> | void;
  /** Ends the computation and gives the 32 bytes of the digest. Call it once. */
  digest(): Promise<Uint8Array>;
}

/**
 * Begins a SHA-256 computation. WebCrypto digests only bytes that are in memory, so it does the small
 * ones; `node:crypto` does the others, or JavaScript where there is no `node:crypto`.
 */
export async function createSha256(): Promise<Sha256> {
  if (hasBuiltins()) return new TwoStepSha256(createNative);
  const { sha256 } = await import("npm:@noble/hashes@2.4.0/sha2.js");
  return new TwoStepSha256(() => sha256.create());
}

/** The part that native and JavaScript hashes have in common. */
interface Incremental {
  update(chunk: Uint8Array): unknown;
  digest(): Uint8Array;
}

function createNative(): Incremental {
  const hash = builtin("node:crypto")?.createHash("sha256");
  if (!hash) throw new TypeError("There is no node:crypto here");
  return hash;
}

/** Keeps the first bytes, and starts a hash once there are too many. */
class TwoStepSha256 implements Sha256 {
  readonly #begin: () => Incremental;
  readonly #first: Uint8Array[] = [];
  #kept = 0;
  #hash: Incremental | undefined;

  constructor(begin: () => Incremental) {
    this.#begin = begin;
  }

  update(chunk: Uint8Array): void {
    if (!this.#hash && this.#kept + chunk.length <= SMALL_LENGTH) {
      this.#first.push(keep(chunk));
      this.#kept += chunk.length;
      return;
    }
    if (!this.#hash) {
      this.#hash = this.#begin();
      for (const kept of this.#first.splice(0)) this.#hash.update(kept);
    }
    this.#hash.update(chunk);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash?.digest() ??
      new Uint8Array(await crypto.subtle.digest("SHA-256", concat(this.#first)));
  }
}

/** Writes a digest as the claims do: in upper-case hexadecimal. */
export function toClaimsHash(digest: Uint8Array): string {
  return hex(digest).toUpperCase();
}
