/**
 * The text of help.
 *
 * @module
 */

import { COMMON } from "./flags.ts";
import { columns, paint } from "./style.ts";
import { wrap } from "./text.ts";
import { type Argument, type Flag, kebab } from "./verb.ts";
import { BRIEF, findVerb, VERBS } from "./verbs.ts";

/** The width of help if it does not go to a terminal. */
const USUAL_COLUMNS = 80;

/** The least width of a column, even if lines then run over the edge. */
const LEAST_COLUMNS = 16;

/** The usual tasks, and a command line for each. */
const TASKS: readonly Entry[] = [
  ["Build a project, and make its archive", "par build"],
  ["Make an archive of binaries", "par create -n Echo -v Acme -b build/echo"],
  ["See what is in an archive", "par inspect echo.par"],
  ["Check it before you use it", "par verify echo.par --trusted-issuer issuers.txt"],
  ["Push it to a registry", "par push registry.example/acme/echo:1.0 echo.par"],
];

/** Writes what `par` prints without a verb. */
export function greeting(): string {
  return [
    `par: ${BRIEF}.`,
    "",
    ...TASKS.flatMap(([what, line]) => [`${what}:`, `  $ ${paint(Deno.stderr, "bold", line)}`]),
    "",
    "par --help lists every verb, and par <verb> --help explains one.",
    "par doctor checks that this machine has what par needs.",
  ].join("\n");
}

/**
 * Writes the usage line of a verb and a hint to its help, for the end of an error.
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

/** The largest part of a line that terms take. */
const MOST_TERMS = 0.4;

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
    [paint(Deno.stdout, "bold", "Examples:"), ...examples.map(toExample)],
  );
}

/** Writes an example. If it is too long for a line, it continues on the next one, as in a shell. */
function toExample(example: string): string {
  const width = columns() ?? USUAL_COLUMNS;
  const lines = [""];
  for (const part of `$ ${example}`.split(/ (?=-)/)) {
    const line = lines.at(-1) ?? "";
    const longer = line === "" ? `  ${part}` : `${line} ${part}`;
    if (line === "" || longer.length + " \\".length <= width) lines[lines.length - 1] = longer;
    else lines.push(`      ${part}`);
  }
  return lines.join(" \\\n");
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
  const width = columns() ?? USUAL_COLUMNS;
  const longest = Math.max(...entries.map(([term]) => term.length)) + 4;
  // In a narrow terminal, the meaning of a long term is below the term.
  const indent = Math.min(longest, Math.max(Math.floor(width * MOST_TERMS), LEAST_COLUMNS));
  const room = Math.max(width - indent, LEAST_COLUMNS);
  const explained = ([term, meaning]: Entry): string => {
    const [first = "", ...rest] = wrap(meaning, room);
    const beside = term.length + 4 <= indent;
    return [
      beside ? `  ${term}`.padEnd(indent) + first : `  ${term}`,
      ...(beside ? rest : [first, ...rest]).map((line) => " ".repeat(indent) + line),
    ].join("\n");
  };
  return [
    ...wrap(`Usage: ${usage}`, indent + room, false),
    "",
    ...wrap(`${brief.charAt(0).toUpperCase()}${brief.slice(1)}.`, indent + room),
    ...Object.entries(sections).flatMap(([heading, entries]) =>
      entries.length > 0
        ? ["", paint(Deno.stdout, "bold", `${heading}:`), ...entries.map(explained)]
        : []
    ),
    "",
    ...end,
  ].join("\n");
}
