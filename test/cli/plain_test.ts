import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { readPlain } from "../../lib/cli/plain.ts";
import { buildProgram } from "../../lib/cli/program.ts";
import type { Flag, Verb } from "../../lib/cli/verb.ts";
import { VERBS } from "../../lib/cli/verbs.ts";

/** What a verb is told. */
interface Told {
  readonly args: readonly string[];
  readonly flags: Readonly<Record<string, unknown>>;
  readonly given: readonly string[];
}

const verbs = await Promise.all(Object.values(VERBS).map((load) => load()));
const groups = new Map(verbs.filter((verb) => verb.verbs).map((verb) => [verb.name, verb]));
const runnable = verbs.flatMap((verb) =>
  (verb.verbs ?? [verb]).map((inner) => ({ inner, path: [...new Set([verb.name, inner.name])] }))
);

function spellings({ flags }: Flag): string[] {
  return flags.replace(/ <.*/, "").split(", ");
}

/** The camel-case names that a flag may have. */
function names(verb: Verb): string[] {
  return (verb.flags ?? []).map((flag) =>
    (spellings(flag).at(-1) ?? "").replace(/^--(no-)?/, "").replace(
      /-([a-z])/g,
      (_, letter: string) => letter.toUpperCase(),
    )
  );
}

/** What commander tells a verb; it fails where commander finds something wrong. */
async function commanderTells(verb: Verb, words: readonly string[]): Promise<Told> {
  let told: Told | undefined;
  const recorded: Verb = {
    ...verb,
    run(args, flags, { isGiven }) {
      told = toTold(verb, args, flags as Record<string, unknown>, isGiven);
      return Promise.resolve();
    },
  };
  const program = buildProgram([recorded], new AbortController().signal);
  await program.parseAsync([verb.name, ...words], { from: "user" });
  assert(told, "commander ran nothing");
  return told;
}

function toTold(
  verb: Verb,
  args: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  isGiven: (flag: string) => boolean,
): Told {
  return { args: [...args], flags: { ...flags }, given: names(verb).filter(isGiven) };
}

for (const { inner: verb, path } of runnable) {
  Deno.test(`readPlain() reads par ${path.join(" ")} as commander does, or leaves it to that`, async () => {
    const spelled = (verb.flags ?? []).flatMap(spellings);
    const value = fc.constantFrom("x", "json", "text", "a=b", "8", "-", "-1", "", "--", "né e");
    const flag = fc.constantFrom(...spelled, "--verbose", "--unknown", "-h");
    const group = fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom("one.par", "two.par", "-", "").map((arg) => [arg]) },
      { weight: 3, arbitrary: flag.map((flag) => [flag]) },
      { weight: 5, arbitrary: fc.tuple(flag, value).map((pair) => [...pair]) },
      fc.tuple(flag, value).map(([flag, value]) => [`${flag}=${value}`]),
      fc.tuple(flag, value).map(([flag, value]) => [`${flag}${value}`]),
    );
    // Enough that some are in order: what is required, and as many arguments as are taken.
    const needed = [
      ...(verb.flags ?? []).filter((flag) => flag.required).map((flag) => [
        spellings(flag)[0] as string,
        "x",
      ]),
      ...(verb.arguments ?? []).map(() => ["file.par"]),
    ];
    const lines = fc.tuple(fc.array(group, { maxLength: 3 }), fc.boolean()).chain(
      ([groups, withNeeded]) =>
        fc.shuffledSubarray([...groups, ...(withNeeded ? needed : [])], {
          minLength: groups.length + (withNeeded ? needed.length : 0),
        }),
    ).map((groups) => groups.flat());
    let read = 0;
    await fc.assert(
      fc.asyncProperty(lines, async (words) => {
        const line = readPlain(verb, words, (name) => Deno.env.get(name));
        if (!line) return;
        read++;
        assert.equal(line.verb, verb);
        const told = toTold(verb, line.args, line.flags, line.isGiven);
        assert.deepEqual(told, await commanderTells(verb, words), words.join(" "));
      }),
      { numRuns: 400 },
    );
    assert(read >= 20, `only ${read} were read`);
  });
}

Deno.test("readPlain() finds the verb in a group", () => {
  for (const group of groups.values()) {
    for (const inner of group.verbs ?? []) {
      const words = [inner.name, ...(inner.arguments ?? []).map(() => "x")];
      assert.equal(readPlain(group, words, () => undefined)?.verb, inner);
    }
    assert.equal(readPlain(group, [], () => undefined), undefined);
    assert.equal(readPlain(group, ["unknown"], () => undefined), undefined);
  }
});

Deno.test("readPlain() leaves flags that do not go together to commander", () => {
  const verb = verbs.find(({ name }) => name === "inspect") as Verb;
  const read = (...words: string[]): boolean => !!readPlain(verb, words, () => undefined);
  assert(read("x", "--wit"));
  assert(read("x", "--claims-only", "--jwt-only"));
  assert(!read("x", "--wit", "--claims-only"));
  assert(!read("x", "--jwt-only", "--wit"));
});

Deno.test("readPlain() takes a flag's environment variable as commander does", async () => {
  const verb = verbs.find(({ name }) => name === "create") as Verb;
  const words = ["--name", "x", "--vendor", "y"];
  const before = Deno.env.get("WASH_JSON_SCHEMA");
  try {
    for (const value of ["schema.json", "-", ""]) {
      Deno.env.set("WASH_JSON_SCHEMA", value);
      const line = readPlain(verb, words, (name) => Deno.env.get(name));
      assert(line);
      assert.equal(line.flags["schema"], value || undefined);
      assert.equal(line.isGiven("schema"), false);
      const told = toTold(verb, line.args, line.flags, line.isGiven);
      const { flags, ...others } = await commanderTells(verb, words);
      const set = Object.entries(flags).filter(([, value]) => value !== undefined);
      assert.deepEqual(told, { ...others, flags: Object.fromEntries(set) });
    }
  } finally {
    if (before === undefined) Deno.env.delete("WASH_JSON_SCHEMA");
    else Deno.env.set("WASH_JSON_SCHEMA", before);
  }
});
