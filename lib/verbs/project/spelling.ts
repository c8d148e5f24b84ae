/**
 * Keys that nobody knows, and the known ones that they may have been meant to be.
 *
 * @module
 */

import { quote } from "../../errors.ts";
import { closest, distance } from "npm:fastest-levenshtein@1.0.16";

/**
 * Warns of keys that mean nothing here.
 *
 * @param keys The keys that are there.
 * @param known Those that mean something, to this tool or another that reads the file.
 * @param where The file, and its table where it is not the first.
 * @param onWarning Takes each warning, a sentence.
 */
export function warnOfUnknown(
  keys: readonly string[],
  known: readonly string[],
  where: string,
  onWarning: ((message: string) => void) | undefined,
): void {
  for (const key of keys) {
    if (known.includes(key)) continue;
    const nearest = closest(key, known);
    const close = distance(key, nearest) <= Math.max(2, key.length / 3);
    onWarning?.(
      `the key ${quote(key)} in ${where} means nothing here` +
        (close ? `; did you mean ${quote(nearest)}?` : ""),
    );
  }
}
