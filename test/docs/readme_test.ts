import assert from "node:assert/strict";
import { VERBS } from "../../lib/cli/verbs.ts";
import { denoDir, sandbox, task } from "../_cli.ts";
import { ELF_X86_64 } from "../_executable.ts";
import { CARGO, HOST_TARGET, testWith, type Tool } from "../examples/_example.ts";
import { type Output, ROOT, runTool, temporaryFolder } from "../_tools.ts";

const README = await Deno.readTextFile(`${ROOT}/README.md`);

/** The content of a code block that has these words in it. */
function block(language: string, words: string): string {
  for (
    const [, content = ""] of README.matchAll(
      new RegExp(`^\`\`\`${language}.*\n([^]*?)^\`\`\``, "gm"),
    )
  ) {
    if (content.includes(words)) return content;
  }
  return assert.fail(`README.md has no block of ${language} with ${words}`);
}

/** The cells of the table whose heading begins with a word. */
function table(heading: string): string[][] {
  const lines = README.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  assert(at >= 0, `README.md has no table of ${heading}`);
  const end = lines.findIndex((line, i) => i > at && !line.startsWith("|"));
  return lines.slice(at + 2, end).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
}

/** What stands between backquotes in a text. */
function quoted(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
}

/** The first command block of wasmCloud's document, as its readers type it. */
const DOCUMENT = `cargo build --release
wash par create \\
  --name "Fake Payments" \\
  --arch x86_64-linux \\
  --binary target/release/libfakepay_provider.so \\
  --capid examples:payments \\
  --vendor wasmCloud \\
  --version 1.0 \\
  --revision 1 \\
  --destination fakepay.par.gz \\
  --compress
wash par inspect fakepay.par.gz
`;

Deno.test("README.md gives the document's commands word for word", () => {
  const [folder, ...commands] = block("sh", "par:create").split("\n");
  assert.equal(folder, "cd examples/fakepay-provider");
  assert.equal(commands.join("\n"), DOCUMENT.replaceAll("wash par ", "deno task par:"));
});

/** The document's commands name its machine. */
const DOCUMENT_MACHINE: Tool = {
  name: "an x86_64 Linux machine",
  isThere: () => HOST_TARGET === "x86_64-linux",
};

testWith(
  [CARGO, DOCUMENT_MACHINE],
  "README.md's commands run as they are, in a copy of the checkout",
  async () => {
    await using folder = await temporaryFolder();
    const home = `${folder.path}/home`;
    await Deno.mkdir(home);
    const checkout = `${folder.path}/a checkout`;
    await copy(ROOT, checkout, [
      "deno.json",
      "cli.lock",
      "deno.lock",
      "cli.ts",
      "mod.ts",
      "lib",
      "scripts",
      "examples",
    ]);
    const theirs = Deno.env.get("HOME") ?? "";
    const cache = await denoDir();
    const run = (commands: string): Promise<Output> =>
      runTool("sh", ["-e", "-c", commands], {
        cwd: checkout,
        clearEnv: true,
        env: {
          HOME: home,
          USER: "kevin",
          PATH: `${Deno.execPath().replace(/\/[^/]+$/, "")}:${Deno.env.get("PATH")}`,
          DENO_DIR: cache,
          DENO_NO_UPDATE_CHECK: "1",
          CARGO_HOME: Deno.env.get("CARGO_HOME") ?? `${theirs}/.cargo`,
          RUSTUP_HOME: Deno.env.get("RUSTUP_HOME") ?? `${theirs}/.rustup`,
        },
      });
    const { code, stdout, stderr } = await run(block("sh", "par:create"));
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Successfully created archive fakepay\.par\.gz\n╔/);
    assert.match(stdout, / Fake Payments - Provider Archive /);
    assert.match(stderr, /No keypair found in ".*\/kevin_account\.nk"/);
    assert((await Deno.stat(`${home}/.wash/keys/libfakepay_provider_service.nk`)).isFile);
  },
);

/** Copies files and folders, without what was built in them. */
async function copy(from: string, to: string, names: readonly string[]): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for (const name of names) {
    const [source, copied] = [`${from}/${name}`, `${to}/${name}`];
    if (source !== `${ROOT}/lib/target` && (name === "target" || name === "build")) continue;
    if ((await Deno.lstat(source)).isDirectory) {
      await copy(
        source,
        copied,
        await Array.fromAsync(Deno.readDir(source), (entry) => entry.name),
      );
    } else await Deno.copyFile(source, copied);
  }
}

Deno.test("README.md shows the table that inspect prints", async () => {
  await using box = await sandbox();
  await box.write("lib.so", ELF_X86_64);
  const flags = "--capid examples:payments --version 1.0 --revision 1 --binary lib.so";
  const created = await box.create([...flags.split(" "), "--destination", "a.par"], {
    env: { SOURCE_DATE_EPOCH: "1700000000" },
  });
  assert.equal(created.code, 0, created.stderr);
  const { stdout } = await box.run(["inspect", "a.par"]);
  assert.equal(block("text", "Provider Archive"), stdout);
});

Deno.test("README.md's library example runs", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/target/release`, { recursive: true });
  await Deno.writeFile(`${folder.path}/target/release/libfakepay_provider.so`, ELF_X86_64);
  const program = block("ts", "import").replace("./mod.ts", `file://${ROOT}/mod.ts`);
  assert(program.trimEnd().split("\n").filter(Boolean).length <= 13);
  await Deno.writeTextFile(`${folder.path}/main.ts`, program);
  const { code, stdout, stderr } = await runTool(Deno.execPath(), [
    ..."run --no-prompt --no-config --no-lock --allow-read --allow-write main.ts".split(
      " ",
    ),
  ], { cwd: folder.path, env: { DENO_DIR: await denoDir(), NO_COLOR: "1" } });
  assert.equal(code, 0, stderr);
  assert.equal(stdout, 'Fake Payments [ "x86_64-linux" ]\n');
});

Deno.test("README.md names verbs that there are, each with its task", () => {
  const verbs = table("Verb").map(([verb = ""]) => quoted(verb)[0] ?? "");
  assert(verbs.length > 0);
  for (const verb of verbs) {
    assert(Object.hasOwn(VERBS, verb), verb);
    assert.match(task(`par:${verb}`), new RegExp(` ${verb}$`));
  }
});

Deno.test("README.md names tasks that there are", () => {
  for (const [name] of README.matchAll(/par:[a-z:]*[a-z]/g)) task(name);
});

Deno.test("README.md names exit statuses, files and folders that there are", async () => {
  assert.deepEqual(table("Exit status").map(([status]) => status), ["0", "1", "2", "3"]);
  const paths = table("Path").flatMap((row) => row.flatMap(quoted))
    .filter((word) => !word.includes(" ") && word !== "provider.mk");
  for (const [, link = ""] of README.matchAll(/\]\((?!https?:)([^)#]+)/g)) paths.push(link);
  for (const path of paths) await Deno.stat(`${ROOT}/${path}`);
  assert(paths.length > 5);
});

Deno.test("README.md names variables and flags that its verbs take", async () => {
  await using box = await sandbox();
  const help = await Promise.all(
    ["build", "create", "inspect", "verify", "push", "keys get"].map(async (verb) =>
      (await box.run([...verb.split(" "), "--help"])).stdout
    ),
  );
  const known = `${
    help.join("")
  } --release SOURCE_DATE_EPOCH --allow-read --allow-write --allow-env --allow-run --global --quiet --help`;
  for (const [word] of README.matchAll(/(?<![\w-])(--[a-z][a-z-]+|WASH_[A-Z_]+)/g)) {
    assert(known.includes(word), word);
  }
});
