/**
 * Compares what readers made of the same archive.
 *
 * @module
 */

import type { File, Reading } from "./ours.ts";

/** The members that the format has (`docs/format.md`, section 4). */
const MEMBERS = ["exp", "jti", "iat", "iss", "sub", "nbf", "wascap", "wascap_revision"];
const WASCAP_MEMBERS = ["name", "capid", "vendor", "rev", "ver", "target_hashes", "config_schema"];

/**
 * Tells in which way somebody who read an archive read another one than we did.
 *
 * @param ours What we made of it; it was accepted.
 * @param theirs What the other reader made of it; it was read.
 * @returns The difference, in a few words, or nothing.
 */
export function difference(ours: Reading, theirs: Reading): string | undefined {
  const [own, other] = [ours, theirs].map(({ files = [] }) => files.map(fileText).sort());
  if (String(own) !== String(other)) {
    return `entries: ${own?.join(", ")}; they: ${other?.join(", ")}`;
  }
  if (theirs.claims === undefined || theirs.claims === null) return undefined;
  const [stated, found] = [ours, theirs].map(({ claims }) => known(claims));
  return isAlike(found, stated)
    ? undefined
    : `claims: ${JSON.stringify(stated)}; they: ${JSON.stringify(found)}`;
}

function fileText([name, size, sha256]: File): string {
  return `${JSON.stringify(name)} (${size} bytes, ${sha256.slice(0, 16).toLowerCase()})`;
}

/** The members that have a meaning; one that is `null` counts as absent. */
function known(claims: unknown): unknown {
  const pick = (from: unknown, names: readonly string[]): Record<string, unknown> =>
    Object.fromEntries(names.flatMap((name) => {
      const value = (from as Record<string, unknown> | undefined)?.[name];
      return value === undefined || value === null ? [] : [[name, value]];
    }));
  const picked = pick(claims, MEMBERS);
  return { ...picked, wascap: pick(picked["wascap"], WASCAP_MEMBERS) };
}

/** Compares values. The reference's serde_json may miss a fraction by one in its last place. */
function isAlike(found: unknown, wanted: unknown): boolean {
  if (typeof found === "number" && typeof wanted === "number") {
    return found === wanted ||
      !Number.isInteger(wanted) && Math.abs(found - wanted) <= Math.abs(wanted) * 2 ** -51;
  }
  if (typeof wanted !== "object" || typeof found !== "object" || !wanted || !found) {
    return found === wanted;
  }
  const names = Object.keys(wanted);
  return Array.isArray(found) === Array.isArray(wanted) &&
    String(Object.keys(found).sort()) === String(names.sort()) &&
    names.every((name) =>
      isAlike((found as Record<string, unknown>)[name], (wanted as Record<string, unknown>)[name])
    );
}
