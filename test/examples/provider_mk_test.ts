import assert from "node:assert/strict";
import { CARGO, HOST_TARGET, MAKE, providerOf, testWith, type Tool } from "./_example.ts";
import { denoDir } from "../_cli.ts";
import { ISSUER, SUBJECT } from "../_keys.ts";
import { isInstalled, ROOT, runTool, serveFolder, temporaryFolder } from "../_tools.ts";

/** Three targets, this machine's among them but not first. */
const OTHERS = ["aarch64-linux", "x86_64-linux", "x86_64-macos", "aarch64-windows"]
  .filter((target) => target !== HOST_TARGET);
const [BEFORE = "", AFTER = ""] = OTHERS;
const TARGETS = [BEFORE, HOST_TARGET, AFTER];

/** A provider whose hooks take no time: each binary is the source and its target's name. */
function makefile(...lines: string[]): string {
  return [
    "PROJECT = quick",
    "CAPABILITY_ID = examples:quick",
    "VENDOR = wasmCloud",
    "NAME = Quick Provider",
    "VERSION = 1.2.3",
    "REVISION = 4",
    `par_targets = ${TARGETS.join(" ")}`,
    ...TARGETS.map((target) => `BUILD_${target} = echo "${target}: $$(cat source.txt)" >$@`),
    ...lines,
    "include ../provider.mk",
    "",
  ].join("\n");
}

const FILES = {
  "source.txt": "first\n",
  "Cargo.toml": '[package]\nname = "quick"\nversion = "1.2.3"\nedition = "2021"\n',
  "src/main.rs": 'fn main() { println!("by cargo"); }\n',
};

/** That provider, beside a cargo package. */
const quick = (...lines: string[]) => providerOf({ ...FILES, "Makefile": makefile(...lines) });

/** That provider without a project: its hooks are all there is. */
const hooksAlone = (...lines: string[]) =>
  providerOf({ "source.txt": "first\n", "Makefile": makefile(...lines) });

const ARCHIVE = "build/quick.par.gz";

function test(name: string, run: () => Promise<void>): void {
  testWith([MAKE, CARGO], name, run);
}

async function contentOf(
  provider: Awaited<ReturnType<typeof quick>>,
  target: string,
): Promise<string> {
  return await Deno.readTextFile(await provider.extracted(target, ARCHIVE));
}

test("make par makes an archive of this machine's target, with what the Makefile says", async () => {
  await using provider = await quick();
  const printed = await provider.made(["par"]);
  assert.equal(printed, 'Built artifact can be found at "build/quick.par.gz"\n');
  const { name, issuer, service, capability_contract_id, vendor, version, revision, targets } =
    await provider.inspected();
  assert.deepEqual(
    { name, issuer, service, capability_contract_id, vendor, version, revision, targets },
    {
      name: "Quick Provider",
      issuer: ISSUER.publicKey,
      service: SUBJECT.publicKey,
      capability_contract_id: "examples:quick",
      vendor: "wasmCloud",
      version: "1.2.3",
      revision: "4",
      targets: [HOST_TARGET],
    },
  );
  assert.equal(await contentOf(provider, HOST_TARGET), `${HOST_TARGET}: first\n`);
});

test("make par is what make alone does, and does nothing the second time", async () => {
  await using provider = await quick();
  await provider.made([]);
  const archive = await provider.read(ARCHIVE);
  assert.equal(await provider.made(["par"]), '"build/quick.par.gz" is up to date\n');
  assert.deepEqual(await provider.read(ARCHIVE), archive);
});

test("make par-full makes one archive of every target, and does nothing the second time", async () => {
  await using provider = await quick();
  await provider.made(["par-full"]);
  assert.deepEqual((await provider.inspected()).targets, [...TARGETS].sort());
  for (const target of TARGETS) {
    assert.equal(await contentOf(provider, target), `${target}: first\n`);
  }
  assert.match(await provider.made(["par-full"]), /is up to date/);
});

