/**
 * Stops work when a signal is aborted. This module is browser compatible.
 *
 * @module
 */

import { ParError } from "../errors.ts";

/** Throws `ERR_ABORTED` if the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

/**
 * Waits for work that may never end, such as reading a pipe, but only until the signal is aborted. The
 * work itself is not stopped, and its result is ignored after that.
 *
 * @throws {ParError} `ERR_ABORTED`. Errors of the work are passed on.
 */
export async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (!signal) return await work;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(abortError(signal));
  work.catch(() => {});
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort);
  try {
    return await Promise.race([aborted.promise, work]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function abortError({ reason }: AbortSignal): ParError {
  return new ParError("ERR_ABORTED", "Cannot go on: the work was stopped", reason);
}
