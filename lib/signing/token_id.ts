/**
 * Ids of tokens: 22 characters of digits and letters, as the reference's NUIDs. This module is
 * browser compatible.
 *
 * @module
 */

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH = 22;

/** Makes an id that no other token has. */
export function createTokenId(): string {
  return encode(crypto.getRandomValues(new Uint8Array(32)));
}

/**
 * Makes the id that follows from a text, so that equal content is signed into equal tokens.
 *
 * @param text The claims without their id.
 */
export async function deriveTokenId(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return encode(new Uint8Array(digest));
}

/** Takes 256 bits to the alphabet's base; 22 characters hold 130 of them. */
function encode(bytes: Uint8Array): string {
  let number = 0n;
  for (const byte of bytes) number = number << 8n | BigInt(byte);
  let id = "";
  for (; id.length < LENGTH; number /= 62n) id += ALPHABET[Number(number % 62n)];
  return id;
}
