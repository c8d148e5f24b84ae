/**
 * Converts between web streams and bytes in chunks. This module is browser compatible.
 *
 * @module
 */

import { type Bytes, keepAll } from "./chunks.ts";

/**
 * Reads a stream chunk by chunk, also where web streams are not async iterable (Safari). To stop at one
 * that has failed is no second failure, as it would be with their own iterator.
 */
export async function* iterate(
  stream: Bytes | ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (!("getReader" in stream)) {
    yield* stream;
    return;
  }
  const reader = stream.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    // If the reader leaves early, this tells the producer to stop.
    await reader.cancel().catch(() => {});
  }
}

/**
 * Makes a web stream of bytes. It asks for one chunk at a time and hands out copies.
 *
 * @param onCancel Is called if the stream is cancelled. A generator cannot notice that before it was
 * asked for its first chunk.
 */
export function toStream(
  bytes: Bytes,
  onCancel?: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = keepAll(bytes);
  return new ReadableStream({
    async pull(controller): Promise<void> {
      const next = await iterator.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel(): Promise<void> {
      await iterator.return(undefined);
      onCancel?.();
    },
  }, { highWaterMark: 0 });
}

/** About the length of what a fast connection delivers at a time. */
const READ_LENGTH = 512 * 1024;

/**
 * The streams that are being read. If only the pending read refers to a stream, the garbage collector of
 * Chromium 156 takes both, and the read never ends.
 */
const beingRead = new Set<ReadableStream>();

/**
 * Reads a web stream into one buffer that is lent to each chunk in turn. A stream that cannot read into
 * a given buffer is read as it is.
 *
 * @param stream The stream. It must have no other reader.
 */
export async function* readStream(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  beingRead.add(stream);
  try {
    const reader = byobReader(stream);
    yield* reader ? readInto(reader) : iterate(stream);
  } finally {
    beingRead.delete(stream);
  }
}

function byobReader(stream: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

async function* readInto(reader: ReadableStreamBYOBReader): AsyncGenerator<Uint8Array> {
  let memory = new ArrayBuffer(READ_LENGTH);
  try {
    while (true) {
      const { done, value } = await reader.read(new Uint8Array(memory));
      if (done) return;
      // The same memory in a new object; the old one is detached.
      memory = value.buffer as ArrayBuffer;
      yield value;
    }
  } finally {
    // If the reader leaves early, this tells the producer to stop.
    await reader.cancel().catch(() => {});
  }
}
