/**
 * Reading in chunks, each while the one before it is worked on. This module is browser compatible.
 *
 * @module
 */

import { buffersInTurn, type Bytes } from "./chunks.ts";

/** Large enough that the cost of a chunk does not count, small enough to stay in the CPU's cache. */
const CHUNK_LENGTH = 256 * 1024;

/**
 * Reads in chunks.
 *
 * @param read Fills a part of the memory it is given, and says how much; 0 at the end.
 * @param length The most bytes to read.
 */
export async function* readAhead(
  read: (buffer: Uint8Array<ArrayBuffer>) => Promise<number>,
  length = Infinity,
): Bytes {
  const allocate = buffersInTurn(CHUNK_LENGTH);
  const next = async (): Promise<Uint8Array | undefined> => {
    if (length === 0) return undefined;
    const buffer = allocate(Math.min(CHUNK_LENGTH, length));
    const count = await read(buffer);
    length -= count;
    return count === 0 ? undefined : buffer.subarray(0, count);
  };
  let ahead: Promise<Uint8Array | undefined> | undefined;
  try {
    for (let chunk = await next(); chunk; chunk = await ahead) {
      ahead = next();
      // What goes wrong is told when it is waited for.
      ahead.catch(() => {});
      yield chunk;
    }
  } finally {
    // Nobody may close what is still being read.
    await ahead?.catch(() => {});
  }
}
