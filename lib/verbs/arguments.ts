/**
 * Checks the types of arguments, for callers in plain JavaScript.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { KeyPair } from "../signing/nkey.ts";

/** Throws `ERR_OPTION_INVALID` unless the options of a verb are an object. */
export function requireOptions<T>(options: T, name = "the options"): T {
  if (typeof options === "object" && options !== null) return options;
  throw wrongType(options, name, "an object");
}

/** Throws `ERR_OPTION_INVALID` unless a value is a text or a reference that was parsed. */
export function requireReference(value: unknown): void {
  const isParsed = typeof value === "object" && value !== null &&
    ("registry" in value || "layout" in value);
  if (typeof value !== "string" && !isParsed) throw wrongType(value, "a reference", "a string");
}

/** Throws `ERR_OPTION_INVALID` unless a value is a date or left out. */
export function requireDate(value: unknown, name: string): asserts value is Date | undefined {
  if (value !== undefined && !(value instanceof Date)) throw wrongType(value, name, "a Date");
}

/** Throws `ERR_OPTION_INVALID` unless a value is a string. */
export function requireText(value: unknown, name: string): asserts value is string {
  if (typeof value !== "string") throw wrongType(value, name, "a string");
}

/** Throws `ERR_OPTION_INVALID` unless a value is an array. */
export function requireList(value: unknown, name: string): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw wrongType(value, name, "an array");
}

/** Throws `ERR_OPTION_INVALID` unless both keys are key pairs. */
export function requireKeys(
  options: { readonly issuer: KeyPair; readonly subject: KeyPair },
): void {
  for (const role of ["issuer", "subject"] as const) {
    const key: unknown = options[role];
    if (!(key instanceof KeyPair)) throw wrongType(key, `the ${role}'s key`, "a KeyPair");
  }
}

/** The error for an argument of a wrong type. It does not show the value, which may be a seed. */
export function wrongType(value: unknown, name: string, wanted: string): ParError {
  const found = value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
  return new ParError("ERR_OPTION_INVALID", `Cannot use ${found} as ${name}: give ${wanted}`);
}