test("make par after par-full goes back to this machine's target, and the other way round", async () => {
  await using provider = await quick();
  await provider.made(["par-full"]);
  await provider.made(["par"]);
  assert.deepEqual((await provider.inspected()).targets, [HOST_TARGET]);
  await provider.made(["par-full"]);
  assert.deepEqual((await provider.inspected()).targets, [...TARGETS].sort());
});

test("the key file is named after the binary, for par and for par-full", async () => {
  await using provider = await quick();
  const keys = `${provider.folder}/keys`;
  const own = { WASH_ISSUER_KEY: "", WASH_SUBJECT_KEY: "", WASH_KEYS: keys };
  await provider.made(["par"], own);
  const { service } = await provider.inspected();
  await provider.made(["par-full"], own);
  assert.equal((await provider.inspected()).service, service);
  assert.deepEqual(
    (await Array.fromAsync(Deno.readDir(keys), ({ name }) => name)).sort(),
    ["kevin_account.nk", "quick_service.nk"],
  );
});

test("a hook runs each time, and the archive is made anew when what it builds changed", async () => {
  await using provider = await quick();
  await provider.made(["par-full"]);
  await provider.write("source.txt", "second\n");
  assert.match(await provider.made(["par-full"]), /Built artifact/);
  assert.equal(await contentOf(provider, AFTER), `${AFTER}: second\n`);
});

test("make par makes the archive anew when a variable changed", async () => {
  await using provider = await quick();
  await provider.made(["par"]);
  await provider.made(["par", "VERSION=2.0.0", 'NAME=It\'s "new" & 50% off, $$5']);
  const { version, name } = await provider.inspected();
  assert.equal(version, "2.0.0");
  assert.equal(name, `It's "new" & 50% off, $5`);
});

test("make -j does any goals together", async () => {
  await using provider = await quick();
  const printed = await provider.made(["-j8", "inspect", "verify", "par-full", "par"]);
  assert.match(printed, /Supported Architecture Targets/);
  assert.deepEqual((await provider.inspected()).targets, [...TARGETS].sort());
});

test("make inspect and verify make the archive where there is none, else take what is there", async () => {
  await using provider = await quick();
  assert.match(await provider.made(["inspect"]), /Quick Provider - Provider Archive/);
  await provider.made(["par-full"]);
  const archive = await provider.read(ARCHIVE);
  await provider.write("source.txt", "second\n");
  assert.match(await provider.made(["verify"]), /3 binaries have the signed hash/);
  assert.match(await provider.made(["inspect"]), new RegExp(AFTER));
  assert.deepEqual(await provider.read(ARCHIVE), archive);
});

test("make verify takes a policy, and fails where it is not met", async () => {
  await using provider = await quick();
  await provider.made(["par"]);
  await provider.made(["verify", `PAR_VERIFY_FLAGS=--trusted-issuer ${ISSUER.publicKey}`]);
  await provider.refused(["verify", `PAR_VERIFY_FLAGS=--require-arch ${AFTER}`]);
});

test("make insert puts targets into the archive that is there, in place of those it has", async () => {
  await using provider = await quick();
  await provider.made(["par", `par_target0=${AFTER}`]);
  assert.deepEqual((await provider.inspected()).targets, [AFTER]);
  await provider.made(["insert"]);
  assert.deepEqual((await provider.inspected()).targets, [AFTER, HOST_TARGET].sort());
  await provider.made(["insert", `insert_targets=${BEFORE}`]);
  assert.deepEqual((await provider.inspected()).targets, [...TARGETS].sort());
  await provider.write("source.txt", "second\n");
  await provider.made(["insert"]);
  assert.equal(await contentOf(provider, HOST_TARGET), `${HOST_TARGET}: second\n`);
  assert.equal(await contentOf(provider, AFTER), `${AFTER}: first\n`);
});

test("make insert without an archive says so", async () => {
  await using provider = await quick();
  assert.match(
    await provider.refused(["insert"]),
    /Cannot read "build\/quick\.par\.gz": there is no such file/,
  );
  assert.equal(await provider.has(ARCHIVE), false);
});

