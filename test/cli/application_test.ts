import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { type Routes, runCommandLine } from "../../lib/cli/application.ts";
import { command, separateValues } from "../../lib/cli/command.ts";
import { type Flag, type Group, kebab, type Verb } from "../../lib/cli/verb.ts";
import { VERBS } from "../../lib/cli/verbs.ts";

/** What a verb was told. */
interface Told {
  readonly args: readonly string[];
  readonly flags: Readonly<Record<string, unknown>>;
}

/** Reads a verb's command line, with verbs that only take down what they are told. */
async function read(words: readonly string[]): Promise<Told> {
  let told: Told | undefined;
  const recorded = (verb: Verb): ReturnType<typeof command> =>
    command(verb, () =>
      Promise.resolve((flags: object, ...args: string[]) => {
        told = { args, flags: { ...flags } };
        return Promise.resolve();
      }));
  const routes: Routes = Object.fromEntries(
    Object.entries<Verb | Group>(VERBS).flatMap(([name, verb]) =>
      "verbs" in verb ? [] : [[name, () => recorded(verb)]]
    ),
  );
  await runCommandLine(words, {
    signal: new AbortController().signal,
    report: () => assert.fail("no verb was run"),
  }, routes);
  assert(told, "no verb was run");
  return told;
}

/** Reads a command line that is refused, and gives the message. */
async function refused(...words: string[]): Promise<string> {
  const error = await read(words).then(() => assert.fail(words.join(" ")), (error) => error);
  assert.equal(error.code, "ERR_USAGE", error.stack);
  return error.message;
}

// ---- Any command line that is in order ---------------------------------------------------------

/** A flag on a command line: its words, and what it adds to its values. */
interface Typed {
  readonly name: string;
  readonly words: readonly string[];
  readonly value: string;
}

/** Values as people give them, the last of them such as only follow an equals sign. */
const VALUES = ["x", "a=b", "8", "-", "-1", "", "né e", "a\nb", "--x", "-q"];

/** Such as their flags can read, by what help calls them. */
const READABLE: Readonly<Record<string, readonly string[]>> = {
  "1-9": ["9"],
  days: ["0.5", "90"],
  number: ["7", "-1"],
  size: ["1", "8G"],
  target: ["arm-linux", "x86_64-windows"],
};

function typings(name: string, flag: Flag): fc.Arbitrary<Typed> {
  const { choices, parse, short, value: placeholder } = flag;
  const long = `--${kebab(name)}`;
  if (placeholder === undefined) return fc.constant({ name, words: [long], value: "" });
  const values = choices ?? (parse ? READABLE[placeholder] ?? [] : VALUES);
  return fc.constantFrom(...values).chain((value) =>
    fc.constantFrom(
      [`${long}=${value}`],
      ...(/^-./.test(value) && value !== "-1" ? [] : [
        [long, value],
        ...(short ? [[`-${short}`, value]] : []),
      ]),
      ...(short && value !== "" ? [[`-${short}=${value}`]] : []),
      ...(short && !/^[-=]|^$/.test(value) ? [[`-${short}${value}`]] : []),
    ).map((words) => ({ name, words, value }))
  );
}

/** What the verb is told of a value. */
function dashOf({ dash }: Flag, value: string): string {
  if (value !== "-" || !dash) return value;
  return dash === "standard input" ? "/dev/stdin" : "/dev/stdout";
}

for (const [name, verb] of Object.entries<Verb | Group>(VERBS)) {
  if ("verbs" in verb) continue;
  Deno.test(`runCommandLine() tells par ${name} what was typed, however it was`, async () => {
    const all = Object.entries(verb.flags);
    const required = all.filter(([, flag]) => flag.required);
    const args = (verb.arguments ?? []).map((_, at) => `argument ${at}`);
    const line = fc.tuple(
      all.length > 0
        ? fc.array(fc.constantFrom(...all).chain((flag) => typings(...flag)), { maxLength: 6 })
        : fc.constant([]),
      fc.tuple(...required.map((flag) => typings(...flag))),
      fc.boolean(),
    );
    await fc.assert(
      fc.asyncProperty(line, async ([some, needed, escaped]) => {
        const typed = [...some, ...needed];
        const names = new Set(typed.map(({ name }) => name));
        fc.pre(
          all.every(([name, { conflicts = [] }]) =>
            !names.has(name) || !conflicts.some((other) => names.has(other))
          ),
        );
        // What - stands for is refused for some flags, and standard input is read once.
        const dashes = typed.filter(({ name, value }) => value === "-" && verb.flags[name]?.dash)
          .map(({ name }) => verb.flags[name]?.dash);
        fc.pre(!dashes.includes("refused"));
        fc.pre(dashes.filter((dash) => dash === "standard input").length < 2);
        const flags = typed.flatMap(({ words }) => words);
        const words = escaped ? [...flags, "--", ...args] : [...args, ...flags];
        const told = await read([name, ...words]);
        assert.deepEqual(told.args, args);
        for (const [name, flag] of all) {
          const values = typed.filter((one) => one.name === name)
            .map(({ value }) => flag.parse?.(value, name) ?? dashOf(flag, value));
          const expected = flag.value === undefined
            ? values.length > 0
            : flag.repeatable
            ? values.length > 0 ? values : undefined
            : values.at(-1) ?? flag.default;
          assert.deepEqual(told.flags[name], expected, `${name}: ${JSON.stringify(words)}`);
        }
      }),
      { numRuns: 100 },
    );
  });
}

