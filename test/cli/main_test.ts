import assert from "node:assert/strict";
import { takesHelpers } from "../../lib/cli/permissions.ts";
import { VERBS } from "../../lib/cli/verbs.ts";
import { inspect } from "../../mod.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import { denoDir, FIXED_KEYS, REQUIRED, type Sandbox, sandbox, task } from "../_cli.ts";
import { type Output, ROOT, runTool, temporaryFolder } from "../_tools.ts";

Deno.test("par --help and each verb's --help explain themselves on standard output", async () => {
  await using box = await sandbox();
  for (const args of [["--help"], ["help"], ["help", "create"]]) {
    const { code, stdout, stderr } = await box.run(args);
    assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    assert.match(stdout, /^Usage: par /);
  }
  for (const verb of Object.keys(VERBS)) {
    const { code, stdout, stderr } = await box.run([verb, "--help"]);
    assert.deepEqual([code, stderr], [0, ""], verb);
    assert.match(stdout, new RegExp(`^Usage: par ${verb} `));
  }
});

Deno.test("par --version prints the version that deno.json states", async () => {
  await using box = await sandbox();
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const { code, stdout } = await box.run(["--version"]);
  assert.deepEqual([code, stdout], [0, `${version}\n`]);
});

Deno.test("par says what is wrong with a command line, as JSON too, with exit status 2", async () => {
  await using box = await sandbox();
  const message = "Cannot run par inspect: it has no flag --jwt-onli; did you mean --jwt-only?";
  const plain = await box.run(["inspect", "a.par", "--jwt-onli"]);
  assert.deepEqual(plain, {
    code: 2,
    stdout: "",
    stderr: `Error: ${message} [ERR_USAGE]\n` +
      "Usage: par inspect [flags] <archives...>\nFor more, see par inspect --help.\n",
  });
  const json = await box.run(["inspect", "a.par", "--jwt-onli", "-o", "json"]);
  assert.equal(json.code, 2);
  assert.deepEqual(JSON.parse(json.stdout), {
    success: false,
    error: { code: "ERR_USAGE", message },
  });
});

Deno.test("par ends what it says of wrong usage with the usage line and --help", async () => {
  await using box = await sandbox();
  const lines: readonly (readonly [line: string, usage: string, help: string])[] = [
    ["crate", "par <verb>", "par --help"],
    ["create", "par create --name <name> --vendor <vendor> [flags]", "par create --help"],
    ["build a b", "par build [flags] [<folder>]", "par build --help"],
    ["keys gne", "par keys <verb>", "par keys --help"],
    ["extract a.par --max-size x", "par extract [flags] <archive>", "par extract --help"],
    ["par push x", "par push [flags] <reference> <archive>", "par push --help"],
  ];
  for (const [line, usage, help] of lines) {
    const { code, stderr } = await box.run(line.split(" "));
    assert.equal(code, 2, stderr);
    assert(stderr.endsWith(`]\nUsage: ${usage}\nFor more, see ${help}.\n`), stderr);
  }
  assert.doesNotMatch((await box.run(["inspect", "none.par"])).stderr, /Usage/);
});

Deno.test("par names the flags that may help with an error, and the library does not", async () => {
  await using box = await sandbox();
  await box.write("a.par", await archiveOf());
  const { code, stderr } = await box.run(["inspect", "a.par", "--max-size", "10"]);
  assert.equal(code, 3);
  assert.match(stderr, / \(see --max-size\) \[ERR_LIMIT_SIZE\]\n$/);
  await assert.rejects(
    inspect(`${box.folder}/a.par`, { limits: { maxSize: 10 } }),
    (error: Error & { code?: string }) =>
      error.code === "ERR_LIMIT_SIZE" && !error.message.includes("--"),
  );
});

Deno.test("par --verbose shows what caused an error", async () => {
  await using box = await sandbox();
  const plain = await box.run(["inspect", "no.par"]);
  const verbose = await box.run(["inspect", "no.par", "--verbose"]);
  assert.equal(plain.code, 1);
  assert.equal(verbose.code, 1);
  assert(verbose.stderr.startsWith(plain.stderr));
  assert.match(verbose.stderr.slice(plain.stderr.length), /^ +because of NotFound: /);
});

/** What prints something. */
const PRINTS: readonly (readonly string[])[] = [
  ["--help"],
  ["--version"],
  ["inspect", "--help"],
  ["inspect", "a.par"],
  ["inspect", "a.par", "-o", "json"],
  ["verify", "a.par"],
  ["keys", "list", "-o", "json"],
  ["completions", "bash"],
  ["create", ...REQUIRED, ...FIXED_KEYS, "-b", "lib.so"],
];

Deno.test({
  name: "par says that standard output is full, without a stack, and fails",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using box = await sandbox();
    await box.write("a.par", await archiveOf());
    await box.write("lib.so", "a library");
    const through = ["sh", "-c", 'exec "$@" >/dev/full', "sh"];
    for (const args of PRINTS) {
      const { code, stderr } = await box.run(args, { through });
      assert.equal(code, 1, args.join(" "));
      assert.match(
        stderr,
        /^Error: Cannot write to standard output: No space left .*\[ERR_FILE_UNWRITABLE\]$/m,
      );
      assert.doesNotMatch(stderr, /\n +at /);
    }
    const missing = await box.run(["inspect", "none.par", "-o", "json"], { through });
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^Error: .*\[ERR_FILE_NOT_FOUND\]\n$/);
  },
});

