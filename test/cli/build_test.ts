import assert from "node:assert/strict";
import { type Sandbox, sandbox } from "../_cli.ts";
import { FIXED_KEYS } from "../_cli.ts";
import { ISSUER, SUBJECT } from "../_keys.ts";
import { CARGO, HOST_TARGET, testWith } from "../examples/_example.ts";
import { elf } from "../_executable.ts";
import { readContents } from "../verbs/_fixtures.ts";

/** A folder with a small package, and what cargo finds of its own. */
async function project(): Promise<Sandbox & { readonly env: Record<string, string> }> {
  const box = await sandbox();
  await Deno.mkdir(`${box.folder}/src`);
  await box.write(
    "Cargo.toml",
    '[package]\nname = "mine"\nversion = "1.0.0"\nedition = "2021"\n',
  );
  await box.write("src/main.rs", 'fn main() { println!("mine"); }\n');
  const home = Deno.env.get("HOME") ?? "";
  const folder = (name: string, inHome: string): string =>
    Deno.env.get(name) ?? `${home}/${inHome}`;
  const env = {
    CARGO_HOME: folder("CARGO_HOME", ".cargo"),
    RUSTUP_HOME: folder("RUSTUP_HOME", ".rustup"),
    PATH: Deno.env.get("PATH") ?? "",
  };
  return Object.assign(box, { env });
}

testWith([CARGO], "par build makes an archive, and says where it is", async () => {
  await using box = await project();
  const first = await box.run(["build", ...FIXED_KEYS], { env: box.env });
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stdout, 'Built artifact can be found at "build/mine.par.gz"\n');
  assert.match(first.stderr, /^Found mine 1\.0\.0 in Cargo\.toml$/m);
  assert.match(first.stderr, /^Note: without --capid, /m);
  assert.match(first.stderr, /^Note: the vendor is NoVendor; state it in the project's file/m);
  const second = await box.run(["build", ...FIXED_KEYS], { env: box.env });
  assert.equal(second.stdout, '"build/mine.par.gz" is up to date\n');
});

testWith([CARGO], "par build takes create's claims, and -o json", async () => {
  await using box = await project();
  await box.write("schema.json", '{"type": "object"}');
  await box.write("other", elf({ machine: 0xf3 }));
  const { code, stdout, stderr } = await box.run([
    ...["build", ".", "-n", "Mine", "-v", "Acme", "-c", "a:b", "-r", "7", "--version", "2.0"],
    ...["-j", "schema.json", "--expires-in", "30", "-b", "riscv64-linux=other", "-o", "json"],
    ...["--destination", "out/mine.par", "--build-flag=--offline", "--compress-level", "1"],
    ...FIXED_KEYS,
  ], { env: { ...box.env, SOURCE_DATE_EPOCH: "1800000000" } });
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    path: "out/mine.par",
    targets: ["riscv64-linux", HOST_TARGET],
    skipped: [],
    up_to_date: false,
    success: true,
  });
  const { claims, compressed } = await readContents(`${box.folder}/out/mine.par`);
  const { target_hashes: _, ...wascap } = claims.wascap;
  assert.equal(compressed, false);
  assert.deepEqual(wascap, {
    name: "Mine",
    capid: "a:b",
    vendor: "Acme",
    rev: 7,
    ver: "2.0",
    config_schema: { type: "object" },
  });
  assert.equal(claims.exp, 1800000000 + 30 * 86400);
  assert.deepEqual([claims.iss, claims.sub], [ISSUER.publicKey, SUBJECT.publicKey]);
});

testWith(
  [CARGO],
  "par build makes keys named after the binary, once something is built",
  async () => {
    await using box = await project();
    const names = async (folder: string): Promise<string[]> =>
      (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
    await box.write("src/main.rs", "no Rust\n");
    assert.equal((await box.run(["build"], { env: box.env })).code, 1);
    await assert.rejects(names(box.keys), Deno.errors.NotFound);

    await box.write("src/main.rs", "fn main() {}\n");
    assert.equal((await box.run(["build"], { env: box.env })).code, 0);
    assert.deepEqual(await names(box.keys), ["kevin_account.nk", "mine_service.nk"]);

    const toml = 'language = "rust"\ntype = "provider"\n[provider]\nkey_directory = "keys"\n';
    await box.write("wasmcloud.toml", toml);
    assert.equal((await box.run(["build"], { env: box.env })).code, 0);
    assert.deepEqual(await names(`${box.folder}/keys`), ["kevin_account.nk", "mine_service.nk"]);
    const elsewhere = { ...box.env, WASH_KEYS: "others" };
    assert.equal((await box.run(["build"], { env: elsewhere })).code, 0);
    assert.equal((await names(`${box.folder}/others`)).length, 2);
    const none = await box.run(["build", "-d", "none", "--disable-keygen"], { env: box.env });
    assert.match(none.stderr, /No keypair found in none\//);
  },
);

testWith([CARGO], "par build ends a failed build with cargo's words and one line", async () => {
  await using box = await project();
  await box.write("src/main.rs", "fn main() { nothing() }\n");
  const { code, stdout, stderr } = await box.run(["build", "-o", "json"], { env: box.env });
  assert.equal(code, 1);
  assert.match(stderr, /cannot find function `nothing`/);
  const last = `Cannot build for ${HOST_TARGET}: cargo failed, as it says above`;
  assert(stderr.trimEnd().endsWith(`Error: ${last} [ERR_BUILD_FAILED]`), stderr);
  assert.deepEqual(JSON.parse(stdout), {
    success: false,
    error: { code: "ERR_BUILD_FAILED", message: last },
  });
});

testWith([CARGO], "par build --no-build takes what lies there, and -p another file", async () => {
  await using box = await project();
  await Deno.mkdir(`${box.folder}/target/riscv64gc-unknown-linux-gnu/release`, { recursive: true });
  await box.write("target/riscv64gc-unknown-linux-gnu/release/mine", elf({ machine: 0xf3 }));
  await Deno.mkdir(`${box.folder}/config`);
  const toml = 'name = "There"\npath = ".."\nlanguage = "rust"\ntype = "provider"\n';
  await box.write("config/wasmcloud.toml", toml);
  const args = ["build", "--no-build", "-p", "config", "-o", "json", ...FIXED_KEYS];
  const { stdout, stderr } = await box.run(args, { env: box.env });
  assert.deepEqual(JSON.parse(stdout).targets, ["riscv64-linux"], stderr);
  const { claims } = await readContents(`${box.folder}/build/mine.par.gz`);
  assert.equal(claims.wascap.name, "There");
});

Deno.test("par build refuses a project that is not there, and flags that mean nothing", async () => {
  await using box = await sandbox();
  const none = await box.run(["build"]);
  assert.equal(none.code, 1);
  assert.match(
    none.stderr,
    /^Error: Cannot find a provider's project in "\.": it has no wasmcloud/m,
  );
  assert.equal((await box.run(["build", "--tarket", "x"])).code, 2);
  assert.equal((await box.run(["build", "a", "b"])).code, 2);
});
