/**
 * Archives that unpack to far more than they are, made without ever being unpacked.
 *
 * @module
 */

import { constants, crc32, deflateRawSync } from "node:zlib";

/** The unit that bombs repeat: so many zeros compress to about a kilobyte. */
const UNIT = 2 ** 20;

const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff);

/**
 * Gives one whole, valid gzip member of some bytes and a great many zeros behind them.
 *
 * @param head What the zeros follow.
 * @param zeros How many zeros, a multiple of a mebibyte.
 */
export function* gzipBomb(head: Uint8Array, zeros: number): Generator<Uint8Array<ArrayBuffer>> {
  const unit = new Uint8Array(UNIT);
  // Flushed to a byte's boundary, so that the same compressed bytes can be written again and again.
  const flush = { level: 9, finishFlush: constants.Z_FULL_FLUSH };
  const packed = new Uint8Array(deflateRawSync(unit, flush));
  let crc = crc32(head);
  yield HEADER;
  yield new Uint8Array(deflateRawSync(head, flush));
  for (let at = 0; at < zeros; at += UNIT) {
    yield packed;
    crc = crc32(unit, crc);
  }
  const trailer = new DataView(new ArrayBuffer(10));
  trailer.setUint16(0, 3, true); // the last, empty block
  trailer.setUint32(2, crc, true);
  trailer.setUint32(6, (head.length + zeros) % 2 ** 32, true);
  yield new Uint8Array(trailer.buffer);
}

/** Writes chunks to a file, and gives its length. */
export function writeChunks(path: string, chunks: Iterable<Uint8Array>): number {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  let length = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) at += file.writeSync(chunk.subarray(at));
    length += chunk.length;
  }
  return length;
}
