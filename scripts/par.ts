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
  const kind = (permission: string): string => permission.replace(/=.*/s, "");
  const kinds = permissions.map(kind);
  const needed = permissionFlags(words, remote);
  if (helpers.length > 0 && takesHelpers(words, remote)) needed.push(`--allow-run=${helpers}`);
  return [
    ...["--quiet", "--no-prompt", "--no-config"],
    ...lockFlags(),
    ...needed.filter((flag) => !kinds.includes(kind(flag))),
    ...permissions,
  ];
}

/** Where the module comes from a URL, no lock file is at hand. */
function lockFlags(): string[] {
  const { dirname } = import.meta;
  return dirname ? [`--lock=${dirname}/../cli.lock`, "--frozen"] : ["--node-modules-dir=none"];
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
  const { code } = await child.status;
  if (code === 1 && !await hasPackages()) {
    console.error(
      "Cannot run par: Deno has not downloaded its packages yet, and cannot do so now; connect to the " +
        "network once, or use the par that make install makes, which has them",
    );
  }
  return code;
}

/** Whether Deno has the packages of the command. If not, its error says little to a user of `par`. */
async function hasPackages(): Promise<boolean> {
  const cached = ["run", "--quiet", "--no-prompt", "--no-config", "--cached-only"];
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...cached, ...lockFlags(), new URL("../cli.ts", import.meta.url).href, "--version"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

if (import.meta.main) Deno.exit(await run(Deno.args));
