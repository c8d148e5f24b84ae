import assert from "node:assert/strict";
import { lotsFor, readSources } from "./main.ts";
import type { Notes } from "./names.ts";
import { findSites, type Site } from "./sites.ts";
import { findSteps } from "./steps.ts";
import { readNotes, traced } from "./trace.ts";
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

Deno.test("traced() notes the checks that are come to and what they decide, and changes nothing else", async () => {
  const log = await Deno.makeTempFile();
  const source = `
    export function f(x: number): string {
      if (x > 1) throw new ParError("ERR_LIMIT_SIZE", "too large");
      const small = x < 0 ? "negative" : "small";
      if (!(x < 1 && g(() => x < 2))) throw new ParError("ERR_LIMIT_SIZE", "not zero");
      h(x);
      return small;
    }`;
  const sites = findSites(new Map([["lib/a.ts", source]]));
  assert.deepEqual(sites.map(({ condition }) => condition?.pure), [true, true, false]);
  const places = sites.map((site, index) => [String(index), site] as const);
  const body = traced(source, places, log).replace(/: (number|string)/g, "").replace("export", "");
  const f = new Function(
    "ParError",
    "g",
    "h",
    `${body}; return f;`,
  )(RangeError, (ask: () => boolean) => ask(), () => {}) as (x: number) => string;
  const notes = globalThis as Notes;
  const reach = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      [...readNotes(await Deno.readTextFile(log))].map(([test, { reaches, decides }]) => [
        test,
        `${[...reaches].join()} ${[...decides].join()}`,
      ]),
    );
  try {
    notes.parTest = "large";
    assert.throws(() => f(2), RangeError);
    assert.deepEqual(await reach(), { large: "0 0" });
    notes.parTest = "zero";
    assert.equal(f(0), "small");
    assert.equal(f(-1), "negative");
    assert.deepEqual(await reach(), { large: "0 0", zero: "0,1,2 " });
    delete notes.parTest;
    assert.throws(() => f(1), RangeError);
    assert.deepEqual(await reach(), { large: "0 0", zero: "0,1,2 ", "": "0,1,2 1" });
  } finally {
    delete notes.parTest;
    await Deno.remove(log);
  }
});

Deno.test("readNotes() adds up the time that a test took", () => {
  const took = (notes: string) => [...readNotes(notes)].map(([name, { took }]) => [name, took]);
  assert.deepEqual(took("took\t5\ta\ntook\t7\ta\n1\t!\tb\n"), [["a", 12], ["b", 0]]);
});

Deno.test("lotsFor() begins with the tests that a check decides something in, the nearest first", () => {
  const site = (pure: boolean): Site => ({
    file: "lib/a/b.ts",
    line: 1,
    what: "",
    edit: { start: 0, end: 0, text: "" },
    condition: { instead: false, pure },
  });
  const reach = (took: number, decides: boolean, reaches = true) => ({
    took,
    decides: new Set(decides ? ["1"] : []),
    reaches: new Set(reaches ? ["1"] : []),
  });
  const baselines = new Map([
    ["test/a/a_test.ts", {
      took: 100,
      hidden: false,
      tests: new Map([
        ["slow", reach(60_000, true)],
        ["quick", reach(5, true)],
        ["comes by", reach(1, false)],
        ["elsewhere", reach(1, false, false)],
      ]),
    }],
    ["test/a/b_test.ts", {
      took: 200,
      hidden: false,
      tests: new Map([["near", reach(9, true)], ["", reach(0, true)]]),
    }],
    ["test/z/z_test.ts", {
      took: 1,
      hidden: false,
      tests: new Map([["other", reach(1, true)]]),
    }],
  ]);
  const order = (pure: boolean) =>
    lotsFor("1", site(pure), ["test/a/b_test.ts", "test/a/"], baselines)
      .map(({ files, names }) => `${[...files].join()}: ${names.join(", ") || "all"}`);
  const decided = [
    "test/a/b_test.ts: near",
    "test/a/a_test.ts: quick",
    "test/a/a_test.ts: slow",
    "test/a/b_test.ts: all",
  ];
  assert.deepEqual(order(true), decided);
  // What a file takes before its tests run counts, too: it may not have been compiled yet.
  const homes = ["test/a/b_test.ts", "test/a/"];
  assert.equal(lotsFor("1", site(true), homes, baselines)[0]?.took, 200);
  assert.deepEqual(order(false), [...decided, "test/a/a_test.ts: comes by"]);
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
    filterFor(["f() is (a) b/c ... step ... inner", "g"]),
    "--filter=/^(f\\(\\) is \\(a\\) b\\/c|g)$/",
  );
  const whole = { random: false, single: false };
  assert.deepEqual(failuresIn("", "a", 1), [{ test: "a as a whole", ...whole }]);
  assert.deepEqual(failuresIn("", "a", 124), [{ test: "a does not end", ...whole }]);
});
