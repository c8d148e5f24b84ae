import assert from "node:assert/strict";
import { CARGO, HOST_TARGET, testWith } from "../../examples/_example.ts";
import { ISSUER, SUBJECT } from "../../_keys.ts";
import { runTool } from "../../_tools.ts";
import { projectOf, type TestProject } from "./_project.ts";

/** A program that prints a text. */
const printing = (text: string): string => `fn main() { println!("${text}"); }\n`;

/** A manifest without dependencies. */
function manifest(name: string, more = "", version = '"1.2.3"'): string {
  return `[package]\nname = "${name}"\nversion = ${version}\nedition = "2021"\n${more}`;
}

const ARCHIVE = "build/my-provider.par.gz";

/** A package of one program. */
const program = (more = ""): Promise<TestProject> =>
  projectOf({ "Cargo.toml": manifest("my-provider", more), "src/main.rs": printing("one") });

function test(name: string, run: () => Promise<void>): void {
  testWith([CARGO], name, run);
}

test("build() makes an archive of what cargo builds, with what Cargo.toml says", async () => {
  await using project = await program(
    '[package.metadata.par]\ncapid = "examples:mine"\nvendor = "Acme"\nrevision = 4\n',
  );
  const { claims, path, targets, upToDate, printed } = await project.build();
  assert.deepEqual({ path, targets, upToDate }, {
    path: ARCHIVE,
    targets: [HOST_TARGET],
    upToDate: false,
  });
  const { target_hashes: _, ...wascap } = claims.wascap;
  assert.deepEqual(wascap, {
    name: "my-provider",
    capid: "examples:mine",
    vendor: "Acme",
    rev: 4,
    ver: "1.2.3",
  });
  assert.deepEqual([claims.iss, claims.sub], [ISSUER.publicKey, SUBJECT.publicKey]);
  assert.match(printed, /^Found my-provider 1\.2\.3 in Cargo\.toml$/m);
  assert.match(printed, /^ +Compiling my-provider/m);
  assert.equal(await project.output(ARCHIVE), "one");
});

test("build() leaves an archive that says the same of the same bytes, and no other", async () => {
  await using project = await program();
  const first = await project.build();
  const bytes = await project.read(ARCHIVE);
  const again = await project.build();
  assert.equal(again.upToDate, true);
  assert.deepEqual([again.claims, again.token], [first.claims, first.token]);
  assert.deepEqual(await project.read(ARCHIVE), bytes);

  const revised = await project.build({ revision: 2, compressLevel: 1 });
  assert.deepEqual([revised.upToDate, revised.claims.wascap.rev], [false, 2]);
  assert.equal((await project.build({ revision: 2 })).upToDate, true);
  await project.write("src/main.rs", printing("two"));
  assert.equal((await project.build({ revision: 2 })).upToDate, false);
  assert.equal(await project.output(ARCHIVE), "two");

  const fixed = { revision: 2, sourceDateEpoch: 1_700_000_000 };
  assert.equal((await project.build(fixed)).upToDate, false, "another time of issue is asked for");
  assert.equal((await project.build(fixed)).upToDate, true);
  const whole = await project.read(ARCHIVE);
  await project.write(ARCHIVE, whole.subarray(0, whole.length - 100));
  assert.equal((await project.build(fixed)).upToDate, false, "a damaged archive is made anew");
  assert.deepEqual(await project.read(ARCHIVE), whole);
});

test("build() signs what cargo built just now, whatever target cargo builds by default", async () => {
  await using project = await program();
  await project.build();
  const expectFresh = async (text: string, env: Record<string, string> = {}): Promise<void> => {
    await project.write("src/main.rs", printing(text));
    await project.build({ env });
    assert.equal(await project.output(ARCHIVE), text);
  };
  await project.write("../.cargo/config.toml", '[build]\ntarget = ["wasm32-wasip2"]\n');
  await expectFresh("beside a default target in a folder above");
  const host = await hostTriple();
  await project.write(".cargo/config.toml", `[build]\ntarget = ["${host}"]\n`);
  await expectFresh("beside default targets of which this machine's is one");
  await project.write("../.cargo/config.toml", "");
  await project.write(".cargo/config.toml", `[build]\ntarget = "${host}"\n`);
  await expectFresh("beside a default target that is this machine's");
  await expectFresh("beside CARGO_BUILD_TARGET", { CARGO_BUILD_TARGET: "wasm32-unknown-unknown" });
});

