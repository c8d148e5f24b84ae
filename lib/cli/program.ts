/**
 * The command line as commander knows it, which explains itself and what is wrong.
 *
 * @module
 */

import { Command, CommanderError, Option } from "npm:commander@15.1.0";
import { UsageError } from "./exit_errors.ts";
import { say } from "./io.ts";
import { VERBOSE } from "./plain.ts";
import { wantsColour } from "./style.ts";
import type { Flag, Verb } from "./verb.ts";
import { VERBS, VERSION } from "./verbs.ts";

/**
 * Runs any command line.
 *
 * @param words The arguments behind the program's name.
 * @param signal The user wants it to stop.
 * @throws {UsageError} When what is wrong with it was said.
 */
export async function runProgram(words: readonly string[], signal: AbortSignal): Promise<void> {
  const [name = ""] = words;
  const load = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  const verbs = await Promise.all((load ? [load] : Object.values(VERBS)).map((load) => load()));
  try {
    await buildProgram(verbs, signal).parseAsync(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has printed its message, or the help that was asked for.
    if (error.exitCode !== 0) throw new UsageError(error.message.replace(/^error: /, ""));
  }
}

/** Builds the program of some verbs. */
export function buildProgram(verbs: readonly Verb[], signal: AbortSignal): Command {
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
  for (const verb of verbs) addVerb(program, verb, signal);
  return program;
}

function addVerb(parent: Command, verb: Verb, signal: AbortSignal): void {
  const command = new Command(verb.name).description(verb.description).copyInheritedSettings(
    parent,
  );
  parent.addCommand(command);
  for (const inner of verb.verbs ?? []) addVerb(command, inner, signal);
  for (const { name, description } of verb.arguments ?? []) command.argument(name, description);
  if (!verb.run) return;
  for (const flag of [...verb.flags ?? [], VERBOSE]) command.addOption(toOption(flag));
  if (verb.examples) command.addHelpText("after", examples(verb.examples));
  requireLater(command);
  command.action(async () => {
    await verb.run?.(command.args, command.opts(), {
      signal,
      isGiven: (flag) => command.getOptionValueSource(flag) === "cli",
    });
  });
}

function toOption({ flags, description, ...flag }: Flag): Option {
  const option = new Option(flags, description);
  if (flag.env !== undefined) option.env(flag.env);
  if (flag.choices) option.choices(flag.choices);
  if (flag.default !== undefined) option.default(flag.default);
  if (flag.conflicts !== undefined) option.conflicts(flag.conflicts);
  if (flag.repeatable) option.argParser(collect);
  return option.makeOptionMandatory(flag.required ?? false);
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...previous ?? [], value];
}

/** The end of a verb's help: command lines to start from. */
function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}\n`).join("")}`;
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
