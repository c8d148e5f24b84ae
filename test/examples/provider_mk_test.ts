import assert from "node:assert/strict";
import { HOST_TARGET, MAKE, providerOf, testWith } from "./_example.ts";
import { denoDir } from "../_cli.ts";
import { ISSUER, SUBJECT } from "../_keys.ts";
import { ROOT, runTool, temporaryFolder } from "../_tools.ts";

/** Three targets, this machine's among them but not first. */
const OTHERS = ["aarch64-linux", "x86_64-linux", "x86_64-macos", "aarch64-windows"]
  .filter((target) => target !== HOST_TARGET);
const [BEFORE = "", AFTER = ""] = OTHERS;
const TARGETS = [BEFORE, HOST_TARGET, AFTER];

/** A provider whose builds take no time: each binary is the source and its target's name. */
function makefile(...lines: string[]): string {
  return [
    "PROJECT = quick",
    "CAPABILITY_ID = examples:quick",
    "VENDOR = wasmCloud",
    "NAME = Quick Provider",
    "VERSION = 1.2.3",
    "REVISION = 4",
    `par_targets = ${TARGETS.join(" ")}`,
    "SOURCES = source.txt",
    ...TARGETS.map((target) => `BUILD_${target} = echo "${target}: $$(cat source.txt)" >$@`),
    ...lines,
    "include ../provider.mk",
    "",
  ].join("\n");
}

const quick = (...lines: string[]) =>
  providerOf({ "Makefile": makefile(...lines), "source.txt": "first\n" });

const ARCHIVE = "build/quick.par.gz";

function test(name: string, run: () => Promise<void>): void {
  testWith([MAKE], name, run);
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
  assert.match(printed, /Successfully created archive build\/quick\.par\.gz/);
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
  const printed = await provider.made(["par"]);
  assert.match(printed, /build\/quick\.par\.gz' is up to date/);
  assert.doesNotMatch(printed, /echo|created/);
  assert.deepEqual(await provider.read(ARCHIVE), archive);
});

