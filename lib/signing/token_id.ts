/**
 * Ids of tokens (`jti`): 22 digits and letters, like the NUIDs of the reference implementation.
 * This module is browser compatible.
 *
 * @module
 */

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH = 22;

/**
 * Makes a random id.
 *
 * @returns 22 digits and letters.
 */
export function createTokenId(): string {
  return encode(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * Derives an id from the claims, so that equal claims get equal ids and so equal tokens.
 *
 * @param text The claims as JSON, with an empty id.
 * @returns 22 digits and letters.
 */
export async function deriveTokenId(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return encode(new Uint8Array(digest));
}

/** Writes a number of 256 bits in base 62, lowest digit first, and keeps 22 digits (130 bits). */
function encode(bytes: Uint8Array): string {
  let number = 0n;
  for (const byte of bytes) number = number << 8n | BigInt(byte);
  let id = "";
  for (; id.length < LENGTH; number /= 62n) id += ALPHABET[Number(number % 62n)];
  return id;
}
