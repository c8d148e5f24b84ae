/**
 * Keys that nobody knows, and the known ones that they may have been meant to be.
 *
 * @module
 */

import { quote } from "../../errors.ts";
import { closestMatch } from "npm:leven@4.1.0";

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
    const maxDistance = Math.max(2, Math.floor(key.length / 3));
    const nearest = closestMatch(key, known, { maxDistance });
    onWarning?.(
      `the key ${quote(key)} in ${where} means nothing here` +
        (nearest === undefined ? "" : `; did you mean ${quote(nearest)}?`),
    );
  }
}
