import assert from "node:assert/strict";
import { type Output, ROOT, runTool, temporaryFolder } from "./_tools.ts";

const EVERYTHING = ["make", "npm", "git", "go", "cargo", "rustc"];

/** Runs `.ci/run` where `make check` prints and ends as given, and nothing else is there to be run. */
async function runCi(
  printed: string,
  { status = 0, install = "exit 0", programs = EVERYTHING } = {},
): Promise<Output> {
  await using folder = await temporaryFolder();
  const { path } = folder;
  const write = (name: string, body: string): Promise<void> =>
    Deno.writeTextFile(`${path}/${name}`, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  for (const name of [".ci", "scripts", "bin"]) await Deno.mkdir(`${path}/${name}`);
  await Deno.copyFile(`${ROOT}/.ci/run`, `${path}/.ci/run`);
  await write("scripts/install-something.sh", install);
  await Deno.writeTextFile(`${path}/printed`, printed);
  for (const name of programs) await write(`bin/${name}`, `cat '${path}/printed'; exit ${status}`);
  const tools = ["bash", "cat", "dirname", "grep", "mktemp", "rm", "sed", "tail", "tee"];
  for (const name of tools) {
    const { stdout } = await runTool("sh", ["-c", `command -v ${name}`]);
    await Deno.symlink(stdout.trim(), `${path}/bin/${name}`);
  }
  return await runTool(`${path}/bin/bash`, [`${path}/.ci/run`], {
    clearEnv: true,
    env: { PATH: `${path}/bin`, HOME: path },
  });
}

const DOCUMENTATION = "ok | 61 passed | 0 failed (2s)\n";

Deno.test(".ci/run ends well where tests passed and none was skipped", async () => {
  const { code, stdout } = await runCi(
    `${DOCUMENTATION}one ... \x1b[32mok\x1b[0m (2ms)\n\x1b[32mok\x1b[0m | 3 passed (9 steps) | 0 failed (1s)\n`,
  );
  assert.equal(code, 0);
  assert.match(stdout, /one \.\.\. ok \(2ms\)\n(.*\n)*3 passed, 0 failed\n$/);
});

Deno.test(".ci/run fails where a test was skipped, and names it", async () => {
  const { code, stdout } = await runCi(
    `${DOCUMENTATION}one ... ok (2ms)\ntwo (needs pigz) ... ignored (0ms)\n` +
      "ok | 1 passed | 0 failed | 1 ignored (1s)\n",
  );
  assert.equal(code, 1);
  assert.match(stdout, /may be skipped:\ntwo \(needs pigz\) \.\.\. ignored \(0ms\)\n1 passed/);
});

Deno.test(".ci/run fails where make does, where no test ran, and where a script does", async () => {
  const failed = await runCi("FAILED | 2 passed | 1 failed (1s)\n", { status: 2 });
  assert.equal(failed.code, 2);
  assert.match(failed.stdout, /2 passed, 1 failed\n$/);
  for (const printed of ["", "ok | 0 passed | 0 failed (1s)\n"]) {
    const { code, stdout } = await runCi(printed);
    assert.equal(code, 1);
    assert.match(stdout, /No test ran\n0 passed/);
  }
  assert.equal((await runCi(DOCUMENTATION, { install: "exit 4" })).code, 4);
});

Deno.test(".ci/run says which programs it cannot do without", async () => {
  const { code, stderr } = await runCi(DOCUMENTATION, { programs: ["make", "npm", "git"] });
  assert.equal(code, 1);
  // Go is looked for in its own folder, too, and may be there on this machine.
  assert.match(stderr, /^Cannot check anything: install (go )?cargo rustc first\n$/);
});
