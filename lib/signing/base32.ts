/**
 * Base32 as nkeys write it (RFC 4648, section 6, without padding). This module is browser compatible.
 *
 * @module
 */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * Encodes bytes.
 *
 * @param bytes The bytes.
 * @returns Their text, of upper-case letters and digits.
 */
export function encodeBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8 | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[value >> (bits - 5) & 31];
  }
  return bits > 0 ? text + ALPHABET[value << (5 - bits) & 31] : text;
}

/**
 * Decodes a text, of which there is one for any bytes: no lower case, no bits that say nothing.
 *
 * @param text The text.
 * @returns The bytes, or `undefined` where it is not the text of any.
 */
export function decodeBase32(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(Math.floor(text.length * 5 / 8));
  let at = 0;
  let bits = 0;
  let value = 0;
  for (const char of text) {
    const five = ALPHABET.indexOf(char);
    if (five < 0) return undefined;
    value = (value << 5 | five) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = value >> bits & 0xff;
  }
  const isWhole = bits < 5 && (value & ((1 << bits) - 1)) === 0;
  return isWhole ? bytes : undefined;
}
