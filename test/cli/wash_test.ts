import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { FIXED_KEYS, type RunOptions, type Sandbox, sandbox } from "../_cli.ts";
import { elf, ELF_AARCH64, ELF_X86_64, machO, pe } from "../_executable.ts";
import { ISSUER, SUBJECT } from "../_keys.ts";
import { type Output, ROOT } from "../_tools.ts";
import { CARGO, testWith } from "../examples/_example.ts";
import { hasDockerRegistry, startDockerRegistry } from "../registry/_registry.ts";
import { readContents } from "../verbs/_fixtures.ts";
import {
  BUILDS,
  CREATES,
  INSERTS,
  INSPECTS,
  PULLS,
  PUSHES,
  REMOTE_INSPECTS,
  SLIPS,
  TARGETS,
} from "./_wash_lines.ts";

/** How many command lines run at once. */
const AT_ONCE = 4;

/** Takes a command line apart as a shell does, where quotes hold whole words. */
function wordsOf(line: string): string[] {
  return (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ""));
}

/** Runs a command line as it is written in Makefiles and workflows. */
async function run(s: Sandbox, line: string, options?: RunOptions): Promise<Output> {
  const words = wordsOf(line)
    .map((word) => ({ ISSUER: ISSUER.seed, SUBJECT: SUBJECT.seed })[word] ?? word);
  const signs = words.some((word) => /^(create|insert|build)$/.test(word)) && !words.includes("-i");
  const output = await s.run([...words, ...(signs ? FIXED_KEYS : [])], options);
  assert.equal(output.code, 0, `${line}: ${output.stderr}`);
  return output;
}

/** Does something for each of a table's lines, several at once. */
async function forEach<Item>(
  items: readonly Item[],
  act: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const rest = [...items.entries()];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let next = rest.shift(); next; next = rest.shift()) await act(next[1], next[0]);
  }));
}

/** A binary for a target of the tables. */
function binaryFor(target: string): Uint8Array<ArrayBuffer> {
  const [cpu, system] = target.split("-");
  if (system === "macos") return machO(cpu === "aarch64" ? 0x0100000c : 0x01000007);
  if (system === "windows") return pe(0x8664);
  if (cpu?.startsWith("arm")) return elf({ machine: 40, bits: 32 });
  const bigEndian = !cpu?.endsWith("el");
  return elf({ machine: 8, bits: cpu?.includes("64") ? 64 : 32, bigEndian });
}

/** A folder with the files that the lines name. */
async function setUp(): Promise<Sandbox> {
  const s = await sandbox();
  await s.write("x86.so", ELF_X86_64);
  await s.write("arm.so", ELF_AARCH64);
  for (const target of TARGETS) await s.write(target, binaryFor(target));
  return s;
}

/** What the archive `kv.par.gz` is made with. */
const CREATE = CREATES[0] as string;

let archive: Promise<Uint8Array<ArrayBuffer>> | undefined;

/** The same folder with the archive `kv.par.gz`, which has x86_64-linux. */
async function setUpArchive(): Promise<Sandbox> {
  archive ??= (async () => {
    await using s = await setUp();
    await run(s, CREATE);
    return await s.read("kv.par.gz");
  })();
  const s = await setUp();
  await s.write("kv.par.gz", await archive);
  return s;
}

/** The value that a line gives a flag. */
function valueOf(words: readonly string[], ...names: readonly string[]): string | undefined {
  for (const [i, word] of words.entries()) {
    if (names.includes(word)) return words[i + 1];
    const name = names.find((name) => word.startsWith(`${name}=`));
    if (name) return word.slice(name.length + 1);
  }
  return undefined;
}

Deno.test("par create takes each form of wash par create in the field", async () => {
  await forEach(CREATES, async (line) => {
    await using s = await setUp();
    const { stdout } = await run(s, line);
    const words = wordsOf(line);
    const compress = words.includes("--compress");
    const file = valueOf(words, "--destination") ?? (compress ? "x86.par.gz" : "x86.par");
    assert.equal(stdout, `Successfully created archive ${file}\n`, line);
    const { claims, bytes, compressed } = await readContents(`${s.folder}/${file}`);
    const revision = valueOf(words, "--revision", "-r");
    const { target_hashes: _, ...wascap } = claims.wascap;
    assert.deepEqual(
      JSON.parse(JSON.stringify(wascap)),
      JSON.parse(JSON.stringify({
        name: valueOf(words, "--name", "-n"),
        capid: valueOf(words, "--capid", "-c"),
        vendor: valueOf(words, "--vendor", "-v"),
        rev: revision === undefined ? undefined : Number(revision),
        ver: valueOf(words, "--version"),
      })),
      line,
    );
    assert.deepEqual(bytes, { "x86_64-linux": ELF_X86_64 }, line);
    assert.equal(compressed, compress, line);
  });
});

