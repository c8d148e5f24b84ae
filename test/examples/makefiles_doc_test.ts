import assert from "node:assert/strict";
import { CARGO, GO, MAKE, providerOf, testWith } from "./_example.ts";
import { projectOf } from "../verbs/project/_project.ts";
import { ROOT } from "../_tools.ts";

/** The page's blocks of a language. */
async function blocks(language: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${ROOT}/docs/makefiles.md`);
  return [...text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)]
    .filter(([, kind]) => kind === language)
    .map(([, , block]) => block ?? "");
}

testWith(
  [MAKE, CARGO],
  "docs/makefiles.md: its Makefile and commands turn a cargo project into an archive",
  async () => {
    const [makefile = ""] = await blocks("make");
    const first = (await blocks("sh")).find((block) => block.startsWith("make par\n")) ?? "";
    await using provider = await providerOf({
      "Makefile": makefile,
      "provider.mk": await Deno.readTextFile(`${ROOT}/examples/provider.mk`),
      "Cargo.toml":
        '[package]\nname = "fakepay-provider"\nversion = "0.3.0"\nedition = "2021"\n[lib]\ncrate-type = ["cdylib"]\n',
      "src/lib.rs": '#[no_mangle]\npub extern "C" fn answer() -> u32 { 42 }\n',
    });
    const { code, stdout, stderr } = await provider.run("sh", "-ec", first);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Fake Payments - Provider Archive/);
    const { vendor, version } = await provider.inspected();
    assert.deepEqual([vendor, version], ["Example Corp", "0.3.0"]);
  },
);

testWith([MAKE, GO], "docs/makefiles.md: its Makefile of hooks builds an archive", async () => {
  const [, makefile = ""] = await blocks("make");
  await using provider = await providerOf({
    "Makefile": makefile,
    "provider.mk": await Deno.readTextFile(`${ROOT}/examples/provider.mk`),
    "main.go": "package main\n\nfunc main() { println(42) }\n",
  });
  await provider.made(["par-full"]);
  assert.deepEqual((await provider.inspected()).targets, ["aarch64-linux", "x86_64-linux"]);
});

testWith(
  [CARGO],
  "docs/makefiles.md: its keys of Cargo.toml are those that par build reads",
  async () => {
    const [keys = ""] = await blocks("toml");
    await using project = await projectOf({
      "Cargo.toml": '[package]\nname = "mine"\nversion = "1.0.0"\nedition = "2021"\n' + keys,
      "src/main.rs": "fn main() {}\n",
    });
    const { claims, project: found, printed } = await project.build();
    const { capid, vendor, rev } = claims.wascap;
    assert.deepEqual([capid, vendor, rev], ["examples:payments", "Example Corp", 1]);
    assert.deepEqual(found.targets, ["x86_64-linux", "aarch64-linux"]);
    assert.doesNotMatch(printed, /Warning/);
  },
);

Deno.test("docs/makefiles.md names every variable that provider.mk lets one set, and no other", async () => {
  const text = await Deno.readTextFile(`${ROOT}/docs/makefiles.md`);
  const source = await Deno.readTextFile(`${ROOT}/examples/provider.mk`);
  const settable = new Set(
    [
      ...[...source.matchAll(/^([\w-]+) *\?=/gm)].map(([, name]) => name ?? ""),
      ...[...source.matchAll(/\$\(call pm_(?:own|claim),([\w-]+)[,)]/g)].map(([, name]) =>
        name ?? ""
      ),
    ].map((name) => name.replace(/^PAR_\w+_FLAGS$/, "PAR_CREATE_FLAGS"))
      .filter((name) => !name.startsWith("PREBUILT_")),
  );
  for (const name of settable) assert(text.includes(`\`${name}\``), `${name} is not on the page`);
  const table = text.slice(text.indexOf("| variable "));
  for (const [, cell = ""] of table.matchAll(/^\| (`.*?) +\|/gm)) {
    for (const [, name = ""] of cell.matchAll(/`([^`]+)`/g)) {
      assert(
        settable.has(name) || /^(PREBUILT|BUILD)_<target>$/.test(name),
        `${name} is not settable`,
      );
    }
  }
});
