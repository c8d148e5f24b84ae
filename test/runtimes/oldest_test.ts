import assert from "node:assert/strict";
import { makeDist } from "../../scripts/dist.ts";
import { installedLauncher } from "../../scripts/install.ts";
import { noise } from "../_bytes.ts";
import { sandbox } from "../_cli.ts";
import type { Tool } from "../examples/_example.ts";
import { testWith } from "../examples/_example.ts";
import { isInstalled, type Output, ROOT, runTool, temporaryFolder } from "../_tools.ts";

const OLDEST: Tool = { name: "deno-oldest", isThere: () => isInstalled("deno-oldest") };

/** The oldest Deno that `scripts/deno` takes. */
const MINIMUM = /^minimum=(\d+\.\d+\.\d+)$/m.exec(
  await Deno.readTextFile(`${ROOT}/scripts/deno`),
)?.[1] ?? "";

Deno.test("README.md promises the Deno that scripts/deno takes, and the launcher runs that", async () => {
  assert.notEqual(MINIMUM, "");
  const readme = await Deno.readTextFile(`${ROOT}/README.md`);
  const promised = [...readme.matchAll(/Deno\]?(?:\([^)]*\))? (\d+(?:\.\d+)*) or\s+newer/g)];
  assert(promised.length > 0);
  for (const [what, version] of promised) assert.equal(version, MINIMUM, what);
  assert(installedLauncher("/share/par").includes('exec "$share/scripts/deno" run '));
});

/** Runs scripts/deno where PATH has a Deno that says of itself what is given, and no npm. */
async function runWith(version: string): Promise<Output> {
  await using folder = await temporaryFolder();
  const { path } = folder;
  await Deno.mkdir(`${path}/bin`);
  await Deno.mkdir(`${path}/scripts`);
  await Deno.copyFile(`${ROOT}/scripts/deno`, `${path}/scripts/deno`);
  const deno = `#!/bin/sh\n[ "$1" = --version ] && echo "deno ${version}" || echo "ran $*"\n`;
  await Deno.writeTextFile(`${path}/bin/deno`, deno, { mode: 0o755 });
  for (const program of ["sed", "tr", "dirname", "sh"]) {
    const { stdout } = await runTool("sh", ["-c", `command -v ${program}`]);
    await Deno.symlink(stdout.trim(), `${path}/bin/${program}`);
  }
  return await runTool(`${path}/scripts/deno`, ["run", "x"], {
    env: { PATH: `${path}/bin` },
    clearEnv: true,
  });
}

Deno.test("scripts/deno takes a Deno of its minimum or newer, and no older one", async () => {
  const [major = 0, minor = 0, patch = 0] = MINIMUM.split(".").map(Number);
  const taken = [
    MINIMUM,
    `${MINIMUM} (stable, release, x86_64-unknown-linux-gnu)`,
    `${major}.${minor}.${patch + 1}`,
    `${major}.${minor}.${patch + 10}`,
    `${major}.${minor + 1}.0`,
    `${major}.${minor + 10}.0`,
    `${major + 1}.0.0`,
    `${major}.${minor + 1}.0-rc.1`,
  ];
  for (const version of taken) {
    const { code, stdout, stderr } = await runWith(version);
    assert.deepEqual([code, stdout, stderr], [0, "ran run x\n", ""], version);
  }
  const refused = [`${major}.${minor}.${patch - 1}`, `${major}.${minor - 1}.99`, "1.46.3", "x", ""];
  for (const version of refused) {
    const { code, stdout, stderr } = await runWith(version);
    assert.deepEqual([code, stdout], [1, ""], version);
    assert.match(stderr, new RegExp(`^Cannot find Deno ${MINIMUM} or newer: `));
  }
});

testWith([OLDEST], "deno-oldest is the oldest Deno that scripts/deno takes", async () => {
  const { stdout } = await runTool("deno-oldest", ["--version"]);
  assert.equal(/^deno (\d+\.\d+\.\d+)/.exec(stdout)?.[1], MINIMUM);
});

testWith(
  [OLDEST],
  "par, installed or of a release, makes and reads archives in the oldest Deno",
  async () => {
    await using box = await sandbox();
    const bin = `${box.home}/bin`;
    await Deno.mkdir(bin);
    const { stdout } = await runTool("sh", ["-c", "command -v deno-oldest"]);
    await Deno.symlink(stdout.trim(), `${bin}/deno`);
    const env = {
      HOME: box.home,
      USER: "kevin",
      PATH: `${bin}:/usr/bin:/bin`,
      DENO_DIR: `${box.home}/deno`,
      DENO_NO_UPDATE_CHECK: "1",
      NO_COLOR: "1",
    };
    const run = async (program: string, ...args: string[]): Promise<string> => {
      const output = await runTool(program, args, { cwd: box.folder, env, clearEnv: true });
      assert.equal(output.code, 0, output.stdout + output.stderr);
      return output.stdout;
    };
    const install = ["run", "--allow-all", `${ROOT}/scripts/install.ts`];
    const { code, stderr } = await runTool(Deno.execPath(), install, {
      env: { PREFIX: box.home, DESTDIR: "" },
    });
    assert.equal(code, 0, stderr);
    await makeDist(`${box.home}/dist`);
    // Large enough for every way through `node:zlib`, which older ones go wrong in.
    await box.write("binary", noise(5_000_000));
    const forms = [["a.par"], ["a.par.gz", "--compress"]] as const;
    const pars = [`${box.home}/bin/par`, `${box.home}/dist/par`];
    for (
      const [par, [file, ...flags]] of pars.flatMap((par) => forms.map((f) => [par, f] as const))
    ) {
      await run(
        par,
        ...["create", "--name", "Fake Payments", "--vendor", "wasmCloud", "--destination", file],
        ...["--binary", "x86_64-linux=binary", ...flags],
      );
      assert.match(await run(par, "inspect", file), /x86_64-linux/);
      await run(par, "extract", file, "--arch", "x86_64-linux", "--output", `${file}.out`);
      assert.deepEqual(await box.read(`${file}.out`), await box.read("binary"));
    }
  },
);
