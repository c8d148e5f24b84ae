/**
 * The issuers a person trusts, as a text that the command `par verify --trusted-issuer` reads, too:
 * one public key a line, and a note behind `#`.
 *
 * @module
 */

import { redact } from "../../lib/errors.ts";
import { parsePublicKey, type PublicKey } from "../../lib/signing/nkey.ts";
import { toRefusal } from "./protocol.ts";

/** An issuer a person trusts. */
export interface TrustedIssuer {
  readonly key: PublicKey;
  /** Whose key it is, in the person's words; may be empty. */
  readonly note: string;
}

/** What a list's text holds. */
export interface ParsedIssuers {
  readonly issuers: readonly TrustedIssuer[];
  /** A sentence for each line that is no account's key. */
  readonly refused: readonly string[];
}

/** Reads a list. The last of several lines with one key rules. */
export function parseIssuers(text: string): ParsedIssuers {
  const issuers = new Map<PublicKey, TrustedIssuer>();
  const refused: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [key = "", ...note] = line.split("#");
    if (key.trim() === "") continue;
    try {
      const issuer = parseIssuer(key, note.join("#"));
      issuers.set(issuer.key, issuer);
    } catch (error) {
      refused.push(toRefusal(error).message);
    }
  }
  return { issuers: [...issuers.values()], refused };
}

/**
 * Reads one issuer. A seed in the note, where it could be on the line of the key that belongs to
 * it, is neither kept nor shown.
 *
 * @throws {ParError} `ERR_KEY_INVALID`, `ERR_KEY_CHECKSUM`, `ERR_KEY_ROLE`.
 */
export function parseIssuer(key: string, note: string): TrustedIssuer {
  return {
    key: parsePublicKey(key.trim(), "account"),
    note: redact(note.replace(/\s+/g, " ").trim()),
  };
}

/** Writes a list. */
export function formatIssuers(issuers: readonly TrustedIssuer[]): string {
  return issuers.map(({ key, note }) => note === "" ? `${key}\n` : `${key} # ${note}\n`).join("");
}