async function hostTriple(): Promise<string> {
  const { stdout } = await runTool("rustc", ["-vV"]);
  return /^host: (.*)$/m.exec(stdout)?.[1] ?? "";
}

test("build() signs what cargo built just now, wherever cargo puts it", async () => {
  await using project = await program();
  await project.build();
  await project.write(".cargo/config.toml", '[build]\ntarget-dir = "elsewhere"\n');
  await project.write("src/main.rs", printing("in target-dir"));
  await project.build();
  assert.equal(await project.output(ARCHIVE), "in target-dir");
  await project.write("src/main.rs", printing("in CARGO_TARGET_DIR"));
  await project.build({ env: { CARGO_TARGET_DIR: "third" } });
  assert.equal(await project.output(ARCHIVE), "in CARGO_TARGET_DIR");
});

test("build() builds again when features, flags, profiles or a dependency's manifest change", async () => {
  const features = '[features]\ndefault = ["plain"]\nplain = []\nfancy = []\n';
  await using project = await projectOf({
    "Cargo.toml": manifest("my-provider", `${features}[dependencies]\ndep = { path = "dep" }\n`),
    "src/main.rs": [
      "fn main() {",
      '  print!("{} ", if cfg!(feature = "fancy") { "fancy" } else { "plain" });',
      '  print!("{} ", if cfg!(debug_assertions) { "checked" } else { "fast" });',
      '  println!("{}", dep::kind());',
      "}\n",
    ].join("\n"),
    "dep/Cargo.toml": manifest("dep", "[features]\nloud = []\n"),
    "dep/src/lib.rs":
      'pub fn kind() -> &\'static str { if cfg!(feature = "loud") { "loud" } else { "quiet" } }\n',
  });
  const expect = async (text: string, buildFlags: readonly string[] = []): Promise<void> => {
    await project.build({ buildFlags });
    assert.equal(await project.output(ARCHIVE), text);
  };
  await expect("plain fast quiet");
  await expect("fancy fast quiet", ["--features", "fancy"]);
  await expect("plain fast quiet");
  const slow = '[profile.slow]\ninherits = "release"\ndebug-assertions = true\n';
  const whole = new TextDecoder().decode(await project.read("Cargo.toml"));
  await project.write("Cargo.toml", whole + slow);
  await expect("plain checked quiet", ["--profile=slow"]);
  await project.write("Cargo.toml", whole + "[profile.release]\ndebug-assertions = true\n");
  await expect("plain checked quiet");
  await project.write(
    "dep/Cargo.toml",
    manifest("dep", '[features]\ndefault = ["loud"]\nloud = []\n'),
  );
  await expect("plain checked loud");
  const refusal = await project.refused({ buildFlags: ["--target", "x"] });
  assert.match(
    refusal.message,
    /^Cannot pass "--target" to cargo: give the target to the build itself/,
  );
});

test("build() leaves the archive, and asks for no keys, when cargo fails", async () => {
  await using project = await program();
  await project.build();
  const archive = await project.read(ARCHIVE);
  await project.write("src/main.rs", "this is no Rust\n");
  const { code, message, printed } = await project.refused({ env: { WASH_ISSUER_KEY: "" } });
  assert.equal(code, "ERR_BUILD_FAILED");
  assert.equal(message, `Cannot build for ${HOST_TARGET}: cargo failed, as it says above`);
  assert.match(printed, /^error: expected one of /m);
  assert.deepEqual(await project.read(ARCHIVE), archive);
});

