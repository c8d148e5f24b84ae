/**
 * Runs `par` with the permissions that its verb needs, and no more. Tasks run it, and so does
 * `examples/provider.mk`:
 *
 *     deno run --allow-run scripts/par.ts [--cwd=FOLDER] [--remote] [--allow-KIND=…] VERB …
 *
 * `--cwd` is the folder to work in, `--remote` allows what archives in a registry take, and a
 * permission stands in for the verb's own of that kind.
 *
 * @module
 */

import { permissionFlags } from "../lib/cli/permissions.ts";

/** What a command line is run with, beside what its verb needs. */
export interface Extra {
  /** Whether its archive may be in a registry. */
  readonly remote?: boolean;
  /** Permissions of the caller's own, each in place of the verb's of that kind. */
  readonly permissions?: readonly string[];
}

/**
 * Gives the flags that Deno runs a command line with.
 *
 * @param words The words behind the program's name.
 */
export function denoFlags(
  words: readonly string[],
  { remote = false, permissions = [] }: Extra = {},
): string[] {
  const { dirname } = import.meta;
  const kind = (permission: string): string => permission.replace(/=.*/s, "");
  const kinds = permissions.map(kind);
  return [
    ...["--quiet", "--no-prompt", "--no-config"],
    // Where the module comes from a URL, no lock file is at hand.
    ...(dirname ? [`--lock=${dirname}/../cli.lock`, "--frozen"] : ["--node-modules-dir=none"]),
    ...permissionFlags(words, remote).filter((flag) => !kinds.includes(kind(flag))),
    ...permissions,
  ];
}

async function run(args: readonly string[]): Promise<number> {
  const [first = args.length] = args.flatMap((arg, at) =>
    /^--(remote$|cwd=|allow-)/.test(arg) ? [] : [at]
  );
  const [own, words] = [args.slice(0, first), args.slice(first)];
  const cwd = own.find((arg) => arg.startsWith("--cwd="))?.slice("--cwd=".length);
  const flags = denoFlags(words, {
    remote: own.includes("--remote"),
    permissions: own.filter((arg) => arg.startsWith("--allow-")),
  });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, new URL("../cli.ts", import.meta.url).href, ...words],
    ...(cwd !== undefined && { cwd }),
  }).spawn();
  // A terminal interrupts both; this one ends when the other has cleaned up.
  Deno.addSignalListener("SIGINT", () => {});
  if (Deno.build.os !== "windows") {
    Deno.addSignalListener("SIGTERM", () => child.kill("SIGTERM"));
  }
  return (await child.status).code;
}

if (import.meta.main) Deno.exit(await run(Deno.args));
