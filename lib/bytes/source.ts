/**
 * Where an archive's bytes come from, whatever holds them. This module is browser compatible.
 *
 * @module
 */

import type { Bytes } from "./chunks.ts";
import { iterate } from "./streams.ts";

/** An archive to read: a file, a registry's blob, or bytes at hand. */
export interface ArchiveSource {
  /** What messages call it: a path, a reference. */
  readonly name: string;

  /** Reads all of it from the beginning. A source made from a stream can be opened once. */
  open(): Bytes;

  /**
   * Reads a part of it; absent where only reading from the beginning is possible.
   *
   * @param start Offset of the first byte.
   * @param length Bytes to read; fewer come where the source ends before.
   */
  range?(start: number, length: number): Bytes;

  /** Whether its bytes come over a network, so that it is worth much to read few of them. */
  readonly remote?: boolean;

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