// ---- What is read as what ----------------------------------------------------------------------

const REQUIRED = ["--name", "n", "--vendor", "v"];

/** Flags of `par create`, and what they say. */
const READ: readonly (readonly [line: readonly string[], flag: string, value: unknown])[] = [
  [["-b", "x"], "binary", ["x"]],
  [["-bx"], "binary", ["x"]],
  [["-b=x"], "binary", ["x"]],
  [["--binary=x", "--binary", "y"], "binary", ["x", "y"]],
  [["--binary=arm-linux=x"], "binary", ["arm-linux=x"]],
  [[], "binary", undefined],
  [["--revision", "-1"], "revision", -1],
  [["-r-1"], "revision", -1],
  [["--destination", "-"], "destination", "/dev/stdout"],
  [["-b", "-"], "binary", ["/dev/stdin"]],
  [["-b", "arm-linux=-"], "binary", ["arm-linux=/dev/stdin"]],
  [["-b", "./-"], "binary", ["./-"]],
  [["--issuer", "-"], "issuer", "/dev/stdin"],
  [["--capid="], "capid", ""],
  [["--capid", ""], "capid", ""],
  [["--vendor=--x"], "vendor", "--x"],
  [["--version", "1", "--version", "2"], "version", "2"],
  [["--expires-in", "0.5"], "expiresIn", 43200],
  [["--compress"], "compress", true],
  [["--compress", "--compress"], "compress", true],
  [[], "compress", false],
  [[], "output", "text"],
  [["-ojson"], "output", "json"],
];

for (const [line, flag, value] of READ) {
  Deno.test(`runCommandLine() reads ${JSON.stringify(line)} as --${flag} ${value}`, async () => {
    const { flags } = await read(["create", ...REQUIRED, ...line]);
    assert.deepEqual(flags[flag], value);
  });
}

Deno.test("runCommandLine() takes what follows -- for arguments", async () => {
  const words = ["merge", "--destination", "d", "a.par", "--", "--all", "-b", "--"];
  assert.deepEqual((await read(words)).args, ["a.par", "--all", "-b", "--"]);
});

Deno.test("runCommandLine() takes an optional argument, or goes without", async () => {
  for (const verb of ["build", "doctor"]) {
    assert.deepEqual((await read([verb, "x"])).args, ["x"]);
    assert.deepEqual((await read([verb])).args, [undefined]);
  }
});

Deno.test("runCommandLine() takes a variable for a flag that is not given, unless it is empty", async () => {
  const before = Deno.env.get("WASH_KEYS");
  const directory = async (...words: string[]): Promise<unknown> =>
    (await read(["create", ...REQUIRED, ...words])).flags["directory"];
  try {
    Deno.env.set("WASH_KEYS", "keys");
    assert.equal(await directory(), "keys");
    assert.equal(await directory("-d", "other"), "other");
    Deno.env.set("WASH_KEYS", "");
    assert.equal(await directory(), undefined);
  } finally {
    if (before === undefined) Deno.env.delete("WASH_KEYS");
    else Deno.env.set("WASH_KEYS", before);
  }
});

// ---- What is refused ---------------------------------------------------------------------------

