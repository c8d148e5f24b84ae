import { countOf, ParError } from "../errors.ts";
import { authFiles } from "../registry/credentials.ts";
import { listHelpers, readDockerConfig } from "../registry/docker_config.ts";
import { checkRegistry } from "../registry/login.ts";
import { listKeys } from "../system/keystore.ts";
import { type Outcome, printChecks } from "./checks.ts";
import { EXIT_STATUS, ExitStatus } from "./exit_status.ts";
import { isQuiet, printJson } from "./io.ts";
import { registryOptions } from "./registry.ts";
import { keyDirectories, userName } from "./signing.ts";
import { paint } from "./style.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type DoctorFlags = Values<typeof VERBS.doctor.flags>;

/** The oldest Deno that works, which `scripts/deno` states too. */
export const OLDEST_DENO = "2.5.4";

/** What a check found. */
type Found = readonly [outcome: Outcome, message: string];

/** Runs `par doctor`. */
export async function run(this: Context, flags: DoctorFlags, registry?: string): Promise<void> {
  const { signal } = this;
  const examinations: Readonly<Record<string, () => Found | Promise<Found>>> = {
    "deno": checkDeno,
    "permissions": checkPermissions,
    "keys": () => checkKeys(flags),
    "wasm-tools": () => checkProgram("wasm-tools", "--wit-directory and inspect --wit", signal),
    "credentials": () => checkCredentials(signal),
    ...(registry !== undefined && { "registry": () => tryRegistry(registry, flags, signal) }),
  };
  const checks = [];
  for (const [name, check] of Object.entries(examinations)) {
    const [outcome, message] = await attempt(check);
    signal.throwIfAborted();
    checks.push({ name, outcome, message });
  }
  const failed = checks.filter(({ outcome }) => outcome === "FAILED").map(({ name }) => name);
  const success = failed.length === 0;
  if (flags.output === "json") {
    const shown = checks.map(({ outcome, ...rest }) => ({
      ...rest,
      outcome: outcome.toLowerCase(),
    }));
    await printJson({ checks: shown, success });
  } else {
    const shown = checks.filter(({ outcome }) => !isQuiet() || outcome !== "ok");
    const verdict = success
      ? isQuiet() ? [] : [paint(Deno.stdout, "green", "Ready.")]
      : [`${paint(Deno.stdout, "red", "Not ready:")} see to ${failed.join(" and ")}.`];
    await printChecks(shown, verdict);
  }
  if (!success) throw new ExitStatus(EXIT_STATUS.failed);
}

/** Runs a check. What it throws is its result too. */
async function attempt(check: () => Found | Promise<Found>): Promise<Found> {
  try {
    return await check();
  } catch (error) {
    if (error instanceof ParError) return ["FAILED", error.message];
    if (error instanceof Deno.errors.NotCapable) {
      return ["warning", `not checked: ${error.message.replace(/,.*/s, "")}`];
    }
    throw error;
  }
}

function checkDeno(): Found {
  const version = Deno.version.deno;
  const order = new Intl.Collator("en", { numeric: true }).compare(version, OLDEST_DENO);
  return order >= 0
    ? ["ok", `${version} on ${Deno.build.target}`]
    : ["FAILED", `${version} misreads archives; install ${OLDEST_DENO} or newer: deno upgrade`];
}

async function checkPermissions(): Promise<Found> {
  const state = async (descriptor: Deno.PermissionDescriptor): Promise<boolean> =>
    (await Deno.permissions.query(descriptor)).state === "granted";
  const granted = {
    read: await state({ name: "read" }),
    net: await state({ name: "net" }),
    env: await state({ name: "env", variable: "HOME" }),
    run: await state({ name: "run", command: "wasm-tools" }),
  };
  const missing = Object.entries(granted).filter(([, granted]) => !granted)
    .map(([name]) => `--allow-${name}`);
  return missing.length === 0
    ? ["ok", "each verb has its own, of the task or of the installed par"]
    : [
      "warning",
      `Deno does not allow ${missing.join(", ")}, so less is checked; use the task par:doctor or ` +
      "the par of make install",
    ];
}

async function checkKeys(flags: DoctorFlags): Promise<Found> {
  const directories = keyDirectories(flags);
  const unreadable: string[] = [];
  const keys = await listKeys(directories, (error) => unreadable.push(error.message));
  const open = await openToOthers(keys.map(({ path }) => path));
  if (unreadable.length > 0) return ["warning", unreadable.join("; ")];
  if (open.length > 0) {
    return ["warning", `others can read ${open.join(", ")}; take that from them: chmod go= FILE`];
  }
  const issuer = `${userName()}_account`;
  const used = directories.filter((folder) =>
    keys.some(({ path }) => path.startsWith(`${folder}/`))
  );
  const places = used.length > 0 ? used.join(" and ") : directories[0];
  const count = `${countOf(keys.length, "key")} in ${places}`;
  return keys.some(({ name }) => name === issuer)
    ? ["ok", `${count}, the issuer's is ${issuer}.nk`]
    : [
      "warning",
      `${count}, and none of them is ${issuer}.nk; par create makes it, unless --issuer names another`,
    ];
}

/** Finds the key files that others than their owner can read. */
async function openToOthers(paths: readonly string[]): Promise<string[]> {
  if (Deno.build.os === "windows") return [];
  const infos = await Promise.all(paths.map((path) => Deno.stat(path)));
  return paths.filter((_, at) => ((infos[at]?.mode ?? 0) & 0o077) !== 0);
}

async function checkProgram(program: string, uses: string, signal: AbortSignal): Promise<Found> {
  try {
    const { success, stdout } = await new Deno.Command(program, {
      args: ["--version"],
      stdin: "null",
      stderr: "null",
      clearEnv: true,
      signal,
    }).output();
    const version = new TextDecoder().decode(stdout).trim().split("\n")[0] ?? "";
    return success ? ["ok", version] : ["FAILED", `${program} --version fails; install it again`];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return ["warning", `not on the PATH; only ${uses} need it (cargo install --locked ${program})`];
  }
}

async function checkCredentials(signal: AbortSignal): Promise<Found> {
  const files: string[] = [];
  for (const path of authFiles()) if (await readDockerConfig(path)) files.push(path);
  if (files.length === 0) {
    return ["ok", "none, which is enough for public registries; par login stores some"];
  }
  const helpers = await listHelpers(files);
  for (const helper of helpers) {
    const found = await checkProgram(helper, "the registries that name it", signal);
    if (found[0] === "warning") {
      return ["FAILED", `${helper}, which ${files.join(" or ")} names, is not on the PATH`];
    }
  }
  return ["ok", [...files, ...helpers].join(", ")];
}

async function tryRegistry(
  registry: string,
  flags: DoctorFlags,
  signal: AbortSignal,
): Promise<Found> {
  await checkRegistry(registry, await registryOptions(flags, signal));
  return ["ok", `${registry} answers`];
}
