/**
 * Keeping memory flat where much of it passes. V8 lets used buffers pile up by the dozens of
 * megabytes in each thread before it looks. This module is browser compatible.
 *
 * @module
 */

/** So many bytes may pass before it is time to clean up, unless the one who counts knows better. */
const INTERVAL = 8 * 1024 * 1024;

/** Has V8 clean up now and then, as bytes pass. */
export class Tidier {
  readonly #interval: number;
  #passed = 0;

  /** @param interval How many bytes may pass between; each time takes some milliseconds. */
  constructor(interval = INTERVAL) {
    this.#interval = interval;
  }

  /** Counts bytes whose memory will not be used any more. */
  add(length: number): void {
    this.#passed += length;
    if (this.#passed < this.#interval) return;
    this.#passed = 0;
    tidy();
  }
}

/**
 * Makes V8 look for memory to take back: some that is asked for, never touched and forgotten counts
 * as if it were used, and takes none. Workers get this function as text, so it can use nothing from
 * around it.
 */
export function tidy(): void {
  try {
    new ArrayBuffer(64 * 1024 * 1024);
  } catch {
    // Where so much is not to be had, V8 has cleaned up already.
  }
}
