/**
 * Runs `par` with the permissions that its verb needs, and no more. Tasks run it, and so does
 * `examples/provider.mk`:
 *
 *     deno run --allow-run scripts/par.ts [--cwd=FOLDER] [--remote] [--allow-KIND=…] VERB …
 *
 * `--cwd` is the folder to work in, `--remote` allows what archives in a registry take, and a
 * permission stands in for the verb's own of that kind. If this script may read files and the
 * environment, a verb that uses a registry may run the credential helpers that docker's and podman's
 * files name.
 *
 * @module
 */

import { permissionFlags, takesHelpers } from "../lib/cli/permissions.ts";

/** What a command line is run with, beside what its verb needs. */
export interface Extra {
  /** Whether its archive may be in a registry. */
  readonly remote?: boolean;
  /** Permissions of the caller's own, each in place of the verb's of that kind. */
  readonly permissions?: readonly string[];
  /** The credential helpers in use, which a verb may start that logs in to registries. */
  readonly helpers?: readonly string[];
}

/**
 * Gives the flags that Deno runs a command line with.
 *
 * @param words The words behind the program's name.
 */
export function denoFlags(
  words: readonly string[],
  { remote = false, permissions = [], helpers = [] }: Extra = {},
): string[] {
  const { dirname } = import.meta;
  const kind = (permission: string): string => permission.replace(/=.*/s, "");
  const kinds = permissions.map(kind);
  const needed = permissionFlags(words, remote);
  if (helpers.length > 0 && takesHelpers(words, remote)) needed.push(`--allow-run=${helpers}`);
  return [
    ...["--quiet", "--no-prompt", "--no-config"],
    // Where the module comes from a URL, no lock file is at hand.
    ...(dirname ? [`--lock=${dirname}/../cli.lock`, "--frozen"] : ["--node-modules-dir=none"]),
    ...needed.filter((flag) => !kinds.includes(kind(flag))),
    ...permissions,
  ];
}

/** The credential helpers in use, as far as this script may know. */
async function helpersInUse(): Promise<string[]> {
  for (const name of ["read", "env"] as const) {
    if ((await Deno.permissions.query({ name })).state !== "granted") return [];
  }
  const [{ authFiles }, { listHelpers }] = await Promise.all([
    import("../lib/registry/credentials.ts"),
    import("../lib/registry/docker_config.ts"),
  ]);
  return await listHelpers(authFiles());
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
    helpers: await helpersInUse(),
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
