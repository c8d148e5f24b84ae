/**
 * Pipes with names, for the tests of what is read once.
 *
 * @module
 */

import assert from "node:assert/strict";
import { runTool } from "../_tools.ts";

/** Whether this system has pipes with names. */
export const HAS_PIPES: boolean = Deno.build.os !== "windows";

/** Makes a pipe, and gives its path. */
export async function makePipe(path: string): Promise<string> {
  const { code, stderr } = await runTool("mkfifo", ["-m", "600", path]);
  assert.equal(code, 0, stderr);
  return path;
}

/** Writes into a pipe, once somebody reads it, and closes it. */
export async function feed(path: string, bytes: Uint8Array): Promise<void> {
  using pipe = await Deno.open(path, { write: true });
  try {
    for (let at = 0; at < bytes.length;) at += await pipe.write(bytes.subarray(at));
  } catch (error) {
    // Who reads may have seen enough.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Lets go of whoever in this process still waits for the other end of a pipe, and has given up. */
export async function release(path: string): Promise<void> {
  {
    // Opened to read and to write, a pipe does not wait for anybody.
    using _ = await Deno.open(path, { read: true, write: true });
  }
  // Once it is opened there, it is closed at once.
  while (isOpen(path)) await new Promise((resolve) => setTimeout(resolve, 1));
}

function isOpen(path: string): boolean {
  if (Deno.build.os !== "linux") return false;
  return [...Deno.readDirSync("/proc/self/fd")].some(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`) === path;
    } catch {
      return false;
    }
  });
}
