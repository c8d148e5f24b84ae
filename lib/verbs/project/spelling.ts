/**
 * Warns of unknown keys in project files.
 *
 * @module
 */

import { quote } from "../../errors.ts";
import { closestMatch } from "npm:leven@4.1.0";

/**
 * Warns of unknown keys, and suggests a similar known one.
 *
 * @param keys The keys in the file.
 * @param known The keys that this tool or another tool reads.
 * @param where The name of the file or of its table in messages.
 * @param onWarning Receives warnings, each a sentence.
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
      `the key ${quote(key)} in ${where} is unknown` +
        (nearest === undefined ? "" : `; did you mean ${quote(nearest)}?`),
    );
  }
}
