/**
 * Stopping work that somebody has had enough of. This module is browser compatible.
 *
 * @module
 */

import { ParError } from "../errors.ts";

/** Fails with `ERR_ABORTED` once the signal was given. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new ParError("ERR_ABORTED", "Cannot go on: the work was stopped", signal.reason);
  }
}
