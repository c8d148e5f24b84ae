/**
 * Starting a thread from the text of a function. This module is browser compatible.
 *
 * @module
 */

/**
 * Starts a worker. To load a file takes a permission that the caller may not have, and whose refusal
 * would leave its trace on the terminal; a script's own text takes none.
 *
 * @param script The worker's program, which can import nothing.
 * @returns The worker.
 * @throws {Error} In a runtime without workers, or without enough of them.
 */
export function startWorker(script: string): Worker {
  return new Worker(`data:text/javascript,${encodeURIComponent(script)}`, { type: "module" });
}
