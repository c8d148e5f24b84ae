/**
 * What our own reader makes of an archive, as data that can be compared. It runs wherever the reader
 * does: `run_ours.mjs` loads it in Deno and, bundled, in Node; a page loads the bundle in a browser.
 *
 * @module
 */

import { readArchive } from "../../lib/archive/reader.ts";
import { binaryEntry, CLAIMS_ENTRY, WIT_ENTRY } from "../../lib/archive/entries.ts";

/** An entry as a reader gives it: its name, its length in bytes, and its SHA-256 in hexadecimal. */
export type File = readonly [name: string, size: number, sha256: string];

/** What a reader made of an archive. */
export interface Reading {
  /** Why it refused it. Our own reader gives the error's code, others what they have. */
  readonly error?: string;
  /** The entries. */
  readonly files?: readonly File[];
  /** The claims, where the reader reads them. */
  readonly claims?: unknown;
}

/**
 * Reads an archive.
 *
 * @param bytes The archive.
 * @param chunkLength How many bytes come at a time; all at once where left out.
 * @returns What is in it, or the code of the error that it is refused with.
 */
export async function readOurs(bytes: Uint8Array, chunkLength = bytes.length): Promise<Reading> {
  try {
    const archive = await readArchive(chunks(bytes, chunkLength));
    const token = new TextEncoder().encode(archive.token);
    return {
      files: [
        [CLAIMS_ENTRY, token.length, await sha256(token)],
        ...archive.binaries.map(({ target, size, sha256 }): File => [
          binaryEntry(target),
          size,
          sha256.toLowerCase(),
        ]),
        ...(archive.wit ? [[WIT_ENTRY, archive.wit.size, archive.wit.sha256.toLowerCase()]] : []),
      ] as readonly File[],
      claims: plainClaims(archive.claims),
    };
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    return { error: code ?? `no ParError: ${message}` };
  }
}

/** A chunk must not be looked at once the next one is asked for, so each is overwritten then. */
async function* chunks(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) {
    const chunk = bytes.slice(at, at + length);
    yield chunk;
    chunk.fill(0xee);
  }
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Claims in JavaScript's own numbers. */
export function plainClaims(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plainClaims);
  if ("text" in value && "toJSON" in value) return Number(value.text);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plainClaims(each)]));
}
