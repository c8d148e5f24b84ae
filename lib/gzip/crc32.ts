/**
 * Gzip's checksum (RFC 1952, section 8). This module is browser compatible.
 *
 * @module
 */

/** The checksum's polynomial with its bits reversed: the most significant bit stands for one. */
const POLYNOMIAL = 0xedb88320;

/** The polynomial 1 in that order of bits. */
const ONE = 2 ** 31;

/** The polynomial x^8: one more byte multiplies a checksum by it. */
const BYTE = 2 ** 23;

/**
 * Computes the CRC-32 of a few bytes. For many, `node:zlib` has a function that is much faster.
 *
 * @param bytes The bytes.
 * @returns The checksum, as an unsigned integer of 32 bits.
 */
export function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/**
 * Computes the CRC-32 of two joined byte strings from the CRC-32 of each.
 *
 * @param first The checksum of the first.
 * @param second The checksum of the second.
 * @param length How many bytes the second has.
 * @returns The checksum of both, as an unsigned integer of 32 bits.
 */
export function combineCrc32(first: number, second: number, length: number): number {
  let shift = ONE;
  for (let square = BYTE; length > 0; length = Math.floor(length / 2)) {
    if (length % 2 === 1) shift = multiply(shift, square);
    square = multiply(square, square);
  }
  return (multiply(shift, first) ^ second) >>> 0;
}

/** The product of two polynomials over GF(2), modulo the checksum's. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bit = ONE; bit >= 1; bit /= 2) {
    if (a & bit) product ^= b;
    b = b & 1 ? (b >>> 1) ^ POLYNOMIAL : b >>> 1;
  }
  return product >>> 0;
}
