/**
 * A progress bar on standard error, for people who wait.
 *
 * @module
 */

import { isQuiet } from "./io.ts";

/** How long somebody waits without wondering, in milliseconds. */
const PATIENCE = 500;

/** Time between two drawings, in milliseconds: faster than that is flicker. */
const INTERVAL = 100;

const BAR_LENGTH = 24;
const CLEAR_LINE = "\r\x1b[2K";

/** None is drawn where standard error is not a terminal. */
class ProgressBar implements Disposable {
  readonly #title: string;
  #total: number | undefined;
  #began: number | undefined;
  readonly #wanted = Deno.stderr.isTerminal() && !isQuiet();
  #drawn = 0;

  /**
   * The bar appears once it took too long since the first bytes.
   *
   * @param title What is done.
   * @param total Bytes to be done with, where that is known already.
   */
  constructor(title: string, total?: number) {
    this.#title = title;
    this.#total = total;
  }

  /** Takes how many bytes are done with, and of how many. */
  readonly update = (done: number, total?: number): void => {
    if (!this.#wanted) return;
    this.#total ??= total;
    const now = performance.now();
    this.#began ??= now;
    if (now - this.#began < PATIENCE || now - this.#drawn < INTERVAL) return;
    this.#drawn = now;
    write(CLEAR_LINE + this.#line(done, (now - this.#began) / 1000));
  };

  /** Takes the bar away, so that the line is free for what comes next. */
  [Symbol.dispose](): void {
    if (this.#drawn > 0) write(CLEAR_LINE);
  }

  #line(done: number, seconds: number): string {
    const rate = done / seconds;
    const bytes = `${toSize(done)} at ${toSize(rate)}/s`;
    if (!this.#total) return `${this.#title} ${bytes}`;
    const share = Math.min(done / this.#total, 1);
    const filled = Math.round(share * BAR_LENGTH);
    const bar = "#".repeat(filled) + "-".repeat(BAR_LENGTH - filled);
    const left = Math.ceil(Math.max(this.#total - done, 0) / Math.max(rate, 1));
    return `${this.#title} [${bar}] ${Math.floor(share * 100)} %, ${bytes}, ${left} s left`;
  }
}

/**
 * Shows a progress bar for as long as something takes.
 *
 * @param title What is done.
 * @param work Does it, and tells how far it is.
 * @param total Bytes to be done with, where that is known already.
 */
export async function withProgress<T>(
  title: string,
  work: (update: ProgressBar["update"]) => Promise<T>,
  total?: number,
): Promise<T> {
  using bar = new ProgressBar(title, total);
  return await work(bar.update);
}

/** A count of bytes for people, in units of 1024. */
export function toSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${unit === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
