import assert from "node:assert/strict";
import { VERBS } from "../../lib/cli/verbs.ts";
import { denoDir, sandbox, task } from "../_cli.ts";
import { ELF_X86_64 } from "../_executable.ts";
import { ROOT, runTool, temporaryFolder } from "../_tools.ts";
import { blockWith, documents, quoted, readDocument, tableOf } from "./_document.ts";

const README = readDocument("README.md");

/** The rows of a window of which README.md shows a part first, wherever it is read. */
const FIRST_SCREEN = 45;

Deno.test("README.md says on its first screen how to set up, build, inspect, push and verify", () => {
  const lines = README.text.split("\n").slice(0, FIRST_SCREEN).join("\n");
  for (const words of ["make install", "par build", "par inspect", "par push", "par verify"]) {
    assert(lines.includes(words), words);
  }
  assert(!lines.includes("\n## Verbs"));
});

Deno.test("README.md names every verb, each with its task", () => {
  const verbs = tableOf(README, "Verb").map(([verb = ""]) => quoted(verb)[0] ?? "");
  assert.deepEqual([...verbs, "completions"].sort(), Object.keys(VERBS).sort());
  for (const verb of verbs) assert.match(task(`par:${verb}`), new RegExp(` ${verb}$`));
});

Deno.test("README.md names exit statuses that there are", () => {
  assert.deepEqual(tableOf(README, "Exit status").map(([status]) => status), ["0", "1", "2", "3"]);
});

Deno.test("README.md lists every document", () => {
  const listed = tableOf(README, "Page").map(([link = ""]) => /\((.*)\)/.exec(link)?.[1]);
  for (const { path } of documents()) {
    assert(path === "README.md" || listed.includes(path), `${path} is not listed`);
  }
});

Deno.test("the documents name tasks that there are", () => {
  for (const { text } of documents()) {
    for (const [name] of text.matchAll(/(?<![-:])\bpar:[a-z:]*[a-z]/g)) task(name);
  }
});

Deno.test("CONTRIBUTING.md names files and folders that there are", async () => {
  const paths = tableOf(readDocument("CONTRIBUTING.md"), "Where").map(([path = ""]) => path);
  assert(paths.length > 10);
  for (const path of paths.flatMap(quoted)) await Deno.stat(`${ROOT}/${path}`);
});

Deno.test("README.md and docs/ name flags and variables that verbs take, or other programs", async () => {
  await using box = await sandbox();
  const lines = Object.entries(VERBS).flatMap(([name, verb]) =>
    "verbs" in verb ? Object.keys(verb.verbs).map((inner) => [name, inner]) : [[name]]
  );
  const help = await Promise.all(
    lines.map(async (words) => (await box.run([...words, "--help"])).stdout),
  );
  const known = new Set(
    [...help.join("\n").matchAll(/--[a-z][a-z-]+|WASH_[A-Z_]+/g)].map(([word]) => word),
  );
  for (const { path, text } of documents()) {
    if (!OF_USERS.includes(path)) continue;
    for (const [word] of text.matchAll(/(?<![\w-])(--[a-z][a-z-]+|WASH_[A-Z_]+)/g)) {
      assert(known.has(word) || OTHERS.has(word), `${path}: ${word}`);
    }
  }
});

/** The pages whose flags are those of `par`. */
const OF_USERS: readonly string[] = [
  "README.md",
  ...["archives", "install", "moving-from-wash", "registries"].map((page) => `docs/${page}.md`),
];

/** The flags of Deno, cargo, cosign and sha256sum, and those that wash has and par has not. */
const OTHERS: ReadonlySet<string> = new Set([
  ...["--allow-import", "--allow-run", "--force", "--global", "--name", "--quiet", "--reload"],
  ...["--bundle", "--insecure-ignore-tlog", "--key", "--type"],
  ...["--release", "--check", "--help", "--version", "--experimental"],
  ...["--build-only", "--keys-directory", "--sign-only", "--skip-fetch"],
  ...["WASH_KEYS_DIR", "WASH_DATA_DIR"],
]);

Deno.test("CHANGELOG.md begins with the version that deno.json states, and its date", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const [, newest, date = ""] = /^## (\S+) - (\S+)$/m.exec(readDocument("CHANGELOG.md").text) ?? [];
  assert.equal(newest, version);
  assert.match(date, /^20\d\d-\d\d-\d\d$/);
});

Deno.test("docs/library.md's first example runs", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/target/release`, { recursive: true });
  await Deno.writeFile(`${folder.path}/target/release/libfakepay_provider.so`, ELF_X86_64);
  const program = blockWith(readDocument("docs/library.md"), "ts", "import")
    .replace("https://example.com/par/mod.ts", `file://${ROOT}/mod.ts`);
  assert(program.trimEnd().split("\n").filter(Boolean).length <= 13);
  await Deno.writeTextFile(`${folder.path}/main.ts`, program);
  const { code, stdout, stderr } = await runTool(Deno.execPath(), [
    ..."run --no-prompt --no-config --no-lock --allow-read --allow-write main.ts".split(" "),
  ], { cwd: folder.path, env: { DENO_DIR: await denoDir(), NO_COLOR: "1" } });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'Fake Payments [ "x86_64-linux" ]\n');
});
