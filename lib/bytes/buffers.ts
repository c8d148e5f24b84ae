/**
 * Memory for bytes that pass. V8 lets used buffers pile up by the dozens of megabytes in each thread
 * before it looks; so where it is known when a chunk is done with, its memory is used again, or given
 * back at once. This module is browser compatible.
 *
 * @module
 */

import { iterate } from "./source.ts";

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

/** About what comes at a time on a fast connection: each piece leaves V8 something to clean up. */
const READ_LENGTH = 512 * 1024;

/**
 * Reads a web stream into memory that is used again, from when the third chunk after it is asked for.
 * A stream that cannot read into memory it is given is read as it is.
 *
 * @param stream The stream, which nobody else reads.
 */
export async function* readInTurn(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = stream.getReader({ mode: "byob" });
  } catch {
    yield* iterate(stream);
    return;
  }
  const buffers: ArrayBuffer[] = [];
  try {
    for (let turn = 0;; turn = (turn + 1) % BUFFERS) {
      const buffer = buffers[turn] ?? new ArrayBuffer(READ_LENGTH);
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) return;
      // The same memory, by another name.
      buffers[turn] = value.buffer as ArrayBuffer;
      yield value;
    }
  } finally {
    // Leaving early tells the producer to stop; after the end this does nothing.
    await reader.cancel().catch(() => {});
  }
}

/** So many bytes may be given out before it is time to clean up. */
const TIDY_INTERVAL = 8 * 1024 * 1024;

/** Counted for all readers together: an upload reads each of its parts with another one. */
let given = 0;

/** Memory of its own for each chunk, for when nobody knows where that goes. */
export function newBuffer(length: number): Uint8Array<ArrayBuffer> {
  given += length;
  if (given > TIDY_INTERVAL) {
    given = 0;
    tidy();
  }
  return new Uint8Array(length);
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
