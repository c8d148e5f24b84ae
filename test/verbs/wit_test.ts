import assert from "node:assert/strict";
import { create } from "../../lib/verbs/create.ts";
import { insert } from "../../lib/verbs/insert.ts";
import { inspect } from "../../lib/verbs/inspect.ts";
import { merge } from "../../lib/verbs/merge.ts";
import { remove } from "../../lib/verbs/remove.ts";
import { checkWit, decodeWit, encodeWit, inspectWit, readWit } from "../../lib/verbs/wit.ts";
import { archiveOf, BINARIES, claimsHash, entriesOf } from "../_archive.ts";
import { concat } from "../_bytes.ts";
import { type Sandbox, sandbox } from "../_cli.ts";
import { elf } from "../_executable.ts";
import { issuerPair, subjectPair } from "../_keys.ts";
import { TAR_END, tarEntry } from "../_tar.ts";
import { isInstalled, runTool, temporaryFolder } from "../_tools.ts";
import { COMPONENT, WIT_BYTES, WIT_TEXT } from "../_wit.ts";
import { REFERENCE, testWith, type Tool } from "../examples/_example.ts";

const WASM_TOOLS: Tool = { name: "wasm-tools", isThere: () => isInstalled("wasm-tools") };

/** A type section of no bytes, and an export section of none. */
const TYPES = [7, 0];
const EXPORTS = [11, 0];

Deno.test("checkWit() accepts an encoded package, and gives it back", () => {
  assert.equal(checkWit(WIT_BYTES), WIT_BYTES);
  assert(checkWit(Uint8Array.of(...COMPONENT, ...TYPES, ...EXPORTS)));
});

Deno.test("checkWit() refuses what is no encoded package, and says what it is", () => {
  const cases: readonly (readonly [string, Uint8Array<ArrayBuffer>, RegExp])[] = [
    ["nothing", new Uint8Array(), /not WebAssembly/],
    ["text", new TextEncoder().encode(WIT_TEXT), /not WebAssembly.*folder/],
    ["a part of the magic", WIT_BYTES.slice(0, 3), /not WebAssembly/],
    ["a core module", Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), /core module/],
    ["the magic alone", WIT_BYTES.slice(0, 4), /core module/],
    ["a component's core module", Uint8Array.of(...COMPONENT, 1, 0), /it is a component/],
    ["a component's import", Uint8Array.of(...COMPONENT, 10, 0, ...EXPORTS), /it is a component/],
    ["nothing behind the preamble", Uint8Array.of(...COMPONENT), /exports no/],
    ["no export", Uint8Array.of(...COMPONENT, ...TYPES), /exports no/],
    ["a length that does not end", Uint8Array.of(...COMPONENT, 7, 0x80), /ends before/],
    ["a length of too many bytes", Uint8Array.of(...COMPONENT, 7, ...Array(9).fill(0x80)), /ends/],
    ["a section without its length", Uint8Array.of(...COMPONENT, 7), /ends before/],
    ["a section longer than the rest", Uint8Array.of(...COMPONENT, 7, 1), /ends before/],
  ];
  for (const [name, bytes, message] of cases) {
    assert.throws(() => checkWit(bytes), { code: "ERR_WIT_INVALID", message }, name);
  }
});

Deno.test("checkWit() refuses an encoded package that was cut at any place but between sections", () => {
  const whole = new Set<number>();
  for (let length = 0; length < WIT_BYTES.length; length++) {
    try {
      checkWit(WIT_BYTES.slice(0, length));
      whole.add(length);
    } catch (error) {
      assert.equal((error as { code?: string }).code, "ERR_WIT_INVALID");
    }
  }
  // Behind the first export, the type after it, the second export and the documentation.
  assert.equal(whole.size, 4);
});

Deno.test("readWit() reads a file, and refuses one that is missing, too large or no package", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/world.wasm`;
  await assert.rejects(readWit(path), { code: "ERR_FILE_NOT_FOUND" });
  await Deno.writeFile(path, WIT_BYTES);
  assert.deepEqual(await readWit(path), WIT_BYTES);
  await Deno.writeTextFile(path, WIT_TEXT);
  await assert.rejects(readWit(path), { code: "ERR_WIT_INVALID", message: /world\.wasm/ });
  await Deno.truncate(path, 2 ** 24 + 1);
  await assert.rejects(readWit(path), { code: "ERR_FILE_UNREADABLE" });
});

Deno.test("encodeWit() refuses a folder that is missing, and a file", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/a.wit`, WIT_TEXT);
  await assert.rejects(encodeWit(`${folder.path}/b`), { code: "ERR_FILE_NOT_FOUND" });
  await assert.rejects(encodeWit(`${folder.path}/a.wit`), {
    code: "ERR_FILE_UNREADABLE",
    message: /give its folder/,
  });
});

