/**
 * SHA-256 of bytes as they pass. This module is browser compatible.
 *
 * @module
 */

import { concat } from "./chunks.ts";
import { hex } from "./hex.ts";
import { builtin, hasBuiltins } from "../runtime/builtins.ts";

/** What is digested in one call. To load `node:crypto` takes longer than to hash many times this. */
const SMALL_LENGTH = 256 * 1024;

/** A SHA-256 computation (FIPS 180-4) under way. */
export interface Sha256 {
  /** Takes the next bytes, which are not used any more once this has ended. */
  update(chunk: Uint8Array): Promise<void> | void;
  /** Ends the computation and gives its 32 bytes; to be called once. */
  digest(): Promise<Uint8Array>;
}

/**
 * Begins a SHA-256 computation. WebCrypto digests only what is in memory, so it gets what is small,
 * and the native hash of `node:crypto` the rest, or one in JavaScript where there is none.
 *
 * @returns The computation.
 */
export async function createSha256(): Promise<Sha256> {
  if (hasBuiltins()) return new TwoStepSha256(createNative);
  const { sha256 } = await import("npm:@noble/hashes@2.4.0/sha2.js");
  return new TwoStepSha256(() => sha256.create());
}

/** What hashes in JavaScript and natively have in common. */
interface Incremental {
  update(chunk: Uint8Array): unknown;
  digest(): Uint8Array;
}

function createNative(): Incremental {
  const hash = builtin("node:crypto")?.createHash("sha256");
  if (!hash) throw new TypeError("There is no node:crypto here");
  return hash;
}

/** Keeps the first bytes, and begins to compute when they are no longer few. */
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
      // Not `slice`: that of a `Buffer` is no copy.
      this.#first.push(new Uint8Array(chunk));
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

/** A digest as the claims spell it: upper-case hexadecimal. */
export function toClaimsHash(digest: Uint8Array): string {
  return hex(digest).toUpperCase();
}
