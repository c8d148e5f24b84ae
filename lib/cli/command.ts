/**
 * Makes stricli's command of a verb's description.
 *
 * @module
 */

import { buildCommand, type Command, type CommandContext } from "npm:@stricli/core@1.3.0";
import { ParError, quote } from "../errors.ts";
import { COMMON } from "./flags.ts";
import { STDIN, STDOUT } from "../system/pipe.ts";
import { beQuiet } from "./io.ts";
import { splitBinary } from "./options.ts";
import {
  type Context,
  type Dash,
  type Flag,
  type Flags,
  kebab,
  type Proposals,
  type Values,
  type Verb,
} from "./verb.ts";
import { findVerb, SHELLS } from "./verbs.ts";

/** The function of a verb. It gets the verb's flags, and its arguments in order. */
export type Run<V extends Verb> = (
  this: Context,
  flags: Values<V["flags"]>,
  ...args: string[]
) => Promise<void>;

/** What stricli gives the function of a verb as `this`. */
export type CliContext = Context & CommandContext;

/**
 * Makes the command of a verb.
 *
 * @param verb The verb's description.
 * @param load Loads the verb's function.
 */
export function command<V extends Verb>(verb: V, load: () => Promise<Run<V>>): Command<CliContext> {
  const flags: Flags = { ...verb.flags, ...COMMON };
  const { arguments: args = [] } = verb;
  const positional = args.map(({ name, brief, optional, proposals }) => ({
    placeholder: name,
    brief,
    parse: String,
    optional,
    proposeCompletions: proposals && PROPOSALS[proposals],
  }));
  // Stricli derives types from a table that is written out; here, `Values` has the types.
  const parameters = {
    flags: parametersOf(flags),
    aliases: Object.fromEntries(
      Object.entries(flags).flatMap(([name, { short }]) => short ? [[short, kebab(name)]] : []),
    ),
    positional: args[0]?.many
      ? { kind: "array", parameter: positional[0], minimum: 1 }
      : { kind: "tuple", parameters: positional },
  } as never;
  return buildCommand<Given, string[], CliContext>({
    docs: { brief: verb.brief },
    parameters,
    loader: async () => {
      const run = await load();
      return async function (given, ...words) {
        const values = valuesOf(flags, given);
        if (values["quiet"]) beQuiet();
        const dashes = new Dashes();
        for (const [name, { dash }] of Object.entries(flags)) {
          if (dash) values[name] = dashes.replace(values[name], dash, `--${kebab(name)}`);
        }
        const paths = words.map((word, at) => {
          const { name, dash } = args[at] ?? args.at(-1) ?? {};
          return dash ? dashes.replace(word, dash, `<${name}>`) : word;
        });
        await run.call(this, values as Values<V["flags"]>, ...paths as string[]);
      };
    },
  });
}

/** Replaces `-` with the path of standard input or output, and lets standard input be used once. */
class Dashes {
  #usesInput = false;

  /** Replaces it in the value of a flag or an argument, or in each of several values. */
  replace(value: unknown, dash: Dash, where: string): unknown {
    if (Array.isArray(value)) return value.map((item) => this.replace(item, dash, where));
    if (typeof value !== "string") return value;
    const { target, source } = splitBinary(value);
    if (source !== "-") return value;
    if (dash === "refused") {
      throw new ParError(
        "ERR_USAGE",
        `Cannot use - for ${where}: standard input and output cannot take its place; give a path`,
      );
    }
    if (dash === "standard output") return STDOUT;
    if (this.#usesInput) {
      throw new ParError(
        "ERR_USAGE",
        `Cannot use - for ${where}: standard input is read only once, and it is given already`,
      );
    }
    this.#usesInput = true;
    return target === undefined ? STDIN : `${target}=${STDIN}`;
  }
}

/** What stricli makes of each flag: how often it is given, or all of its values. */
type Given = Readonly<Record<string, number | readonly unknown[] | undefined>>;

