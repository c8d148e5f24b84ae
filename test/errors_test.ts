import assert from "node:assert/strict";
import { ERROR_CODES, type ErrorCode, ParError, printable, quote } from "../lib/errors.ts";
import { ROOT } from "./_tools.ts";

Deno.test("ParError carries its code, category, message and cause", () => {
  const cause = new Error("why");
  const error = new ParError("ERR_FILE_NOT_FOUND", "Cannot read x", cause);
  assert(error instanceof Error);
  assert.equal(error.name, "ParError");
  assert.equal(error.code, "ERR_FILE_NOT_FOUND");
  assert.equal(error.category, "failed");
  assert.equal(error.message, "Cannot read x");
  assert.equal(error.cause, cause);
  assert(!Object.hasOwn(new ParError("ERR_USAGE", "Cannot"), "cause"));
});

Deno.test("ERROR_CODES gives each code a category and a meaning", () => {
  for (const [code, { category, meaning }] of Object.entries(ERROR_CODES)) {
    assert.match(code, /^ERR_[A-Z_0-9]+$/);
    assert.match(category, /^(usage|failed|untrusted)$/);
    assert.match(meaning, /^[A-Z].*\.$/);
  }
});

Deno.test("ERROR_CODES has every code that the sources throw, and no other", async () => {
  const used = new Set<string>();
  for await (const source of sources(`${ROOT}/lib`)) {
    if (source.endsWith("/lib/errors.ts")) continue;
    const code = (await Deno.readTextFile(source))
      // What a comment says that something throws is no use of a code.
      .replace(/\/\*\*.*?\*\//gs, "");
    for (const [, name] of code.matchAll(/"(ERR_[A-Z_0-9]*[A-Z0-9])"/g)) used.add(name as string);
  }
  const known = new Set<string>(Object.keys(ERROR_CODES) as ErrorCode[]);
  assert.deepEqual([...used.difference(known)], []);
  assert.deepEqual([...known.difference(used)], []);
});

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

Deno.test("printable() keeps letters, line feeds and tabs, and shows what would hide", () => {
  assert.equal(printable("Zürich\n\t支付"), "Zürich\n\t支付");
  assert.equal(printable("a\u202eb\u0000c\u2066"), "a\ufffdb\ufffdc\ufffd");
  assert.equal(printable("\x1b[31m\r\x9b2J\u200f\u061c"), "\ufffd[31m\ufffd\ufffd2J\ufffd\ufffd");
});

Deno.test("quote() shows where a text ends, and its control characters", () => {
  assert.equal(quote('a "b" '), '"a \\"b\\" "');
  assert.equal(quote("a\n\x1b"), '"a\\n\\u001b"');
});
