/**
 * Bytes in chunks, and the rule for how long a chunk lives. This module is browser compatible.
 *
 * @module
 */

import { tidy } from "../runtime/memory.ts";

/**
 * Bytes as they pass: a web `ReadableStream<Uint8Array>` is one, and so is an async generator.
 *
 * **A chunk is borrowed until the next one is asked for.** After that its memory may hold other bytes,
 * or none. To keep a chunk for longer, copy it with {@linkcode keep}.
 */
export type Bytes = AsyncIterable<Uint8Array>;

/** Tidy the memory after so many copied bytes. */
const TIDY_INTERVAL = 8 * 1024 * 1024;

/** One count for all readers, because an upload uses a new reader for each part. */
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
  // Not `slice`, which does not copy a `Buffer`.
  return new Uint8Array(chunk);
}

/** Passes on a copy of each chunk, for consumers that hold several at once, such as web streams. */
export async function* keepAll(bytes: Bytes): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const chunk of bytes) yield keep(chunk);
}

/** The consumer has one chunk while the next one is read into the other buffer. */
const BUFFERS = 2;

/**
 * Lends memory for one chunk after the other, from two buffers in turn. So a reader can read one chunk
 * ahead of its consumer.
 *
 * @param most The most bytes that a chunk may have.
 * @returns A function that gives memory for a chunk of a length.
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

/** Reads all bytes into memory. The caller bounds how many there may be. */
export async function readAll(bytes: Bytes): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(keep(chunk));
  return concat(chunks);
}

/** Joins byte strings. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The total length of byte strings. */
export function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
