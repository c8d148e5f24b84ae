import assert from "node:assert/strict";
import {
  copyOf,
  expectedHeader,
  GO,
  headerOf,
  HOST_TARGET,
  MAKE,
  QEMU,
  REFERENCE,
  testWith,
} from "./_example.ts";
import { runTool } from "../_tools.ts";
import { serving } from "./_serving.ts";

const TARGETS = ["aarch64-linux", "aarch64-macos", "aarch64-windows"]
  .concat(["x86_64-linux", "x86_64-macos", "x86_64-windows"]);

testWith([MAKE, GO], "make test of the Go provider runs its own tests", async () => {
  await using provider = await copyOf("go-provider");
  assert.match(await provider.made(["test"]), /^ok\s/m);
});

testWith([MAKE, GO], "make par of the Go provider: the archive's program serves", async () => {
  await using provider = await copyOf("go-provider");
  await provider.made(["par"]);
  await using server = await serving(await provider.extracted(HOST_TARGET));
  const key = `${server.url}/keys/greeting`;
  assert.equal((await fetch(key, { method: "PUT", body: "hello" })).status, 204);
  assert.equal(await (await fetch(key)).text(), "hello");
  assert.equal(await (await fetch(`${server.url}/healthz`)).text(), "ok\n");
});

testWith(
  [MAKE, GO, QEMU, REFERENCE],
  "make par-full of the Go provider: six targets that verify, run, and load in the reference",
  async () => {
    await using provider = await copyOf("go-provider");
    await provider.made(["par-full", "STRICT=1"]);
    assert.match(await provider.made(["verify"]), /6 binaries have the signed hash/);
    assert.deepEqual((await provider.inspected()).targets, TARGETS);

    const programs: Record<string, string> = {};
    for (const target of TARGETS) {
      const program = programs[target] = await provider.extracted(target);
      assert.equal(headerOf(await Deno.readFile(program)), expectedHeader(target));
    }
    for (
      const [target, machine, through] of [
        ["x86_64-linux", "linux/amd64", []],
        ["aarch64-linux", "linux/arm64", ["qemu-aarch64"]],
      ] as const
    ) {
      const [runner = "", ...args] = [...through, programs[target] ?? "", "--version"];
      assert.equal((await runTool(runner, args)).stdout, `go-provider 1.0.0 ${machine}\n`);
    }
    for (const release of ["0.8", "0.16"]) {
      for (const target of TARGETS) {
        const archive = `${provider.folder}/build/go-provider.par.gz`;
        const args = ["load", release, archive, "--target", target];
        const { code, stdout } = await runTool(REFERENCE.path, args);
        assert.equal(code, 0, stdout);
      }
    }
    assert.match(await provider.made(["par-full"]), /is up to date/);
  },
);

testWith([MAKE], "without Go, the line says what to install", async () => {
  await using provider = await copyOf("go-provider");
  const { stdout } = await runTool("sh", ["-c", "command -v make sh uname"]);
  for (const program of stdout.trim().split("\n")) {
    await provider.write("tools/keep", "");
    await Deno.symlink(program, `${provider.folder}/tools/${program.replace(/.*\//, "")}`);
  }
  assert.match(
    await provider.refused(["par"], { PATH: `${provider.folder}/tools` }),
    /^Error: Cannot build with Go: there is no program "go"; install it \(https:\/\/go\.dev\/dl\)/m,
  );
});
