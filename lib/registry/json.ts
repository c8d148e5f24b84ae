/**
 * Reading JSON that somebody else wrote.
 *
 * @module
 */

import { isJsonObject } from "../signing/json.ts";

/**
 * Parses bytes that should be a JSON object.
 *
 * @param bytes The bytes; `undefined` counts as something that is not JSON.
 * @returns The object, or `undefined` for anything else. The parser's error is dropped because it
 * quotes the text, which may hold a password or a token.
 */
export function parseRecord(bytes: Uint8Array | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
