import assert from "node:assert/strict";
import { CARGO, GO, MAKE, providerOf, testWith } from "./_example.ts";
import { ROOT } from "../_tools.ts";

/** The page's blocks of a language. */
async function blocks(language: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${ROOT}/docs/makefiles.md`);
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, kind]) => kind === language)
    .map(([, , block]) => block ?? "");
}

testWith(
  [MAKE, CARGO],
  "docs/makefiles.md: its Makefile and commands turn a cargo project into an archive",
  async () => {
    const [makefile = ""] = await blocks("make");
    const [first = ""] = await blocks("sh");
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

testWith([MAKE, GO], "docs/makefiles.md: its Go Makefile builds an archive", async () => {
  const [, makefile = ""] = await blocks("make");
  await using provider = await providerOf({
    "Makefile": makefile,
    "provider.mk": await Deno.readTextFile(`${ROOT}/examples/provider.mk`),
    "go.mod": "module example.com/p\n\ngo 1.19\n",
    "main.go": "package main\n\nfunc main() { println(42) }\n",
  });
  await provider.made(["par-full", "STRICT=1"]);
  assert.deepEqual((await provider.inspected()).targets, ["aarch64-linux", "x86_64-linux"]);
});

Deno.test("docs/makefiles.md names every variable that provider.mk lets one set, and no other", async () => {
  const text = await Deno.readTextFile(`${ROOT}/docs/makefiles.md`);
  const source = await Deno.readTextFile(`${ROOT}/examples/provider.mk`);
  const settable = new Set(
    [...source.matchAll(/^([\w-]+) *\?=/gm)].map(([, name]) => name ?? "")
      .map((name) => name.replace(/^(LINKER|ARCH_LOOKUP)_.*/, "$1_<triple>"))
      .map((name) => name.replace(/^PAR_\w+_FLAGS$/, "PAR_CREATE_FLAGS")),
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