test("build() passes on what a macro prints among cargo's messages", async () => {
  const printed = ["{ is no JSON", '{"is": "no message"}', "plain"];
  await using project = await projectOf({
    "Cargo.toml": manifest("my-provider", '[dependencies]\nnoisy = { path = "noisy" }\n'),
    "src/main.rs": `noisy::noisy! {}\n${printing("one")}`,
    "noisy/Cargo.toml": manifest("noisy", "[lib]\nproc-macro = true\n"),
    "noisy/src/lib.rs": [
      "#[proc_macro]",
      "pub fn noisy(_: proc_macro::TokenStream) -> proc_macro::TokenStream {",
      ...printed.map((line) => `    println!("{}", r#"${line}"#);`),
      "    proc_macro::TokenStream::new()",
      "}\n",
    ].join("\n"),
  });
  const built = await project.build();
  assert.equal(await project.output(ARCHIVE), "one");
  for (const line of printed) assert(built.printed.split("\n").includes(line), built.printed);
});

test("build() keeps seeds and passwords from what it starts", async () => {
  await using project = await program('build = "build.rs"\n');
  await project.write(
    "build.rs",
    'fn main() { let all: Vec<String> = std::env::vars().map(|(k, v)| format!("{k}={v}")).collect();' +
      ' std::fs::write("seen.txt", all.join("\\n")).unwrap(); }\n',
  );
  await project.build({
    env: {
      WASH_REG_PASSWORD: "not for builds",
      PAR_SIGNING_KEY: "not for builds",
      MY_KEY: "-----BEGIN PRIVATE KEY-----\nnot for builds",
      MINE: `seed ${ISSUER.seed}`,
      OTHER: "for builds",
    },
  });
  const seen = new TextDecoder().decode(await project.read("seen.txt"));
  assert.match(seen, /^OTHER=for builds$/m);
  assert.doesNotMatch(seen, /not for builds|WASH_|S[AV][A-Z2-7]{56}/);
});

// ---- Layouts -----------------------------------------------------------------------------------

/** A workspace of two programs and a library, whose members take their version from it. */
const workspace = (): Promise<TestProject> =>
  projectOf({
    "Cargo.toml":
      '[workspace]\nmembers = ["one", "two", "shared"]\nresolver = "2"\n[workspace.package]\nversion = "4.5.6"\n',
    "one/Cargo.toml": manifest(
      "one",
      'version.workspace = true\n[dependencies]\nshared = { path = "../shared" }\n',
    ).replace('version = "1.2.3"\n', ""),
    "one/src/main.rs": 'fn main() { println!("one of {}", shared::NAME); }\n',
    "two/Cargo.toml": manifest("two", '[[bin]]\nname = "second"\npath = "src/main.rs"\n'),
    "two/src/main.rs": printing("two"),
    "shared/Cargo.toml": manifest("shared"),
    "shared/src/lib.rs": 'pub const NAME: &str = "them";\n',
  });

test("build() builds a member of a workspace, with the workspace's version", async () => {
  await using project = await workspace();
  const { claims } = await project.build({ folder: "one" });
  assert.deepEqual([claims.wascap.name, claims.wascap.ver], ["one", "4.5.6"]);
  assert.equal(await project.output("one/build/one.par.gz"), "one of them");
  await project.write("shared/src/lib.rs", 'pub const NAME: &str = "us";\n');
  await project.build({ folder: "one" });
  assert.equal(await project.output("one/build/one.par.gz"), "one of us");
});

test("build() at a virtual root takes the program that is named, and lists them otherwise", async () => {
  await using project = await workspace();
  const { code, message } = await project.refused();
  assert.equal(code, "ERR_PROJECT_AMBIGUOUS");
  assert.match(
    message,
    /^Cannot choose what to build: .* declares bin one \(package one\), bin second \(package two\); choose one$/,
  );
  const { path, claims } = await project.build({ bin: "second" });
  assert.deepEqual([path, claims.wascap.name], ["build/second.par.gz", "two"]);
  assert.equal(await project.output(path), "two");
  assert.match((await project.refused({ bin: "third" })).message, /^Cannot build "third": /);
});

