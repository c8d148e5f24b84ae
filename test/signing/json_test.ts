import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { type Json, JsonNumber, parseJson } from "../../lib/signing/json.ts";
import { brokenText, jsonText, parse, plain, plainJsonText } from "./_json.ts";

/** The texts of the numbers in a value, in some order. */
function numbersOf(value: Json): string[] {
  if (typeof value === "number" || value instanceof JsonNumber) return [String(value)];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersOf) : [];
}

Deno.test("parseJson() reads every text of JSON, but for what readers differ in", () => {
  fc.assert(
    fc.property(jsonText, ({ text, value, numbers, refused }) => {
      JSON.parse(text);
      if (refused) return assert.throws(() => parse(text), SyntaxError);
      const found = parse(text);
      assert.deepEqual(plain(found), value);
      assert.deepEqual(numbersOf(found).sort(), numbers.toSorted());
    }),
    { numRuns: 3000 },
  );
});

Deno.test("parseJson() gives what JSON.stringify() writes with every number as it was", () => {
  fc.assert(
    fc.property(plainJsonText, ({ text, numbers }) => {
      const value = parse(text);
      for (const indent of [undefined, 2]) {
        const again = parse(JSON.stringify(value, undefined, indent));
        assert.deepEqual(again, value);
        assert.deepEqual(numbersOf(again).sort(), numbers.toSorted());
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("parseJson() refuses what JSON.parse() refuses", () => {
  fc.assert(
    fc.property(brokenText, (text) => {
      let value: Json;
      try {
        value = parse(text);
      } catch (error) {
        return assert(error instanceof SyntaxError, String(error));
      }
      const wanted = JSON.parse(text);
      // See JsonText for why not others.
      if (!text.includes("\\")) assert.deepEqual(plain(value), wanted);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("parseJson() reads names with escapes in them right, whatever was read before", () => {
  for (const learned of ['{"a":0,"\\\\":1}', '{"a":0,"\\\\u":1}']) {
    JSON.parse(learned);
    for (const name of ["\n", '"', "b", "bc"]) {
      const escaped = [...name].map((char) =>
        `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`
      );
      for (const text of [JSON.stringify(name), `"${escaped.join("")}"`]) {
        assert.deepEqual(parse(`{"a":0,${text}:1}`), { a: 0, [name]: 1 });
      }
    }
  }
});

Deno.test("parseJson() keeps numbers as they are written, and takes the others for numbers", () => {
  for (const text of ["0", "7", "-1", "0.1", "1.5", "1e+21", "1e-7", "9007199254740992"]) {
    assert.equal(parse(text), Number(text));
  }
  for (
    const text of [
      ...["-0", "0.0", "1.0", "0.1000", "1e3", "1E+3", "1e21", "-0.0e-0", "1e-400"],
      ...["9007199254740993", "12345678901234567890", "0.1000000000000000055511151231257827"],
      `1${"0".repeat(308)}`,
      `0.${"0".repeat(100_000)}1`,
    ]
  ) {
    const value = parse(`{"a":[ ${text} ]}`) as { a: [JsonNumber] };
    assert.deepEqual(value, { a: [new JsonNumber(text)] });
    assert.equal(String(value.a[0]), text);
    assert.equal(Number(value.a[0]), Number(text));
    assert.equal(JSON.stringify(value), `{"a":[${text}]}`);
  }
});

Deno.test("parseJson() says what it refuses, and where", () => {
  const utf8 = (...bytes: number[]): Uint8Array => Uint8Array.of(0x22, ...bytes, 0x22);
  const cases: [string | Uint8Array, string][] = [
    ["", "the text ends too early (line 1, column 1)"],
    [" ", "the text ends too early (line 1, column 2)"],
    ["[1,", "the text ends too early (line 1, column 4)"],
    ['{"a"', "the text ends too early (line 1, column 5)"],
    ["[1] 2", "the text is not JSON (line 1, column 5)"],
    ["[1,]", "the text is not JSON (line 1, column 4)"],
    ['{"a":1,}', "the text is not JSON (line 1, column 8)"],
    ["{a:1}", "the text is not JSON (line 1, column 2)"],
    ["01", "the text is not JSON (line 1, column 2)"],
    ["+1", "the text is not JSON (line 1, column 1)"],
    [".5", "the text is not JSON (line 1, column 1)"],
    ["1.", "the text is not JSON (line 1, column 2)"],
    ["NaN", "the text is not JSON (line 1, column 1)"],
    ["-Infinity", "the text is not JSON (line 1, column 1)"],
    ["nul", "the text is not JSON (line 1, column 1)"],
    ["\u00a01", "the text is not JSON (line 1, column 1)"],
    ["[\n// no\n1]", "the text is not JSON (line 2, column 1)"],
    ["'a'", "the text is not JSON (line 1, column 1)"],
    ['"a\nb"', "a string is malformed (line 1, column 1)"],
    ['"\\x41"', "a string is malformed (line 1, column 1)"],
    ['"\\u12"', "a string is malformed (line 1, column 1)"],
    ['["a', "a string is malformed (line 1, column 2)"],
    ['["a\\"', "a string is malformed (line 1, column 2)"],
    ["\ufeff{}", "the text begins with a byte order mark"],
    [utf8(0xff), "the text is not UTF-8"],
    [utf8(0xc0, 0x80), "the text is not UTF-8"],
    [utf8(0xed, 0xa0, 0x80), "the text is not UTF-8"],
    ['{"a":1,\n "a":1}', 'the member "a" appears twice (line 2, column 2)'],
    ['{"a":1,"\\u0061":2}', 'the member "a" appears twice (line 1, column 8)'],
    ['[{"x":{"":0,"":0}}]', 'the member "" appears twice (line 1, column 13)'],
    ['{"1":1,"1":1}', 'the member "1" appears twice (line 1, column 8)'],
    [
      '{"constructor":1,"constructor":1}',
      'the member "constructor" appears twice (line 1, column 18)',
    ],
    [
      `{"${"n".repeat(300)}":1,"${"n".repeat(300)}":1}`,
      `the member "${"n".repeat(100)}…" appears twice (line 1, column 307)`,
    ],
    [
      '{"__proto__":1}',
      'the name "__proto__" is special in JavaScript (line 1, column 2)',
    ],
    [
      '{"\\u005f_proto__":1}',
      'the name "__proto__" is special in JavaScript (line 1, column 2)',
    ],
    ['["\\ud800"]', "a string contains half a surrogate pair (line 1, column 2)"],
    ['"\\udc00\\ud800"', "a string contains half a surrogate pair (line 1, column 1)"],
    ['{"\\udc00":1}', "a string contains half a surrogate pair (line 1, column 2)"],
    ['"a\\u0000"', "a string contains the character U+0000 (line 1, column 1)"],
    ["[1e400]", "the number 1e400 is out of the range of a double (line 1, column 2)"],
    ["-1e309", "the number -1e309 is out of the range of a double (line 1, column 1)"],
    [
      "9".repeat(5000),
      `the number ${"9".repeat(100)}… is out of the range of a double (line 1, column 1)`,
    ],
  ];
  for (const [text, message] of cases) {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    assert.throws(() => parseJson(bytes), { name: "SyntaxError", message }, String(text));
  }
});

Deno.test("parseJson() takes what looks alike and is not: names in other forms and cases", () => {
  // The same letter, composed and decomposed.
  const names = [
    "\u00e9",
    "e\u0301",
    "a",
    "A",
    " a",
    "a ",
    "",
    "toString",
    "hasOwnProperty",
    "1",
    "01",
  ];
  const text = `{${names.map((name, i) => `${JSON.stringify(name)}:${i}`).join(",")}}`;
  assert.deepEqual(parse(text), Object.fromEntries(names.map((name, i) => [name, i])));
  assert.deepEqual(parse('{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}'), {
    a: { a: { a: 1 } },
    b: [{ a: 1 }, { a: 1 }],
  });
  assert.deepEqual(parse(' \t\r\n{ "\\u006A" : "\\ud83d\\udca9\\/" }\n'), { j: "💩/" });
});

Deno.test("parseJson() takes 127 levels and no more", () => {
  for (const [open, close] of [["[", "]"], ['{"a":', "}"], ['[{"a":', "}]"]] as const) {
    const levels = open.startsWith("[{") ? 2 : 1;
    const nest = (times: number): string => `${open.repeat(times)}0${close.repeat(times)}`;
    const most = Math.floor(127 / levels);
    assert.deepEqual(plain(parse(nest(most))), JSON.parse(nest(most)));
    for (const times of [most + 1, 1_000_000]) {
      assert.throws(() => parse(nest(times)), /nested deeper than 127 levels/);
    }
  }
});

Deno.test("parseJson() takes a string, a number and white space of 16 MiB", () => {
  const length = 2 ** 24;
  assert.equal(parse(`"${"a".repeat(length)}"`), "a".repeat(length));
  assert.equal(parse(`"${"\\n".repeat(length / 2)}"`), "\n".repeat(length / 2));
  assert.equal(parse(`${" ".repeat(length)}1`), 1);
  assert.equal(Number(parse(`1.${"0".repeat(length)}`)), 1);
});

Deno.test("JsonNumber stands for its number wherever JavaScript wants one", () => {
  const number = new JsonNumber("1.50e1");
  assert.equal(Number(number), 15);
  assert.equal(`${number}`, "1.50e1");
  assert((number as unknown as number) > 14);
  assert.equal(JSON.stringify([number], undefined, 1), "[\n 1.50e1\n]");
  assert.deepEqual(JSON.parse(JSON.stringify({ number })), { number: 15 });
});

Deno.test("JsonNumber is JSON's alone", () => {
  for (
    const text of ["", "a", "01", "+1", "1.", ".5", "1 ", " 1", "1,2", "NaN", "0x1", "1n", '"1"']
  ) {
    assert.throws(() => new JsonNumber(text), { code: "ERR_OPTION_INVALID" }, text);
  }
});
