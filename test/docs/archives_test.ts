import assert from "node:assert/strict";
import { denoDir } from "../_cli.ts";
import { CARGO, HOST_TARGET, testWith, type Tool } from "../examples/_example.ts";
import { type Output, ROOT, runTool, temporaryFolder } from "../_tools.ts";
import { blockWith, readDocument } from "./_document.ts";

const PAGE = readDocument("docs/archives.md");

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

Deno.test("docs/archives.md gives the document's commands word for word", () => {
  const [folder, ...commands] = blockWith(PAGE, "sh", "par:create").split("\n");
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
  "docs/archives.md's commands run as they are, in a copy of the checkout",
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
    const { code, stdout, stderr } = await run(blockWith(PAGE, "sh", "par:create"));
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
