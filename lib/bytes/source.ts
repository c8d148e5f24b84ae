/**
 * Sources of an archive's bytes. This module is browser compatible.
 *
 * @module
 */

import type { Bytes } from "./chunks.ts";
import { iterate } from "./streams.ts";

/** An archive to read: a file, a blob in a registry, or bytes in memory. */
export interface ArchiveSource {
  /** Its name in messages: a path, a reference. */
  readonly name: string;

  /** Reads it from the beginning. A source that is made of a stream can be opened once. */
  open(): Bytes;

  /**
   * Reads a part of it. Absent if it can only be read from the beginning.
   *
   * @param start Offset of the first byte.
   * @param length Bytes to read. Gives fewer if the source ends before.
   */
  range?(start: number, length: number): Bytes;

  /** Whether its bytes come over a network, so that it is worth much to read few of them. */
  readonly remote?: boolean;

  /** Its length in bytes if that is known before reading, for progress bars. */
  size?(): Promise<number | undefined>;
}

/**
 * Makes a source of a stream. It can be read once, from the beginning.
 *
 * @param stream The archive's bytes.
 * @param name Its name in messages.
 * @returns The source.
 */
export function streamSource(
  stream: Bytes | ReadableStream<Uint8Array>,
  name: string,
): ArchiveSource {
  return { name, open: () => iterate(stream) };
}

/**
 * Makes a source of a `Blob`, a `File` or a `Uint8Array`.
 *
 * @param bytes The archive's bytes.
 * @param name Its name in messages.
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
