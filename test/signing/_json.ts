/**
 * Texts of JSON for property tests, in every spelling that the grammar has.
 *
 * @module
 */

import fc from "npm:fast-check@4.10.2";
import { type Json, JsonNumber, parseJson } from "../../lib/signing/json.ts";

/**
 * A text of JSON, and what is known of it without having it read. `JSON.parse` would not do: since
 * version 12.8, V8 takes some names with escapes in them for others that it has seen before.
 */
export interface JsonText {
  readonly text: string;
  /** What it says, in numbers of JavaScript's. */
  readonly value: unknown;
  /** The numbers in it, as they are written. */
  readonly numbers: readonly string[];
  /** Whether it has something in it that readers of JSON differ in. */
  readonly refused: boolean;
}

const DIGITS = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^(0|[1-9][0-9]{0,2})$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[1-9][0-9]{10,30}$/) },
);
const FRACTION = fc.oneof(fc.constant(""), fc.stringMatching(/^\.[0-9]{1,20}$/));
const EXPONENT = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  { weight: 2, arbitrary: fc.stringMatching(/^[eE][+-]?[0-9]{1,2}$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[eE][+-]?[1-9][0-9]{2}$/) },
);

/** A number, at times one that is out of a double's range. */
const number = fc.tuple(fc.constantFrom("", "-"), DIGITS, FRACTION, EXPONENT).map((parts) => {
  const text = parts.join("");
  const value = Number(text);
  return { text, value, numbers: [text], refused: !Number.isFinite(value) };
});

/** A piece of a string: a plain character, an escape of any kind, half a pair or a whole one. */
const unit = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 })
      .filter((char) => char >= " " && char !== '"' && char !== "\\"),
  },
  { weight: 3, arbitrary: fc.constantFrom(...'nrtbf/\\"'.split("").map((char) => `\\${char}`)) },
  {
    weight: 3,
    arbitrary: fc.stringMatching(/^\\u(00[2-9a-fA-F]|[1-9a-cA-C][0-9a-fA-F]{2})[0-9]$/),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("\\ud83d\\udca9", "\\uD83D\\uDCA9", "\\u0001", "\u007f"),
  },
);
const unsafeUnit = fc.oneof(
  { weight: 40, arbitrary: unit },
  { weight: 1, arbitrary: fc.constantFrom("\\u0000", "\\ud83d", "\\udca9", "\\uDBFF", "\\ud800a") },
);

const stringText = (piece: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<string> =>
  fc.array(piece, { maxLength }).map((units) => `"${units.join("")}"`);

const string = stringText(unsafeUnit, 8).map((text) => {
  const value = unescaped(text);
  return { text, value, numbers: [], refused: isUnsafe(value) };
});

const name = fc.oneof(
  { weight: 10, arbitrary: stringText(unit, 3) },
  {
    weight: 5,
    arbitrary: fc.constantFrom('"a"', '"\\u0061"', '"b"', '""', '"1"', '"constructor"'),
  },
  { weight: 1, arbitrary: fc.constantFrom('"__proto__"', '"__proto_\\u005f"', '"\\u0000"') },
);

const word = fc.constantFrom(true, false, null)
  .map((value) => ({ text: String(value), value, numbers: [], refused: false }));

const space = fc.stringMatching(/^[ \t\n\r]{0,2}$/);

/** Texts of JSON. */
export const jsonText: fc.Arbitrary<JsonText> = fc.letrec<{ value: JsonText }>((tie) => ({
  value: fc.tuple(
    space,
    fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 4, arbitrary: number },
      { weight: 2, arbitrary: string },
      { weight: 1, arbitrary: word },
      { weight: 3, arbitrary: fc.array(tie("value"), { maxLength: 4 }).map(arrayText) },
      {
        weight: 3,
        arbitrary: fc.array(fc.tuple(space, name, space, tie("value")), { maxLength: 4 })
          .map(objectText),
      },
    ),
    space,
  ).map(([before, value, behind]) => ({ ...value, text: `${before}${value.text}${behind}` })),
})).value;

function arrayText(items: readonly JsonText[]): JsonText {
  return {
    text: `[${items.map(({ text }) => text).join(",")}]`,
    value: items.map(({ value }) => value),
    numbers: items.flatMap(({ numbers }) => numbers),
    refused: items.some(({ refused }) => refused),
  };
}

function objectText(members: readonly (readonly [string, string, string, JsonText])[]): JsonText {
  const values = members.map(([, , , each]) => each);
  const names = members.map(([, each]) => unescaped(each));
  return {
    text: `{${
      members.map(([before, each, behind, { text }]) => `${before}${each}${behind}:${text}`)
        .join(",")
    }}`,
    value: Object.fromEntries(names.map((each, i) => [each, values[i]?.value])),
    numbers: values.flatMap(({ numbers }) => numbers),
    refused: values.some(({ refused }) => refused) ||
      names.some((each) => isUnsafe(each) || each === "__proto__") ||
      new Set(names).size < names.length,
  };
}

/** One string that is written in JSON. */
function unescaped(text: string): string {
  return JSON.parse(text);
}

function isUnsafe(value: string): boolean {
  return value.includes("\0") || !value.isWellFormed();
}

/** Reads a text. */
export function parse(text: string): Json {
  return parseJson(new TextEncoder().encode(text));
}

/** A value in numbers of JavaScript's. */
export function plain(value: Json): unknown {
  if (value instanceof JsonNumber) return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

/** Texts of JSON that readers do not differ in. */
export const plainJsonText: fc.Arbitrary<JsonText> = jsonText.filter(({ refused }) => !refused);

/** Texts that were JSON before a few characters were changed. */
export const brokenText: fc.Arbitrary<string> = fc.tuple(
  jsonText,
  fc.array(
    fc.tuple(
      fc.nat({ max: 1000 }),
      fc.nat({ max: 2 }),
      fc.oneof(
        fc.constantFrom(..."{}[]:,\"\\-+.eE0123456789ux/*'\n\t \ufeff\u00a0\0".split("")),
        fc.constantFrom("true", "NaN", "Infinity", "01", "//", '"a"', ",,", "\u2028"),
      ),
    ),
    { minLength: 1, maxLength: 3 },
  ),
).map(([{ text }, changes]) =>
  changes.reduce((changed, [place, length, put]) => {
    const at = place % (changed.length + 1);
    return changed.slice(0, at) + put + changed.slice(at + length);
  }, text).toWellFormed()
);