Deno.test("par insert takes each form of wash par insert in the field", async () => {
  await forEach(INSERTS, async (line) => {
    await using s = await setUpArchive();
    const { stdout } = await run(s, line);
    assert.match(
      stdout,
      /^Successfully inserted (\.\/)?arm\.so into archive (\.\/)?kv\.par\.gz\n$/,
    );
    const { claims, bytes } = await readContents(`${s.folder}/kv.par.gz`);
    assert.deepEqual(bytes, { "aarch64-linux": ELF_AARCH64, "x86_64-linux": ELF_X86_64 }, line);
    assert.deepEqual([claims.iss, claims.sub], [ISSUER.publicKey, SUBJECT.publicKey], line);
  });
});

Deno.test("par create and insert take each target of the field, and say what hosts look for", async () => {
  await forEach(TARGETS, async (target) => {
    await using s = await setUpArchive();
    const made = await run(s, CREATE.replace("x86_64-linux", target).replace("x86.so", target));
    const first = await readContents(`${s.folder}/kv.par.gz`);
    assert.deepEqual(first.bytes, { [target]: binaryFor(target) });
    assert.equal(/hosts look for arm-linux/.test(made.stderr), target === "armv7-linux", target);
    await run(s, CREATE);
    const { stderr } = await run(s, `par insert --arch ${target} --binary ${target} kv.par.gz`);
    const { bytes } = await readContents(`${s.folder}/kv.par.gz`);
    assert.deepEqual(bytes, { [target]: binaryFor(target), "x86_64-linux": ELF_X86_64 });
    assert.equal(/hosts look for arm-linux/.test(stderr), target === "armv7-linux", target);
  });
});

Deno.test("par inspect takes each form of wash's in the field", async () => {
  await forEach(INSPECTS, async ([line, prints]) => {
    await using s = await setUpArchive();
    assert.match((await run(s, line)).stdout, prints, line);
  });
});

Deno.test({
  name:
    "par takes each form of wash's to push, pull and inspect in a registry (needs docker-registry)",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    const at = (line: string): string => line.replace("HOST", registry.host);
    await using s = await setUpArchive();
    const bytes = await s.read("kv.par.gz");
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    await run(s, at("push HOST/kv:0.1.0 kv.par.gz"));
    await forEach(PUSHES, async (line, index) => {
      const name = `to-${index}`;
      await run(s, at(line).replace("TO", name));
      const repository = line.includes("v2/TO") ? `v2/${name}` : name;
      const tag = /TO:(\S+)/.exec(line)?.[1];
      const manifest = await (await fetch(
        `http://${registry.host}/v2/${repository}/manifests/${tag}`,
        { headers: { accept: "application/vnd.oci.image.manifest.v1+json" } },
      )).json();
      assert.equal(manifest.layers[0].digest, digest, line);
      const source = manifest.annotations?.["org.opencontainers.image.source"];
      assert.equal(source, line.includes(" -a ") ? "https://localhost/kv" : undefined, line);
    });
    await forEach(PULLS, async ([line, file]) => {
      await using empty = await sandbox();
      await run(empty, at(line));
      assert.deepEqual(await empty.read(file), bytes, line);
    });
    await forEach(REMOTE_INSPECTS, async (line) => {
      const { stdout } = await run(s, at(line), { remote: true });
      assert.match(stdout, /KV - Provider Archive[^]*x86_64-linux/, line);
    });
  },
});

