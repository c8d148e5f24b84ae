/**
 * Whole processes, measured from outside: time with hyperfine, memory with GNU time.
 *
 * @module
 */

/** Whether a program can be started. */
export function isInstalled(program: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** A command line of the shell, and what has to happen before each run of it. */
export interface Command {
  readonly run: string;
  readonly prepare?: string;
}

/**
 * Measures commands, one after the other in the same run of hyperfine.
 *
 * @param commands The commands.
 * @param runs How often each is run.
 * @param shell Whether a shell reads them; for a few milliseconds, its start would count too much.
 * @returns The median of each, in seconds.
 */
export async function time(
  commands: readonly Command[],
  runs: number,
  shell = true,
): Promise<number[]> {
  const file = await Deno.makeTempFile();
  try {
    await execute("hyperfine", [
      "--style=none",
      "--warmup=1",
      `--runs=${runs}`,
      `--export-json=${file}`,
      ...(shell ? commands.flatMap(({ prepare = ":" }) => ["--prepare", prepare]) : ["-N"]),
      ...commands.map(({ run }) => run),
    ]);
    const { results } = JSON.parse(await Deno.readTextFile(file));
    return results.map(({ median }: { median: number }) => median);
  } finally {
    await Deno.remove(file);
  }
}

/** What a run took. */
export interface Usage {
  /** Seconds on the clock. */
  readonly seconds: number;
  /** The largest resident set, in bytes. */
  readonly memory: number;
}

/** Runs a command so often, and tells the median of what it took. */
export async function usage(command: Command, runs: number): Promise<Usage> {
  const found: Usage[] = [];
  while (found.length < runs) found.push(await useOnce(command));
  const median = (values: number[]): number => values.sort((a, b) => a - b)[runs >> 1] ?? NaN;
  return {
    seconds: median(found.map(({ seconds }) => seconds)),
    memory: median(found.map(({ memory }) => memory)),
  };
}

async function useOnce({ run, prepare }: Command): Promise<Usage> {
  if (prepare) await execute("sh", ["-c", prepare]);
  // What `create` flushes to disk is else also what others left to be written.
  await execute("sync", []);
  const stderr = await execute("/usr/bin/time", ["-f", "%e %M", "sh", "-c", `exec ${run}`]);
  const [seconds, kilobytes] = (stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  if (!seconds || !kilobytes) throw new Error(`Cannot read what GNU time printed: ${stderr}`);
  return { seconds, memory: kilobytes * 1024 };
}

/**
 * Runs a program to its end.
 *
 * @returns What it wrote to standard error.
 * @throws {Error} Where it fails.
 */
export async function execute(program: string, args: readonly string[]): Promise<string> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], stdout: "null" })
    .output();
  const text = new TextDecoder().decode(stderr);
  if (!success) throw new Error(`Cannot measure: ${program} ${args.join(" ")} failed: ${text}`);
  return text;
}

/** A word of a shell's command line. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
