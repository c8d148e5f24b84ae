/**
 * How much memory a browser's processes take, as Linux counts it.
 *
 * @module
 */

import type { Browser } from "./_browser.ts";

/** Watches the renderers of a browser: the processes that pages and their workers run in. */
export class MemoryWatch {
  readonly #pids: readonly number[];
  readonly #before: readonly number[];

  private constructor(pids: readonly number[], before: readonly number[]) {
    this.#pids = pids;
    this.#before = before;
  }

  /** Begins to watch those that run. */
  static async begin(browser: Browser): Promise<MemoryWatch> {
    const session = await browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    const pids = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
    // Makes the peak so far forgotten (proc(5), clear_refs).
    for (const pid of pids) await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5");
    return new MemoryWatch(pids, await Promise.all(pids.map((pid) => readKiB(pid, "VmRSS"))));
  }

  /** By how many bytes the process that grew most had grown at its peak. */
  async growth(): Promise<number> {
    const peaks = await Promise.all(this.#pids.map((pid) => readKiB(pid, "VmHWM")));
    return Math.max(...peaks.map((peak, at) => peak - (this.#before[at] ?? 0))) * 1024;
  }
}

async function readKiB(pid: number, field: string): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]);
}
