/**
 * Reads TOML files (TOML 1.0), and checks the types of their values.
 *
 * @module
 */

import { closestMatch } from "npm:leven@4.1.0";
import { parse, type TomlTable } from "npm:smol-toml@1.9.1";
import { ParError, quote } from "../../errors.ts";
import { readSmallFile } from "../../system/files.ts";

/** The most bytes of a project file. */
const MAX_LENGTH = 2 ** 20;

/**
 * Reads a TOML file.
 *
 * @param path The file's path.
 * @throws {ParError} Of the category `failed`; `ERR_PROJECT_INVALID` with the line if it is not TOML.
 */
export async function readToml(path: string): Promise<TomlTable> {
  const text = new TextDecoder().decode(await readSmallFile(path, MAX_LENGTH));
  try {
    return parse(text);
  } catch (cause) {
    throw new ParError(
      "ERR_PROJECT_INVALID",
      `Cannot read ${quote(path)}: ${(cause as Error).message.trimEnd()}`,
      cause,
    );
  }
}

/** A table of settings, and its name in messages. */
export class Settings {
  readonly #table: Readonly<Record<string, unknown>>;
  readonly #where: string;

  /**
   * @param table The values by key.
   * @param where The name of the table in messages.
   */
  constructor(table: Readonly<Record<string, unknown>>, where: string) {
    this.#table = table;
    this.#where = where;
  }

  /**
   * Warns of unknown keys, and suggests a similar known one.
   *
   * @param known The keys that this tool or another tool reads.
   * @param onWarning Receives warnings, each a sentence.
   */
  warnOfUnknown(
    known: readonly string[],
    onWarning: ((message: string) => void) | undefined,
  ): void {
    for (const key of Object.keys(this.#table)) {
      if (known.includes(key)) continue;
      const maxDistance = Math.max(2, Math.floor(key.length / 3));
      const nearest = closestMatch(key, known, { maxDistance });
      onWarning?.(
        `the key ${quote(key)} in ${this.#where} is unknown` +
          (nearest === undefined ? "" : `; did you mean ${quote(nearest)}?`),
      );
    }
  }

  /** A text. */
  text(key: string): string | undefined {
    return this.#value(key, "a text", (value) => typeof value === "string" ? value : undefined);
  }

  /** A whole number. */
  integer(key: string): number | undefined {
    return this.#value(key, "a whole number", (value) => {
      // The value of an environment variable is always a string.
      const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
      return Number.isSafeInteger(number) ? number as number : undefined;
    });
  }

  /** True or false. */
  flag(key: string): boolean | undefined {
    return this.#value(key, "true or false", (value) => {
      if (value === "true" || value === "false") return value === "true";
      return typeof value === "boolean" ? value : undefined;
    });
  }

  /** A list of texts. */
  texts(key: string): readonly string[] | undefined {
    return this.#value(key, "a list of texts", (value) => {
      const all = Array.isArray(value) && value.every((each) => typeof each === "string");
      return all ? value : undefined;
    });
  }

  /** An inner table. It is empty if there is none. */
  table(key: string, where = `[${key}] of ${this.#where}`): Settings {
    const found = this.#value(key, "a table", (value) => isTable(value) ? value : undefined);
    return new Settings(found ?? {}, where);
  }

  #value<T>(key: string, kind: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = this.#table[key];
    if (value === undefined || value === null) return undefined;
    const found = read(value);
    if (found !== undefined) return found;
    throw new ParError(
      "ERR_PROJECT_INVALID",
      `Cannot use the key ${quote(key)} in ${this.#where}: give ${kind}`,
    );
  }
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
