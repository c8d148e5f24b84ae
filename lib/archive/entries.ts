/**
 * The three kinds of entries, and their names. This module is browser compatible.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { isTargetName, type Target } from "../target/target.ts";

/** The entry that holds the signed token. */
export const CLAIMS_ENTRY = "claims.jwt";

/** The entry that holds the provider's WIT package, and the key of its hash in the claims. */
export const WIT_ENTRY = "world.wasm";

/** What an entry is, by its name. */
export type EntryKind =
  | { readonly kind: "claims" }
  | { readonly kind: "wit" }
  | { readonly kind: "binary"; readonly target: Target };

/** The name of the entry that holds the binary for a target. */
export function binaryEntry(target: Target): string {
  return `${target}.bin`;
}

/**
 * Tells what an entry is by its name.
 *
 * @throws {ParError} `ERR_ENTRY_PATH` or `ERR_ENTRY_UNKNOWN`.
 */
export function parseEntryName(name: string): EntryKind {
  if (/[/\\]/.test(name)) throw entryPath(name);
  if (name === CLAIMS_ENTRY) return { kind: "claims" };
  if (name === WIT_ENTRY) return { kind: "wit" };
  const target = name.slice(0, -".bin".length);
  if (name.endsWith(".bin") && isTargetName(target)) return { kind: "binary", target };
  throw new ParError(
    "ERR_ENTRY_UNKNOWN",
    `Cannot trust the archive: entry ${quote(name)} is neither ${CLAIMS_ENTRY}, ` +
      `${WIT_ENTRY} nor <target>.bin`,
  );
}

/** The error for a name that is a path. */
export function entryPath(name: string): ParError {
  return new ParError(
    "ERR_ENTRY_PATH",
    `Cannot trust the archive: the name of entry ${quote(name)} is a path`,
  );
}

/** The key of an entry's hash in the claims: the target, or `world.wasm`. */
export function hashKey(entry: Exclude<EntryKind, { kind: "claims" }>): string {
  return entry.kind === "wit" ? WIT_ENTRY : entry.target;
}
