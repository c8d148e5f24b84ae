/**
 * The command line's entry: finds the verb, runs it, and turns what it throws into an exit status.
 *
 * @module
 */

import { Command, CommanderError } from "npm:commander@15.1.0";
import { type ErrorCategory, type ErrorCode, ParError } from "../errors.ts";
import { printJson, say } from "./io.ts";
import { printable } from "./printable.ts";
import { redact } from "./redact.ts";
import { paint, wantsColour } from "./style.ts";
import { VerificationFailed } from "./verification_failed.ts";
import { VERBS, VERSION } from "./verbs.ts";

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
    const program = await buildProgram(args, interruption.signal);
    await program.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    const json = wantsJson(args);
    if (error instanceof CommanderError) {
      // Commander has printed its message, or the help that was asked for.
      if (error.exitCode === 0) return 0;
      if (json) await printFailure("ERR_USAGE", error.message.replace(/^error: /, ""));
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

/** Loads the one verb that is asked for; all of them only to list them. */
async function buildProgram(args: readonly string[], signal: AbortSignal): Promise<Command> {
  const program = new Command("par")
    .description("Make, sign, inspect and verify wasmCloud provider archives.")
    .version(VERSION, "--version", "print the version")
    // Without this, `create --version 1.0` would print ours.
    .enablePositionalOptions()
    .exitOverride()
    // A narrow column is still easier to read than lines that run over the edge.
    .configureHelp({ minWidthToWrap: 16 })
    .hook("preAction", (_program, command) => ignoreEmptyVariables(command))
    .configureOutput({
      writeErr: (text) => say(text.trimEnd()),
      // Asked itself, it reads variables that no verb has leave to read.
      getOutHasColors: () => wantsColour(Deno.stdout),
      getErrHasColors: () => wantsColour(Deno.stderr),
    });
  const [name = ""] = args;
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  for (const load of verb ? [verb] : Object.values(VERBS)) {
    const command = (await load())(signal, () => buildProgram([], signal));
    program.addCommand(withSharedSettings(command, program));
  }
  return program;
}

/** A mistyped flag is told as that first, and not as the required one that it was meant to be. */
function requireLater(command: Command): void {
  const required = command.options.filter((option) => option.mandatory);
  for (const option of required) option.mandatory = false;
  command.hook("preAction", () => {
    for (const option of required) {
      if (command.getOptionValue(option.attributeName()) !== undefined) continue;
      command.error(`error: required option '${option.flags}' not specified`);
    }
  });
}

/** Pipelines set a variable to nothing where they have no value for it. */
function ignoreEmptyVariables(command: Command): void {
  for (const [name, value] of Object.entries(command.opts())) {
    if (value !== "" || command.getOptionValueSource(name) !== "env") continue;
    command.setOptionValue(name, undefined);
  }
}

/** Every verb, and every verb's verb, explains itself alike. */
function withSharedSettings(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const inner of command.commands) withSharedSettings(inner, command);
  if (command.commands.length > 0) return command;
  requireLater(command);
  return command.option("--verbose", "say of an error what led to it");
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
