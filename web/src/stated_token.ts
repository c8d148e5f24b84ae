/**
 * The token at an archive's front, before the archive is judged: so that a person sees at once what
 * the archive says it is, also where what it says turns out not to hold.
 *
 * @module
 */

import { CLAIMS_ENTRY } from "../../lib/archive/entries.ts";
import { openTar } from "../../lib/archive/open.ts";
import { readToken } from "../../lib/archive/reader.ts";
import { readTar } from "../../lib/archive/tar_reader.ts";
import type { ArchiveSource } from "../../lib/bytes/source.ts";
import type { Bytes } from "../../lib/bytes/chunks.ts";
import { ANY_TIME, verifyToken } from "../../lib/signing/token.ts";
import { type TokenReport, toRefusal } from "./protocol.ts";

/** How far to look, in bytes: far enough for a WIT package before the claims. */
const FRONT_LENGTH = 8 * 1024 * 1024;

/** A token, and whether it is the archive's first entry, as it should be. */
export interface StatedToken {
  readonly token: string;
  readonly first: boolean;
}

/**
 * Looks for the token at an archive's front.
 *
 * @param source The archive.
 * @returns The token, or `undefined` where it is not there; the reason will be found in due course.
 * @throws {ParError} `ERR_FILE_UNREADABLE`.
 */
export async function findStatedToken(source: ArchiveSource): Promise<StatedToken | undefined> {
  try {
    await using archive = await openTar(front(source.open()), {
      limits: { maxSize: FRONT_LENGTH },
    });
    let first = true;
    for await (const entry of readTar(archive.tar, {})) {
      if (entry.name === CLAIMS_ENTRY) return { token: await readToken(entry), first };
      first = false;
    }
  } catch (error) {
    if (toRefusal(error).category !== "untrusted") throw error;
  }
  return undefined;
}

/**
 * Judges a token: by itself, and by the time.
 *
 * @param token The token.
 */
export async function judgeToken(token: string): Promise<TokenReport> {
  try {
    const { claims } = await verifyToken(token, ANY_TIME);
    const late = await verifyToken(token).then(() => undefined, toRefusal);
    return { token, claims, ...(late && { window: late }) };
  } catch (error) {
    return { token, refusal: toRefusal(error) };
  }
}

async function* front(bytes: Bytes): Bytes {
  let length = 0;
  for await (const chunk of bytes) {
    yield chunk;
    length += chunk.length;
    if (length >= FRONT_LENGTH) return;
  }
}
