import assert from "node:assert/strict";
import { CARGO, testWith } from "../../examples/_example.ts";
import { isInstalled } from "../../_tools.ts";
import { WIT_TEXT } from "../../_wit.ts";
import { projectOf, type TestProject } from "./_project.ts";

const WASM_TOOLS = { name: "wasm-tools", isThere: () => isInstalled("wasm-tools") };

/** A cargo package with a `wasmcloud.toml` beside it. */
const project = (toml: string, more: Record<string, string> = {}): Promise<TestProject> =>
  projectOf({
    "wasmcloud.toml": toml,
    "Cargo.toml": '[package]\nname = "from-cargo"\nversion = "1.0.0"\nedition = "2021"\n' +
      '[package.metadata.par]\nvendor = "cargo"\ncapid = "examples:mine"\n',
    "src/main.rs": 'fn main() { println!("main"); }\n',
    "src/bin/other.rs": 'fn main() { println!("other"); }\n',
    ...more,
  });

const RUST = 'language = "rust"\ntype = "provider"\n';

testWith([CARGO], "build() reads wasmcloud.toml first, then Cargo.toml", async () => {
  await using it = await project(
    `name = "Mine"\nversion = "3.2.1"\n${RUST}[provider]\nvendor = "Acme"\nbin_name = "other"\n`,
  );
  const { claims, path, project: found } = await it.build();
  const { target_hashes: _, ...wascap } = claims.wascap;
  assert.deepEqual(wascap, { name: "Mine", capid: "examples:mine", vendor: "Acme", ver: "3.2.1" });
  assert.deepEqual([path, found.file], ["build/other.par.gz", "wasmcloud.toml"]);
  assert.equal(await it.output(path), "other");

  await it.write("wasmcloud.toml", RUST);
  const { claims: { wascap: defaults }, path: own } = await it.build();
  assert.deepEqual([defaults.name, defaults.vendor, defaults.ver], [
    "from-cargo",
    "cargo",
    "1.0.0",
  ]);
  assert.equal(await it.output(own), "main");
});

testWith([CARGO], "build() lets flags win, then WASMCLOUD_ variables, and no others", async () => {
  await using it = await project(`name = "Mine"\n${RUST}`);
  const env = {
    WASMCLOUD_NAME: "Theirs",
    WASMCLOUD_PROVIDER_VENDOR: "Env",
    WASMCLOUD_VERSION: "9",
  };
  const misleading = { NAME: "x", VERSION: "x", VENDOR: "x", REVISION: "7", CAPABILITY_ID: "x:y" };
  const { claims } = await it.build({ env: { ...env, ...misleading }, version: "8" });
  const { target_hashes: _, ...wascap } = claims.wascap;
  assert.deepEqual(wascap, { name: "Theirs", capid: "examples:mine", vendor: "Env", ver: "8" });
});

testWith([CARGO], "build() takes the file, or its folder, from elsewhere", async () => {
  await using it = await project("", {
    "config/wasmcloud.toml": `path = ".."\nname = "There"\n${RUST}`,
  });
  for (const config of ["config", "config/wasmcloud.toml"]) {
    const { claims, path } = await it.build({ config });
    assert.deepEqual([claims.wascap.name, path], ["There", "build/from-cargo.par.gz"]);
  }
  await it.write("config/wasmcloud.toml", RUST);
  const { code, message } = await it.refused({ config: "config" });
  assert.equal(code, "ERR_PROJECT_INVALID");
  assert.match(message, /: there is no Cargo\.toml in "config"; give its folder \(path = "…"\)$/);
  assert.equal((await it.refused({ config: "gone.toml" })).code, "ERR_FILE_NOT_FOUND");
});

