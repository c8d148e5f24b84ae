/**
 * Reads command lines with stricli, as the table of the verbs describes them.
 *
 * @module
 */

import {
  type Application,
  buildApplication,
  buildRouteMap,
  type Command,
  proposeCompletions,
  type RouteMap,
  run,
  text_en,
} from "npm:@stricli/core@1.3.0";
import { ParError, quote } from "../errors.ts";
import type { Context } from "./verb.ts";
import { type CliContext, command, separateValues } from "./command.ts";
import { EXIT_STATUS, ExitStatus } from "./exit_status.ts";
import { print, say } from "./io.ts";
import { BRIEF, findVerb, VERBS, VERSION } from "./verbs.ts";

/**
 * Runs a command line.
 *
 * @param words The words behind the program's name.
 * @param context What each verb gets, beside its flags and arguments.
 * @param routes The command of each verb.
 * @throws {ParError} `ERR_USAGE` if the command line is wrong, and whatever its verb throws.
 * @throws {ExitStatus} If it printed help because no verb was named.
 */
export async function runCommandLine(
  words: readonly string[],
  context: Context,
  routes: Routes = ROUTES,
): Promise<void> {
  const failures: unknown[] = [];
  const asked = words[0] === "help" ? [...words.slice(1), "--help"] : words;
  const application = build(asked, routes, (failure) => failures.push(failure));
  await run(application, separateValues(asked), { ...context, process: PROCESS });
  if (failures.length === 0) return;
  const { usageError } = await import("./usage.ts");
  throw usageError(words, failures) ?? failures[0];
}

/**
 * Lists the words that can come next. The list is empty if a file can come next: shells complete files.
 *
 * @param words The words behind the program's name. The last one is not complete.
 */
export async function complete(
  words: readonly string[],
): Promise<{ readonly word: string; readonly brief: string }[]> {
  const partial = words.at(-1) ?? "";
  const typed = [...separateValues(words.slice(0, -1)), partial];
  const context = { process: PROCESS, signal: AbortSignal.abort(), report: () => Promise.reject() };
  const verb = findVerb(words)?.verb;
  const takesFiles = verb && !("verbs" in verb) && verb.arguments;
  const proposals = await proposeCompletions(build(typed, ROUTES, () => {}), typed, context);
  return proposals
    .filter(({ kind, completion }) =>
      completion !== "--" &&
      (kind !== "argument:flag" || partial.startsWith("-") ||
        !takesFiles && completion !== "--help")
    )
    .map(({ completion, brief }) => ({ word: completion, brief }));
}

/**
 * Prints the words that can come next, one a line, for the script of a shell.
 *
 * @param style `words` for the words alone; `zsh` or `fish` for lines with an explanation.
 * @param words The words behind the program's name. The last one is not complete.
 */
export async function printCompletions([style, ...words]: readonly string[]): Promise<void> {
  const lines = (await complete(words)).map(({ word, brief }) =>
    style === "zsh"
      ? `${word.replace(/[\\:]/g, "\\$&")}:${brief}`
      : style === "fish"
      ? `${word}\t${brief}`
      : word
  );
  if (lines.length > 0) await print(lines.join("\n"));
}

