import assert from "node:assert/strict";
import { readSources } from "./main.ts";
import { findSites } from "./sites.ts";
import { findSteps } from "./steps.ts";
import { traced } from "./trace.ts";
import { failuresIn, filterFor } from "./trial.ts";

const ERRORS = `
export class ParError extends Error { constructor(readonly code: string, text: string) { super(text); } }
`;

/** The sources with each check taken out that is found in them, one at a time. */
function sabotaged(files: Readonly<Record<string, string>>): string[] {
  const sources = new Map(Object.entries({ ...files, "lib/errors.ts": ERRORS }));
  return findSites(sources).map(({ file, edit: { start, end, text } }) => {
    const source = sources.get(file) ?? "";
    return (source.slice(0, start) + text + source.slice(end)).replace(/\s+/g, " ").trim();
  });
}

Deno.test("findSites() takes out each condition of a refusal by itself", () => {
  const source = (condition: string): string =>
    `if (${condition}) throw new ParError("ERR_HASH_MISMATCH", "x");`;
  assert.deepEqual(sabotaged({ "lib/a.ts": source("a || !(b && c) || d && e") }), [
    source("false || !(b && c) || d && e"),
    source("a || !(true && c) || d && e"),
    source("a || !(b && true) || d && e"),
    source("a || !(b && c) || false"),
  ]);
});

Deno.test("findSites() takes out refusals that have no condition of their own", () => {
  assert.deepEqual(
    sabotaged({
      "lib/a.ts": `try { f(); } catch { throw bad(); }
        function bad(): ParError { return new ParError("ERR_TOKEN_TYPE", "x"); }`,
    }),
    [
      "try { f(); } catch { {} } " +
      'function bad(): ParError { return new ParError("ERR_TOKEN_TYPE", "x"); }',
    ],
  );
});

Deno.test("findSites() follows functions that tell true from false, into other files", () => {
  const files = {
    "lib/a/a.ts": `import { isGood } from "../b/b.ts";
      if (!isGood(x)) throw new ParError("ERR_REGISTRY_CONTENT", "x");`,
    "lib/b/b.ts": `export function isGood(x: unknown): boolean {
      if (x === 1) return false;
      return a(x) && b(x);
    }`,
  };
  const [call, ...inside] = sabotaged(files);
  assert.match(call ?? "", /if \(!true\) throw/);
  assert.deepEqual(inside.map((text) => /\{ (.*) \}/.exec(text)?.[1]), [
    "if (x === 1) return true; return a(x) && b(x);",
    "if (x === 1) return false; return true && b(x);",
    "if (x === 1) return false; return a(x) && true;",
  ]);
});

Deno.test("findSites() takes out calls that do nothing but check, and outcomes in a report", () => {
  const check = `function check(x: number): void {
    if (x > 1) throw new ParError("ERR_LIMIT_SIZE", "x");
  }`;
  const [whole, ...rest] = sabotaged({ "lib/a.ts": `check(5); ${check}` });
  assert.equal(whole, `{} ${check.replace(/\s+/g, " ")}`);
  assert.equal(rest.length, 1);
  assert.deepEqual(sabotaged({ "lib/a.ts": 'f(a ? pass() : fail("age", "ERR_TOO_OLD", "x"));' }), [
    'f(true ? pass() : fail("age", "ERR_TOO_OLD", "x"));',
  ]);
});

Deno.test("findSites() leaves alone what is no check", () => {
  assert.deepEqual(
    sabotaged({
      "lib/a.ts": `if (a) throw new ParError("ERR_USAGE", "x");
        if (b) throw new TypeError("x");
        if (c) return 5;
        f();`,
    }),
    [],
  );
});

Deno.test("the library's checks and steps are all where they are looked for", async () => {
  const sources = await readSources();
  // The steps are written down by their text, which `findSteps` holds against the sources.
  for (const { file, edit } of [...findSites(sources), ...findSteps(sources)]) {
    assert(sources.get(file)?.slice(edit.start, edit.end), file);
  }
  assert(findSites(sources).length > 200);
});

Deno.test("traced() notes the checks that are come to, and changes nothing else", async () => {
  const log = await Deno.makeTempFile();
  const source = `
    export function f(x: number): string {
      if (x > 1) throw new ParError("ERR_LIMIT_SIZE", "too large");
      const small = x < 0 ? "negative" : "small";
      if (x > 0) throw new ParError("ERR_LIMIT_SIZE", "not zero");
      return small;
    }`;
  const sites = findSites(new Map([["lib/a.ts", source]]));
  const places = sites.map((site, index) => [String(index), site] as const);
  const body = traced(source, places, log).replace(/: (number|string)/g, "").replace("export", "");
  const f = new Function("ParError", `${body}; return f;`)(RangeError) as (x: number) => string;
  assert.throws(() => f(2), RangeError);
  assert.equal(await Deno.readTextFile(log), "0\n");
  assert.equal(f(0), "small");
  assert.equal(await Deno.readTextFile(log), "0\n1\n");
  await Deno.remove(log);
});

Deno.test("failuresIn() reads what deno test prints, and what it does not", () => {
  const printed = `
 ERRORS \n
first() does => ./test/a_test.ts:1:6
error: AssertionError: no

second() => does => ./test/a_test.ts:9:6
error: Error: Property failed after 3 tests

 FAILURES \n
first() does => ./test/a_test.ts:1:6
`;
  assert.deepEqual(failuresIn(printed, "test/a_test.ts", 1), [
    { test: "first() does", random: false, single: true },
    { test: "second() => does", random: true, single: true },
  ]);
  assert.equal(
    filterFor({ test: "f() is (a) b/c ... step ... inner", random: false, single: true }),
    "--filter=/^f\\(\\) is \\(a\\) b\\/c$/",
  );
  const whole = { random: false, single: false };
  assert.deepEqual(failuresIn("", "a", 1), [{ test: "a as a whole", ...whole }]);
  assert.deepEqual(failuresIn("", "a", 124), [{ test: "a does not end", ...whole }]);
});
