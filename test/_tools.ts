/**
 * Programs that tests compare with. A test that needs one is ignored where it is missing, and its
 * name says so.
 *
 * @module
 */

import type { Program } from "./_programs.ts";

/** What a program printed, and how it ended. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Tells whether a program can be started, and ends well with the arguments or `--version`. */
export function isInstalled(program: Program, ...args: string[]): boolean {
  try {
    const { success } = new Deno.Command(program, {
      args: args.length > 0 ? args : ["--version"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return success;
  } catch {
    return false;
  }
}

/** Runs a program to its end. */
export async function runTool(
  program: string,
  args: readonly string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env" | "clearEnv" | "signal"> = {},
): Promise<Output> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    ...options,
  }).output();
  return {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
}

/** The folder of the checkout, without a slash at its end. */
export const ROOT: string = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** A folder that is gone at the end of the block that it is used in. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "par-test-" }));
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Serves a folder on loopback, as a server does that does not know TypeScript. */
export function serveFolder(folder: string): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const file = await Deno.open(folder + new URL(request.url).pathname).catch(() => undefined);
    return new Response(file?.readable ?? null, {
      status: file ? 200 : 404,
      headers: { "content-type": "text/plain" },
    });
  });
}