/** Each verb's file is loaded when the verb is called, so that the start does not pay for the others. */
const ROUTES: Routes = {
  build: () => command(VERBS.build, async () => (await import("./build.ts")).run),
  create: () => command(VERBS.create, async () => (await import("./create.ts")).run),
  insert: () => command(VERBS.insert, async () => (await import("./insert.ts")).run),
  remove: () => command(VERBS.remove, async () => (await import("./remove.ts")).run),
  merge: () => command(VERBS.merge, async () => (await import("./merge.ts")).run),
  extract: () => command(VERBS.extract, async () => (await import("./extract.ts")).run),
  inspect: () => command(VERBS.inspect, async () => (await import("./inspect.ts")).run),
  verify: () => command(VERBS.verify, async () => (await import("./verify.ts")).run),
  diff: () => command(VERBS.diff, async () => (await import("./diff.ts")).run),
  sign: () => command(VERBS.sign, async () => (await import("./sign.ts")).sign),
  attest: () => command(VERBS.attest, async () => (await import("./sign.ts")).attest),
  attachments: () => command(VERBS.attachments, async () => (await import("./attachments.ts")).run),
  push: () => command(VERBS.push, async () => (await import("./push.ts")).run),
  pull: () => command(VERBS.pull, async () => (await import("./pull.ts")).run),
  copy: () => command(VERBS.copy, async () => (await import("./copy.ts")).run),
  list: () => command(VERBS.list, async () => (await import("./list.ts")).run),
  login: () => command(VERBS.login, async () => (await import("./login.ts")).login),
  logout: () => command(VERBS.logout, async () => (await import("./login.ts")).logout),
  keys: () =>
    group({
      gen: () => command(VERBS.keys.verbs.gen, async () => (await import("./keys.ts")).gen),
      list: () => command(VERBS.keys.verbs.list, async () => (await import("./keys.ts")).list),
      get: () => command(VERBS.keys.verbs.get, async () => (await import("./keys.ts")).get),
    }, VERBS.keys.brief),
  doctor: () => command(VERBS.doctor, async () => (await import("./doctor.ts")).run),
  completions: () => command(VERBS.completions, async () => (await import("./completions.ts")).run),
};

/** Stricli prints nothing: messages have this command's words. */
const NOWHERE = { write: (): void => {} };
const PROCESS = { stdout: NOWHERE, stderr: NOWHERE };

/** Makes the command of each verb, by the verb's name. */
export type Routes = Readonly<Record<string, () => Command<CliContext> | RouteMap<CliContext>>>;

function group(entries: Routes, brief: string): RouteMap<CliContext> {
  const built = Object.entries(entries).map(([name, route]) => [name, route()] as const);
  return buildRouteMap({ routes: Object.fromEntries(built), docs: { brief } });
}

/** Builds the application. It gives what goes wrong to `fail`, and prints nothing. */
function build(
  words: readonly string[],
  routes: Routes,
  fail: (failure: unknown) => void,
): Application<CliContext> {
  const collect = (failure: unknown): string => {
    fail(failure);
    return "";
  };
  const asked = Object.entries(routes).filter(([name]) => name === words[0]);
  const root = group(asked.length > 0 ? Object.fromEntries(asked) : routes, BRIEF);
  return buildApplication(root, {
    name: "par",
    scanner: {
      allowArgumentEscapeSequence: true,
      distanceOptions: {
        threshold: 2,
        weights: { insertion: 1, deletion: 1, substitution: 1, transposition: 1 },
      },
    },
    documentation: { disableAnsiColor: true },
    localization: {
      text: {
        ...text_en,
        noCommandRegisteredForInput: ({ input, corrections }) =>
          collect(unknownVerb(words, input, corrections)),
        exceptionWhileParsingArguments: collect,
        exceptionWhileLoadingCommandFunction: collect,
        exceptionWhileRunningCommand: collect,
        exceptionWhileRunningIntegrationFlag: ({ exception }) => collect(exception),
      },
    },
  }, {
    help: {
      flag: {
        brief: "show help",
        aliases: ["h"],
        global: true,
        complete: true,
        defaultForRouteMap: true,
        async run(_application, { result }): Promise<void> {
          const { greeting, helpText } = await import("./help.ts");
          const text = words.length === 0 ? greeting() : helpText(result.prefix.slice(1));
          if (words.includes("--help") || words.includes("-h")) return await print(text);
          // Stricli comes here too if no verb is named.
          say(text);
          throw new ExitStatus(EXIT_STATUS.usage);
        },
      },
    },
    version: {
      flag: {
        brief: "print the version",
        complete: true,
        run: () => print(VERSION),
      },
    },
  });
}

function unknownVerb(
  words: readonly string[],
  input: string,
  corrections: readonly string[],
): ParError {
  const meant = corrections.join(" or ").replaceAll("`", "");
  return new ParError(
    "ERR_USAGE",
    `Cannot run ${["par", ...findVerb(words)?.path ?? []].join(" ")}: ` +
      (input.startsWith("-")
        ? `it needs a verb before ${input}`
        : `there is no verb ${quote(input)}${meant && `; did you mean ${meant}?`}`),
  );
}
