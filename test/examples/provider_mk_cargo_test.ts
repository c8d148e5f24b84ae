import assert from "node:assert/strict";
import { CARGO, copyOf, type Example, MAKE, providerOf, testWith } from "./_example.ts";
import { type Output, runTool } from "../_tools.ts";

// How provider.mk finds each target's builder, and what it reads of cargo's metadata. Cargo and the
// rest are stand-ins here: scripts that say what the real ones would.

const TRIPLE = "riscv64gc-unknown-linux-gnu";
const SETTING = "CARGO_TARGET_RISCV64GC_UNKNOWN_LINUX_GNU_LINKER";

/** What a stand-in machine has. */
interface Machine {
  /** The triples whose standard library the first toolchain has, and the second. */
  readonly libraries?: readonly [first: readonly string[], second: readonly string[]];
  /** Commands that exist and do nothing. */
  readonly commands?: readonly string[];
  readonly versions?: readonly [first: string, second: string];
  /** The oldest Rust that the crate takes. */
  readonly rustVersion?: string;
}

/** What the Makefile itself runs; nothing else is on the stand-in machine's PATH. */
const BASICS = ["awk", "basename", "cat", "cp", "cut", "dirname", "head", "ls", "mkdir", "mv"]
  .concat(["rm", "sed", "sh", "sort", "tr", "uname"]);

async function machine(has: Machine = {}): Promise<Example> {
  const provider = await providerOf({
    "Makefile": [
      "PROJECT = stand-in",
      "CAPABILITY_ID = examples:standin",
      "VENDOR = wasmCloud",
      `par_targets = ${TRIPLE}`,
      `LINKER_${TRIPLE} = riscv-gcc`,
      "CARGO2 = cargo2",
      "RUSTC2 = rustc2",
      "include ../provider.mk",
      "",
    ].join("\n"),
    "Cargo.toml": "",
  });
  const metadata = {
    packages: [{
      name: "stand-in",
      version: "0.1.0",
      targets: [{ kind: ["bin"], crate_types: ["bin"], name: "stand-in" }],
      rust_version: has.rustVersion ?? null,
      manifest_path: "/x/Cargo.toml",
    }],
    target_directory: "/x/target",
    workspace_root: "/x",
  };
  for (const [at, suffix] of [[0, ""], [1, "2"]] as const) {
    await provider.write(
      `tools/cargo${suffix}`,
      `#!/bin/sh\n` +
        `case $1 in (locate-project) echo '{"root":"/x/Cargo.toml"}' ;;\n` +
        `(metadata) echo '${JSON.stringify(metadata)}' ;; esac\n`,
      0o755,
    );
    await provider.write(
      `tools/rustc${suffix}`,
      `#!/bin/sh\n` +
        `case $1 in (-vV) echo 'host: x86_64-unknown-linux-gnu' ;;\n` +
        `(-V) echo 'rustc ${has.versions?.[at] ?? "1.80.0"} (a stand-in)' ;;\n` +
        `(--print) echo "${provider.folder}/lib${at}/$4" ;; esac\n`,
      0o755,
    );
    for (const triple of has.libraries?.[at] ?? []) {
      await provider.write(`lib${at}/${triple}/libstd-0123.rlib`, "");
    }
  }
  for (const command of has.commands ?? []) {
    await provider.write(`tools/${command}`, "#!/bin/sh\n", 0o755);
  }
  for (const command of BASICS) {
    const { stdout } = await runTool("sh", ["-c", `command -v ${command}`]);
    await Deno.symlink(stdout.trim(), `${provider.folder}/tools/${command}`);
  }
  return provider;
}

