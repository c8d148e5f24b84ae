/**
 * Bounds on what an archive may make its reader do. This module is browser compatible.
 *
 * @module
 */

import { ParError } from "../errors.ts";

/** Bounds on what is read; each has a generous default. */
export interface Limits {
  /** Entries of the tar stream, pax headers among them. 4096 where left out. */
  readonly maxEntries?: number;
  /** Bytes after decompression. 8 GiB where left out. */
  readonly maxSize?: number;
  /** Bytes after decompression for each byte before, judged past the first GiB. 250. */
  readonly maxRatio?: number;
}

const MAX_ENTRIES = 4096;
const MAX_SIZE = 8 * 2 ** 30;
const MAX_RATIO = 250;

/** Small archives of zeros are harmless, and tests are full of them. */
const RATIO_FREE = 2 ** 30;

/** A claims entry is read whole, so it has its own bound: that of a strict reader, 1 MiB. */
export const MAX_CLAIMS_SIZE = 2 ** 20;

/** Fails with `ERR_LIMIT_SIZE` or `ERR_LIMIT_RATIO` once an archive unpacked to too much. */
export function checkSize(unpacked: number, packed: number, limits: Limits): void {
  const { maxSize = MAX_SIZE, maxRatio = MAX_RATIO } = limits;
  if (unpacked > maxSize) {
    throw new ParError(
      "ERR_LIMIT_SIZE",
      `Cannot accept the archive: it unpacks to more than ${maxSize} bytes; raise the limit ` +
        "if it is meant to be so large",
    );
  }
  if (unpacked > RATIO_FREE && unpacked > packed * maxRatio) {
    throw new ParError(
      "ERR_LIMIT_RATIO",
      `Cannot accept the archive: it unpacks to more than ${maxRatio} times its size`,
    );
  }
}

/** Fails with `ERR_LIMIT_ENTRIES` once an archive had too many entries. */
export function checkEntries(count: number, limits: Limits): void {
  const { maxEntries = MAX_ENTRIES } = limits;
  if (count > maxEntries) {
    throw new ParError(
      "ERR_LIMIT_ENTRIES",
      `Cannot accept the archive: it has more than ${maxEntries} entries`,
    );
  }
}