test("archives in build/parts are merged in, and their targets are not built", async () => {
  await using elsewhere = await quick();
  await elsewhere.made(["par", `par_target0=${AFTER}`]);
  await using provider = await quick();
  await provider.write("source.txt", "ours\n");
  await provider.write(`build/parts/${AFTER}.par.gz`, await elsewhere.read(ARCHIVE));
  const others = `par_targets=${BEFORE} ${HOST_TARGET}`;
  await provider.made(["par-full", "STRICT=1", others, `BUILD_${AFTER}=`]);
  assert.deepEqual((await provider.inspected()).targets, [...TARGETS].sort());
  assert.equal(await contentOf(provider, AFTER), `${AFTER}: first\n`);
  assert.equal(await contentOf(provider, HOST_TARGET), `${HOST_TARGET}: ours\n`);
  const again = await provider.made(["par-full", others, `BUILD_${AFTER}=`]);
  assert.match(again, /is up to date/);

  await provider.write("build/parts/broken.par", "nothing");
  assert.match(await provider.refused(["par-full"]), /^Error: Cannot /m);
  await Deno.remove(`${provider.folder}/build/parts/broken.par`);
  await provider.write("build/parts/with space.par", await elsewhere.read(ARCHIVE));
  assert.match(
    await provider.refused(["par-full"]),
    /Cannot read "build\/parts\/with": there is no such file/,
  );
});

test("PREBUILT_ joins a binary that was built elsewhere, with a space in its path", async () => {
  await using provider = await quick();
  await provider.write("from the mac/it.bin", "prebuilt\n");
  const elsewhere = OTHERS[2] ?? "";
  const variables = [`PREBUILT_${AFTER}=from the mac/it.bin`, `PREBUILT_${elsewhere}=source.txt`];
  await provider.made(["par-full", ...variables]);
  assert.deepEqual((await provider.inspected()).targets, [...TARGETS, elsewhere].sort());
  assert.equal(await contentOf(provider, AFTER), "prebuilt\n");
  assert.match(await provider.made(["par-full", ...variables]), /is up to date/);
});

test("a hook is for a Rust triple too, and does not count for make par of another target", async () => {
  await using provider = await providerOf({
    ...FILES,
    "Makefile": [
      "BUILD_riscv64gc-unknown-linux-gnu = cp source.txt $@",
      "par_targets = riscv64gc-unknown-linux-gnu",
      "include ../provider.mk\n",
    ].join("\n"),
  });
  await provider.made(["par-full"]);
  assert.deepEqual((await provider.inspected()).targets, ["riscv64-linux"]);
  await provider.made(["par"]);
  const program = await provider.extracted(HOST_TARGET);
  assert.equal((await provider.run(program)).stdout, "by cargo\n");
});

test("hooks alone make an archive where there is no project", async () => {
  await using provider = await hooksAlone();
  await provider.made(["par"]);
  assert.deepEqual((await provider.inspected()).targets, [HOST_TARGET]);
  await provider.made(["par-full", "NAME="]);
  const { name, targets } = await provider.inspected();
  assert.deepEqual([name, targets], ["quick", [...TARGETS].sort()]);
  await provider.made(["par", `par_target0=${AFTER}`]);
  await provider.made(["insert"]);
  assert.deepEqual((await provider.inspected()).targets, [AFTER, HOST_TARGET].sort());
  assert.match(
    await provider.refused(["par-full", "par_targets=s390x-linux"]),
    /\*\*\* Cannot build for s390x-linux: there is no project here; set BUILD_s390x-linux\./,
  );
});

test("a destination without .gz is not compressed, and any characters may be in its path", async () => {
  await using provider = await quick();
  for (const path of ["out/plain.par", "out # of: order/it's 5$.par"]) {
    await provider.made(["par", `dest_par=${path.replace("$", () => "$$")}`]);
    const archive = await provider.read(path);
    assert.equal(new TextDecoder().decode(archive.subarray(0, 10)), "claims.jwt");
    assert.match(
      await provider.made(["inspect", `dest_par=${path.replace("$", () => "$$")}`]),
      /Quick/,
    );
  }
});