testWith([CARGO], "build() takes target_path, rust_target, debug and key_directory", async () => {
  await using it = await project(
    `${RUST}[provider]\nkey_directory = "keys"\n[rust]\ntarget_path = "out"\ndebug = true\n`,
  );
  const { project: found } = await it.build();
  assert.equal(found.keyDirectory, "keys");
  assert((await it.read("out/debug/from-cargo")).length > 0);
  for (const path of ["wasmcloud.toml", "Cargo.toml", "src/main.rs"]) {
    await it.write(`inner/${path}`, await it.read(path));
  }
  await it.build({ folder: "inner" });
  assert((await it.read("inner/out/debug/from-cargo")).length > 0);
  await it.build({ folder: "inner", skipBuild: true });
  await it.build({ buildFlags: ["--target-dir=given"] });
  assert((await it.read("given/debug/from-cargo")).length > 0);
  await it.write("wasmcloud.toml", `${RUST}[provider]\nrust_target = "s390x-unknown-linux-gnu"\n`);
  assert.match((await it.refused()).message, /^Cannot build for s390x-linux /);
});

testWith([CARGO], "build() warns of keys that mean nothing, and names the nearest", async () => {
  await using it = await project(
    `nmae = "Mine"\n${RUST}[provider]\nvender = "A"\n[extras]\nx = 1\n`,
  );
  const { printed } = await it.build();
  const warnings = [...printed.matchAll(/^Warning: (.*)$/gm)].map(([, text]) => text);
  assert.deepEqual(warnings, [
    'the key "nmae" in "wasmcloud.toml" is unknown; did you mean "name"?',
    'the key "extras" in "wasmcloud.toml" is unknown',
    'the key "vender" in [provider] of "wasmcloud.toml" is unknown; did you mean "vendor"?',
  ]);
});

/** Each refused, with a reason that says what to do. */
const REFUSALS: readonly [what: string, toml: string, reason: RegExp][] = [
  [
    "a component",
    'language = "rust"\ntype = "component"\n',
    /its type is "component"; an archive needs a provider/,
  ],
  ["no type", 'language = "rust"\n', /it has no type; add type = "provider"$/],
  [
    "another language",
    'language = "tinygo"\ntype = "provider"\n',
    /its language is "tinygo"; "rust" and "go" can be built; for other languages, build the binaries yourself and use create$/,
  ],
  [
    "a number as the version",
    `version = 1.0\n${RUST}`,
    /Cannot use the key "version" in "wasmcloud\.toml": give a text$/,
  ],
  ["what is no TOML", "name = \n", /^Cannot read "wasmcloud\.toml": /],
];

for (const [what, toml, reason] of REFUSALS) {
  testWith([CARGO], `build() refuses ${what} in wasmcloud.toml`, async () => {
    await using it = await project(toml);
    const { code, message } = await it.refused();
    assert.equal(code, "ERR_PROJECT_INVALID");
    assert.match(message, reason);
  });
}

testWith([CARGO, WASM_TOOLS], "build() embeds the WIT package where it is there", async () => {
  await using it = await project(`wit = "interfaces"\n${RUST}`, {
    "interfaces/world.wit": WIT_TEXT,
  });
  const { claims } = await it.build();
  assert(claims.wascap.target_hashes["world.wasm"]);
  assert.equal((await it.build()).upToDate, true);

  await it.write("interfaces/world.wit", "package broken");
  const { claims: without, printed } = await it.build();
  assert.equal(without.wascap.target_hashes["world.wasm"], undefined);
  assert.match(printed, /^Warning: the archive is made without the WIT package: Cannot encode /m);
  assert.equal((await it.refused({ strict: true })).code, "ERR_WIT_INVALID");
});

testWith([CARGO], "build() notes that a WIT package takes wasm-tools", async () => {
  await using it = await project(RUST, { "wit/world.wit": WIT_TEXT });
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  const without: string[] = [];
  for (const folder of folders) {
    const there = await Deno.stat(`${folder}/wasm-tools`).then(() => true, () => false);
    if (!there) without.push(folder);
  }
  const { printed } = await it.build({ env: { PATH: without.join(":") } });
  assert.match(
    printed,
    /^Warning: the archive is made without the WIT package: .* needs wasm-tools/m,
  );
});
