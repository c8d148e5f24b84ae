/**
 * What Deno lets a verb do, as flags of `deno run`. Tasks, the launcher of `make install`,
 * `examples/provider.mk` and the tests take them from here.
 *
 * @module
 */

import { REGISTRY } from "./flags.ts";
import type { Permissions, Verb } from "./verb.ts";
import { findVerb } from "./verbs.ts";

/** Every verb prints, and may use colours. */
const COLOURS = ["NO_COLOR", "FORCE_COLOR"];

/** The flags whose variables may be read only if the verb uses the network. */
const OF_REGISTRIES: readonly unknown[] = Object.values(REGISTRY);

/**
 * Gives the permissions of a command line.
 *
 * @param words The words behind the program's name, of which only those that name the verb count.
 * @param remote Whether its archive may be in a registry.
 * @returns Flags such as `--allow-read`.
 */
export function permissionFlags(words: readonly string[], remote: boolean): string[] {
  const verb = findVerb(words)?.verb;
  if (!verb || "verbs" in verb) return [`--allow-env=${COLOURS}`];
  const needs = needsOf(verb, remote);
  const starts = needs.some(({ start }) => start);
  const connects = needs.some(({ net }) => net);
  const programs = needs.flatMap(({ run = [] }) => run);
  const variables = [
    ...variablesOf(verb, connects),
    ...needs.flatMap(({ env = [] }) => env),
    ...COLOURS,
  ];
  return [
    ...(needs.some(({ read }) => read) ? ["--allow-read"] : []),
    ...(needs.some(({ write }) => write) ? ["--allow-write"] : []),
    ...(connects ? ["--allow-net"] : []),
    ...(starts ? ["--allow-run"] : programs.length > 0 ? [`--allow-run=${programs}`] : []),
    starts ? "--allow-env" : `--allow-env=${[...new Set(variables)]}`,
  ];
}

/**
 * Tells whether a command line may start credential helpers. The user's files name them, so the caller
 * adds them to the permissions.
 *
 * @param words The words behind the program's name.
 * @param remote Whether its archive may be in a registry.
 */
export function takesHelpers(words: readonly string[], remote: boolean): boolean {
  const verb = findVerb(words)?.verb;
  return verb !== undefined && !("verbs" in verb) &&
    needsOf(verb, remote).some(({ helpers }) => helpers);
}

function needsOf(verb: Verb, remote: boolean): readonly Permissions[] {
  return [verb.needs, ...(remote && verb.remote ? [verb.remote] : [])];
}

function variablesOf({ flags }: Verb, connects: boolean): string[] {
  return Object.values(flags).flatMap((flag) =>
    flag.env === undefined || (!connects && OF_REGISTRIES.includes(flag)) ? [] : [flag.env]
  );
}
