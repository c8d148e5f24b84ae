import assert from "node:assert/strict";
import * as library from "../_library.ts";
import { denoDir, FIXED_KEYS, type Sandbox, sandbox } from "../_cli.ts";
import { ISSUER } from "../_keys.ts";
import { type Output, ROOT, runTool } from "../_tools.ts";
import { elf, hostElf, readContents } from "../verbs/_fixtures.ts";

Deno.test("every verb is a function of the library too", () => {
  for (const verb of ["insert", "remove", "merge", "extract", "verify"] as const) {
    assert.equal(typeof library[verb], "function");
  }
  for (const name of ["findKey", "findKeyOf", "listKeys", "storeKey"] as const) {
    assert.equal(typeof library[name], "function");
  }
  assert.equal(typeof library.KeyPair.generate, "function");
});

/** Runs a task as a person does, from a folder of their own. */
async function runTask(s: Sandbox, verb: string, ...args: string[]): Promise<Output> {
  return await runTool(
    Deno.execPath(),
    ["task", "--quiet", "--config", `${ROOT}/deno.json`, `par:${verb}`, ...args],
    {
      cwd: s.folder,
      clearEnv: true,
      env: {
        HOME: s.home,
        USER: "kevin",
        PATH: Deno.env.get("PATH") ?? "",
        DENO_DIR: await denoDir(),
        NO_COLOR: "1",
      },
    },
  );
}

Deno.test("the tasks lead one archive through its life", async () => {
  await using s = await sandbox();
  const run = async (verb: string, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runTask(s, verb, ...args);
    assert.equal(code, 0, `par:${verb}: ${stderr}`);
    return stdout.trim();
  };
  await s.write("lib.so", hostElf());
  await s.write("other file.so", elf("riscv64"));
  assert.equal((await s.create(["-b", "lib.so", "--destination", "a.par", ...FIXED_KEYS])).code, 0);
  assert.equal(
    await run("insert", "a.par", "-b", "other file.so", ...FIXED_KEYS),
    "Successfully inserted other file.so into archive a.par",
  );
  assert.equal(
    await run("merge", "a.par", "a.par", "--destination", "b.par.gz", "--compress", ...FIXED_KEYS),
    "Successfully merged 2 archives into b.par.gz",
  );
  assert.equal(
    await run("remove", "b.par.gz", "-a", "riscv64-linux", ...FIXED_KEYS),
    "Successfully removed riscv64-linux from archive b.par.gz",
  );
  assert.equal(
    await run("extract", "a.par", "--arch", "riscv64-linux", "--output", "out.so"),
    "Successfully extracted riscv64-linux to out.so",
  );
  assert.deepEqual(await s.read("out.so"), elf("riscv64"));
  assert.match(
    await run("verify", "b.par.gz", "--trusted-issuer", ISSUER.publicKey),
    /^ok .*\n.*issuer/s,
  );
  assert.match(await run("keys", "gen", "operator"), /^O[A-Z2-7]{55}$/);
  assert((await readContents(`${s.folder}/b.par.gz`)).compressed);
});
