import assert from "node:assert/strict";
import {
  CARGO,
  expectedHeader,
  GO,
  headerOf,
  HOST_TARGET,
  testWith,
} from "../../examples/_example.ts";
import { ISSUER } from "../../_keys.ts";
import { readContents } from "../_fixtures.ts";
import { projectOf, type TestProject } from "./_project.ts";

const printing = (text: string): string =>
  `package main\n\nimport "os"\n\nfunc main() { os.Stdout.WriteString("${text}\\n") }\n`;

const MODULE = "module example.com/providers/gopher/v2\n\ngo 1.19\n";
const ARCHIVE = "build/gopher.par.gz";

const project = (more: Record<string, string> = {}): Promise<TestProject> =>
  projectOf({ "go.mod": MODULE, "main.go": printing("one"), ...more });

function test(name: string, run: () => Promise<void>): void {
  testWith([GO], name, run);
}

test("build() builds a Go module, named as go build names it", async () => {
  await using it = await project();
  const { claims, path, targets, printed } = await it.build();
  assert.deepEqual([path, targets, claims.wascap.name], [ARCHIVE, [HOST_TARGET], "gopher"]);
  assert.match(printed, /^Found gopher in go\.mod$/m);
  assert.equal(await it.output(ARCHIVE), "one");
  assert.equal((await it.build()).upToDate, true);
  await it.write("main.go", printing("two"));
  await it.build({ env: { GOOS: "windows", GOARCH: "arm64" } });
  assert.equal(await it.output(ARCHIVE), "two");
});

test("build() takes what wasmcloud.toml says of a Go module, and generates sources first", async () => {
  await using it = await project({
    "wasmcloud.toml":
      'name = "Gopher"\nversion = "0.2.0"\nlanguage = "golang"\ntype = "provider"\n[provider]\nvendor = "Acme"\nbin_name = "burrow"\n',
    "main.go": "//go:generate go run ./gen\n" + printing("made").replace('"made\\n"', "made"),
    "gen/main.go": 'package main\n\nimport "os"\n\nfunc main() {\n\tprintln("generating")\n' +
      '\tos.WriteFile("made.go", []byte("package main\\n\\nconst made = \\"made\\"\\n"), 0o644)\n' +
      '\tos.WriteFile("seen.txt", []byte(os.Getenv("WASH_ISSUER_KEY")+os.Getenv("GOOS")), 0o644)\n}\n',
  });
  const { claims, path } = await it.build({ env: { GOOS: "windows" } });
  const { target_hashes: _, ...wascap } = claims.wascap;
  assert.deepEqual(wascap, { name: "Gopher", vendor: "Acme", ver: "0.2.0" });
  assert.equal(path, "build/burrow.par.gz");
  assert.equal(await it.output(path), "made");
  const seen = new TextDecoder().decode(await it.read("seen.txt"));
  assert(!seen.includes(ISSUER.seed));

  const toml = new TextDecoder().decode(await it.read("wasmcloud.toml"));
  await it.write("wasmcloud.toml", `${toml}[go]\ndisable_go_generate = true\n`);
  assert.doesNotMatch((await it.build()).printed, /generating/);
});

test("build() builds a Go module for every usual target, with flags for go build", async () => {
  await using it = await project();
  await it.write("main.go", printing("x").replace('"x\\n"', "text") + '\nvar text = "default"\n');
  const { targets, skipped, printed } = await it.build({
    allTargets: true,
    buildFlags: ["-ldflags", "-X main.text=linked"],
  });
  assert.deepEqual(targets, [
    ...["aarch64-linux", "aarch64-macos", "arm-linux"],
    ...["x86_64-linux", "x86_64-macos", "x86_64-windows"],
  ]);
  assert.deepEqual(skipped, []);
  assert.match(printed, /^Building for arm-linux: GOOS=linux GOARCH=arm go build -trimpath /m);
  const { bytes } = await readContents(`${it.folder}/${ARCHIVE}`);
  for (const target of targets) {
    assert.equal(headerOf(bytes[target] ?? new Uint8Array()), expectedHeader(target));
  }
  assert.equal(await it.output(ARCHIVE), "linked");
  const lying = await it.build({ skipBuild: true });
  assert.deepEqual([lying.targets, lying.upToDate], [targets, true]);
});

test("build() chooses among the programs of a Go module", async () => {
  await using it = await projectOf({
    "go.mod": MODULE,
    "lib.go": "package lib\n",
    "cmd/one/main.go": printing("one"),
  });
  const only = await it.build();
  assert.equal(only.path, "build/one.par.gz");
  await it.write("cmd/two/main.go", printing("two"));
  const { code, message } = await it.refused();
  assert.equal(code, "ERR_PROJECT_AMBIGUOUS");
  assert.match(message, /"go\.mod" has the programs one, two; choose one$/);
  const { path } = await it.build({ bin: "two" });
  assert.equal(await it.output(path), "two");

  await it.write("main.go", printing("root"));
  await Deno.remove(`${it.folder}/lib.go`);
  assert.equal(await it.output((await it.build()).path), "root");
  const misspelt = await it.refused({ bin: "tow" });
  assert.equal(misspelt.code, "ERR_PROJECT_AMBIGUOUS");
  assert.match(misspelt.message, /has the programs gopher, one, two; choose one, or name the one/);
  await it.write(
    "wasmcloud.toml",
    'language = "go"\ntype = "provider"\n[provider]\nbin_name = "called"\n',
  );
  const called = await it.build();
  assert.equal(called.path, "build/called.par.gz");
  assert.equal(await it.output(called.path), "root");
  await it.write("tools/two/main.go", printing("another two"));
  const twice = await it.refused({ bin: "two" });
  assert.equal(twice.code, "ERR_PROJECT_AMBIGUOUS");
  assert.match(twice.message, /\/cmd\/two, .*\/tools\/two; rename one$/);
  for (const path of ["wasmcloud.toml", "main.go", "tools"]) {
    await Deno.remove(`${it.folder}/${path}`, { recursive: true });
  }
  await Deno.remove(`${it.folder}/cmd`, { recursive: true });
  assert.match((await it.refused()).message, /it has no package main$/);
});

test("build() leaves the archive when Go fails", async () => {
  await using it = await project();
  await it.build();
  const archive = await it.read(ARCHIVE);
  await it.write("main.go", "package main\n\nfunc main() { nothing() }\n");
  const { code, message, printed } = await it.refused();
  assert.equal(code, "ERR_BUILD_FAILED");
  assert.equal(message, `Cannot build for ${HOST_TARGET}: go build failed, as it says above`);
  assert.match(printed, /undefined: nothing/);
  assert.deepEqual(await it.read(ARCHIVE), archive);
  const { code: unknown } = await it.refused({ targets: ["s390x-windows"] });
  assert.equal(unknown, "ERR_BUILD_TOOL_MISSING");
});

testWith([CARGO, GO], "build() takes Cargo.toml where a go.mod is there too", async () => {
  await using it = await project({
    "Cargo.toml": '[package]\nname = "rusty"\nversion = "1.0.0"\nedition = "2021"\n',
    "src/main.rs": 'fn main() { println!("rust"); }\n',
  });
  const { path } = await it.build();
  assert.equal(await it.output(path), "rust");
});
