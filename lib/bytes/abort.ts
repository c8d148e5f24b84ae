/**
 * Stopping work that somebody has had enough of. This module is browser compatible.
 *
 * @module
 */

import { ParError } from "../errors.ts";

/** Fails with `ERR_ABORTED` once the signal was given. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

/**
 * Waits for work that may never end, such as reading a pipe, until a signal is given. What the work
 * comes to after that, nobody is told.
 *
 * @param work The work under way.
 * @param signal The signal.
 * @throws {ParError} `ERR_ABORTED`, and whatever the work throws.
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