test("build() in a member's folder takes nothing of its siblings", async () => {
  await using project = await workspace();
  const { message } = await project.refused({ folder: "shared" });
  assert.match(message, /declares neither a program nor a C library/);
});

test("build() takes the package's program, or the one that is named, beside other targets", async () => {
  await using project = await projectOf({
    "Cargo.toml": manifest("my-provider", '[lib]\ncrate-type = ["cdylib", "rlib"]\n'),
    "src/lib.rs": "pub fn used() {}\n",
    "src/main.rs": 'fn main() { my_provider::used(); println!("main"); }\n',
    "src/bin/helper.rs": printing("helper"),
  });
  await project.build();
  assert.equal(await project.output(ARCHIVE), "main");
  const { path } = await project.build({ bin: "helper" });
  assert.equal(path, "build/helper.par.gz");
  assert.equal(await project.output(path), "helper");
  const library = await project.build({ bin: "libmy_provider" });
  assert.equal(library.path, "build/libmy_provider.par.gz");

  await Deno.remove(`${project.folder}/src/main.rs`);
  const { code, message } = await project.refused();
  assert.equal(code, "ERR_PROJECT_AMBIGUOUS");
  assert.match(message, /declares cdylib my_provider, bin helper; choose one$/);
});

test("build() of a fresh cargo new takes one command, or says what to add", async () => {
  await using project = await projectOf({ "keep": "" });
  await project.run("cargo", ["new", "--quiet", "--vcs", "none", "fresh"]);
  const { claims } = await project.build({ folder: "fresh" });
  assert.equal(claims.wascap.vendor, "NoVendor");
  assert.equal(await project.output("fresh/build/fresh.par.gz"), "Hello, world!");

  await project.run("cargo", ["new", "--quiet", "--vcs", "none", "--lib", "library"]);
  const { code, message } = await project.refused({ folder: "library" });
  assert.equal(code, "ERR_PROJECT_INVALID");
  const [, lines = ""] = message.split("add these lines:\n\n");
  const before = new TextDecoder().decode(await project.read("library/Cargo.toml"));
  await project.write("library/Cargo.toml", `${before}\n${lines}\n`);
  const { path } = await project.build({ folder: "library" });
  assert.equal(path, "library/build/liblibrary.par.gz");
});

test("build() says what it looked for where there is no project", async () => {
  await using project = await projectOf({ "here/keep": "" });
  const { code, message } = await project.refused({ folder: "here" });
  assert.equal(code, "ERR_PROJECT_NOT_FOUND");
  assert.match(
    message,
    /^Cannot find a provider's project in "here": it has no wasmcloud\.toml, no Cargo\.toml and no go\.mod/,
  );
  assert.match((await project.refused({ folder: "gone" })).message, /: there is no such folder$/);
});

test("build() gives cargo's words where it refuses the manifest", async () => {
  await using project = await projectOf({ "Cargo.toml": "[package\n", "src/main.rs": "" });
  const { code, message } = await project.refused();
  assert.equal(code, "ERR_PROJECT_INVALID");
  assert.match(message, /^Cannot read "Cargo\.toml": cargo refuses it:\n.*error/s);
});

test("build() warns of a key of [package.metadata.par] that means nothing", async () => {
  await using project = await program('[package.metadata.par]\nvendr = "Acme"\n');
  const { printed } = await project.build();
  assert.match(
    printed,
    /^Warning: the key "vendr" in \[package\.metadata\.par\] of ".*Cargo\.toml" is unknown; did you mean "vendor"\?$/m,
  );
  await project.write(
    "Cargo.toml",
    manifest("my-provider", "[package.metadata.par]\nrevision = 'x'\n"),
  );
  assert.match(
    (await project.refused()).message,
    /^Cannot use the key "revision" in \[package\.metadata\.par\] of .*: give a whole number$/,
  );
});
