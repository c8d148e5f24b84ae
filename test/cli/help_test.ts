import assert from "node:assert/strict";
import { VERBS } from "../../lib/cli/verbs.ts";
import { KEY_KINDS } from "../../lib/cli/keys.ts";
import { permissionFlags } from "../../lib/cli/permissions.ts";
import { sandbox } from "../_cli.ts";
import { ROOT } from "../_tools.ts";

const NAMES = Object.keys(VERBS);

/** Verbs with verbs of their own, which have the flags and the examples. */
const GROUPS: Readonly<Record<string, readonly string[]>> = { keys: ["gen", "list", "get"] };

/** Every command line that asks a verb for its help. */
const LINES: readonly (readonly string[])[] = NAMES.flatMap((verb) =>
  (GROUPS[verb] ?? [""]).map((inner) => [verb, inner].filter((word) => word !== ""))
);

Deno.test("par lists every verb with what it does", async () => {
  await using box = await sandbox();
  const { code, stdout } = await box.run(["--help"]);
  assert.equal(code, 0);
  for (const verb of NAMES) assert.match(stdout, new RegExp(`^  ${verb}\\b.* [a-z]+`, "m"));
});

Deno.test("par alone shows the five things that people do, with command lines that are understood", async () => {
  await using box = await sandbox();
  const { code, stdout, stderr } = await box.run([]);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /^par: make, sign, inspect and verify wasmCloud provider archives\.\n/);
  const lines = stderr.match(/(?<=^ {2}\$ par ).*/gm) ?? [];
  assert.deepEqual(lines.map((line) => line.split(" ")[0]), [
    ...["build", "create", "inspect", "verify", "push"],
  ]);
  for (const line of lines) {
    assert.doesNotMatch((await box.run([...line.split(" "), "-q"])).stderr, /ERR_(USAGE|OPTION)/);
  }
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
    ["--directory", "default: $WASH_KEYS_DIR"],
    ["--directory", "env: WASH_KEYS"],
    ["--schema", "env: WASH_JSON_SCHEMA"],
    ["--wit-directory", "env: WIT_DIR"],
    ["--destination", "default: <binary>.par"],
    ["--output", "default: text"],
  ];
  for (const [flag, words] of described) {
    const from = text.indexOf(` ${flag} `);
    const to = text.indexOf(" --", from + flag.length + 1);
    assert(from >= 0 && text.slice(from, to).includes(words), `${flag}: ${words}`);
  }
});

Deno.test("par VERB --help names every environment variable that the verb may read", async () => {
  await using box = await sandbox();
  // These are conventions of the whole command, of the machine or of other tools.
  const common =
    /^(HOME|PATH|USER|USERNAME|USERPROFILE|NO_COLOR|FORCE_COLOR|SOURCE_DATE_EPOCH|DOCKER_CONFIG|REGISTRY_AUTH_FILE|XDG_[A-Z]+(_HOME|_DIR)|LOCALAPPDATA|(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy|REQUEST_METHOD|SSL_CERT_FILE)$/;
  for (const line of LINES) {
    const [allowed = ""] = permissionFlags(line, true).slice(-1);
    const { stdout } = await box.run([...line, "--help"]);
    // What build starts gets the whole environment.
    if (allowed === "--allow-env") continue;
    const names = allowed.replace("--allow-env=", "").split(",");
    const missing = names.filter((name) => !common.test(name) && !stdout.includes(name));
    assert.deepEqual(missing, [], line.join(" "));
  }
});

Deno.test("par --version prints the toolkit's version, which deno.json states too", async () => {
  await using box = await sandbox();
  const { code, stdout } = await box.run(["--version"]);
  assert.equal(code, 0);
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  assert.equal(stdout, `${version}\n`);
});

Deno.test("par keys gen --help names every kind of key", async () => {
  await using box = await sandbox();
  const { stdout } = await box.run(["keys", "gen", "--help"]);
  for (const kind of KEY_KINDS) assert.match(stdout, new RegExp(`\\b${kind}\\b`));
});