/** What make would do for all targets on the stand-in machine. */
async function planned(
  provider: Example,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Output> {
  const { stdout: program } = await runTool("sh", ["-c", "command -v make"]);
  return await runTool(program.trim(), ["-n", "par-full", ...args], {
    cwd: provider.folder,
    clearEnv: true,
    env: { PATH: `${provider.folder}/tools`, DENO: Deno.execPath(), PAR: "cli.ts", ...env },
  });
}

/** The command that would build the only target. */
async function builder(
  provider: Example,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { code, stdout, stderr } = await planned(provider, args, env);
  assert.equal(code, 0, stderr);
  return /^echo '(.*)'$/m.exec(stdout)?.[1] ?? stdout;
}

/** The one line that says why nothing would be built. */
async function refusal(provider: Example, ...args: string[]): Promise<string> {
  const { code, stderr } = await planned(provider, args);
  assert.notEqual(code, 0);
  const lines = [...stderr.matchAll(/\*\*\* (Cannot .*)\. {2}Stop\.$/gm)];
  assert.equal(lines.length, 1, stderr);
  return lines[0]?.[1] ?? "";
}

function test(name: string, run: () => Promise<void>): void {
  testWith([MAKE], name, run);
}

const BUILD = `build --release --target ${TRIPLE}`;

test("this machine's target is built by plain cargo", async () => {
  await using provider = await machine();
  const args = ["par_targets=x86_64-unknown-linux-gnu", "CARGO_FLAGS=--locked"];
  assert.equal(await builder(provider, args), "cargo build --release --locked");
});

test("a target is built by cargo with its linker, where its standard library is installed", async () => {
  await using provider = await machine({
    libraries: [[TRIPLE], [TRIPLE]],
    commands: ["riscv-gcc"],
  });
  assert.equal(await builder(provider), `${SETTING}=riscv-gcc RUSTC=rustc cargo ${BUILD}`);
});

test("a linker that the environment sets is left alone", async () => {
  await using provider = await machine({ libraries: [[TRIPLE], []] });
  assert.equal(await builder(provider, [], { [SETTING]: "my-ld" }), `RUSTC=rustc cargo ${BUILD}`);
});

test("a second toolchain is asked when the first has no standard library", async () => {
  await using provider = await machine({ libraries: [[], [TRIPLE]], commands: ["riscv-gcc"] });
  assert.equal(await builder(provider), `${SETTING}=riscv-gcc RUSTC=rustc2 cargo2 ${BUILD}`);
});

test("a toolchain older than the crate takes is passed over", async () => {
  await using provider = await machine({
    libraries: [[TRIPLE], [TRIPLE]],
    commands: ["riscv-gcc"],
    versions: ["1.63.0", "1.100.0"],
    rustVersion: "1.70",
  });
  assert.equal(await builder(provider), `${SETTING}=riscv-gcc RUSTC=rustc2 cargo2 ${BUILD}`);
});

test("a target whose toolchains are all too old is refused, with both versions named", async () => {
  await using provider = await machine({
    libraries: [[TRIPLE], []],
    commands: ["riscv-gcc"],
    versions: ["1.63.0", "1.63.0"],
    rustVersion: "1.70",
  });
  assert.match(await refusal(provider, "STRICT=1"), /for Rust 1\.70 or newer, not 1\.63\.0/);
});

test("cargo zigbuild builds where the linker is missing", async () => {
  await using provider = await machine({
    libraries: [[TRIPLE], []],
    commands: ["cargo-zigbuild", "cross", "docker"],
  });
  assert.equal(
    await builder(provider),
    `RUSTC=rustc cargo zigbuild --release --target ${TRIPLE}`,
  );
});

test("cross builds where the standard library is missing, given docker or podman", async () => {
  for (const engine of ["docker", "podman"]) {
    await using provider = await machine({ commands: ["cargo-zigbuild", "cross", engine] });
    assert.equal(await builder(provider), `cross ${BUILD}`);
  }
});

test("a target without a toolchain is skipped, with what to install", async () => {
  await using provider = await machine({ commands: ["cross"] });
  const { code, stdout } = await planned(provider, [
    `par_targets=${TRIPLE} x86_64-unknown-linux-gnu`,
  ]);
  assert.equal(code, 0);
  assert.match(
    stdout,
    new RegExp(
      `^skipped riscv64-linux \\(${TRIPLE}\\): install its standard library \\(rustup target add ` +
        `${TRIPLE}\\), and a linker \\(riscv-gcc\\) or cargo-zigbuild; or cross with docker$`,
      "m",
    ),
  );
  assert.deepEqual(stdout.match(/^echo '.*'$/gm), ["echo 'cargo build --release'"]);
});

test("a linker alone may be what is missing", async () => {
  await using provider = await machine({ libraries: [[TRIPLE], []] });
  assert.match(
    await refusal(provider, "STRICT=1"),
    /: install a linker \(riscv-gcc\) or cargo-zigbuild; or cross with docker$/,
  );
});

test("par-full STRICT=1 fails on a target without a toolchain", async () => {
  await using provider = await machine();
  assert.match(
    await refusal(provider, "STRICT=1"),
    new RegExp(`^Cannot build riscv64-linux \\(${TRIPLE}\\): install its standard library`),
  );
});

test("par-full fails where nothing can be built", async () => {
  await using provider = await machine();
  assert.match(
    await refusal(provider),
    /^Cannot make an archive: none of its targets can be built here$/,
  );
});

test("without cargo, one line says what to install, and make clean still cleans", async () => {
  await using provider = await machine();
  for (const goal of ["par", "par-full", "build", "release", "test"]) {
    const error = await provider.refused([goal, "CARGO=no-cargo-here"]);
    assert.match(
      error,
      /\*\*\* Cannot build stand-in: no-cargo-here is not found; install Rust with rustup, or set CARGO\./,
      goal,
    );
  }
  await provider.write("build/left", "");
  await provider.made(["clean", "CARGO=no-cargo-here"]);
  assert.equal(await provider.has("build"), false);
});

test("a wasmCloud target is no target of cargo's", async () => {
  await using provider = await machine();
  assert.match(
    await refusal(provider, "par_targets=aarch64-linux"),
    /^Cannot build aarch64-linux with cargo: name a Rust triple in its place, or set BUILD_aarch64/,
  );
});

// ---- With the real cargo -----------------------------------------------------------------------

/** The binaries that an archive would be made of. */
async function bundled(provider: Example, ...args: string[]): Promise<string[]> {
  const printed = await provider.made(["-n", "par", ...args]);
  return [...printed.matchAll(/--binary '(.*?)'/g)].map(([, path]) => path ?? "").slice(0, 1);
}

/** A package of the given targets, and what a Makefile needs beside it. */
function packageOf(cargo: string, files: readonly string[]): Promise<Example> {
  return providerOf({
    "Makefile": "CAPABILITY_ID = a:b\nVENDOR = v\nPROJECT = p\ninclude ../provider.mk\n",
    "Cargo.toml": `[package]\nname = "my-provider"\nversion = "0.4.2"\nedition = "2021"\n${cargo}`,
    ...Object.fromEntries(files.map((file) => [file, "fn main() {}\n"])),
  });
}

const named = (path: string): RegExp => new RegExp(`^build/bin/[\\w-]+/${path}$`);
const library = Deno.build.os === "darwin" ? "dylib" : "so";

testWith([MAKE, CARGO], "a binary is found by the name that cargo gives it", async () => {
  await using provider = await packageOf("", ["src/main.rs"]);
  assert.match((await bundled(provider))[0] ?? "", named("my-provider"));
});

testWith([MAKE, CARGO], "a cdylib is found by the name that cargo gives it", async () => {
  await using provider = await packageOf('[lib]\ncrate-type = ["rlib", "cdylib"]\n', [
    "src/lib.rs",
  ]);
  assert.match((await bundled(provider))[0] ?? "", named(`libmy_provider\\.${library}`));
});

testWith(
  [MAKE, CARGO],
  "a cdylib comes before helper binaries, unless bin_name says otherwise",
  async () => {
    await using provider = await packageOf('[lib]\nname = "the_lib"\ncrate-type = ["cdylib"]\n', [
      "src/lib.rs",
      "src/bin/helper-one.rs",
    ]);
    assert.match((await bundled(provider))[0] ?? "", named(`libthe_lib\\.${library}`));
    assert.match((await bundled(provider, "bin_name=helper-one"))[0] ?? "", named("helper-one"));
  },
);

testWith(
  [MAKE, CARGO],
  "of several binaries, the one named like the package is taken",
  async () => {
    await using provider = await packageOf("", ["src/main.rs", "src/bin/other.rs"]);
    assert.match((await bundled(provider))[0] ?? "", named("my-provider"));
  },
);

testWith([MAKE, CARGO], "a choice that nothing settles is refused with the names", async () => {
  await using provider = await packageOf("", ["src/bin/one.rs", "src/bin/two.rs"]);
  assert.match(
    await provider.refused(["par"]),
    /Cannot choose what to bundle: Cargo\.toml declares bin one bin two; set bin_name/,
  );
  assert.match(await provider.refused(["par", "bin_name=three"]), /declares bin one bin two/);
  assert.match((await bundled(provider, "bin_name=two"))[0] ?? "", named("two"));
});

testWith([MAKE, CARGO], "a package with neither binary nor cdylib is refused", async () => {
  await using provider = await packageOf("", ["src/lib.rs"]);
  assert.match(await provider.refused(["par"]), /declares neither a cdylib\s+nor a binary/);
});

testWith([MAKE, CARGO], "name and version come from Cargo.toml", async () => {
  await using provider = await packageOf('description = "says \\"hi\\" [{"\n', ["src/main.rs"]);
  const printed = await provider.made(["make-vars"]);
  assert.match(printed, /^NAME = my-provider$/m);
  assert.match(printed, /^VERSION = 0\.4\.2$/m);
});

testWith([MAKE, CARGO], "a broken Cargo.toml is refused with cargo's own words", async () => {
  await using provider = await packageOf("[lib\n", ["src/lib.rs"]);
  const error = await provider.refused(["par"]);
  assert.match(error, /^error: /m);
  assert.match(
    error,
    /\*\*\* Cannot read Cargo\.toml: cargo metadata says nothing of a package here/,
  );
});

testWith(
  [MAKE, CARGO],
  "a member of a workspace is built into the workspace's target folder",
  async () => {
    await using provider = await providerOf({
      "Cargo.toml": '[workspace]\nmembers = ["one", "two"]\nresolver = "2"\n',
      "one/Cargo.toml":
        '[package]\nname = "one"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\ntwo = { path = "../two" }\n',
      "one/src/main.rs": 'fn main() { println!("{}", two::answer()); }\n',
      "one/Makefile": "CAPABILITY_ID = a:b\nVENDOR = v\ninclude ../../provider.mk\n",
      "two/Cargo.toml": '[package]\nname = "two"\nversion = "2.0.0"\nedition = "2021"\n',
      "two/src/lib.rs": "pub fn answer() -> u8 { 41 }\n",
    });
    const make = ["-C", "one", "par"];
    await provider.made(make);
    assert(await provider.has("target/release/one"));
    const { version, targets } = await provider.inspected("one/build/one.par.gz");
    assert.equal(version, "1.0.0");
    assert.match(await provider.made(make), /is up to date/);

    await provider.write("two/src/lib.rs", "pub fn answer() -> u8 { 42 }\n");
    await provider.touch("two/src/lib.rs");
    await provider.made(make);
    const program = await provider.extracted(targets[0] ?? "", "one/build/one.par.gz");
    assert.equal((await provider.run(program)).stdout, "42\n", "a dependency's source counts too");
  },
);

testWith([MAKE, CARGO], "touching one source builds this machine's target again", async () => {
  await using provider = await copyOf("fakepay-provider");
  await provider.made(["par"]);
  assert.doesNotMatch(await provider.made(["par"]), /cargo|Successfully/);
  await provider.touch("src/payments.rs");
  const printed = await provider.made(["par"]);
  assert.match(printed, /^cargo build --release$/m);
  assert.match(printed, /Successfully created/);
});

testWith(
  [MAKE, CARGO],
  "a source that does not compile leaves the archive and says what failed",
  async () => {
    await using provider = await copyOf("fakepay-provider");
    await provider.made(["par"]);
    const archive = await provider.read("build/fakepay.par.gz");
    const source = await provider.read("src/payments.rs");
    await provider.write("src/payments.rs", "this is no Rust\n");
    await provider.touch("src/payments.rs");
    assert.match(
      await provider.refused(["par"]),
      /^Cannot build [\w-]+: cargo failed, as it says above$/m,
    );
    assert.deepEqual(await provider.read("build/fakepay.par.gz"), archive);
    await provider.write("src/payments.rs", source);
    await provider.touch("src/payments.rs");
    await provider.made(["par"]);
  },
);

testWith([MAKE, CARGO], "a module that is taken away does not stop make", async () => {
  await using provider = await packageOf("", ["src/main.rs"]);
  await provider.write("src/main.rs", "mod extra;\nfn main() { extra::run() }\n");
  await provider.write("src/extra.rs", "pub fn run() {}\n");
  await provider.made(["par"]);
  await Deno.remove(`${provider.folder}/src/extra.rs`);
  await provider.write("src/main.rs", "fn main() {}\n");
  await provider.made(["par"]);
});