Deno.test("encodeWit() and decodeWit() stop when they are told to", async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(decodeWit(WIT_BYTES, { signal }), { code: "ERR_ABORTED" });
  await using folder = await temporaryFolder();
  await assert.rejects(encodeWit(folder.path, { signal }), { code: "ERR_ABORTED" });
});

testWith([WASM_TOOLS], "encodeWit() encodes text, and decodeWit() gives it back", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/payments.wit`, WIT_TEXT);
  const wit = await encodeWit(folder.path);
  assert.equal(await decodeWit(wit), WIT_TEXT);
  assert.equal(await decodeWit(WIT_BYTES), WIT_TEXT);
});

testWith([WASM_TOOLS], "encodeWit() says where a text is wrong", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/payments.wit`, WIT_TEXT.replace("u64", "money"));
  await assert.rejects(encodeWit(folder.path), {
    code: "ERR_WIT_INVALID",
    message: /`money` does not exist[^]*payments\.wit:6:23/,
  });
  await Deno.remove(`${folder.path}/payments.wit`);
  await assert.rejects(encodeWit(folder.path), { code: "ERR_WIT_INVALID" });
});

testWith([WASM_TOOLS], "encodeWit() finds what a package depends on in deps/", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/-wit/deps/payments`, { recursive: true });
  await Deno.writeTextFile(`${folder.path}/-wit/deps/payments/payments.wit`, WIT_TEXT);
  await Deno.writeTextFile(
    `${folder.path}/-wit/shop.wit`,
    "package examples:shop;\nworld shop { import examples:payments/payments@1.0.0; }\n",
  );
  const text = await decodeWit(await encodeWit(`${folder.path}/-wit`));
  assert.match(text, /import examples:payments\/payments@1\.0\.0;/);

  await Deno.remove(`${folder.path}/-wit/deps`, { recursive: true });
  await assert.rejects(encodeWit(`${folder.path}/-wit`), {
    message: /'examples:payments@1\.0\.0' not found[^]* into its folder deps \(wkg wit fetch\)$/,
  });
});

testWith([WASM_TOOLS], "decodeWit() refuses sections that hold no package", async () => {
  const wit = WIT_BYTES.slice();
  wit.fill(0xff, 12, 40);
  await assert.rejects(decodeWit(wit), { code: "ERR_WIT_INVALID", message: /wasm-tools refuses/ });
});

testWith([WASM_TOOLS, REFERENCE], "encodeWit() makes what the reference decodes", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(
    `${folder.path}/payments.wit`,
    `${WIT_TEXT}\nworld shop { import payments; }\n`,
  );
  const path = `${folder.path}/world.wasm`;
  await Deno.writeFile(path, await encodeWit(folder.path));
  const { stdout } = await runTool(REFERENCE.path, ["wit", path]);
  const { ok, packages, worlds } = JSON.parse(stdout);
  assert.equal(ok, true, stdout);
  assert(packages.includes("examples:payments@1.0.0"), stdout);
  assert.deepEqual(worlds.sort(), ["provider", "shop"]);
});

Deno.test("inspectWit() gives a verified package", async () => {
  const archive = await archiveWith(WIT_BYTES);
  const { wit, archive: { wit: entry } } = await inspectWit(archive);
  assert.deepEqual(wit, WIT_BYTES);
  assert.deepEqual(entry, { size: WIT_BYTES.length, sha256: claimsHash(WIT_BYTES) });
});

Deno.test("inspectWit() refuses an archive without a package, a package that is not the signed one, and one too large", async () => {
  await assert.rejects(inspectWit(await archiveOf()), { code: "ERR_WIT_NOT_FOUND" });
  await assert.rejects(inspectWit(await archiveWith(WIT_BYTES, WIT_BYTES.slice(1))), {
    code: "ERR_HASH_MISMATCH",
  });
  const large = new Uint8Array(2 ** 24 + 1);
  await assert.rejects(inspectWit(await archiveWith(large)), { code: "ERR_LIMIT_SIZE" });
});

/** An archive whose claims vouch for a WIT package, with another in its place perhaps. */
async function archiveWith(
  vouched: Uint8Array,
  held: Uint8Array = vouched,
): Promise<Uint8Array<ArrayBuffer>> {
  const [claims = new Uint8Array(), ...binaries] = await entriesOf({
    bend: ({ wascap }) => wascap.target_hashes["world.wasm"] = claimsHash(vouched),
  });
  return concat(claims, tarEntry({ name: "world.wasm", content: held }), ...binaries, TAR_END);
}

for (const compress of [false, true]) {
  const how = compress ? "compressed" : "plain";
  Deno.test(`insert(), remove() and merge() keep the WIT package of a ${how} archive`, async () => {
    await using folder = await temporaryFolder();
    const keys = { issuer: await issuerPair(), subject: await subjectPair() };
    const described = { ...keys, name: "Fake Payments", vendor: "wasmCloud", compress };
    const archive = `${folder.path}/a.par`;
    const binary = (
      target: keyof typeof BINARIES,
    ): { source: Uint8Array<ArrayBuffer>; target: string } => (
      { source: new TextEncoder().encode(BINARIES[target]), target }
    );
    const x86 = binary("x86_64-linux");
    const arm = binary("aarch64-linux");
    await create({ ...described, binaries: [x86], wit: WIT_BYTES, destination: archive });
    const expectWit = async (path: string, targets: readonly string[]): Promise<void> => {
      const { wit, archive: { binaries } } = await inspectWit(path);
      assert.deepEqual(wit, WIT_BYTES);
      assert.deepEqual(binaries.map(({ target }) => target), targets);
    };
    await expectWit(archive, ["x86_64-linux"]);
    await insert(archive, { ...keys, binaries: [arm] });
    await expectWit(archive, ["aarch64-linux", "x86_64-linux"]);
    await remove(archive, { ...keys, targets: ["x86_64-linux"] });
    await expectWit(archive, ["aarch64-linux"]);
    const other = `${folder.path}/b.par`;
    await create({ ...described, binaries: [x86], destination: other });
    const destination = `${folder.path}/c.par`;
    await merge([other, archive], { ...keys, destination });
    await expectWit(destination, ["aarch64-linux", "x86_64-linux"]);
  });
}

Deno.test("merge() refuses archives of two WIT packages", async () => {
  await using folder = await temporaryFolder();
  const keys = { issuer: await issuerPair(), subject: await subjectPair() };
  const archives: string[] = [];
  for (
    const [target, wit] of [["x86_64-linux", WIT_BYTES], ["arm-linux", WIT_BYTES.slice(1)]] as const
  ) {
    const destination = `${folder.path}/${target}.par`;
    await create({
      ...keys,
      name: "Fake Payments",
      vendor: "wasmCloud",
      wit,
      binaries: [{ source: new Uint8Array(1), target }],
      destination,
    });
    archives.push(destination);
  }
  await assert.rejects(merge(archives, { ...keys, destination: `${folder.path}/m.par` }), {
    code: "ERR_MERGE_CONFLICT",
    message: /WIT package/,
  });
});

Deno.test("par create --wit embeds a package, and refuses anything else", async () => {
  await using box = await providerBox();
  await box.write("world.wasm", WIT_BYTES);
  const { code, stderr } = await box.create([...BINARY, "--wit", "world.wasm"]);
  assert.equal(code, 0, stderr);
  const { wit } = await inspectWit(`${box.folder}/a.par`);
  assert.deepEqual(wit, WIT_BYTES);

  await box.write("text.wit", WIT_TEXT);
  const refused = await box.create([...BINARY, "--wit", "text.wit", "--destination", "b.par"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /"text\.wit".*not WebAssembly.*\[ERR_WIT_INVALID\]/);
  assert(!(await box.list()).includes("b.par"));
});

Deno.test("par create takes one WIT package, and that of the command line before the environment's", async () => {
  await using box = await providerBox();
  await box.write("world.wasm", WIT_BYTES);
  const twice = await box.create([...BINARY, "--wit", "world.wasm", "--wit-directory", "wit"]);
  assert.equal(twice.code, 2);
  assert.match(twice.stderr, /--wit together with --wit-directory.*\[ERR_USAGE\]/);
  const env = { WIT_DIR: "no-such-folder" };
  const { code, stderr } = await box.create([...BINARY, "--wit", "world.wasm"], { env });
  assert.equal(code, 0, stderr);
});

Deno.test("par says how to get wasm-tools where it is missing", async () => {
  await using box = await providerBox();
  await box.write("world.wasm", WIT_BYTES);
  await Deno.mkdir(`${box.folder}/wit`);
  await box.create([...BINARY, "--wit", "world.wasm"]);
  const env = { PATH: box.home };
  for (
    const args of [
      ["create", "-n", "a", "-v", "b", ...BINARY, "--wit-directory", "wit"],
      ["inspect", "--wit", "a.par"],
    ]
  ) {
    const { code, stdout, stderr } = await box.run(args, { env });
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /not on the PATH; install it \(cargo install .*\[ERR_WIT_TOOL_MISSING\]/);
  }
});

Deno.test("par inspect --wit refuses an archive without a package, and flags that contradict it", async () => {
  await using box = await providerBox();
  await box.create(BINARY);
  const { code, stderr } = await box.run(["inspect", "--wit", "a.par"], {
    remote: true,
  });
  assert.equal(code, 1);
  assert.match(stderr, /"a\.par": it was made without one \[ERR_WIT_NOT_FOUND\]/);
  for (const flag of ["--claims-only", "--jwt-only"]) {
    const contradiction = await box.run(["inspect", "--wit", flag, "a.par"]);
    assert.equal(contradiction.code, 2);
    assert.match(contradiction.stderr, /--wit together with|together with --wit/);
  }
});

testWith(
  [WASM_TOOLS],
  "par create --wit-directory and WIT_DIR encode a folder, and par inspect --wit prints it",
  async () => {
    await using box = await providerBox();
    await Deno.mkdir(`${box.folder}/wit`);
    await box.write("wit/payments.wit", WIT_TEXT);
    const ways: readonly (readonly [readonly string[], Record<string, string>])[] = [
      [["--wit-directory", "wit"], {}],
      [[], { WIT_DIR: "wit" }],
    ];
    for (const [args, env] of ways) {
      const created = await box.create([...BINARY, ...args], { env });
      assert.equal(created.code, 0, created.stderr);
      const text = await box.run(["inspect", "--wit", "a.par"], { remote: true });
      assert.equal(text.stdout, WIT_TEXT, text.stderr);
      assert.equal(text.stderr, "");
      const json = await box.run(["inspect", "--wit", "-o", "json", "a.par"], {
        remote: true,
      });
      const { wit, wit_details, name, success } = JSON.parse(json.stdout);
      assert.deepEqual([wit, name, success], [WIT_TEXT, "Fake Payments", true]);
      assert.match(wit_details.sha256, /^[0-9A-F]{64}$/);
    }
    await box.write("wit/payments.wit", WIT_TEXT.replace("u64", "money"));
    const refused = await box.create([...BINARY, "--wit-directory", "wit", "-o", "json"]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^Error: Cannot encode the WIT package in "wit": .*:\n[^]*:6:/);
    assert.equal(JSON.parse(refused.stdout).error.code, "ERR_WIT_INVALID");
  },
);

testWith([WASM_TOOLS], "wasm-tools sees nothing of the environment", async () => {
  await using box = await providerBox();
  await box.write("world.wasm", WIT_BYTES);
  await Deno.mkdir(`${box.folder}/bin`);
  await box.write("bin/wasm-tools", "#!/bin/sh\nenv >&2\nexit 1\n");
  await Deno.chmod(`${box.folder}/bin/wasm-tools`, 0o755);
  await box.create([...BINARY, "--wit", "world.wasm"]);
  const env = { PATH: `${box.folder}/bin:/usr/bin:/bin`, WASH_REG_PASSWORD: "secret words" };
  const { stderr } = await box.run(["inspect", "--wit", "a.par"], {
    env,
    remote: true,
  });
  assert.match(stderr, /wasm-tools refuses it/);
  assert.doesNotMatch(stderr, /secret|HOME/);
});

/** A binary's flags, and where the archive goes. */
const BINARY = ["--binary", "x86_64-linux=libfakepay.so", "--destination", "a.par"];

/** A sandbox with a provider's binary in it. */
async function providerBox(): Promise<Sandbox> {
  const box = await sandbox();
  await box.write("libfakepay.so", elf({ machine: 62 }));
  return box;
}

Deno.test("inspect() tells that there is a WIT package", async () => {
  const { wit } = await inspect(await archiveWith(WIT_BYTES));
  assert.equal(wit?.size, WIT_BYTES.length);
});
