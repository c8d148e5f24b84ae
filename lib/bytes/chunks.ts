/**
 * Bytes in chunks, and the one rule of how long a chunk lives. This module is browser compatible.
 *
 * @module
 */

import { tidy } from "../runtime/memory.ts";

/**
 * Bytes as they pass: a web `ReadableStream<Uint8Array>` is one, and so is an async generator.
 *
 * **A chunk is borrowed until the next one is asked for.** After that its memory may hold other bytes,
 * or none. Whoever keeps a chunk for longer keeps a copy: {@linkcode keep}.
 */
export type Bytes = AsyncIterable<Uint8Array>;

/** So many bytes may be copied before it is time to clean up. */
const TIDY_INTERVAL = 8 * 1024 * 1024;

/** Counted for all readers together: an upload reads each of its parts with another one. */
let copied = 0;

/**
 * Copies a chunk, so that it stays as it is when the next one is asked for.
 *
 * @param chunk The borrowed chunk.
 * @returns Bytes of their own.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const borrowed = Uint8Array.of(1, 2, 3);
 * const kept = keep(borrowed);
 * borrowed.fill(0);
 * assert.deepEqual(kept, Uint8Array.of(1, 2, 3));
 * ```
 */
export function keep(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  copied += chunk.length;
  if (copied > TIDY_INTERVAL) {
    copied = 0;
    tidy();
  }
  // Not `slice`: that of a `Buffer` is no copy.
  return new Uint8Array(chunk);
}

/** Passes on copies of all chunks, for somebody who holds several at once, as web streams do. */
export async function* keepAll(bytes: Bytes): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const chunk of bytes) yield keep(chunk);
}

/** Two pieces of memory: one chunk is in somebody's hands while the next one is read. */
const BUFFERS = 2;

/**
 * Lends memory for one chunk after the other. A chunk's memory is used again for the second one after
 * it, so the reader may be one chunk ahead of who it reads for.
 *
 * @param most The most bytes that a chunk may have.
 * @returns Gives memory for a chunk of some length.
 */
export function buffersInTurn(most: number): (length: number) => Uint8Array<ArrayBuffer> {
  const buffers: Uint8Array<ArrayBuffer>[] = [];
  let turn = 0;
  return (length) => {
    const buffer = buffers[turn] ??= new Uint8Array(most);
    turn = (turn + 1) % BUFFERS;
    return buffer.subarray(0, length);
  };
}

/** Puts byte strings one behind the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** How many bytes several byte strings have together. */
export function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
