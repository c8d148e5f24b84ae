/**
 * The issuers that a person trusts, as the text that `par verify --trusted-issuer` reads too: one public
 * key in each line, and a note behind `#`.
 *
 * @module
 */

import { redact } from "../../lib/errors.ts";
import { parsePublicKey, type PublicKey } from "../../lib/signing/nkey.ts";
import { toRefusal } from "./protocol.ts";

/** An issuer a person trusts. */
export interface TrustedIssuer {
  readonly key: PublicKey;
  /** Whose key it is, in the person's words. It may be empty. */
  readonly note: string;
}

/** What was read from the text of a list. */
export interface ParsedIssuers {
  readonly issuers: readonly TrustedIssuer[];
  /** A message for each line that is not the key of an account. */
  readonly refused: readonly string[];
}

/** Reads a list. If several lines have the same key, the last one counts. */
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
 * Reads one issuer. If the note has a seed in it, the seed is neither kept nor shown.
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
