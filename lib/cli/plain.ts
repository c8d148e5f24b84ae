/**
 * Reading command lines that are in order, which nearly all are, without loading what can tell what
 * is wrong with the others: that takes twice as long as to start up.
 *
 * @module
 */

import type { Context, Flag, Verb } from "./verb.ts";

/** What a command line says. */
export interface CommandLine extends Pick<Context, "isGiven"> {
  /** The verb, which may be one of a group. */
  readonly verb: Verb;
  /** The arguments, in order. */
  readonly args: readonly string[];
  /** The flags' values by their names in camel case. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Every verb has it. */
export const VERBOSE: Flag = { flags: "--verbose", description: "say of an error what led to it" };

/**
 * Reads a verb's command line.
 *
 * @param verb The verb.
 * @param words What stands behind it.
 * @param env Looks an environment variable up.
 * @returns What it says, or `undefined` where anything is out of the ordinary.
 */
export function readPlain(
  verb: Verb,
  words: readonly string[],
  env: (name: string) => string | undefined,
): CommandLine | undefined {
  if (verb.verbs) {
    const inner = verb.verbs.find(({ name }) => name === words[0]);
    return inner && readPlain(inner, words.slice(1), env);
  }
  const all = [...verb.flags ?? [], VERBOSE].map(parseFlag);
  const flags: Record<string, unknown> = {};
  const args: string[] = [];
  const given = new Set<string>();
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    if (word === "") return undefined;
    if (!word.startsWith("-") || word === "-") {
      args.push(word);
      continue;
    }
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const spelling = equals < 0 ? word : word.slice(0, equals);
    const flag = all.find(({ spellings }) => spellings.includes(spelling));
    if (!flag) return undefined;
    given.add(flag.name);
    if (!flag.takesValue) {
      if (equals >= 0) return undefined;
      flags[flag.name] = !flag.negates;
      continue;
    }
    const value = equals < 0 ? words[++at] : word.slice(equals + 1);
    if (!value || value.startsWith("-") || flag.choices?.includes(value) === false) {
      return undefined;
    }
    if (flag.repeatable) flags[flag.name] = [...(flags[flag.name] as string[] ?? []), value];
    else flags[flag.name] = value;
  }
  for (const { name, conflicts } of all) {
    if (conflicts !== undefined && given.has(name) && given.has(conflicts)) return undefined;
  }
  if (!takes(verb, args.length)) return undefined;
  for (const flag of all) {
    if (given.has(flag.name)) continue;
    const value = (flag.env && env(flag.env)) || flag.default || (flag.negates ? true : undefined);
    if (value !== undefined) flags[flag.name] = value;
    else if (flag.required) return undefined;
  }
  return { verb, args, flags, isGiven: (flag) => given.has(flag) };
}

interface ParsedFlag extends Flag {
  readonly spellings: readonly string[];
  readonly name: string;
  readonly takesValue: boolean;
  readonly negates: boolean;
}

function parseFlag(flag: Flag): ParsedFlag {
  const [spelled = "", value] = flag.flags.split(" <");
  const spellings = spelled.split(", ");
  const long = spellings.at(-1)?.slice(2) ?? "";
  const negates = long.startsWith("no-");
  const name = (negates ? long.slice(3) : long).replace(
    /-([a-z])/g,
    (_, letter: string) => letter.toUpperCase(),
  );
  return { ...flag, spellings, name, takesValue: value !== undefined, negates };
}

function takes({ arguments: wanted = [] }: Verb, count: number): boolean {
  const several = wanted.at(-1)?.name.endsWith("...>");
  const least = wanted.filter(({ name }) => name.startsWith("<")).length;
  return count >= least && (several || count <= wanted.length);
}