/** Command lines, and all that is said of them. */
const REFUSED: readonly (readonly [line: string, message: string])[] = [
  ["craete", 'Cannot run par: there is no verb "craete"; did you mean create?'],
  ["xylophone", 'Cannot run par: there is no verb "xylophone"'],
  ["--compress create", "Cannot run par: it needs a verb before --compress"],
  ["create --nmae x", "Cannot run par create: it has no flag --nmae; did you mean --name?"],
  [
    "inspect a --claims-olny",
    "Cannot run par inspect: it has no flag --claims-olny; did you mean --claims-only?",
  ],
  [
    "verify a --trusted-isuer k",
    "Cannot run par verify: it has no flag --trusted-isuer; did you mean --trusted-issuer?",
  ],
  ["inspect a --xylophone", "Cannot run par inspect: it has no flag --xylophone"],
  ["inspect a --xylophone=1", "Cannot run par inspect: it has no flag --xylophone"],
  ["inspect a -z", "Cannot run par inspect: it has no flag -z"],
  [
    "inspect a --claimsOnly",
    "Cannot run par inspect: it has no flag --claimsOnly; did you mean --claims-only?",
  ],
  ["inspect a --version", "Cannot run par inspect: it has no flag --version"],
  ["create", "Cannot run par create: it needs --name <name> and --vendor <vendor>"],
  ["push", "Cannot run par push: it needs <reference> and <archive>"],
  ["remove", "Cannot run par remove: it needs <archive> and --arch <target>"],
  ["insert", "Cannot run par insert: it needs <archive> and --binary <path>"],
  ["merge", "Cannot run par merge: it needs <archives> and --destination <path>"],
  ["merge --destination x", "Cannot run par merge: it needs <archives>"],
  ["extract a b", 'Cannot run par extract: "b" is one argument too many'],
  ["inspect a --max-size", "Cannot run par inspect: it needs --max-size <size>"],
  [
    "inspect a --max-size --all",
    "Cannot run par inspect: it has no flag --all",
  ],
  [
    "inspect a --max-size --wit",
    "Cannot run par inspect: it needs --max-size <size>; write --max-size=… for a value that begins with a dash",
  ],
  [
    "create -n n -v v -d -",
    "Cannot use - for --directory: standard input and output cannot take its place; give a path",
  ],
  [
    "insert - -b a",
    "Cannot use - for <archive>: standard input and output cannot take its place; give a path",
  ],
  [
    "create -n n -v v -b - -i -",
    "Cannot use - for --issuer: standard input is read only once, and it is given already",
  ],
  [
    "create -n n -v v -b arm-linux=- -b x86_64-linux=-",
    "Cannot use - for --binary: standard input is read only once, and it is given already",
  ],
  [
    "create -n n -v v -b arm-linux=- -j -",
    "Cannot use - for --binary: standard input is read only once, and it is given already",
  ],
  [
    "merge - - --destination a",
    "Cannot use - for <archives>: standard input is read only once, and it is given already",
  ],
  ["inspect a -o yaml", 'Cannot run par inspect: --output takes text or json, and not "yaml"'],
  ["inspect a --no-cache=1", 'Cannot use "--no-cache=1": --no-cache takes no value'],
  ["extract a --all -a x86_64-linux", "Cannot use --all together with --arch: give one of them"],
  ["inspect a --wit --jwt-only", "Cannot use --wit together with --jwt-only: give one of them"],
  [
    "inspect a --claims-only --wit",
    "Cannot use --claims-only together with --wit: give one of them",
  ],
  [
    "create -n n -v v --wit a --wit-directory b",
    "Cannot use --wit together with --wit-directory: give one of them",
  ],
];

for (const [line, message] of REFUSED) {
  Deno.test(`runCommandLine() refuses par ${line}`, async () => {
    assert.equal(await refused(...line.split(" ")), message);
  });
}

Deno.test("runCommandLine() says of a value what whoever reads it says", async () => {
  const cases: readonly (readonly [line: string, code: string, message: RegExp])[] = [
    ["inspect a --max-size 1X", "ERR_OPTION_INVALID", /^Cannot use "1X" for --max-size: give/],
    ["create -n n -v v -r x", "ERR_OPTION_INVALID", /^Cannot use "x" for --revision: give/],
    ["verify a --max-age x", "ERR_OPTION_INVALID", /^Cannot use "x" for --max-age: give/],
    ["extract a -a x/y", "ERR_TARGET_INVALID", /^Cannot use "x\/y" as a target/],
    // What is missing comes first.
    ["create -n n -r x", "ERR_USAGE", /^Cannot run par create: it needs --vendor <vendor>$/],
  ];
  for (const [line, code, message] of cases) {
    await assert.rejects(read(line.split(" ")), { code, message });
  }
});

Deno.test("runCommandLine() refuses verbs and flags that every object has", async () => {
  for (const word of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
    assert.equal(await refused(word), `Cannot run par: there is no verb "${word}"`);
    await refused("inspect", "a", `--${word}`);
    await refused("inspect", "a", `--${word}=x`);
  }
});

Deno.test("separateValues() leaves what is no flag of the verb as it is", () => {
  for (const words of [["inspect", "-x1", "--unknown=1", "a=b", "-", "--"], ["nothing", "-b1"]]) {
    assert.deepEqual(separateValues(words), words);
  }
  assert.deepEqual(separateValues(["create", "--", "-b1"]), ["create", "--", "-b1"]);
});

// ---- Types -------------------------------------------------------------------------------------

Deno.test("what a verb is told has the types that its table says", () => {
  // A wrong type does not compile.
  command(VERBS.create, () =>
    Promise.resolve(({ name, capid, binary, compress, output }) => {
      const told: [
        string,
        string | undefined,
        readonly string[] | undefined,
        boolean,
        "text" | "json",
      ] = [name, capid, binary, compress, output];
      return Promise.resolve(void told);
    }));
  command(VERBS.inspect, () =>
    // @ts-expect-error -- there is no such flag
    Promise.resolve(({ unknown }) => Promise.resolve(void unknown)));
  command(VERBS.merge, () =>
    // @ts-expect-error -- a text is no number
    Promise.resolve(({ destination }: { destination: number }) =>
      Promise.resolve(void destination)
    ));
});