/** Each flag may be given more than once, so that the end of a command line overrides its beginning. */
function toParameter(
  name: string,
  { brief, choices, parse, proposals, required, value }: Flag,
): object {
  if (value === undefined) return { kind: "counter", brief, optional: true };
  const read = (text: string): unknown => parse ? parse(text, `--${name}`) : text;
  return {
    ...(choices ? { kind: "enum", values: choices } : { kind: "parsed", parse: read }),
    brief,
    variadic: true,
    optional: !required,
    proposeCompletions: proposals && PROPOSALS[proposals],
  };
}

/** Has no prototype, so that `--constructor` is not a flag. */
function parametersOf(flags: Flags): Record<string, object> {
  const parameters: Record<string, object> = Object.create(null);
  for (const [name, flag] of Object.entries(flags)) {
    parameters[kebab(name)] = toParameter(kebab(name), flag);
  }
  return parameters;
}

/** Gives each flag the value that its description promises. */
function valuesOf(flags: Flags, given: Given): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => {
      const values = given[kebab(name)];
      const other = flag.conflicts?.find((other) => given[kebab(other)]);
      if (values && other !== undefined) {
        throw new ParError(
          "ERR_USAGE",
          `Cannot use --${kebab(name)} together with --${kebab(other)}: give one of them`,
        );
      }
      if (flag.value === undefined) return [name, values !== undefined || isSet(flag)];
      if (flag.repeatable) return [name, values];
      return [name, (values as readonly unknown[] | undefined)?.at(-1) ?? fallback(flag)];
    }),
  );
}

/** A variable means no if it has one of the words that `wash` takes for no. */
function isSet({ env = "" }: Flag): boolean {
  const text = (env && Deno.env.get(env)) || "no";
  return !/^(n|no|f|false|off|0)$/i.test(text.trim());
}

/** The value of a flag that is not given. Pipelines set a variable to nothing if they have no value. */
function fallback({ env = "", late, default: value, parse }: Flag): unknown {
  const text = (env && !late && Deno.env.get(env)) || value;
  return parse && text !== undefined ? parse(text, env) : text;
}

/**
 * Splits flags from their values where stricli 1.3.0 does not: it does not know `-bfile` and `--capid=`,
 * and reads `--compress=0` as `--compress`.
 *
 * @param words The words behind the program's name.
 * @returns Words with the same meaning.
 * @throws {ParError} `ERR_USAGE` for a value of a flag that takes none.
 */
export function separateValues(words: readonly string[]): string[] {
  const verb = findVerb(words)?.verb;
  const all: Flags = verb && "flags" in verb ? { ...verb.flags, ...COMMON } : {};
  const flags = Object.entries(all);
  const find = (typed: string): Flag | undefined =>
    flags.find(([name, { short }]) => typed === `--${kebab(name)}` || typed === `-${short}`)?.[1];
  const end = words.includes("--") ? words.indexOf("--") : words.length;
  return words.flatMap((word, at) => {
    const [, flag = "", value = ""] = /^(--[a-z-]+(?==)|-[a-z](?=.))=?(.*)$/s.exec(word) ?? [];
    const known = at < end ? find(flag) : undefined;
    // Stricli would take it for an argument.
    if (
      at < end && /^-[^a-z-]|^--[^a-z]/i.test(word) &&
      find(words[at - 1] ?? "")?.value === undefined
    ) {
      throw new ParError(
        "ERR_USAGE",
        `Cannot use ${
          quote(word)
        }: there is no such flag; write -- before an argument that begins with a dash`,
      );
    }
    if (!known) return [word];
    if (known.value === undefined) {
      throw new ParError("ERR_USAGE", `Cannot use ${quote(word)}: ${flag} takes no value`);
    }
    return value.startsWith("-") ? [`${flag}=${value}`] : [flag, value];
  });
}

/** The lists of values that completions propose. */
const PROPOSALS: Readonly<Record<Proposals, () => Promise<readonly string[]>>> = {
  "targets": async () => (await import("../target/target.ts")).KNOWN_TARGETS,
  "key kinds": async () => (await import("./keys.ts")).KEY_KINDS,
  "predicate types": async () =>
    Object.keys((await import("../signing/statement.ts")).PREDICATE_TYPES),
  "shells": () => Promise.resolve(SHELLS),
};
