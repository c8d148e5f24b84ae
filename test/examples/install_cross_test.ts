import assert from "node:assert/strict";
import { CROSS, QEMU, testWith } from "./_example.ts";
import { isInstalled, ROOT, runTool, temporaryFolder } from "../_tools.ts";

const SCRIPT = `${ROOT}/scripts/install-cross.sh`;
const DEBIAN = { name: "dpkg-query", isThere: () => isInstalled("dpkg-query") };

testWith(
  [CROSS, QEMU, DEBIAN],
  "install-cross.sh does nothing where all of it is there",
  async () => {
    assert.deepEqual(await runTool("sh", [SCRIPT]), { code: 0, stdout: "", stderr: "" });
  },
);

/** Runs the script where commands answer as given. */
async function runAs(commands: Readonly<Record<string, string>>): Promise<string> {
  await using bin = await temporaryFolder();
  for (const [name, body] of Object.entries(commands)) {
    await Deno.writeTextFile(`${bin.path}/${name}`, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  const { stdout: shell } = await runTool("sh", ["-c", "command -v sh"]);
  const { code, stdout, stderr } = await runTool(shell.trim(), [SCRIPT], {
    env: { PATH: bin.path },
    clearEnv: true,
  });
  assert.equal(code, 1);
  assert.equal(stdout, "");
  return stderr;
}

Deno.test("install-cross.sh says what is missing where it is not run as root", async () => {
  const said = await runAs({
    "apt-get": "echo it must not run >&2; exit 9",
    "dpkg": "echo amd64",
    "dpkg-query": "exit 1",
    "id": "echo 1000",
  });
  assert.match(
    said,
    /^Cannot install the cross toolchain: run it as root; missing: cargo rustc .*qemu-user/,
  );
});

Deno.test("install-cross.sh says where it is of no use", async () => {
  assert.match(
    await runAs({}),
    /^Cannot install the cross toolchain: this is no Debian; use 'rustup/,
  );
  assert.match(
    await runAs({ "apt-get": "exit 0", "dpkg-query": "exit 0", "dpkg": "echo arm64" }),
    /^Cannot install the cross toolchain: it is laid out for amd64 machines, and this one is arm64/,
  );
});