test("hooks refuse a folder that make cannot name, and nothing else does", async () => {
  await using provider = await quick();
  for (const folder of ["a b", "a:b", "a#b"]) {
    assert.match(
      await provider.refused(["par", `build_dir=${folder}`]),
      /\*\*\* Cannot have hooks write a.*: set build_dir and bin_name to names without spaces, /,
    );
  }
  await provider.write("Makefile", "include ../provider.mk\n");
  await provider.made(["par", "build_dir=a b: #1"]);
  assert(await provider.has("a b: #1/provider.par.gz"));
});

test("a folder's name may hold any characters", async () => {
  // Cargo itself takes no colon.
  const folder = "it's # $HOME 1";
  const named = Object.entries(FILES).map(([path, text]) => [`${folder}/${path}`, text]);
  await using provider = await providerOf({
    ...Object.fromEntries(named),
    [`${folder}/Makefile`]: "include ../../provider.mk\n",
    "a:b/Makefile": "include ../../provider.mk\n",
  });
  await provider.made(["-C", folder, "par", "inspect"]);
  const path = (folder: string): Promise<string> =>
    provider.made(["-s", "-C", folder, "target-path"]);
  assert.equal(await path(folder), "build/it's---$HOME-1.par.gz\n");
  assert.equal(await path("a:b"), "build/a-b.par.gz\n");
});

test("the double quotes of older Makefiles are no part of the values", async () => {
  await using provider = await quick(
    `NAME = "Quoted Name"`,
    `CAPABILITY_ID = "examples:quoted"`,
    `VENDOR = "A Vendor"`,
  );
  await provider.made(["par"]);
  const { name, capability_contract_id, vendor } = await provider.inspected();
  assert.deepEqual(
    [name, capability_contract_id, vendor],
    ["Quoted Name", "examples:quoted", "A Vendor"],
  );
});

test("variables of the environment do not say what the archive says", async () => {
  await using provider = await providerOf({ ...FILES, "Makefile": "include ../provider.mk\n" });
  const misleading = { NAME: "x", VENDOR: "x", VERSION: "9", REVISION: "9", PROJECT: "x" };
  await provider.made(["par"], { ...misleading, CAPABILITY_ID: "x:y", bin_name: "x" });
  const { name, vendor, version, revision } = await provider.inspected("build/provider.par.gz");
  assert.deepEqual([name, vendor, version, revision], ["quick", "NoVendor", "1.2.3", "None"]);
});

test("bin_name names the binary, the archive and the reference", async () => {
  await using provider = await providerOf({
    ...FILES,
    "src/bin/other.rs": 'fn main() { println!("other"); }\n',
    "Makefile": "PROJECT = quick\nbin_name = other\ninclude ../provider.mk\n",
  });
  await provider.made(["par"]);
  const program = await provider.extracted(HOST_TARGET, "build/other.par.gz");
  assert.equal((await provider.run(program)).stdout, "other\n");
  // The version is the archive's, which is the package's.
  assert.match(
    await provider.made(["make-vars"]),
    /^oci_url = localhost:5000\/v2\/other:1\.2\.3$/m,
  );
});

test("a mistyped variable is told, and a Makefile's own are not", async () => {
  await using provider = await quick(
    "REVISON = 7",
    "VENDER = x",
    "PROJECT_DIR = x",
    "VERSION_FILE = x",
    "BUILD_FLAGS = x",
    "REV = x",
  );
  const { stderr } = await provider.make(["target-path", "CAPABILITY=a:b"]);
  const told = [
    ...stderr.matchAll(/the variable (\S+) means nothing here; did you mean (\S+)\?$/gm),
  ];
  assert.deepEqual(
    told.map(([, name, meant]) => `${name} ${meant}`).sort(),
    ["CAPABILITY CAPABILITY_ID", "REVISON REVISION", "VENDER VENDOR"],
  );
  await using right = await quick();
  assert.equal((await right.make(["target-path"])).stderr, "");
});

