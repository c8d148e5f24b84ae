/**
 * A strict parser of JSON. It refuses texts that parsers read in different ways, and it keeps every
 * digit of a number. This module is browser compatible.
 *
 * `JSON.parse` is not strict enough. Of two members with the same name it drops the first. It
 * rounds numbers. In V8 12.8 and later it mistakes some names with escapes for other names that it
 * parsed before. So this module uses it for single strings only.
 *
 * @module
 */

import { excerpt, ParError } from "../errors.ts";

/** Any value that JSON can hold. */
export type Json = string | number | JsonNumber | boolean | null | readonly Json[] | {
  readonly [name: string]: Json;
};

/** An object of JSON. */
export type JsonObject = { readonly [name: string]: Json };

/** Tells whether a value of JSON is an object. */
export function isJsonObject(json: unknown): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json) &&
    !(json instanceof JsonNumber);
}

/**
 * Refuses a member whose name differs from a known one only in case. Go's JSON decoder takes it for the
 * known one, and it compares by the case folding of Unicode.
 *
 * @param object The object.
 * @param names The known names, made of letters, digits and underscores.
 * @param refuse Makes an error of a reason, which is a part of a sentence.
 * @param path Where the object is, with a dot behind it.
 */
export function refuseOtherCase(
  object: object,
  names: readonly string[],
  refuse: (reason: string) => ParError,
  path = "",
): void {
  const anyCase = new RegExp(`^(?:${names.join("|")})$`, "iu");
  const name = Object.keys(object).find((name) => anyCase.test(name) && !names.includes(name));
  if (name !== undefined) {
    throw refuse(`\`${path}${name}\` differs from a known member only in upper and lower case`);
  }
}

/** Matches a number (RFC 8259, section 6) at `lastIndex`. */
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/**
 * A number of JSON that a JavaScript number would change: `1.0`, `1e3`, `12345678901234567890`. It
 * keeps the text. All other numbers are plain JavaScript numbers.
 *
 * `JSON.stringify` writes it exactly as it was. To turn every `JsonNumber` of a value into a plain
 * number, and to lose its digits, use `JSON.parse(JSON.stringify(value))`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const minimum = new JsonNumber("0.0");
 * assert.equal(Number(minimum), 0);
 * assert.equal(JSON.stringify({ minimum }), '{"minimum":0.0}');
 * ```
 */
export class JsonNumber {
  /** The text of the number. */
  readonly text: string;

  /**
   * Makes a number from its text.
   *
   * @param text A number as JSON writes it.
   * @throws {ParError} `ERR_OPTION_INVALID` for a text that is not a number of JSON.
   */
  constructor(text: string) {
    if (match(NUMBER, text, 0) !== text) {
      throw new ParError(
        "ERR_OPTION_INVALID",
        `Cannot use ${JSON.stringify(text)} as a number: write it as JSON does, such as 1.0`,
      );
    }
    this.text = text;
  }

  /** Gives the nearest JavaScript number. */
  valueOf(): number {
    return Number(this.text);
  }

  /** Gives the text of the number. */
  toString(): string {
    return this.text;
  }

  /**
   * Tells `JSON.stringify` to write the text of the number.
   *
   * @throws {TypeError} In an engine without `JSON.rawJSON`, such as that of Node 20, because it
   * could only write a rounded number.
   */
  toJSON(): unknown {
    const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
    if (rawJSON) return rawJSON(this.text);
    throw new TypeError(
      `Cannot write the number ${this} without rounding it: this engine has no JSON.rawJSON`,
    );
  }
}

/**
 * Parses JSON (RFC 8259) strictly. It refuses what parsers read in different ways:
 *
 * - two members with the same name in one object, and half a surrogate pair (as RFC 7493, section 2
 *   does);
 * - the character U+0000, and the name `__proto__`;
 * - a number that is out of the range of a double;
 * - a byte order mark;
 * - more than 127 levels of arrays and objects.
 *
 * @param bytes The JSON in UTF-8.
 * @returns The value. A number that JavaScript would change is a {@linkcode JsonNumber}.
 * @throws {SyntaxError} The message says what is wrong and where. It is a part of a sentence, for
 * callers to put into theirs.
 */
export function parseJson(bytes: Uint8Array): Json {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SyntaxError("the text is not UTF-8");
  }
  if (text.startsWith("\ufeff")) throw new SyntaxError("the text begins with a byte order mark");
  return new Parser(text).document();
}

