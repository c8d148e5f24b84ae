/**
 * Where an archive's bytes come from, whatever holds them. This module is browser compatible.
 *
 * @module
 */

/** Bytes as they pass: a web `ReadableStream<Uint8Array>` is one, and so is an async generator. */
export type Bytes = AsyncIterable<Uint8Array>;

/** An archive to read: a file, a registry's blob, or bytes at hand. */
export interface ArchiveSource {
  /** What messages call it: a path, a reference. */
  readonly name: string;

  /**
   * Reads all of it from the beginning. A source made from a stream can be opened once.
   *
   * @param reuse Whether a chunk's memory may hold others, from when the third one after it is asked
   * for; a source need not make use of it.
   */
  open(reuse?: boolean): Bytes;

  /**
   * Reads a part of it; absent where only reading from the beginning is possible.
   *
   * @param start Offset of the first byte.
   * @param length Bytes to read; fewer come where the source ends before.
   * @param reuse As for `open`.
   */
  range?(start: number, length: number, reuse?: boolean): Bytes;

  /** How many bytes it has, where that can be known before reading: for progress bars. */
  size?(): Promise<number | undefined>;
}

/**
 * Makes a source of a stream, which can be read once and from the beginning only.
 *
 * @param stream The archive's bytes.
 * @param name What messages call it.
 * @returns The source.
 */
export function streamSource(
  stream: Bytes | ReadableStream<Uint8Array>,
  name: string,
): ArchiveSource {
  return { name, open: () => iterate(stream) };
}

/**
 * Makes a source of bytes at hand: a `Blob`, a `File` a person chose, a `Uint8Array`.
 *
 * @param bytes The archive's bytes.
 * @param name What messages call it.
 * @returns The source.
 */
export function blobSource(bytes: Blob | Uint8Array<ArrayBuffer>, name: string): ArchiveSource {
  const blob = bytes instanceof Blob ? bytes : new Blob([bytes]);
  return {
    name,
    open: () => iterate(blob.stream()),
    range: (start, length) => iterate(blob.slice(start, start + length).stream()),
    size: () => Promise.resolve(blob.size),
  };
}

/** Reads a stream chunk by chunk, also where streams are not async iterable (Safari). */
export async function* iterate(
  stream: Bytes | ReadableStream<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (Symbol.asyncIterator in stream) {
    yield* stream;
    return;
  }
  const reader = (stream as ReadableStream<Uint8Array>).getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    // Leaving early tells the producer to stop; after the end this does nothing.
    await reader.cancel().catch(() => {});
  }
}

/** Makes a web stream of chunks, which are asked for one at a time. */
export function toStream<T extends Uint8Array>(bytes: AsyncIterable<T>): ReadableStream<T> {
  const iterator = bytes[Symbol.asyncIterator]();
  return new ReadableStream<T>({
    async pull(controller): Promise<void> {
      const next = await iterator.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel(reason): Promise<void> {
      await iterator.return?.(reason);
    },
  }, { highWaterMark: 0 });
}