Deno.test({
  name: "par does its work, and ends as it would, where standard error is full or closed",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using box = await sandbox();
    await box.write("a.par", await archiveOf());
    await box.write("lib.so", "a library");
    for (const end of ["2>/dev/full", "2>&-"]) {
      const through = ["sh", "-c", `exec "$@" ${end}`, "sh"];
      for (const args of PRINTS) assert.equal((await box.run(args, { through })).code, 0, end);
      assert.equal((await box.run(["inspect", "none.par"], { through })).code, 1);
      assert.equal((await box.run(["nosuch"], { through })).code, 2);
    }
  },
});

Deno.test("par ends silently where the reader of its results has gone", async () => {
  await using box = await sandbox();
  await box.write("a.par", await archiveOf());
  const through = ["bash", "-c", 'set -o pipefail; "$@" | true; exit $?', "bash"];
  const { code, stderr } = await box.run(["inspect", "a.par"], { through });
  // The reader may be gone before or after the one line was written.
  assert([0, 141].includes(code), String(code));
  assert.equal(stderr, "");
});

/** Runs the command with permissions of the test's own. */
async function runWith(
  box: Sandbox,
  permissions: readonly string[],
  ...args: string[]
): Promise<Output> {
  const flags = ["run", "--quiet", "--no-prompt", "--no-config", `--lock=${ROOT}/cli.lock`];
  return await runTool(Deno.execPath(), [...flags, ...permissions, `${ROOT}/cli.ts`, ...args], {
    cwd: box.folder,
    clearEnv: true,
    env: { HOME: box.home, USER: "kevin", DENO_DIR: await denoDir() },
  });
}

Deno.test("par says which task or flags allow what Deno does not, without a stack", async () => {
  await using box = await sandbox();
  await box.write("a.par", await archiveOf());
  await box.write("lib.so", "a library");
  const create = ["create", ...REQUIRED, "-b", "lib.so", "--destination", "b.par"];
  const cases: readonly (readonly [string[], string[], string])[] = [
    [[], ["inspect", "a.par"], "par:inspect"],
    [["--allow-env"], ["keys", "list"], "par:keys"],
    [["--allow-env=NO_COLOR"], ["keys", "get", "x"], "par:keys"],
    [["--allow-read"], create, "par:create"],
    [["--allow-read", "--allow-env"], [...create, ...FIXED_KEYS], "par:create"],
    [["--allow-read", "--allow-env"], ["keys", "gen", "account"], "par:keys"],
    [["-RWE"], ["pull", "localhost:5000/a:1"], "par:pull"],
    [["-RE"], ["inspect", "localhost:5000/a:1"], "par:remote:inspect"],
  ];
  for (const [permissions, args, task] of cases) {
    const { code, stderr } = await runWith(box, permissions, ...args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /(^|\n)Error: Cannot .*\[ERR_[A-Z_]+\]\n$/, args.join(" "));
    assert(stderr.includes(`; par ${args.slice(0, args[0] === "keys" ? 2 : 1).join(" ")} needs `));
    assert(stderr.includes(`--allow-env, as the task ${task} has it`), stderr);
  }
});

Deno.test("every task of a verb runs the script that knows its permissions, and only that", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const names = Object.keys(tasks).filter((name) => name.startsWith("par:"));
  assert(names.length > 10);
  for (const name of names) {
    const [, remote, verb = ""] = /^par:(remote:)?([a-z]+)$/.exec(name) ?? assert.fail(name);
    assert(Object.hasOwn(VERBS, verb), name);
    // It looks for the credential helpers that a registry takes.
    const looks = takesHelpers([verb], remote !== undefined);
    assert.equal(
      task(name),
      `deno run --quiet --no-config --allow-run${looks ? " --allow-read --allow-env" : ""} ` +
        `scripts/par.ts --cwd="$INIT_CWD" ${remote ? "--remote " : ""}${verb}`,
    );
  }
});

Deno.test("inspect needs no permission but to read the archive", async () => {
  await using box = await sandbox();
  const path = await box.write("a.par.gz", gzipped(await archiveOf()));
  const { code, stdout, stderr } = await runTool(Deno.execPath(), [
    ..."run --no-prompt --no-config --no-lock".split(" "),
    `--allow-read=${path}`,
    "--allow-env=NO_COLOR,FORCE_COLOR",
    `${ROOT}/cli.ts`,
    "inspect",
    path,
  ], { cwd: box.folder });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Fake Payments - Provider Archive/);
});

Deno.test("importing mod.ts needs no permission, and does nothing", async () => {
  await using folder = await temporaryFolder();
  const program = `
const before = Object.keys(globalThis).length;
const par = await import(${JSON.stringify(`file://${ROOT}/mod.ts`)});
const pair = await par.KeyPair.generate("account");
console.log(typeof par.create, typeof par.inspect, pair.publicKey[0], Object.keys(globalThis).length - before);
`;
  const file = `${folder.path}/program.ts`;
  await Deno.writeTextFile(file, program);
  const { code, stdout, stderr } = await runTool(
    Deno.execPath(),
    ["run", "--no-prompt", "--no-config", "--no-lock", file],
    { cwd: folder.path, env: { DENO_DIR: await denoDir() } },
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "function function A 0\n");
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder.path), ({ name }) => name), [
    "program.ts",
  ]);
});

Deno.test("the tasks pass arguments through, from the folder they are called in", async () => {
  await using box = await sandbox();
  await box.write("an archive.par", await archiveOf());
  const env = { HOME: box.home, DENO_DIR: await denoDir(), INIT_CWD: box.folder };
  const { code, stdout, stderr } = await runTool(Deno.execPath(), [
    ..."task --quiet --config".split(" "),
    `${ROOT}/deno.json`,
    "par:inspect",
    "an archive.par",
    "--jwt-only",
  ], { cwd: box.folder, env });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^ey[\w-]+\.[\w-]+\.[\w-]+\n$/);
});
