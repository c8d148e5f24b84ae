import { denoFlags } from "../../scripts/par.ts";
import { denoDir, type Sandbox } from "../_cli.ts";
import { isInstalled, ROOT } from "../_tools.ts";
import type { Tool } from "../examples/_example.ts";

/** Runs a program with a terminal of its own (util-linux). */
export const SCRIPT: Tool = {
  name: "script",
  isThere: () => isInstalled("script") && isInstalled("stty", "--version"),
};

/** The line of a shell that runs a command line in so many columns. */
export function lineFor(columns: number, args: readonly string[]): string {
  const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  // Deno has bars of its own, and takes them away with control characters.
  const command = [
    Deno.execPath(),
    "run",
    "--quiet",
    ...denoFlags(args),
    `${ROOT}/cli.ts`,
    ...args,
  ];
  return `stty cols ${columns} rows 24; ${command.map(quote).join(" ")}`;
}

/** The environment of what runs in a sandbox, on a terminal. */
export async function environment(box: Sandbox): Promise<Record<string, string>> {
  return {
    HOME: box.home,
    TERM: "xterm",
    DENO_DIR: await denoDir(),
    DENO_NO_UPDATE_CHECK: "1",
  };
}