test("target-path, target-path-abs and target-file print where the archive is", async () => {
  await using provider = await quick();
  assert.equal(await provider.made(["target-path"]), `${ARCHIVE}\n`);
  assert.equal(await provider.made(["target-path-abs"]), `${provider.folder}/${ARCHIVE}\n`);
  assert.equal(await provider.made(["target-file"]), "quick.par.gz\n");
  assert.equal(await provider.made(["target-path-abs", "dest_par=/a/b.par"]), "/a/b.par\n");
});

test("make-vars prints what is in force, and make help what can be called", async () => {
  await using provider = await quick();
  const printed = await provider.made(["make-vars", "REVISION=9"]);
  assert.match(printed, /^NAME = Quick Provider$/m);
  assert.match(printed, /^REVISION = 9$/m);
  assert.match(printed, /^oci_url = localhost:5000\/v2\/quick:1\.2\.3$/m);
  const help = await provider.made(["help"]);
  const text = await Deno.readTextFile(`${ROOT}/examples/provider.mk`);
  const [, phony = ""] = /^\.PHONY: (.*)$/m.exec(text) ?? [];
  for (const target of phony.split(" ").filter((name) => !name.startsWith("pm_"))) {
    assert(help.includes(target), `${target} is not in make help`);
  }
});

test("plain HTTP is for a registry on this machine, without credentials", async () => {
  await using provider = await quick();
  const insecure = async (...args: string[]): Promise<string | undefined> =>
    /^oci_insecure = ?(.*)$/m.exec(await provider.made(["make-vars", ...args]))?.[1];
  assert.equal(await insecure(), "--insecure");
  assert.equal(await insecure("oci_url=127.0.0.1:5000/a:1"), "--insecure");
  assert.equal(await insecure("oci_url=ghcr.io/a/b:1"), "");
  assert.equal(await insecure("oci_url=localhost.example.com/a:1"), "");
  assert.equal(await insecure("WASH_REG_USER=someone"), "");
  assert.equal(await insecure("oci_url=ghcr.io/a/b:1", "oci_insecure=--insecure"), "--insecure");
});

test("make clean removes what was built", async () => {
  await using provider = await quick();
  await provider.made(["par"]);
  await provider.write("target/release/left", "");
  await provider.made(["clean"]);
  assert.deepEqual([await provider.has("build"), await provider.has("target")], [false, false]);
});

/** What Makefiles of older providers have after the include. */
const PATTERNS: Readonly<Record<string, string>> = {
  "a test of one colon": "test:\n\t@echo tested\n",
  "a test of two colons": "test::\n\t@echo tested\n",
  "an all and a test of their own": "all: test\n\t@echo all\ntest:\n\t@echo tested\n",
  "an all of two colons, and more to clean":
    "all:: par\n\t@echo tested\nclean::\n\t@echo cleaned\n",
  ".ONESHELL": ".ONESHELL:\n\ntest:\n\t@word=tes\n\techo $${word}ted\n",
};

/** A make of version 3.82 or newer. The older one passes over `.ONESHELL`. */
const ONESHELL: Tool = {
  name: "make 3.82",
  isThere: () => isInstalled("bash", "-c", "make -pf /dev/null | grep -q 'FEATURES.* oneshell'"),
};

for (const [what, lines] of Object.entries(PATTERNS)) {
  const tools = lines.startsWith(".ONESHELL") ? [MAKE, CARGO, ONESHELL] : [MAKE, CARGO];
  testWith(tools, `a Makefile may have ${what} after the include`, async () => {
    await using provider = await quick();
    await provider.write("Makefile", makefile() + lines);
    const goal = lines.startsWith("all") ? "all" : "test";
    const output = await provider.make([goal]);
    assert.equal(output.code, 0, output.stderr);
    assert.match(output.stdout, /tested\n/);
    assert.doesNotMatch(output.stderr, /warning|overriding/);
    await provider.made(["par-full"]);
    assert.match(await provider.made(["inspect"]), /Quick Provider - Provider Archive/);
    assert.deepEqual((await provider.inspected()).targets, [...TARGETS].sort());
    await provider.made(["target-file", "make-vars", "clean"]);
  });
}

