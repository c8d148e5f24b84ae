/**
 * Memory for bytes that pass. V8 lets used buffers pile up by the dozens of megabytes in each thread
 * before it looks; so where it is known when a chunk is done with, its memory is used again, or given
 * back at once. This module is browser compatible.
 *
 * @module
 */

/** Gives memory for a chunk of that length. */
export type Allocate = (length: number) => Uint8Array<ArrayBuffer>;

/** One is worked on, one is read into, and two may still be in somebody's hands. */
const BUFFERS = 4;

/**
 * Memory that is used again, from when the third chunk after it is asked for.
 *
 * @param most The most bytes that a chunk may have.
 */
export function buffersInTurn(most: number): Allocate {
  const buffers: Uint8Array<ArrayBuffer>[] = [];
  let turn = 0;
  return (length) => {
    const buffer = buffers[turn] ??= new Uint8Array(most);
    turn = (turn + 1) % BUFFERS;
    return buffer.subarray(0, length);
  };
}

/** So many bytes may be given out before it is time to clean up. */
const TIDY_INTERVAL = 8 * 1024 * 1024;

/** Memory of its own for each chunk, for when nobody knows where that goes. */
export function newBuffers(): Allocate {
  let given = 0;
  return (length) => {
    given += length;
    if (given > TIDY_INTERVAL) {
      given = 0;
      tidy();
    }
    return new Uint8Array(length);
  };
}

/**
 * Makes V8 look for memory to take back: some that is asked for, never touched and forgotten counts
 * as if it were used, and takes none. Workers get this function as text, so it can use nothing from
 * around it.
 */
export function tidy(): void {
  try {
    new ArrayBuffer(64 * 1024 * 1024);
  } catch {
    // Where so much is not to be had, V8 has cleaned up already.
  }
}

/**
 * Gives back the memory of bytes that nothing will use any more, where the runtime can do that.
 * Workers get this function as text, so it can use nothing from around it.
 *
 * @param bytes The bytes.
 * @param length What the memory behind them must measure, or it is not theirs alone: `Buffer` cuts
 * small ones out of memory that it gives to many.
 */
export function giveBack({ buffer }: Uint8Array, length: number): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer?.(0);
}