testWith([CARGO], "par build takes each form of wash build in the field", async () => {
  const home = Deno.env.get("HOME") ?? "";
  const env = {
    CARGO_HOME: Deno.env.get("CARGO_HOME") ?? `${home}/.cargo`,
    RUSTUP_HOME: Deno.env.get("RUSTUP_HOME") ?? `${home}/.rustup`,
  };
  await forEach(BUILDS, async ([line, folder]) => {
    await using s = await sandbox();
    // The binary lies there, for compiling takes long; build_test.ts has tests that compile.
    await Deno.mkdir(`${s.folder}/${folder}/src`, { recursive: true });
    await Deno.mkdir(`${s.folder}/${folder}/target/release`, { recursive: true });
    await s.write(
      `${folder}/Cargo.toml`,
      '[package]\nname = "kv"\nversion = "0.1.0"\nedition = "2021"\n',
    );
    await s.write(`${folder}/src/main.rs`, "fn main() {}\n");
    await s.write(
      `${folder}/wasmcloud.toml`,
      'name = "KV"\nlanguage = "rust"\ntype = "provider"\n[provider]\nvendor = "wasmCloud"\n',
    );
    await s.write(`${folder}/target/release/kv`, ELF_X86_64);
    await run(s, `${line} --no-build --force-arch`, { env });
    const { claims } = await readContents(`${s.folder}/${folder}/build/kv.par.gz`);
    assert.equal(claims.wascap.name, "KV", line);
    assert.equal(claims.wascap.vendor, "wasmCloud", line);
  });
});

Deno.test("par refuses slips of the field, names them, and leaves the archive as it is", async () => {
  await using s = await setUpArchive();
  const before = await s.read("kv.par.gz");
  await forEach(SLIPS, async ([line, says]) => {
    const { code, stderr } = await s.run(wordsOf(line.replace("HOST", "localhost:5000")));
    assert.equal(code, 2, `${line}: ${stderr}`);
    assert(stderr.includes(says), `${line}: ${stderr}`);
    assert.match(stderr, /\[ERR_(USAGE|REFERENCE_INVALID)\]/, line);
  });
  assert.deepEqual(await s.read("kv.par.gz"), before);
});

Deno.test("par takes wash's flags in front of a verb, and those that mean nothing here", async () => {
  await using s = await setUpArchive();
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  assert.equal((await run(s, "-V")).stdout, `${version}\n`);
  assert.equal((await run(s, "par -V")).stdout, `${version}\n`);
  for (
    const line of [
      "-o json inspect kv.par.gz",
      "-ojson par inspect kv.par.gz",
      "--output json par inspect kv.par.gz",
      "--output=json --experimental inspect kv.par.gz",
      "par -o json inspect kv.par.gz --experimental",
      "--experimental -o text par inspect -o json kv.par.gz",
    ]
  ) assert.equal(JSON.parse((await run(s, line)).stdout).name, "KV", line);
  assert.match((await run(s, "-o json inspect -o text kv.par.gz")).stdout, /KV - Provider Archive/);
  // Where extract writes to is its --output.
  const extracted = JSON.parse((await run(s, "-o json extract kv.par.gz -a x86_64-linux")).stdout);
  assert.deepEqual(extracted.files, [{ target: "x86_64-linux", file: "x86_64-linux.bin" }]);
  assert.deepEqual(JSON.parse((await run(s, "-o json keys list")).stdout).keys, []);
  const failed = await s.run(["-o", "json", "inspect", "none.par"]);
  assert.equal(JSON.parse(failed.stdout).error.code, "ERR_FILE_NOT_FOUND");
  for (
    const [line, message] of [
      ["-o json nosuch", 'there is no verb "nosuch"'],
      ["-o json completions bash", "it has no flag --output"],
      ["-o yaml keys list", "--output takes text or json"],
      ["-o", "it needs a verb before -o"],
      ["--verbose inspect kv.par.gz", "it needs a verb before --verbose"],
    ] as const
  ) {
    const { code, stderr } = await s.run(line.split(" "));
    assert.equal(code, 2, line);
    assert(stderr.includes(message), stderr);
  }
  // Behind --, a word is an argument.
  const named = await s.run(["inspect", "--", "--experimental"]);
  assert.match(named.stderr, /"--experimental"/);
});

Deno.test("par takes the groups of wash off in front of help too", async () => {
  await using s = await sandbox();
  assert.match((await run(s, "par create --help")).stdout, /^Usage: par create/);
  assert.match((await run(s, "reg push --help")).stdout, /^Usage: par push/);
  assert.match((await run(s, "reg pull --help")).stdout, /^Usage: par pull/);
});