test("make start starts the provider with wash", async () => {
  await using provider = await quick();
  assert.equal(
    await provider.made(["-s", "start", "WASH=echo"]),
    "start provider localhost:5000/v2/quick:1.2.3\n",
  );
});

test("hooks see no seeds and no password", async () => {
  await using provider = await quick(`BUILD_${HOST_TARGET} = env >$@`);
  await provider.made(["par"], {
    WASH_REG_PASSWORD: "not for builds",
    PAR_SIGNING_KEY: "not for builds",
  });
  const seen = await contentOf(provider, HOST_TARGET);
  assert.match(seen, /^HOME=/m);
  assert.doesNotMatch(seen, /SEED|_KEY=|PASSWORD|MAKEFLAGS/);
});

test("no goal uses a variable that is not set", async () => {
  await using provider = await quick();
  const goals = ["", "par", "par-full", "insert", "inspect", "verify", "make-vars", "target-path"];
  for (const goal of goals) {
    const output = await provider.make(["--warn-undefined-variables", ...goal ? [goal] : []]);
    assert.equal(output.code, 0, output.stderr);
    assert.doesNotMatch(output.stderr, /undefined variable/, goal);
  }
});

test("make -n changes nothing", async () => {
  await using provider = await quick();
  const printed = await provider.made(["-n", "par-full", "inspect", "push"]);
  assert.match(printed, /build --name 'Quick Provider'/);
  assert.match(printed, / push --insecure /);
  assert.equal(await provider.has("build"), false);
});

test("PAR is an installed par", async () => {
  await using provider = await quick();
  await provider.write(
    "bin/par",
    `#!/bin/sh\nexec "$DENO" run --no-prompt -A --no-config "${ROOT}/cli.ts" "$@"\n`,
    0o755,
  );
  const path = `${provider.folder}/bin:${Deno.env.get("PATH")}`;
  await provider.made(["par"], { PATH: path, PAR: "par" });
  assert.deepEqual((await provider.inspected()).targets, [HOST_TARGET]);
});

test("PAR is the URL of cli.ts, and the folder's own package.json plays no part", async () => {
  await using cache = await temporaryFolder();
  // The modules come from loopback; the npm packages are those that were downloaded before.
  await Deno.symlink(`${await denoDir()}/npm`, `${cache.path}/npm`);
  await using server = serveFolder(ROOT);
  await using provider = await quick();
  await provider.write("package.json", `{"dependencies": {"no-such-package-here": "1.0.0"}}`);
  const env = { PAR: `http://127.0.0.1:${server.addr.port}/cli.ts`, DENO_DIR: cache.path };
  await provider.made(["par"], env);
  assert.match(await provider.made(["inspect"], env), /Quick Provider - Provider Archive/);
});

test("in a checkout, PAR and DENO are the checkout's own", async () => {
  const { stdout } = await runTool("make", ["-C", `${ROOT}/examples/go-provider`, "make-vars"], {
    env: { PATH: Deno.env.get("PATH") ?? "" },
    clearEnv: true,
  });
  assert.match(stdout, /^PAR = \.\.\/\.\.\/cli\.ts$/m);
  assert.match(stdout, /^DENO = \.\.\/\.\.\/scripts\/deno$/m);
});

test("elsewhere, PAR is an installed par", async () => {
  await using provider = await quick();
  const { stdout } = await runTool("make", ["make-vars"], {
    cwd: provider.folder,
    env: { PATH: Deno.env.get("PATH") ?? "" },
    clearEnv: true,
  });
  assert.match(stdout, /^PAR = par$/m);
  assert.match(stdout, /^DENO = deno$/m);
});

// ---- Bad input ---------------------------------------------------------------------------------

