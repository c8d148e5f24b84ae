import assert from "node:assert/strict";
import {
  CARGO,
  copyOf,
  type Example,
  HOST_TARGET,
  MAKE,
  providerOf,
  testWith,
} from "./_example.ts";

// What make does with a cargo project. How par build finds and builds it is tested in
// test/verbs/project/.

function test(name: string, run: () => Promise<void>): void {
  testWith([MAKE, CARGO], name, run);
}

/** A Makefile as providers have had them since 2021, with more lines behind the include. */
function makefile(...lines: string[]): string {
  return [
    "# wasmcloud mine capability provider",
    "#",
    "CAPABILITY_ID = examples:mine",
    "NAME = mine",
    'VENDOR = "wasmcloud"',
    "PROJECT = wasmcloud-mine",
    'VERSION = $(shell cargo metadata --no-deps --format-version 1 | sed \'s/.*"version":"\\([0-9.]*\\)".*/\\1/\')',
    "REVISION = 0",
    "oci_url = localhost:5000/v2/$(bin_name):$(VERSION)",
    "link_name ?= default",
    "subdirs = .",
    "bin_name = mine",
    "",
    "include ../provider.mk",
    ...lines,
    "",
  ].join("\n");
}

const project = (...lines: string[]): Promise<Example> =>
  providerOf({
    "Makefile": makefile(...lines),
    "Cargo.toml": '[package]\nname = "mine-provider"\nversion = "0.4.2"\nedition = "2021"\n' +
      '[[bin]]\nname = "mine"\npath = "src/main.rs"\n',
    "src/main.rs": 'fn main() { println!("one"); }\n',
  });

/** What the archive's program prints. */
async function output(provider: Example, path?: string): Promise<string> {
  return (await provider.run(await provider.extracted(HOST_TARGET, path))).stdout;
}

test("make par with an older provider's Makefile builds what cargo builds, whatever lies there", async () => {
  await using provider = await project("test:", "\tcargo test");
  await provider.made(["par"]);
  const { name, vendor, version, capability_contract_id } = await provider.inspected();
  assert.deepEqual(
    { name, vendor, version, capability_contract_id },
    {
      name: "mine",
      vendor: "wasmcloud",
      version: "0.4.2",
      capability_contract_id: "examples:mine",
    },
  );
  assert.equal(await output(provider, "build/mine.par.gz"), "one\n");
  assert.match(await provider.made(["test"]), /test result: ok/);
  assert.match(await provider.made(["make-vars"]), /^oci_url = localhost:5000\/v2\/mine:0\.4\.2$/m);

  await provider.write(".cargo/config.toml", '[build]\ntarget-dir = "elsewhere"\n');
  await provider.write("src/main.rs", 'fn main() { println!("two"); }\n');
  await provider.made(["par"]);
  assert.equal(await output(provider), "two\n");
});

test("make par takes prebuilt binaries with --no-build, and par-full says what it left out", async () => {
  await using provider = await project(".ONESHELL:", "all: par", "\techo $@");
  await provider.run("cargo", "build", "--release");
  await provider.write("src/main.rs", "fn main() { never() }\n");
  await provider.made(["all", "PAR_CREATE_FLAGS=--no-build"]);
  assert.equal(await output(provider), "one\n");
  await provider.write("src/main.rs", 'fn main() { println!("three"); }\n');
  const { code, stderr } = await provider.make([
    "par-full",
    "par_targets=x86_64-apple-darwin x86_64-unknown-linux-gnu",
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^skipped x86_64-macos \(x86_64-apple-darwin\): install /m);
  assert.match(
    await provider.refused(["par-full", "STRICT=1", "par_targets=x86_64-apple-darwin"]),
    /Cannot build for x86_64-macos \(x86_64-apple-darwin\): install /,
  );
});

test("make par in a member of a workspace builds with its path dependencies", async () => {
  await using provider = await providerOf({
    "Cargo.toml": '[workspace]\nmembers = ["one", "two"]\nresolver = "2"\n',
    "one/Cargo.toml": '[package]\nname = "one"\nversion = "1.0.0"\nedition = "2021"\n' +
      '[dependencies]\ntwo = { path = "../two" }\n',
    "one/src/main.rs": 'fn main() { println!("{}", two::answer()); }\n',
    "one/Makefile": "CAPABILITY_ID = a:b\nVENDOR = v\ninclude ../../provider.mk\n",
    "two/Cargo.toml": '[package]\nname = "two"\nversion = "2.0.0"\nedition = "2021"\n',
    "two/src/lib.rs": "pub fn answer() -> u8 { 41 }\n",
  });
  await provider.made(["-C", "one", "par"]);
  assert(await provider.has("target/release/one"));
  assert.equal((await provider.inspected("one/build/one.par.gz")).version, "1.0.0");
  assert.match(await provider.made(["-C", "one", "par"]), /is up to date/);
  await provider.write("two/src/lib.rs", "pub fn answer() -> u8 { 42 }\n");
  await provider.made(["-C", "one", "par"]);
  assert.equal(await output(provider, "one/build/one.par.gz"), "42\n");
});

test("a source that does not compile leaves the archive and says what failed", async () => {
  await using provider = await copyOf("fakepay-provider");
  await provider.made(["par"]);
  const archive = await provider.read("build/fakepay.par.gz");
  await provider.write("src/payments.rs", "this is no Rust\n");
  assert.match(
    await provider.refused(["par"]),
    /^Error: Cannot build for [\w-]+: cargo failed, as it says above/m,
  );
  assert.deepEqual(await provider.read("build/fakepay.par.gz"), archive);
});

test("CARGO_FLAGS are cargo's", async () => {
  await using provider = await project();
  await provider.write(
    "Cargo.toml",
    new TextDecoder().decode(await provider.read("Cargo.toml")) +
      "[features]\nfancy = []\n",
  );
  await provider.write(
    "src/main.rs",
    'fn main() { println!("{}", cfg!(feature = "fancy")); }\n',
  );
  await provider.made(["par", "CARGO_FLAGS=--features fancy --offline"]);
  assert.equal(await output(provider), "true\n");
  await provider.made(["par"]);
  assert.equal(await output(provider), "false\n");
});
