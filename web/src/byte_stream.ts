/// <reference lib="dom" />
/**
 * Reading a stream without leaving its chunks to the garbage collector, which in a busy worker lets
 * hundreds of megabytes lie about before it collects them.
 *
 * @module
 */

import { iterate } from "../../lib/bytes/source.ts";

const BUFFER_LENGTH = 256 * 1024;

/** More than one, because a reader may look ahead with a chunk still in its hands. */
const BUFFERS = 4;

/**
 * The streams that are being read. Without it nothing but the reader's own wait refers to a stream, and
 * Chromium's collector takes both: the read then never ends.
 */
const beingRead = new Set<ReadableStream>();

/**
 * Reads a stream into a few buffers that are used in turn. A chunk is to be done with, or copied,
 * before the third one after it is asked for.
 *
 * A gzip member's chunks are copies: they wait in the queues of the decompressor, for who knows how
 * long.
 *
 * @param stream The stream; one that does not fill given buffers is read as it comes.
 */
export async function* readInTurn(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array> {
  beingRead.add(stream);
  try {
    yield* readBuffers(stream);
  } finally {
    beingRead.delete(stream);
  }
}

async function* readBuffers(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array> {
  const reader = byobReader(stream);
  if (!reader) {
    yield* iterate(stream);
    return;
  }
  const buffers = Array.from({ length: BUFFERS }, () => new ArrayBuffer(BUFFER_LENGTH));
  let gzip: boolean | undefined;
  try {
    for (let turn = 0;; turn = (turn + 1) % BUFFERS) {
      const { done, value } = await reader.read(new Uint8Array(buffers[turn] as ArrayBuffer));
      if (done) return;
      // The buffer went to the stream and came back as another object.
      buffers[turn] = value.buffer;
      gzip ??= value[0] === 0x1f;
      yield gzip ? value.slice() : value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function byobReader(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): ReadableStreamBYOBReader | undefined {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}
