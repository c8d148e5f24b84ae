/**
 * Messages about wrong command lines.
 *
 * @module
 */

import {
  AliasNotFoundError,
  ArgumentParseError,
  EnumValidationError,
  FlagNotFoundError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "npm:@stricli/core@1.3.0";
import { ParError, quote } from "../errors.ts";
import { COMMON } from "./flags.ts";
import { termOfFlag } from "./help.ts";
import { type Flags, kebab } from "./verb.ts";
import { findVerb } from "./verbs.ts";

/**
 * Makes one error of everything that is wrong with a command line.
 *
 * @param words The words behind the program's name.
 * @param found What stricli found.
 * @returns The error, or `undefined` if the command line is right and something else failed.
 */
export function usageError(
  words: readonly string[],
  found: readonly unknown[],
): ParError | undefined {
  // The function that parses a value has the best message about it.
  const failures = found.map((failure) =>
    failure instanceof ArgumentParseError ? failure.exception : failure
  );
  const reasons = failures.map(reasonOf);
  const { path = [], verb } = findVerb(words) ?? {};
  const flags: Flags = { ...(verb && "flags" in verb ? verb.flags : {}), ...COMMON };
  const missing = failures.flatMap((failure) => missingIn(failure, flags));
  if (missing.length > 0) reasons.unshift(`it needs ${missing.join(" and ")}`);
  const said = reasons.filter((reason) => reason !== undefined);
  if (said.length === 0) return failures.find((failure) => failure instanceof ParError);
  const command = ["par", ...path].join(" ");
  return new ParError("ERR_USAGE", `Cannot run ${command}: ${said.join("; ")}`);
}

function missingIn(failure: unknown, flags: Flags): string[] {
  if (failure instanceof UnsatisfiedPositionalError) return [`<${failure.placeholder}>`];
  if (!(failure instanceof UnsatisfiedFlagError)) return [];
  const flag = Object.entries(flags).find(([name]) => kebab(name) === failure.externalFlagName);
  return flag ? [termOfFlag(flag)] : [];
}

function reasonOf(failure: unknown): string | undefined {
  if (failure instanceof UnsatisfiedFlagError) {
    const { nextFlagName, externalFlagName: name } = failure;
    return nextFlagName && `write --${name}=… for a value that begins with a dash`;
  }
  if (failure instanceof FlagNotFoundError) {
    const meant = failure.corrections.map((name) => `--${name}`).join(" or ");
    return `it has no flag --${failure.input}${meant && `; did you mean ${meant}?`}`;
  }
  if (failure instanceof AliasNotFoundError) return `it has no flag -${failure.input}`;
  if (failure instanceof EnumValidationError) {
    const { externalFlagName: name, values, input } = failure;
    return `--${name} takes ${values.join(" or ")}, and not ${quote(input)}`;
  }
  if (failure instanceof UnexpectedPositionalError) {
    return `${quote(failure.input)} is one argument too many`;
  }
  return undefined;
}