/** Each refused for a reason of its own, in a line that names it. */
const REFUSALS: readonly [what: string, args: readonly string[], line: RegExp][] = [
  [
    "a misspelt target",
    ["par-full", "par_targets=x86_64-linus"],
    /Cannot build for "x86_64-linus": no host looks for it/,
  ],
  [
    "a misspelt PREBUILT_ variable",
    ["par-full", "PREBUILT_aarch64-mcos=source.txt"],
    /Cannot build for "aarch64-mcos": no host looks for it/,
  ],
  [
    "a misspelt BUILD_ variable",
    ["par-full", "BUILD_x86-64-linux=cp source.txt $@"],
    /Cannot build for "x86-64-linux": no host looks for it/,
  ],
  [
    "a prebuilt file that is not there",
    ["par-full", `PREBUILT_${AFTER}=no such file`],
    /Cannot read "no such file": there is no such file/,
  ],
  [
    "one target by two names",
    ["par-full", "par_targets=x86_64-unknown-linux-gnu x86_64-unknown-linux-musl"],
    /Cannot build for x86_64-linux twice, as x86_64-unknown-linux-gnu and as .*-musl/,
  ],
  [
    "a target that nothing builds",
    ["par", "par_target0=s390x-linux"],
    /Cannot build for s390x-linux \(s390x-unknown-linux-gnu\): install /,
  ],
  [
    "a hook that fails",
    ["par-full", `BUILD_${AFTER}=echo half >$@; exit 3`],
    new RegExp(`^Cannot build for ${AFTER}: BUILD_${AFTER} failed, or wrote no build/bin/`, "m"),
  ],
  [
    "a hook that writes nothing",
    ["par-full", `BUILD_${AFTER}=true`],
    new RegExp(`^Cannot build for ${AFTER}: .* or wrote no build/bin/${AFTER}/quick$`, "m"),
  ],
  [
    "a par that is not there",
    ["par", "PAR=no-par-here"],
    /\*\*\* Cannot run par: no-par-here is not found; install it, or set PAR or DENO/,
  ],
  [
    "a Deno that is not there",
    ["par", "DENO=no-deno-here"],
    /\*\*\* Cannot run par: no-deno-here is not found; install it, or set PAR or DENO/,
  ],
  ["what par itself refuses", ["par", "REVISION=one"], /Cannot use "one" for --revision/],
];

for (const [what, args, line] of REFUSALS) {
  test(`${what} is refused, and the old archive stays`, async () => {
    await using provider = await quick();
    const refused = async (): Promise<void> => {
      const error = await provider.refused(args);
      assert.equal(error.match(new RegExp(line, "gm"))?.length, 1, error);
    };
    await refused();
    assert.equal(await provider.has(ARCHIVE), false);
    await provider.made(["par-full"]);
    const archive = await provider.read(ARCHIVE);
    await provider.write("source.txt", "second\n");
    await refused();
    assert.deepEqual(await provider.read(ARCHIVE), archive);
    await provider.made(["par-full"]);
  });
}

// ---- The file itself ---------------------------------------------------------------------------

Deno.test("provider.mk keeps to what GNU make 3.81 knows", async () => {
  const text = await Deno.readTextFile(`${ROOT}/examples/provider.mk`);
  const newer: readonly [string, RegExp][] = [
    [".ONESHELL", /^\.ONESHELL/m],
    [".RECIPEPREFIX", /\.RECIPEPREFIX/],
    [".EXTRA_PREREQS", /\.EXTRA_PREREQS/],
    [".NOTINTERMEDIATE", /\.NOTINTERMEDIATE/],
    ["$(file …)", /\$\(file /],
    ["$(guile …)", /\$\(guile /],
    ["$(let …)", /\$\(let /],
    ["$(intcmp …)", /\$\(intcmp /],
    ["undefine", /^undefine /m],
    ["private", /^private |: private /m],
    ["!=", /^[\w-]+ *!=/m],
    ["::=", /^[\w-]+ *:::?=/m],
    ["define with an operator", /^define \S+ *[:+?]?=/m],
    ["grouped targets", /&:/],
    ["load", /^-?load /m],
  ];
  for (const [feature, pattern] of newer) assert.doesNotMatch(text, pattern, feature);
});

Deno.test("provider.mk has at most 150 lines, and no awk", async () => {
  const text = await Deno.readTextFile(`${ROOT}/examples/provider.mk`);
  assert(text.trimEnd().split("\n").length <= 150);
  assert.doesNotMatch(text, /\bawk\b/);
});
