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
 * Times commands.
 *
 * @param commands The commands, which run in turn.
 * @param runs How often each is run, after once to warm up.
 * @param shell Whether a shell reads them; for a few milliseconds, its start would count too much.
 * @returns The median of each, in seconds.
 */
export async function time(
  commands: readonly Command[],
  runs: number,
  shell = true,
): Promise<number[]> {
  const file = await Deno.makeTempFile();
  const timeOnce = async (run: string): Promise<number> => {
    await execute("hyperfine", [
      "--style=none",
      "--runs=1",
      `--export-json=${file}`,
      ...(shell ? [] : ["-N"]),
      run,
    ]);
    return JSON.parse(await Deno.readTextFile(file)).results[0].median;
  };
  try {
    const found = await inTurn(commands, runs + 1, timeOnce);
    return found.map(([_warmUp, ...seconds]) => median(seconds));
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

/**
 * Tells what commands take.
 *
 * @param commands The commands, which run in turn.
 * @param runs How often each is run.
 * @returns The median of each.
 */
export async function usage(commands: readonly Command[], runs: number): Promise<Usage[]> {
  const found = await inTurn(commands, runs, useOnce);
  return found.map((usages) => ({
    seconds: median(usages.map(({ seconds }) => seconds)),
    memory: median(usages.map(({ memory }) => memory)),
  }));
}

/** Round after round, so that whatever slows the machine for a while slows all commands. */
async function inTurn<T>(
  commands: readonly Command[],
  rounds: number,
  measure: (run: string) => Promise<T>,
): Promise<T[][]> {
  const found = commands.map((): T[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { run, prepare }] of commands.entries()) {
      if (prepare) await execute("sh", ["-c", prepare]);
      // What `create` flushes to disk is else also what others left to be written.
      await execute("sync", []);
      found[i]?.push(await measure(run));
    }
  }
  return found;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const above = sorted[middle] ?? NaN;
  return sorted.length % 2 ? above : (above + (sorted[middle - 1] ?? NaN)) / 2;
}

async function useOnce(run: string): Promise<Usage> {
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