/**
 * Parses an object of JSON as {@linkcode parseJson} does.
 *
 * @param bytes The JSON in UTF-8.
 * @param maxSize The most bytes that it may have.
 * @param refuse Makes an error of a reason, which is a part of a sentence.
 * @returns The object.
 */
export function parseJsonObject(
  bytes: Uint8Array,
  maxSize: number,
  refuse: (reason: string, cause?: unknown) => ParError,
): JsonObject {
  if (bytes.length > maxSize) throw refuse(`it has more than ${maxSize} bytes`);
  let json: Json;
  try {
    json = parseJson(bytes);
  } catch (cause) {
    throw refuse((cause as Error).message, cause);
  }
  if (isJsonObject(json)) return json;
  throw refuse("it is not a JSON object");
}

/** The JSON parser of the reference implementation accepts no more levels. */
const MAX_DEPTH = 127;

const SPACE = /[ \t\n\r]*/y;
const WORD = /true|false|null/y;
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Json {
    const value = this.#value(0);
    if (this.#peek() !== undefined) throw this.#notJson();
    return value;
  }

  #value(depth: number): Json {
    const char = this.#peek();
    if (char === "{") return this.#object(depth + 1);
    if (char === "[") return this.#array(depth + 1);
    if (char === '"') return this.#string();
    const word = match(WORD, this.#text, this.#at);
    if (word === undefined) return this.#number();
    this.#at += word.length;
    return WORDS[word] as boolean | null;
  }

  #object(depth: number): Json {
    const object: Record<string, Json> = {};
    this.#list("}", depth, () => {
      if (this.#peek() !== '"') throw this.#notJson();
      const start = this.#at;
      const name = this.#string();
      if (Object.hasOwn(object, name)) {
        throw this.#error(`the member ${JSON.stringify(excerpt(name))} appears twice`, start);
      }
      if (name === "__proto__") {
        throw this.#error(`the name "${name}" is special in JavaScript`, start);
      }
      if (!this.#take(":")) throw this.#notJson();
      object[name] = this.#value(depth);
    });
    return object;
  }

  #array(depth: number): Json {
    const array: Json[] = [];
    this.#list("]", depth, () => array.push(this.#value(depth)));
    return array;
  }

  /** Reads the items between two brackets. Commas separate them. */
  #list(end: string, depth: number, readItem: () => void): void {
    if (depth > MAX_DEPTH) {
      throw this.#error(`arrays and objects are nested deeper than ${MAX_DEPTH} levels`);
    }
    this.#at++;
    if (this.#take(end)) return;
    do readItem(); while (this.#take(","));
    if (!this.#take(end)) throw this.#notJson();
  }

  #string(): string {
    const start = this.#at;
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') {
      end += this.#text[end] === "\\" ? 2 : 1;
    }
    this.#at = end + 1;
    let value: string;
    try {
      value = JSON.parse(this.#text.slice(start, this.#at));
    } catch {
      throw this.#error("a string is malformed", start);
    }
    if (value.includes("\0")) throw this.#error("a string contains the character U+0000", start);
    // With the flag u, a whole pair is one character, which this range does not match.
    if (/[\ud800-\udfff]/u.test(value)) {
      throw this.#error("a string contains half a surrogate pair", start);
    }
    return value;
  }

  #number(): number | JsonNumber {
    const text = match(NUMBER, this.#text, this.#at);
    if (text === undefined) throw this.#notJson();
    const value = Number(text);
    if (!Number.isFinite(value)) {
      throw this.#error(`the number ${excerpt(text)} is out of the range of a double`);
    }
    this.#at += text.length;
    return String(value) === text ? value : new JsonNumber(text);
  }

  /** Skips white space and looks at the next character without taking it. */
  #peek(): string | undefined {
    this.#at += match(SPACE, this.#text, this.#at)?.length ?? 0;
    return this.#text[this.#at];
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #notJson(): SyntaxError {
    return this.#error(
      this.#at < this.#text.length ? "the text is not JSON" : "the text ends too early",
    );
  }

  #error(reason: string, at = this.#at): SyntaxError {
    const lines = this.#text.slice(0, at).split("\n");
    const column = (lines.at(-1)?.length ?? 0) + 1;
    return new SyntaxError(`${reason} (line ${lines.length}, column ${column})`);
  }
}

/** Gives what a sticky expression matches at a position. */
function match(expression: RegExp, text: string, at: number): string | undefined {
  expression.lastIndex = at;
  return expression.exec(text)?.[0];
}

/** Sorts the members of each object, because their order has no meaning. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null || value instanceof JsonNumber) return value;
  const members = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(members.map(([name, each]) => [name, sorted(each)]));
}
