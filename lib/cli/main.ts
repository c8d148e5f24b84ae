/**
 * The command line's entry: runs a verb, and turns what it throws into an exit status.
 *
 * @module
 */

import { inFile, ParError, printable, redact } from "../errors.ts";
import { printCompletions, runCommandLine } from "./application.ts";
import { EXIT_STATUS, ExitStatus } from "./exit_status.ts";
import { fitToTerminal, printJson, say } from "./io.ts";
import { paint } from "./style.ts";
import { inOrder } from "./verbs.ts";

/** The signals that ask a process to end. Windows has only the first. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGINT", "SIGTERM"];

/** The exit status of a process that an interrupt signal ended, as shells report it. */
const INTERRUPTED = 130;

/** The exit status of a process that wrote to a closed pipe, as shells report it. */
const BROKEN_PIPE = 141;

/**
 * Runs a command line.
 *
 * @param args The arguments behind the program's name.
 * @returns The exit status.
 */
export async function main(args: readonly string[]): Promise<number> {
  const words = inOrder(args);
  const interruption = new AbortController();
  const interrupt = (): void => {
    // The second signal does not wait for the clean-up.
    if (interruption.signal.aborted) Deno.exit(INTERRUPTED);
    interruption.abort("an interrupt signal");
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupt);
  try {
    await fitToTerminal();
    if (args[0] === "__complete") await printCompletions(args.slice(1));
    else {
      await runCommandLine(words, {
        signal: interruption.signal,
        report: (error, archive) => report(error, words, archive),
      });
    }
    return 0;
  } catch (error) {
    if (error instanceof ExitStatus) return error.status;
    if (interruption.signal.aborted) return INTERRUPTED;
    if (isBrokenPipe(error)) return BROKEN_PIPE;
    return await report(error, words);
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupt);
  }
}

async function report(
  thrown: unknown,
  args: readonly string[],
  archive?: string,
): Promise<number> {
  const error = toParError(thrown);
  if (!error) {
    // This is our defect, and a report of it needs the stack.
    say(thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown));
    return EXIT_STATUS.failed;
  }
  const { hintFor } = await import("./hints.ts");
  const { message: said } = archive === undefined ? error : inFile(error, archive);
  const message = said + hintFor(error, args);
  say(`${paint(Deno.stderr, "red", "Error:")} ${printable(message)} [${error.code}]`);
  if (error.category === "usage") {
    const { usageLines } = await import("./help.ts");
    say(usageLines(args));
  }
  if (args.includes("--verbose")) { for (const line of causes(error)) say(printable(line)); }
  if (wantsJson(args)) {
    const shown = { code: error.code, message: redact(message) };
    // If printing fails, that may be the error itself, which is on standard error already.
    await printJson({ success: false, error: shown }, archive).catch(() => {});
  }
  return EXIT_STATUS[error.category];
}

/** Makes a `ParError` of what the system or Deno's permissions refuse. Other errors are our defects. */
function toParError(error: unknown): ParError | undefined {
  if (error instanceof ParError) return error;
  if (!(error instanceof Error)) return undefined;
  if (!(error instanceof Deno.errors.NotCapable) && !/\(os error \d+\)/.test(error.message)) {
    return undefined;
  }
  return new ParError("ERR_SYSTEM", `Cannot finish the work: ${error.message}`, error);
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    error instanceof ParError && error.cause instanceof Deno.errors.BrokenPipe;
}

/** The causes of an error, one a line. */
function causes(error: Error): string[] {
  const lines: string[] = [];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    lines.push(`  because of ${cause.name}: ${cause.message}`);
  }
  return lines;
}

/** Does not parse the arguments, because they may be what is wrong. */
function wantsJson(args: readonly string[]): boolean {
  // The `--output` of extract is a path.
  const flag = args[0] === "extract" ? "-o|--format" : "-o|--output";
  return new RegExp(`(^| )(${flag})[ =]?json( |$)`).test(args.join(" "));
}
