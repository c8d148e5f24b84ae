/**
 * Base64 with the standard alphabet and padding (RFC 4648, section 4). This module is browser
 * compatible.
 *
 * @module
 */

/** `String.fromCharCode` takes only so many arguments. */
const CHUNK = 0x8000;

/** Writes bytes as base64. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(binary);
}

/**
 * Reads canonical base64: no white space, all padding, and no leftover bits other than zeros.
 *
 * @returns The bytes, or `undefined` for any other text.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  // `atob` skips white space, and accepts texts without padding and leftover bits.
  if (btoa(binary) !== text) return undefined;
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
