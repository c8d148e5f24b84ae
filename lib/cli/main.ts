/**
 * The command line's entry: finds the verb, runs it, and turns what it throws into an exit status.
 *
 * @module
 */

import { type ErrorCategory, type ErrorCode, ParError, redact } from "../errors.ts";
import { UsageError, VerificationFailed } from "./exit_errors.ts";
import { printJson, say } from "./io.ts";
import { readPlain } from "./plain.ts";
import { printable } from "./printable.ts";
import { paint } from "./style.ts";
import { VERBS } from "./verbs.ts";

/** Exit statuses: 0 done, 1 failed, 2 wrong usage, 3 not trustworthy. */
const EXIT_STATUS: Readonly<Record<ErrorCategory, number>> = { failed: 1, usage: 2, untrusted: 3 };

/** What asks a process to end; Windows has only the first. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** The exit status of a process that an interrupt signal ended, as shells report it. */
const INTERRUPTED = 130;

/** The exit status of a process whose reader has gone, as shells report it. */
const BROKEN_PIPE = 141;

/**
 * Runs a command line.
 *
 * @param args The arguments behind the program's name.
 * @returns The exit status.
 */
export async function main(args: readonly string[]): Promise<number> {
  const interruption = new AbortController();
  const interrupt = (): void => {
    // Asked twice, it does not wait for the clean-up.
    if (interruption.signal.aborted) Deno.exit(INTERRUPTED);
    interruption.abort("an interrupt signal");
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupt);
  try {
    await run(args, interruption.signal);
    return 0;
  } catch (error) {
    const json = wantsJson(args);
    if (error instanceof UsageError) {
      if (json) await printFailure("ERR_USAGE", error.message);
      return EXIT_STATUS.usage;
    }
    if (error instanceof VerificationFailed) return EXIT_STATUS.untrusted;
    if (interruption.signal.aborted) return INTERRUPTED;
    if (error instanceof Deno.errors.BrokenPipe) return BROKEN_PIPE;
    return await report(error, args, json);
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupt);
  }
}

/** Loads the one verb that is asked for, and commander only where something has to be explained. */
async function run(args: readonly string[], signal: AbortSignal): Promise<void> {
  const [name = "", ...words] = args;
  const load = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  const line = load && readPlain(await load(), words, (name) => Deno.env.get(name));
  if (line) return await line.verb.run?.(line.args, line.flags, { ...line, signal });
  const { runProgram } = await import("./program.ts");
  await runProgram(args, signal);
}

async function report(error: unknown, args: readonly string[], json: boolean): Promise<number> {
  if (!(error instanceof ParError)) {
    // A defect of ours: whoever reports it needs the stack.
    say(error instanceof Error ? error.stack ?? error.message : String(error));
    return EXIT_STATUS.failed;
  }
  say(`${paint(Deno.stderr, "red", "Error:")} ${printable(error.message)} [${error.code}]`);
  if (args.includes("--verbose")) { for (const line of causes(error)) say(printable(line)); }
  if (json) await printFailure(error.code, error.message);
  return EXIT_STATUS[error.category];
}

async function printFailure(code: ErrorCode, message: string): Promise<void> {
  await printJson({ success: false, error: { code, message: redact(message) } });
}

/** What led to an error, outermost first. */
function causes(error: Error): string[] {
  const lines: string[] = [];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    lines.push(`  because of ${cause.name}: ${cause.message}`);
  }
  return lines;
}

/** The arguments may be what is wrong, so this looks at them without parsing. */
function wantsJson(args: readonly string[]): boolean {
  // Where extract writes to is its `--output`.
  const flag = args[0] === "extract" ? "-o|--format" : "-o|--output";
  return new RegExp(`(^| )(${flag})[ =]?json( |$)`).test(args.join(" "));
}
