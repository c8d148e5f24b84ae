/**
 * A provider that serves HTTP, started from its extracted binary.
 *
 * @module
 */

import assert from "node:assert/strict";

/** A running provider, which is stopped and has to end well at the end of the block. */
export interface Serving extends AsyncDisposable {
  /** Where it serves, without a slash at the end. */
  readonly url: string;
}

/** Starts a provider on a free port of loopback, and waits until it says where it listens. */
export async function serving(program: string): Promise<Serving> {
  const child = new Deno.Command(program, {
    args: ["--listen", "127.0.0.1:0"],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  while (!printed.includes("\n")) {
    const { value, done } = await reader.read();
    assert(!done, `${program} ended after printing ${JSON.stringify(printed)}`);
    printed += value;
  }
  const url = /^listening on (\S+)\n/.exec(printed)?.[1];
  assert(url, printed);
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await reader.cancel();
      assert.equal((await child.status).code, 0, "it ends well when it is told to stop");
    },
  };
}
