/**
 * Reading an archive while it is written. This module is browser compatible.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { type Bytes, iterate } from "../source.ts";
import { readArchive } from "./reader.ts";

/** What was signed here need not be bounded. */
const NO_LIMITS = { maxEntries: Infinity, maxSize: Infinity, maxRatio: Infinity };

/**
 * Passes an archive on, and verifies it as any reader would see it. That segments of another archive
 * can stand in this one is what their index says, and nothing that can be told from them alone.
 *
 * @param archive The archive's bytes, whose index is not filled in yet.
 * @throws {ParError} `ERR_INDEX_MISMATCH`, at the end at the latest, where it is not in order; and
 * whatever the bytes throw.
 */
export async function* proofread(archive: Bytes): Bytes {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const reading = readArchive(iterate(readable), { allowEarly: true, limits: NO_LIMITS }).then(
    () => undefined,
    async (cause) => {
      await writer.abort(cause).catch(() => {});
      return new ParError(
        "ERR_INDEX_MISMATCH",
        "Cannot copy from the archive: its parts do not stand alone, as its index says they do; " +
          "extract its binaries and create it anew",
        cause,
      );
    },
  );
  let ended = false;
  try {
    for await (const chunk of archive) {
      if (await writer.write(chunk).then(() => false, () => true)) break;
      yield chunk;
    }
    ended = true;
  } finally {
    // Reading ends by itself behind the last byte; here it is told that there is none.
    if (!ended) await writer.abort().catch(() => {});
  }
  await writer.close().catch(() => {});
  const error = await reading;
  if (error) throw error;
}
