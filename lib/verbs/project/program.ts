/**
 * Starts build programs.
 *
 * @module
 */

import { delimiter, join } from "node:path";
import { ParError } from "../../errors.ts";
import { throwIfAborted } from "../../bytes/abort.ts";

/** Settings for starting a program. */
export interface ProgramOptions {
  /** The folder it runs in. */
  readonly folder: string;
  /** Variables in addition to those of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Stops the program. */
  readonly signal?: AbortSignal | undefined;
}

/** The output of a program, and whether it succeeded. */
export interface ProgramOutput {
  readonly success: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Variables that are hidden from builds. Builds run code of many authors, so seeds and passwords are
 * hidden. Variables of make are hidden because cargo cannot reach make's job server.
 */
const WITHHELD = /^(WASH|PAR)_.*(KEY|SEED|PASSWORD|TOKEN)|^(MAKEFLAGS|MFLAGS|MAKELEVEL)$/;

/** Matches a seed or a private key in PEM form, to hide variables of any name that hold one. */
const SECRET = /\bS[A-Z][A-Z2-7]{56}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/** The variables of this process without seeds and passwords. */
function buildEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(Deno.env.toObject())
      .filter(([name, value]) => !WITHHELD.test(name) && !SECRET.test(value)),
  );
}

/**
 * Runs a program and captures its output.
 *
 * @returns The output, or `undefined` if there is no such program.
 */
export async function capture(
  command: readonly string[],
  options: ProgramOptions,
): Promise<ProgramOutput | undefined> {
  const child = spawn(command, options, "piped");
  if (!child) return undefined;
  const { success, stdout, stderr } = await child.output();
  throwIfAborted(options.signal);
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr).trim() };
}

/**
 * Runs a program, and passes its standard error on to the user.
 *
 * @param onLine Receives each line of its standard output. Default: it goes to standard error too.
 * @returns Whether it succeeded, or `undefined` if there is no such program.
 */
export async function stream(
  command: readonly string[],
  options: ProgramOptions,
  onLine?: (line: string) => void,
): Promise<boolean | undefined> {
  const child = spawn(command, options, "inherit");
  if (!child) return undefined;
  if (!onLine) await child.stdout.pipeTo(Deno.stderr.writable, { preventClose: true });
  else for await (const line of linesOf(child.stdout)) onLine(line);
  const { success } = await child.status;
  throwIfAborted(options.signal);
  return success;
}

async function* linesOf(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest) yield rest;
}

function spawn(
  [program = "", ...args]: readonly string[],
  { folder, env, signal }: ProgramOptions,
  stderr: "piped" | "inherit",
): Deno.ChildProcess | undefined {
  throwIfAborted(signal);
  try {
    return new Deno.Command(program, {
      args,
      cwd: folder,
      clearEnv: true,
      env: { ...buildEnvironment(), ...env },
      stdin: "null",
      stdout: "piped",
      stderr,
      ...(signal && { signal }),
    }).spawn();
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new ParError(
      "ERR_BUILD_TOOL_MISSING",
      cause instanceof Deno.errors.NotCapable
        ? `Cannot start ${program}: Deno does not allow it; allow it to start programs (--allow-run)`
        : `Cannot start ${program}: ${(cause as Error).message}`,
      cause,
    );
  }
}

/** Formats a command line for messages, quoted as in a shell. */
export function commandLine(words: readonly string[]): string {
  return words.map((word) => /^[\w@%+=:,./\\-]+$/.test(word) ? word : `'${word}'`).join(" ");
}

/**
 * Finds a program by its path, or by its name on the PATH.
 *
 * @returns Its path, or `undefined` if there is no such program.
 */
export async function findProgram(program: string): Promise<string | undefined> {
  const suffix = Deno.build.os === "windows" ? ".exe" : "";
  const folders = (Deno.env.get("PATH") ?? "").split(delimiter).filter((folder) => folder !== "");
  const paths = /[/\\]/.test(program)
    ? [program]
    : folders.map((folder) => join(folder, program + suffix));
  for (const path of paths) if (await isExecutable(path)) return path;
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  const info = await Deno.stat(path).catch(() => undefined);
  return info?.isFile === true && (info.mode === null || (info.mode & 0o111) !== 0);
}
