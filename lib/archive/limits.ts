/**
 * Limits on the work that an archive can cause. This module is browser compatible.
 *
 * @module
 */

import { ParError } from "../errors.ts";

/** Limits on what is read. Each has a generous default. */
export interface Limits {
  /** The most entries of the tar stream, including pax headers. Default: 4096. */
  readonly maxEntries?: number | undefined;
  /** The most bytes after decompression. Default: 8 GiB. */
  readonly maxSize?: number | undefined;
  /** The most bytes after decompression for each byte before, checked past the first GiB. Default: 250. */
  readonly maxRatio?: number | undefined;
}

const MAX_ENTRIES = 4096;
const MAX_SIZE = 8 * 2 ** 30;
const MAX_RATIO = 250;

/** Small archives may have any ratio: zeros compress well and do no harm. */
const RATIO_FREE = 2 ** 30;

/** The largest claims entry in bytes. It is the only entry that is read whole. */
export const MAX_CLAIMS_SIZE = 2 ** 20;

/** Fails with `ERR_LIMIT_SIZE` or `ERR_LIMIT_RATIO` if an archive unpacks to too many bytes. */
export function checkSize(unpacked: number, packed: number, limits: Limits): void {
  const { maxSize = MAX_SIZE, maxRatio = MAX_RATIO } = limits;
  // Nothing is within a limit that is no number.
  if (!(unpacked <= maxSize)) {
    throw new ParError(
      "ERR_LIMIT_SIZE",
      `Cannot accept the archive: it unpacks to more than ${maxSize} bytes; raise the limit ` +
        "if it is meant to be so large",
    );
  }
  if (unpacked > RATIO_FREE && !(unpacked <= packed * maxRatio)) {
    throw new ParError(
      "ERR_LIMIT_RATIO",
      `Cannot accept the archive: it unpacks to more than ${maxRatio} times its size`,
    );
  }
}

/** Fails with `ERR_LIMIT_ENTRIES` if an archive has too many entries. */
export function checkEntries(count: number, limits: Limits): void {
  const { maxEntries = MAX_ENTRIES } = limits;
  if (!(count <= maxEntries)) {
    throw new ParError(
      "ERR_LIMIT_ENTRIES",
      `Cannot accept the archive: it has more than ${maxEntries} entries`,
    );
  }
}
