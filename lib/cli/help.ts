/**
 * Help: what a verb does, and what can be typed behind it.
 *
 * @module
 */

import { COMMON } from "./flags.ts";
import { columns } from "./style.ts";
import { wrap } from "./text.ts";
import { type Argument, type Flag, kebab } from "./verb.ts";
import { BRIEF, findVerb, VERBS } from "./verbs.ts";

/** Where help goes to no terminal. */
const USUAL_COLUMNS = 80;

/** A narrow column is easier to read than lines that run over the edge. */
const LEAST_COLUMNS = 16;

/**
 * Writes how a verb is called, and how to learn more; for the end of an error.
 *
 * @param words The words behind the program's name.
 */
export function usageLines(words: readonly string[]): string {
  const path = findVerb(words)?.path ?? [];
  return `Usage: ${usageOf(path)}\nFor more, see ${["par", ...path].join(" ")} --help.`;
}

function usageOf(path: readonly string[]): string {
  const name = ["par", ...path].join(" ");
  const verb = findVerb(path)?.verb;
  if (!verb || "verbs" in verb) return `${name} <verb>`;
  const flags: [string, Flag][] = Object.entries<Flag>(verb.flags);
  return [
    name,
    ...flags.filter(([, { required }]) => required).map(termOfFlag),
    "[flags]",
    ...(verb.arguments ?? []).map((argument) =>
      argument.optional ? `[${termOf(argument)}]` : termOf(argument)
    ),
  ].join(" ");
}

/** A term, and what it means. */
type Entry = readonly [term: string, meaning: string];

/**
 * Writes the help of a verb, of a group of verbs or of the command.
 *
 * @param path The words that name it; none for the command.
 */
export function helpText(path: readonly string[]): string {
  const verb = findVerb(path)?.verb ?? { brief: BRIEF, verbs: VERBS };
  const name = ["par", ...path].join(" ");
  if ("verbs" in verb) {
    const verbs = Object.entries(verb.verbs).map(([name, { brief }]): Entry => [name, brief]);
    return page(usageOf(path), verb.brief, {
      Verbs: verbs,
      Flags: [...(path.length === 0 ? [VERSION_FLAG] : []), HELP_FLAG],
    }, [`\`${name} <verb> --help\` explains a verb.`]);
  }
  const { arguments: args = [], brief, examples, flags } = verb;
  return page(
    usageOf(path),
    brief,
    {
      Arguments: args.map((argument): Entry => [termOf(argument), argument.brief]),
      Flags: [...Object.entries({ ...flags, ...COMMON }).map(explain), HELP_FLAG],
    },
    ["Examples:", ...examples.map((line) => `  $ ${line}`)],
  );
}

const HELP_FLAG: Entry = ["-h, --help", "show this help"];
const VERSION_FLAG: Entry = ["-V, --version", "print the version"];

function termOf({ name, many }: Argument): string {
  return many ? `<${name}...>` : `<${name}>`;
}

/** A flag with its value, as it is typed. */
export function termOfFlag([name, { value }]: readonly [string, Flag]): string {
  return `--${kebab(name)}${value ? ` <${value}>` : ""}`;
}

function explain([name, flag]: readonly [string, Flag]): Entry {
  const { brief, choices, default: value, env, required, short } = flag;
  const notes = [
    ...(required ? ["required"] : []),
    ...(choices ? [`one of: ${choices.join(", ")}`] : []),
    ...(value !== undefined ? [`default: ${value}`] : []),
    ...(env !== undefined ? [`env: ${env}`] : []),
  ];
  return [
    `${short ? `-${short},` : "   "} ${termOfFlag([name, flag])}`,
    notes.length > 0 ? `${brief} (${notes.join("; ")})` : brief,
  ];
}

function page(
  usage: string,
  brief: string,
  sections: Readonly<Record<string, readonly Entry[]>>,
  end: readonly string[],
): string {
  const entries = Object.values(sections).flat();
  const indent = Math.max(...entries.map(([term]) => term.length)) + 4;
  const room = Math.max((columns() ?? USUAL_COLUMNS) - indent, LEAST_COLUMNS);
  const explained = ([term, meaning]: Entry): string =>
    `  ${term}`.padEnd(indent) + wrap(meaning, room).join(`\n${" ".repeat(indent)}`);
  return [
    `Usage: ${usage}`,
    "",
    `${brief.charAt(0).toUpperCase()}${brief.slice(1)}.`,
    ...Object.entries(sections).flatMap(([heading, entries]) =>
      entries.length > 0 ? ["", `${heading}:`, ...entries.map(explained)] : []
    ),
    "",
    ...end,
  ].join("\n");
}