test("make par-full makes one archive of every target, and does nothing the second time", async () => {
  await using provider = await quick();
  const printed = await provider.made(["par-full"]);
  assert.equal(printed.match(/Successfully/g)?.length, 1);
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
  const printed = await provider.made(["par-full"]);
  assert.deepEqual((await provider.inspected()).targets, [...TARGETS].sort());
  assert.doesNotMatch(printed, /: \$\(cat/, "the binaries were there already");
});

test("this machine's binary comes first, so that par and par-full use the same key file", async () => {
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

test("make par builds again when a source changed, and only then", async () => {
  await using provider = await quick();
  await provider.made(["par-full"]);
  await provider.write("source.txt", "second\n");
  await provider.touch("source.txt");
  await provider.write("unrelated.txt", "");
  const printed = await provider.made(["par-full"]);
  assert.equal(printed.match(/\$\(cat/g)?.length, TARGETS.length);
  assert.equal(await contentOf(provider, AFTER), `${AFTER}: second\n`);
});

test("make par makes the archive anew when a variable changed, without building", async () => {
  await using provider = await quick();
  await provider.made(["par"]);
  const printed = await provider.made(["par", "VERSION=2.0.0", 'NAME=It\'s "new" & 50% off']);
  assert.doesNotMatch(printed, /\$\(cat/);
  const { version, name } = await provider.inspected();
  assert.equal(version, "2.0.0");
  assert.equal(name, `It's "new" & 50% off`);
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
  await provider.touch("source.txt");
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

test("make insert puts this machine's target into the archive that is there", async () => {
  await using provider = await quick();
  await provider.made(["par-full", `par_targets=${AFTER}`]);
  assert.deepEqual((await provider.inspected()).targets, [AFTER]);
  await provider.made(["insert"]);
  assert.deepEqual((await provider.inspected()).targets, [AFTER, HOST_TARGET].sort());
  await provider.made(["insert", `insert_targets=${BEFORE}`]);
  assert.deepEqual((await provider.inspected()).targets, [...TARGETS].sort());
  assert.match(await provider.made(["verify"]), /3 binaries/);
});

test("make insert without an archive says so", async () => {
  await using provider = await quick();
  assert.match(
    await provider.refused(["insert"]),
    /^Cannot insert: there is no build\/quick\.par\.gz; run make par, or set dest_par$/m,
  );
  assert.equal(await provider.has(ARCHIVE), false);
});

test("archives in build/parts are merged in, and their targets are not built", async () => {
  await using elsewhere = await quick();
  await elsewhere.made(["par-full", `par_targets=${AFTER}`]);
  await using provider = await quick();
  await provider.write("source.txt", "ours\n");
  await provider.write(`build/parts/${AFTER}.par.gz`, await elsewhere.read(ARCHIVE));
  const printed = await provider.made(["par-full", "STRICT=1"]);
  assert.match(printed, /Successfully merged 2 archives/);
  assert.deepEqual((await provider.inspected()).targets, [...TARGETS].sort());
  assert.equal(await contentOf(provider, AFTER), `${AFTER}: first\n`);
  assert.equal(await contentOf(provider, HOST_TARGET), `${HOST_TARGET}: ours\n`);
  assert.match(await provider.made(["par-full"]), /is up to date/);
});

test("archives in build/parts suffice where nothing is left to build", async () => {
  await using provider = await quick();
  for (const target of TARGETS) {
    await provider.made(["par", `par_target0=${target}`, `dest_par=build/parts/${target}.par`]);
  }
  await Deno.remove(`${provider.folder}/build/bin`, { recursive: true });
  assert.doesNotMatch(await provider.made(["par-full"]), /\$\(cat/);
  assert.deepEqual((await provider.inspected()).targets, [...TARGETS].sort());
});

test("a file in build/parts that is no archive is refused by name", async () => {
  await using provider = await quick();
  await provider.made(["par-full"]);
  const archive = await provider.read(ARCHIVE);
  await provider.write("build/parts/broken.par", "nothing");
  assert.match(
    await provider.refused(["par-full"]),
    /Cannot merge build\/parts\/broken\.par: par inspect finds no target in it/,
  );
  await Deno.remove(`${provider.folder}/build/parts/broken.par`);
  await provider.write("build/parts/with space.par", archive);
  assert.match(
    await provider.refused(["par-full"]),
    /Cannot merge the archives in build\/parts: rename those with a space in their name/,
  );
  assert.deepEqual(await provider.read(ARCHIVE), archive);
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
  await provider.touch("from the mac/it.bin");
  assert.match(await provider.made(["par-full", ...variables]), /created/);
});

test("PAR_DEPS makes the archive anew when a file that a flag names changed", async () => {
  await using provider = await quick(
    "PAR_CREATE_FLAGS = --schema link.json",
    "PAR_DEPS = link.json",
  );
  await provider.write("link.json", `{"type": "object"}`);
  await provider.made(["par"]);
  assert.match(await provider.made(["par"]), /is up to date/);
  await provider.touch("link.json");
  assert.match(await provider.made(["par"]), /created/);
});

test("a destination without .gz is not compressed", async () => {
  await using provider = await quick();
  await provider.made(["par", "dest_par=out/plain.par"]);
  const archive = await provider.read("out/plain.par");
  assert.equal(new TextDecoder().decode(archive.subarray(0, 10)), "claims.jwt");
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

test("target-path, target-path-abs and target-file print where the archive is", async () => {
  await using provider = await quick();
  assert.equal(await provider.made(["target-path"]), `${ARCHIVE}\n`);
  assert.equal(await provider.made(["target-path-abs"]), `${provider.folder}/${ARCHIVE}\n`);
  assert.equal(await provider.made(["target-file"]), "quick.par.gz\n");
  assert.equal(await provider.made(["target-path-abs", "dest_par=/a/b.par"]), "/a/b.par\n");
});

test("make-vars prints what is in force", async () => {
  await using provider = await quick();
  const printed = await provider.made(["make-vars", "REVISION=9"]);
  assert.match(printed, /^NAME = Quick Provider$/m);
  assert.match(printed, /^REVISION = 9$/m);
  assert.match(printed, /^oci_url = localhost:5000\/v2\/quick:1\.2\.3$/m);
  assert.match(printed, new RegExp(`^par_target0 = ${HOST_TARGET}$`, "m"));
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

test("make build and release build this machine's binary; make clean removes what was made", async () => {
  await using provider = await quick();
  for (const goal of ["build", "release"]) {
    await provider.made([goal]);
    assert(await provider.has(`build/bin/${HOST_TARGET}/quick`));
    assert.equal(await provider.has(ARCHIVE), false);
    await provider.made(["clean"]);
    assert.equal(await provider.has("build"), false);
  }
});

test("a Makefile adds to test, build and clean with double colons", async () => {
  await using provider = await quick();
  await provider.write(
    "Makefile",
    makefile() + "test::\n\t@echo tested\nclean::\n\t@echo cleaned\n",
  );
  assert.equal(await provider.made(["test"]), "tested\n");
  assert.match(await provider.made(["clean"]), /cleaned/);
});

test("make start starts the provider with wash", async () => {
  await using provider = await quick();
  assert.equal(
    await provider.made(["-s", "start", "WASH=echo"]),
    "start provider localhost:5000/v2/quick:1.2.3\n",
  );
});

test("builds see no seeds and no password", async () => {
  await using provider = await quick(`BUILD_${HOST_TARGET} = env >$@`);
  await provider.made(["par"], { WASH_REG_PASSWORD: "not for builds" });
  const seen = await contentOf(provider, HOST_TARGET);
  assert.match(seen, /^HOME=/m);
  assert.doesNotMatch(seen, /SEED|_KEY=|PASSWORD|MAKEFLAGS/);
});

test("no goal uses a variable that is not set", async () => {
  await using provider = await quick();
  const goals = [
    "",
    "par",
    "par-full",
    "insert",
    "inspect",
    "verify",
    "make-vars",
    "build",
    "test",
  ];
  for (const goal of goals) {
    const output = await provider.make([
      "--warn-undefined-variables",
      ...goal ? [goal] : [],
    ]);
    assert.equal(output.code, 0, output.stderr);
    assert.doesNotMatch(output.stderr, /warning/, goal);
  }
});

test("make -n changes nothing", async () => {
  await using provider = await quick();
  const printed = await provider.made(["-n", "par-full", "inspect"]);
  assert.match(printed, /create --name 'Quick Provider'/);
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
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const body = await Deno.readFile(ROOT + new URL(request.url).pathname).catch(() => null);
      return body
        ? new Response(body, { headers: { "content-type": "text/plain" } })
        : new Response("no such file", { status: 404 });
    },
  );
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

/** Each refused for a reason of its own, in one line that names it. */
const REFUSALS: readonly [what: string, args: readonly string[], line: RegExp][] = [
  [
    "a misspelt target",
    ["par-full", "par_targets=x86_64-linus"],
    /\*\*\* Cannot use target x86_64-linus: .*ARCH_LOOKUP_x86_64-linus/,
  ],
  [
    "a misspelt PREBUILT_ variable",
    ["par-full", "PREBUILT_aarch64-mcos=source.txt"],
    /\*\*\* Cannot use PREBUILT_aarch64-mcos: /,
  ],
  [
    "a misspelt BUILD_ variable",
    ["par", "BUILD_x86-64-linux=true"],
    /\*\*\* Cannot use BUILD_x86-64-linux: /,
  ],
  [
    "a prebuilt file that is not there",
    ["par-full", `PREBUILT_${AFTER}=no such file`],
    new RegExp(`\\*\\*\\* Cannot use PREBUILT_${AFTER}: there is no file no such file`),
  ],
  [
    "one target by two names",
    ["par-full", "par_targets=x86_64-unknown-linux-gnu x86_64-unknown-linux-musl"],
    /\*\*\* Cannot bundle x86_64-linux twice: .*-gnu\s+x86_64-unknown-linux-musl/,
  ],
  [
    "a target that nothing builds",
    ["par-full", "par_targets=s390x-linux"],
    /\*\*\* Cannot build s390x-linux: there is no Cargo\.toml; set BUILD_s390x-linux/,
  ],
  ["no CAPABILITY_ID", ["par", "CAPABILITY_ID="], /\*\*\* Cannot make an archive: CAPABILITY_ID /],
  ["no VENDOR", ["par-full", "VENDOR="], /\*\*\* Cannot make an archive: VENDOR is not set/],
  ["no VERSION", ["par", "VERSION="], /\*\*\* Cannot make an archive: VERSION is not set/],
  [
    "a build that fails",
    ["par-full", `BUILD_${AFTER}=echo half >$@; exit 3`],
    new RegExp(`^Cannot build ${AFTER}: BUILD_${AFTER} failed, as it says above$`, "m"),
  ],
  [
    "a build that writes nothing",
    ["par-full", `BUILD_${AFTER}=true`],
    new RegExp(`^Cannot build ${AFTER}: BUILD_${AFTER} wrote no build/bin/${AFTER}/quick`, "m"),
  ],
  ["a par that is not there", ["par", "PAR=no-par-here"], /\*\*\* Cannot find par \(no-par-here\)/],
  [
    "a Deno that is not there",
    ["par", "DENO=no-deno-here"],
    /\*\*\* Cannot run .*cli\.ts: no-deno-here is not found; install Deno/,
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
    await provider.touch("source.txt");
    await refused();
    assert.deepEqual(await provider.read(ARCHIVE), archive);
    await provider.made(["par-full"]);
  });
}

test("a build that fails leaves no binary that a later run would take", async () => {
  await using provider = await quick();
  await provider.refused(["par", `BUILD_${HOST_TARGET}=echo half >$@; exit 3`]);
  assert.equal(await provider.has(`build/bin/${HOST_TARGET}/quick`), false);
});

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
