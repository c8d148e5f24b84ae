/**
 * Runs the command as its users do: a process of its own, with exactly the permissions of its verb,
 * in a folder and a home directory of its own.
 *
 * @module
 */

import assert from "node:assert/strict";
import { denoFlags } from "../scripts/par.ts";
import { type Output, ROOT, runTool, temporaryFolder } from "./_tools.ts";
import { ISSUER, OTHER_ISSUER, SUBJECT } from "./_keys.ts";

/** A folder to work in and a home directory, both fresh. */
export interface Sandbox extends AsyncDisposable {
  /** The folder the command is run in. */
  readonly folder: string;
  /** The home directory. */
  readonly home: string;
  /** The key directory that follows from the home directory. */
  readonly keys: string;
  /** Runs a verb. */
  run(args: readonly string[], options?: RunOptions): Promise<Output>;
  /** Runs `create` with what it requires, and with fixed keys unless the arguments give others. */
  create(args: readonly string[], options?: RunOptions): Promise<Output>;
  /** Writes a file in the folder, and gives its path. */
  write(name: string, content: Uint8Array | string): Promise<string>;
  /** Reads a file in the folder. */
  read(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The names of the files in the folder, hidden ones too, sorted. */
  list(): Promise<string[]>;
}

/** Settings of a run. */
export interface RunOptions {
  /** Variables beside the few that every run has. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program, with its arguments, that the command is started through. */
  readonly through?: readonly string[];
  /** Whether it may do what an archive in a registry takes. */
  readonly remote?: boolean;
  /** Leaves a standard variable out. */
  readonly unset?: readonly string[];
}

/** The flags that fix the keys. */
export const FIXED_KEYS: readonly string[] = ["--issuer", ISSUER.seed, "--subject", SUBJECT.seed];

/** The flags that `create` requires. */
export const REQUIRED: readonly string[] = ["--name", "Fake Payments", "--vendor", "wasmCloud"];

/** Opens a sandbox. */
export async function sandbox(): Promise<Sandbox> {
  const temporary = await temporaryFolder();
  const folder = `${temporary.path}/work`;
  const home = `${temporary.path}/home`;
  await Deno.mkdir(folder);
  await Deno.mkdir(home);
  const keys = `${home}/.wash/keys`;
  const run = async (args: readonly string[], options: RunOptions = {}): Promise<Output> => {
    const env: Record<string, string> = {
      HOME: home,
      USER: "kevin",
      PATH: Deno.env.get("PATH") ?? "",
      DENO_DIR: await denoDir(),
      DENO_NO_UPDATE_CHECK: "1",
      ...options.env,
    };
    for (const name of options.unset ?? []) delete env[name];
    const command = [
      Deno.execPath(),
      "run",
      ...denoFlags(args, { remote: options.remote ?? false }),
      `${ROOT}/cli.ts`,
      ...args,
    ];
    const [program = "", ...all] = [...options.through ?? [], ...command];
    const output = await runTool(program, all, { cwd: folder, env, clearEnv: true });
    await assertNoSeeds(output, [folder, keys]);
    return output;
  };
  return {
    folder,
    home,
    keys,
    run,
    create: (args, options) =>
      run([
        "create",
        ...REQUIRED,
        ...(args.some((arg) => /^(-i|--issuer|-s|--subject|-d)$/.test(arg)) ? [] : FIXED_KEYS),
        ...args,
      ], options),
    write: async (name, content) => {
      const path = `${folder}/${name}`;
      await (typeof content === "string"
        ? Deno.writeTextFile(path, content)
        : Deno.writeFile(path, content));
      return path;
    },
    read: (name) => Deno.readFile(`${folder}/${name}`),
    list: async () => (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort(),
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

/** What a run said to people, without what it says of an archive that it made. */
export function notesOf({ stderr }: Output): string {
  return stderr.replace(/^ {2}size .*\n {2}targets .*\n {2}issuer .*\n {2}next .*\n/m, "");
}

let tasks: Record<string, string> | undefined;

/** What a task of `deno.json` runs. */
export function task(name: string): string {
  tasks ??= JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`)).tasks as Record<string, string>;
  const command = tasks[name];
  assert(command, `deno.json has no task ${name}`);
  return command;
}

let cacheFolder: Promise<string> | undefined;

/** Where Deno keeps what it has downloaded, whatever the home directory is. */
export function denoDir(): Promise<string> {
  cacheFolder ??= runTool(Deno.execPath(), ["info", "--json"]).then(
    ({ stdout }) => JSON.parse(stdout).denoDir as string,
  );
  return cacheFolder;
}

/** No output may show a secret: neither what looks like one nor one that is known here. */
async function assertNoSeeds({ stdout, stderr }: Output, folders: string[]): Promise<void> {
  const printed = stdout + stderr;
  assert.doesNotMatch(printed, /S[A-Z][A-Z2-7]{56}/, "a seed was printed");
  const seeds = [ISSUER.seed, OTHER_ISSUER.seed, SUBJECT.seed];
  for (const folder of folders) seeds.push(...await seedsIn(folder));
  for (const seed of seeds) {
    // Any longer part of a secret is as bad as all of it.
    for (let at = 4; at + 16 <= seed.length; at += 8) {
      assert(!printed.includes(seed.slice(at, at + 16)), "a part of a seed was printed");
    }
  }
}

async function seedsIn(folder: string): Promise<string[]> {
  const seeds: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && name.endsWith(".nk")) {
        seeds.push((await Deno.readTextFile(`${folder}/${name}`)).trim());
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return seeds;
}
