/**
 * Reads in chunks, one chunk ahead of the consumer. This module is browser compatible.
 *
 * @module
 */

import { buffersInTurn, type Bytes } from "./chunks.ts";

/** Large enough that the overhead for each chunk is small, and small enough for the CPU's cache. */
const CHUNK_LENGTH = 256 * 1024;

/**
 * Reads in chunks. The next chunk is read while the consumer works on the current one.
 *
 * @param read Fills the buffer from its start and returns the number of bytes, which is 0 at the end.
 * @param length The most bytes to read. Default: all.
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
      // The loop awaits this promise later and throws its error then.
      ahead.catch(() => {});
      yield chunk;
    }
  } finally {
    // The caller may close the input after this, so the last read must have ended.
    await ahead?.catch(() => {});
  }
}
