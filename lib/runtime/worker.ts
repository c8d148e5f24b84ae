/**
 * Starts a thread from the text of a function. This module is browser compatible.
 *
 * @module
 */

/**
 * Starts a worker from the text of its program, which is that of a function: a function is checked like
 * any other code.
 *
 * A file of its own was tried with Deno 2.9.6. To load one takes a permission that the caller may not
 * have (`--allow-read`, or `--allow-import` where the module came by URL), and the refusal is printed
 * to the terminal however it is handled. A bundle would need a second file beside it, too.
 *
 * @param script The worker's program. It can import nothing.
 * @throws {Error} If the runtime has no workers, or not enough of them.
 */
export function startWorker(script: string): Worker {
  return new Worker(`data:text/javascript,${encodeURIComponent(script)}`, { type: "module" });
}
