/**
 * Texts for property tests.
 *
 * @module
 */

import fc from "npm:fast-check@4.10.2";

/** Any text: every code point may be in it, and half a surrogate pair too. */
export function anyText(maxLength?: number): fc.Arbitrary<string> {
  const unit = fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code));
  return fc.string({ unit, ...(maxLength !== undefined && { maxLength }) });
}
