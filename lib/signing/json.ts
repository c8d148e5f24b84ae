/**
 * JSON that every reader reads alike: what parsers differ in is refused, and no number loses a
 * digit. This module is browser compatible.
 *
 * `JSON.parse` would not do. It drops the first of two members of one name, rounds numbers, and in
 * V8 12.8 and later takes some names with escapes for others that it has read before. It unescapes
 * single strings here.
 *
 * @module
 */

import { ParError } from "../errors.ts";

/** Any value that JSON can hold. */
export type Json = string | number | JsonNumber | boolean | null | readonly Json[] | {
  readonly [name: string]: Json;
};

/** A JSON number (RFC 8259, section 6), from where the expression begins to look. */
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/**
 * A number as it is written in JSON, where a JavaScript number would be written otherwise: `1.0`,
 * `1e3`, `12345678901234567890`. All other numbers are plain JavaScript numbers.
 *
 * `JSON.stringify` writes it digit by digit. To get rid of it, at the price of its digits, read what
 * `JSON.stringify` writes with `JSON.parse`.
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
  /** The number as it is written. */
  readonly text: string;

  /**
   * Takes the text of a number.
   *
   * @param text A number as JSON has it.
   * @throws {ParError} `ERR_OPTION_INVALID` where it is something else.
   */
  constructor(text: string) {
    if (match(NUMBER, text, 0) !== text) {
      throw new ParError(
        "ERR_OPTION_INVALID",
        `Cannot use ${JSON.stringify(text)} as a number: give one as JSON has it, such as 1.0`,
      );
    }
    this.text = text;
  }

  /** The nearest JavaScript number. */
  valueOf(): number {
    return Number(this.text);
  }

  /** The number as it is written. */
  toString(): string {
    return this.text;
  }

  /**
   * What `JSON.stringify` asks for.
   *
   * @throws {TypeError} Where the engine has no `JSON.rawJSON`, such as Node 20: it could only write
   * the number with other digits.
   */
  toJSON(): unknown {
    const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
    if (rawJSON) return rawJSON(this.text);
    throw new TypeError(
      `Cannot write the number ${this} as it is: this engine has no JSON.rawJSON`,
    );
  }
}

/**
 * Reads JSON (RFC 8259) as strictly as its strictest readers, and refuses what they differ in:
 * names that stand twice in one object, half surrogate pairs (both as in RFC 7493, section 2), the
 * character U+0000, the name `__proto__`, numbers out of the range of a double, a byte order mark,
 * and more than 127 levels of arrays and objects.
 *
 * @param bytes The JSON in UTF-8.
 * @returns The value; a number whose text JavaScript would change is a {@linkcode JsonNumber}.
 * @throws {SyntaxError} With a clause for a message, which says what is wrong and where.
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

/** What the JSON parser of the reference implementation takes. */
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
        throw this.#error(`the member ${JSON.stringify(shorten(name))} stands twice`, start);
      }
      if (name === "__proto__") {
        throw this.#error(`the name "${name}" has a meaning of its own in JavaScript`, start);
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

  /** Reads what stands between brackets, with commas between. */
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
      throw this.#error("a string is not JSON", start);
    }
    if (value.includes("\0")) throw this.#error("a string has the character U+0000 in it", start);
    // With this flag, the two halves of a pair are one character.
    if (/[\ud800-\udfff]/u.test(value)) {
      throw this.#error("a string has half a surrogate pair in it", start);
    }
    return value;
  }

  #number(): number | JsonNumber {
    const text = match(NUMBER, this.#text, this.#at);
    if (text === undefined) throw this.#notJson();
    const value = Number(text);
    if (!Number.isFinite(value)) {
      throw this.#error(`the number ${shorten(text)} is out of the range of a double`);
    }
    this.#at += text.length;
    return String(value) === text ? value : new JsonNumber(text);
  }

  /** The next character that is not white space; it stays to be read. */
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
      this.#at < this.#text.length ? "the text is not JSON" : "the text is cut off",
    );
  }

  #error(reason: string, at = this.#at): SyntaxError {
    const lines = this.#text.slice(0, at).split("\n");
    const column = (lines.at(-1)?.length ?? 0) + 1;
    return new SyntaxError(`${reason} (line ${lines.length}, column ${column})`);
  }
}

/** What a sticky expression finds at a place. */
function match(expression: RegExp, text: string, at: number): string | undefined {
  expression.lastIndex = at;
  return expression.exec(text)?.[0];
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
