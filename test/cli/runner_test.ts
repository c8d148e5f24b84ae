import assert from "node:assert/strict";
import { denoFlags } from "../../scripts/par.ts";
import { archiveOf } from "../_archive.ts";
import { denoDir, type Sandbox, sandbox } from "../_cli.ts";
import { type Output, ROOT, runTool } from "../_tools.ts";

/** Runs scripts/par.ts as tasks do. */
async function runScript(box: Sandbox, ...args: string[]): Promise<Output> {
  const script = ["run", "--quiet", "--no-config", "--allow-run", `${ROOT}/scripts/par.ts`];
  return await runTool(Deno.execPath(), [...script, ...args], {
    cwd: box.home,
    clearEnv: true,
    env: {
      HOME: box.home,
      PATH: Deno.env.get("PATH") ?? "",
      DENO_DIR: await denoDir(),
      // Where a task was called that called this is nobody's business.
      INIT_CWD: ROOT,
    },
  });
}

Deno.test("scripts/par.ts runs par in the folder it is told, and ends with its status", async () => {
  await using box = await sandbox();
  await box.write("an archive.par", await archiveOf());
  const read = await runScript(
    box,
    `--cwd=${box.folder}`,
    "inspect",
    "an archive.par",
    "--jwt-only",
  );
  assert.equal(read.code, 0, read.stderr);
  assert.match(read.stdout, /^ey[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const elsewhere = await runScript(box, "inspect", "an archive.par");
  assert.equal(elsewhere.code, 1, elsewhere.stderr);
  assert.match(elsewhere.stderr, /there is no such file/);
  assert.equal((await runScript(box, "inspect", "--unknown")).code, 2);
  assert.equal((await runScript(box)).code, 2);
});

Deno.test("scripts/par.ts says that packages are missing, and only then", async () => {
  await using box = await sandbox();
  const nowhere = "http://127.0.0.1:1/";
  const names = ["HTTP_PROXY", "HTTPS_PROXY"];
  const script = ["run", "--quiet", "--no-config", "--allow-run", `${ROOT}/scripts/par.ts`];
  for (const folder of [`${box.home}/empty`, await denoDir()]) {
    const env = Object.fromEntries([...names.map((name) => [name, nowhere]), ["DENO_DIR", folder]]);
    const { code, stderr } = await runTool(Deno.execPath(), [...script, "inspect", "none"], {
      env,
    });
    assert.equal(code, 1);
    assert.equal(/packages.*make install/.test(stderr), folder !== await denoDir(), stderr);
  }
});

Deno.test("scripts/par.ts lets a verb do what it needs, unless the caller says otherwise", async () => {
  await using box = await sandbox();
  const archive = await box.write("a.par", await archiveOf());
  const extract = (...own: string[]): Promise<Output> =>
    runScript(box, ...own, "extract", archive, "--all", "--output", `${box.folder}/`);
  const narrow = await extract(`--allow-write=${box.home}`);
  assert.equal(narrow.code, 1, narrow.stdout);
  assert.match(narrow.stderr, /write/);
  assert.equal((await extract()).code, 0);
  assert(denoFlags(["extract"]).includes("--allow-write"));
  assert(!denoFlags(["extract"]).includes("--allow-net"));
  assert(denoFlags(["extract"], { remote: true }).includes("--allow-net"));
  for (const flag of ["--no-prompt", "--no-config", "--frozen"]) {
    assert(denoFlags(["extract"]).includes(flag), flag);
  }
});

Deno.test("scripts/par.ts ends as what it runs does where it is told to stop", async () => {
  await using box = await sandbox();
  const archive = `${box.folder}/large.par`;
  await box.write("zeros", new Uint8Array(2 ** 20));
  const created = await box.create(["-b", "arm-linux=zeros", "--destination", archive]);
  assert.equal(created.code, 0, created.stderr);
  const script = ["run", "--quiet", "--no-config", "--allow-run", `${ROOT}/scripts/par.ts`];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...script, "inspect", "-"],
    env: { DENO_DIR: await denoDir() },
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  // More than a pipe holds: once it is written, it is being read.
  await writer.write((await Deno.readFile(archive)).subarray(0, 2 ** 19));
  child.kill("SIGTERM");
  assert.equal((await child.status).code, 130);
  await writer.abort().catch(() => {});
});
