import assert from "node:assert/strict";
import { VERBS } from "../../lib/cli/verbs.ts";
import { sandbox, task, taskFlags } from "../_cli.ts";
import { ROOT, runTool } from "../_tools.ts";

const NAMES = Object.keys(VERBS);

/** Verbs with verbs of their own, which have the flags and the examples. */
const GROUPS: Readonly<Record<string, readonly string[]>> = { keys: ["gen", "list", "get"] };

/** Every command line that asks a verb for its help. */
const LINES: readonly (readonly string[])[] = NAMES.flatMap((verb) =>
  (GROUPS[verb] ?? [""]).map((inner) => [verb, inner].filter((word) => word !== ""))
);

Deno.test("par lists every verb with what it does", async () => {
  await using box = await sandbox();
  const bare = await runTool(Deno.execPath(), ["run", ...taskFlags("inspect"), `${ROOT}/cli.ts`], {
    cwd: box.folder,
  });
  assert.equal(bare.code, 2);
  const { code, stdout } = await box.run(["--help"]);
  assert.equal(code, 0);
  assert.equal(bare.stderr, stdout);
  for (const verb of NAMES) assert.match(stdout, new RegExp(`^  ${verb}\\b.* [a-z]+`, "m"));
});

Deno.test("par help, par VERB --help and par help VERB say the same", async () => {
  await using box = await sandbox();
  const long = await box.run(["create", "--help"]);
  for (const args of [["help", "create"], ["create", "-h"]]) {
    const { code, stdout, stderr } = await box.run(args);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout, long.stdout);
  }
  assert.equal((await box.run(["help"])).stdout, (await box.run(["--help"])).stdout);
});

Deno.test("par VERB --help ends with two command lines to start from", async () => {
  await using box = await sandbox();
  for (const line of LINES) {
    const { code, stdout, stderr } = await box.run([...line, "--help"]);
    assert.deepEqual([code, stderr], [0, ""], line.join(" "));
    const [, examples = ""] = stdout.split("\nExamples:\n");
    const prompts = examples.match(/^ {2}\$ .*par .*$/gm) ?? [];
    assert.equal(prompts.length, 2, `${line.join(" ")}: ${examples}`);
  }
});

Deno.test("par VERB --help names, for each flag that has one, its environment variable and default", async () => {
  await using box = await sandbox();
  const { stdout } = await box.run(["create", "--help"]);
  const text = stdout.replace(/\s+/g, " ");
  const described: readonly (readonly [string, string])[] = [
    ["--issuer", "env: WASH_ISSUER_KEY"],
    ["--subject", "env: WASH_SUBJECT_KEY"],
    ["--directory", "default: $HOME/.wash/keys"],
    ["--directory", "env: WASH_KEYS"],
    ["--schema", "env: WASH_JSON_SCHEMA"],
    ["--wit-directory", "env: WIT_DIR"],
    ["--destination", "default: <binary>.par"],
    ["--output", 'default: "text"'],
  ];
  for (const [flag, words] of described) {
    const from = text.indexOf(` ${flag} `);
    const to = text.indexOf(" --", from + flag.length + 1);
    assert(from >= 0 && text.slice(from, to).includes(words), `${flag}: ${words}`);
  }
});

Deno.test("par VERB --help names every environment variable that the verb's task allows", async () => {
  await using box = await sandbox();
  // These are conventions of the whole command, of the machine or of other tools.
  const common =
    /^(HOME|USER|USERNAME|USERPROFILE|NO_COLOR|FORCE_COLOR|CLICOLOR_FORCE|SOURCE_DATE_EPOCH|DOCKER_CONFIG|XDG_CACHE_HOME|LOCALAPPDATA|COLUMNS|TERM)$/;
  for (const verb of NAMES.filter((verb) => verb !== "completions" && !(verb in GROUPS))) {
    const allowed = / --allow-env=(\S+)/.exec(task(`par:${verb}`))?.[1]?.split(",") ?? [];
    const { stdout } = await box.run([verb, "--help"]);
    const missing = allowed.filter((name) => !common.test(name) && !stdout.includes(name));
    assert.deepEqual(missing, [], verb);
  }
});

Deno.test("par --version prints the toolkit's version, which deno.json states too", async () => {
  await using box = await sandbox();
  const { code, stdout } = await box.run(["--version"]);
  assert.equal(code, 0);
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  assert.equal(stdout, `${version}\n`);
});

Deno.test("par suggests the nearest verb and flag for one that does not exist", async () => {
  await using box = await sandbox();
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["craete"], "create"],
    [["inspct", "a.par"], "inspect"],
    [["inspect", "--claims-olny", "a.par"], "--claims-only"],
    [["verify", "--trusted-isuer", "k", "a.par"], "--trusted-issuer"],
    [["keys", "lst"], "list"],
  ];
  for (const [args, meant] of cases) {
    const { code, stdout, stderr } = await box.run(args);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, new RegExp(`Did you mean ${meant}\\?`), args.join(" "));
  }
});

Deno.test("par suggests nothing for what is near to nothing", async () => {
  await using box = await sandbox();
  const { code, stderr } = await box.run(["xylophone"]);
  assert.equal(code, 2);
  assert.match(stderr, /unknown command 'xylophone'/);
  assert.doesNotMatch(stderr, /Did you mean/);
});

Deno.test("par create tells a mistyped flag before the required one that it was meant to be", async () => {
  await using box = await sandbox();
  const { code, stderr } = await box.run(["create", "--nmae", "Fake Payments"]);
  assert.equal(code, 2);
  assert.match(stderr, /unknown option '--nmae'\n\(Did you mean --name\?\)/);
});
