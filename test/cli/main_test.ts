import assert from "node:assert/strict";
import { VERBS, VERSION } from "../../lib/cli/verbs.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import { denoDir, sandbox, task, taskFlags } from "../_cli.ts";
import { ROOT, runTool, temporaryFolder } from "../_tools.ts";

Deno.test("par prints its verbs, and fails, where it is given none", async () => {
  await using box = await sandbox();
  const { code, stdout, stderr } = await box.run([]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  for (const verb of Object.keys(VERBS)) assert.match(stderr, new RegExp(`^ +${verb} `, "m"));
});

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
  assert.equal(VERSION, version);
});

for (const word of ["unknown", "constructor", "toString", "__proto__", "hasOwnProperty"]) {
  Deno.test(`par refuses the verb ${word} with exit status 2`, async () => {
    await using box = await sandbox();
    const { code, stdout, stderr } = await box.run([word]);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(`unknown command '${word}'`));
    assert.doesNotMatch(stderr, /^ +at /m, "a stack was printed");
  });
}

Deno.test("par suggests the verb or the flag that was meant", async () => {
  await using box = await sandbox();
  for (
    const [args, meant] of [[["inspekt"], "inspect"], [
      ["inspect", "--jwt-onli"],
      "--jwt-only",
    ]] as const
  ) {
    const { code, stderr } = await box.run(args);
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`Did you mean ${meant}`));
  }
});

Deno.test("par --verbose says what led to an error", async () => {
  await using box = await sandbox();
  const plain = await box.run(["inspect", "no.par"]);
  const verbose = await box.run(["inspect", "no.par", "--verbose"]);
  assert.equal(plain.code, 1);
  assert.equal(verbose.code, 1);
  assert(verbose.stderr.startsWith(plain.stderr));
  assert.match(verbose.stderr.slice(plain.stderr.length), /^ +because of NotFound: /);
});

// Permissions.
Deno.test("the task par:inspect may read files, and neither write, connect nor run", () => {
  const flags = taskFlags("inspect").filter((flag) => /^(--allow|--deny|-[A-Z])/.test(flag));
  assert.deepEqual(flags.map((flag) => flag.replace(/=.*/, "")).sort(), [
    "--allow-env",
    "--allow-read",
  ]);
  assert.match(flags.join(" "), /--allow-env=[A-Z_,]+/, "any variable may be read");
});

Deno.test("the task par:create may read and write files, and does not connect", () => {
  const flags = taskFlags("create").filter((flag) => /^(--allow|--deny|-[A-Z])/.test(flag));
  const beyond = flags.filter((flag) =>
    !/^--allow-(read|write|run=wasm-tools|env=[A-Z_,]+)$/.test(flag)
  );
  assert.deepEqual(beyond, []);
});

Deno.test("every task of a verb asks nobody, and is bound to the lock file", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  for (const name of Object.keys(tasks).filter((name) => name.startsWith("par:"))) {
    for (const flag of ["--no-prompt", "--frozen"]) assert(task(name).includes(flag), name);
    assert.doesNotMatch(task(name), /--allow-(all|ffi|sys)| -A\b/, name);
    // Build starts whatever a project builds with, in the environment that this needs.
    if (name !== "par:build") assert.doesNotMatch(task(name), /--allow-(run|env)(?!=)/, name);
  }
});

Deno.test("inspect needs no permission but to read the archive", async () => {
  await using box = await sandbox();
  const path = await box.write("a.par.gz", gzipped(await archiveOf()));
  const { code, stdout, stderr } = await runTool(Deno.execPath(), [
    ..."run --no-prompt --no-config --no-lock".split(" "),
    `--allow-read=${path}`,
    "--allow-env=NO_COLOR,FORCE_COLOR,CLICOLOR_FORCE",
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
