/**
 * Texts, and JSON, for property tests.
 *
 * @module
 */

import fc from "npm:fast-check@4.10.2";
import { type Json, parseJson } from "../lib/signing/json.ts";

/** Any text: every code point may be in it, and half a surrogate pair too. */
export function anyText(maxLength?: number): fc.Arbitrary<string> {
  const unit = fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code));
  return fc.string({ unit, ...(maxLength !== undefined && { maxLength }) });
}

/** Tells whether claims may have a text: no half of a surrogate pair, no zero character. */
export function isClaimsText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** Any JSON that claims may hold; without negative zeros, which `JSON.stringify` does not write. */
export function anyClaimsJson(): fc.Arbitrary<Json> {
  return fc.json({ depthSize: "medium" })
    .filter((text) => !/\\u0000|\\ud[89a-f]|"__proto__":/.test(text))
    .map((text) => parseJson(new TextEncoder().encode(text)));
}
