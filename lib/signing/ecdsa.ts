/**
 * The two forms of an ECDSA signature with P-256. Bundles hold ASN.1 DER (RFC 3279, section 2.2.3),
 * and WebCrypto takes r and s, 32 bytes each, one after the other. This module is browser compatible.
 *
 * @module
 */

/** The length of r, and of s. */
const LENGTH = 32;

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/**
 * Reads a signature in DER. It accepts the canonical form only: shortest lengths, shortest integers,
 * no negative ones, and nothing behind them.
 *
 * @param der The signature in DER.
 * @returns r and s, 64 bytes; `undefined` for any other bytes.
 */
export function fromDer(der: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  // A signature is so short that each length is one byte below 128.
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2 || der.length > 2 + 2 * (3 + LENGTH)) {
    return undefined;
  }
  const signature = new Uint8Array(2 * LENGTH);
  let at = 2;
  for (const end of [LENGTH, 2 * LENGTH]) {
    const length = der[at + 1] ?? 0;
    const integer = der.subarray(at + 2, at + 2 + length);
    if (der[at] !== INTEGER || length === 0 || integer.length !== length) return undefined;
    const [first = 0, second = 0] = integer;
    if (first >= 0x80 || (first === 0 && length > 1 && second < 0x80)) return undefined;
    const digits = first === 0 ? integer.subarray(1) : integer;
    if (digits.length > LENGTH) return undefined;
    signature.set(digits, end - digits.length);
    at += 2 + length;
  }
  return at === der.length ? signature : undefined;
}

/**
 * Writes a signature in DER.
 *
 * @param signature r and s, 64 bytes.
 * @returns The signature in DER.
 */
export function toDer(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const content = [signature.subarray(0, LENGTH), signature.subarray(LENGTH)].flatMap((half) => {
    let start = 0;
    while (start < half.length - 1 && half[start] === 0) start++;
    const digits = [...half.subarray(start)];
    if ((digits[0] ?? 0) >= 0x80) digits.unshift(0);
    return [INTEGER, digits.length, ...digits];
  });
  return Uint8Array.of(SEQUENCE, content.length, ...content);
}
