import type { ErrorCode, ParError } from "../errors.ts";
import { permissionFlags } from "./permissions.ts";
import { kebab } from "./verb.ts";
import { findVerb } from "./verbs.ts";

/** The flags that may help with an error. The library does not know them, so its messages name none. */
const HELPFUL_FLAGS: Readonly<Partial<Record<ErrorCode, readonly string[]>>> = {
  ERR_BINARY_FORMAT: ["forceArch"],
  ERR_KEY_AMBIGUOUS: ["issuer", "subject", "directory"],
  ERR_KEY_MISMATCH: ["issuer", "subject", "newIdentity"],
  ERR_KEY_NOT_FOUND: ["key", "issuer", "subject", "directory", "newIdentity"],
  ERR_LIMIT_SIZE: ["maxSize"],
  ERR_PROJECT_AMBIGUOUS: ["bin", "binary"],
  ERR_REFERENCE_LATEST: ["allowLatest"],
  ERR_TARGET_LAST: ["allowEmpty"],
  ERR_TARGET_MISMATCH: ["arch", "forceArch"],
  ERR_TARGET_UNKNOWN: ["arch", "target"],
  ERR_WIT_INVALID: ["witDirectory"],
};

/**
 * Names the flags that may help with an error, of the verb or of Deno.
 *
 * @param error The error.
 * @param words The words behind the program's name.
 * @returns The end of a message; empty if the verb has no such flag.
 */
export function hintFor(error: ParError, words: readonly string[]): string {
  const { path = [], verb } = findVerb(words) ?? {};
  if (!verb || "verbs" in verb) return "";
  if (isRefusedByDeno(error)) {
    const [name = ""] = path;
    const needed = (remote: boolean): string =>
      permissionFlags(words, remote).join(" ").replace(/(--allow-env)=\S*/, "$1");
    const command = ["par", ...path].join(" ");
    const local = needed(false);
    return `; ${command} needs ${local}, as the task par:${name} has it` +
      (verb.remote
        ? `, and for a registry ${needed(true)}, as the task par:remote:${name} has it`
        : "");
  }
  const { flags } = verb;
  const helpful = HELPFUL_FLAGS[error.code]?.filter((name) => Object.hasOwn(flags, name)) ?? [];
  return helpful.length > 0 ? ` (see ${helpful.map((name) => `--${kebab(name)}`).join(", ")})` : "";
}

function isRefusedByDeno(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable ||
    error instanceof Error && isRefusedByDeno(error.cause);
}
