/**
 * Reads the token at the front of an archive before the archive is verified, so that the page shows at
 * once what the archive says it is.
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

/** How many bytes to search. That is enough if a WIT package comes before the claims. */
const FRONT_LENGTH = 8 * 1024 * 1024;

/** A token, and whether it is the first entry of the archive, as a writer makes it. */
export interface StatedToken {
  readonly token: string;
  readonly first: boolean;
}

/**
 * Looks for the token at an archive's front.
 *
 * @param source The archive.
 * @returns The token, or `undefined` if it is not there. Reading the whole archive shows why.
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
 * Verifies a token, and whether it is valid now.
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
