import assert from "node:assert/strict";
import { CARGO, CC, HOST_TARGET, testWith } from "../../examples/_example.ts";
import { OTHER_ISSUER } from "../../_keys.ts";
import { create } from "../../../lib/verbs/create.ts";
import { runTool } from "../../_tools.ts";
import { elf, signers } from "../_fixtures.ts";
import { projectOf, type TestProject } from "./_project.ts";

// Projects whose binaries were built before: what lies in the target folder is what is meant.

const ARCHIVE = "build/mine.par.gz";

/** A package whose sources print `source`. */
const project = (): Promise<TestProject> =>
  projectOf({
    "Cargo.toml": '[package]\nname = "mine"\nversion = "1.0.0"\nedition = "2021"\n',
    "src/main.rs": 'fn main() { println!("source"); }\n',
  });

async function hostTriple(): Promise<string> {
  const { stdout } = await runTool("rustc", ["-vV"]);
  return /^host: (.*)$/m.exec(stdout)?.[1] ?? "";
}

/** Puts a program that prints a text where cargo would put it. */
async function place(project: TestProject, path: string, text: string): Promise<void> {
  await project.write("printing.c", `#include <stdio.h>\nint main() { puts("${text}"); }\n`);
  await project.write(path, "");
  const { code, stderr } = await project.run("cc", ["-o", path, "printing.c"]);
  assert.equal(code, 0, stderr);
}

function test(name: string, run: () => Promise<void>): void {
  testWith([CARGO, CC], name, run);
}

const FOREIGN = HOST_TARGET === "aarch64-linux" ? "riscv64" : "aarch64";
const FOREIGN_TRIPLE = `${FOREIGN === "riscv64" ? "riscv64gc" : FOREIGN}-unknown-linux-gnu`;

test("build() without building takes every binary that lies in the target folder", async () => {
  await using it = await project();
  await place(it, "target/release/mine", "prebuilt");
  const before = await it.read("target/release/mine");
  await it.write(`target/${FOREIGN_TRIPLE}/release/mine`, elf(FOREIGN));
  await it.write("target/release/mine.d", "");
  await it.write("target/debug/mine", "no binary");
  const { targets, printed } = await it.build({ skipBuild: true });
  assert.deepEqual(targets, [`${FOREIGN}-linux`, HOST_TARGET].sort());
  assert.equal(await it.output(ARCHIVE), "prebuilt");
  assert.deepEqual(await it.read("target/release/mine"), before);
  assert.doesNotMatch(printed, /Compiling|Finished/);
  assert.equal((await it.build({ skipBuild: true })).upToDate, true);

  await place(it, "other/release/mine", "elsewhere");
  for (const buildFlags of [["--target-dir", "other"], ["--target-dir=other"]]) {
    await it.build({ skipBuild: true, buildFlags });
    assert.equal(await it.output(ARCHIVE), "elsewhere");
  }

  const named = await it.build({ skipBuild: true, targets: [FOREIGN_TRIPLE] });
  assert.deepEqual(named.targets, [`${FOREIGN}-linux`]);
  const all = await it.build({ skipBuild: true, allTargets: true });
  assert.match(all.printed, /^skipped x86_64-windows \(x86_64-pc-windows-gnu\): build it first; /m);
  const { code } = await it.refused({ skipBuild: true, allTargets: true, strict: true });
  assert.equal(code, "ERR_FILE_NOT_FOUND");
});

test("build() without building refuses to choose between two binaries of one target", async () => {
  await using it = await project();
  const host = await hostTriple();
  await place(it, "target/release/mine", "one");
  await place(it, `target/${host}/release/mine`, "two");
  const { code, message } = await it.refused({ skipBuild: true });
  assert.equal(code, "ERR_PROJECT_AMBIGUOUS");
  assert.match(
    message,
    /^Cannot choose between ".*" and ".*": both are for .*give the path of the binary$/,
  );
  const binaries = [{ source: `target/${host}/release/mine`, target: HOST_TARGET }];
  await it.build({ skipBuild: true, binaries });
  assert.equal(await it.output(ARCHIVE), "two");
  await Deno.copyFile(
    `${it.folder}/target/${host}/release/mine`,
    `${it.folder}/target/release/mine`,
  );
  await it.build({ skipBuild: true });
});

test("build() without building says where nothing lies", async () => {
  await using it = await project();
  const { code, message } = await it.refused({ skipBuild: true });
  assert.equal(code, "ERR_FILE_NOT_FOUND");
  assert.match(
    message,
    /^Cannot make an archive: there is no binary in ".*\/target\/release" or in/,
  );
  const one = await it.refused({ skipBuild: true, targets: ["aarch64-linux"] });
  assert.match(
    one.message,
    /^Cannot take the binary for aarch64-linux .*: build it first; there is no "target\/aarch64-unknown-linux-gnu\/release\/mine"/,
  );
});

test("build() without building refuses a binary of another machine than its folder's", async () => {
  await using it = await project();
  await it.write("target/x86_64-pc-windows-gnu/release/mine.exe", elf(FOREIGN));
  const { code } = await it.refused({ skipBuild: true });
  assert.equal(code, "ERR_TARGET_MISMATCH");
});

test("build() takes binaries built elsewhere in place of building for their targets", async () => {
  await using it = await project();
  await it.write("elsewhere/mine", elf(FOREIGN));
  const added = await it.build({ binaries: [{ source: "elsewhere/mine" }] });
  assert.deepEqual(added.targets, [`${FOREIGN}-linux`, HOST_TARGET].sort());
  assert.equal(await it.output(ARCHIVE), "source");

  await place(it, "elsewhere/host", "replaced");
  const own = { source: "elsewhere/host", target: HOST_TARGET };
  const replaced = await it.build({ binaries: [own] });
  assert.doesNotMatch(replaced.printed, /Building/);
  assert.equal(await it.output(ARCHIVE), "replaced");
  assert.equal((await it.build({ binaries: [own], targets: [HOST_TARGET] })).upToDate, true);
  const { code } = await it.refused({ binaries: [own, own] });
  assert.equal(code, "ERR_TARGET_DUPLICATE");
});

test("build() merges archives of the provider made elsewhere, and no others", async () => {
  await using it = await project();
  await it.write("elsewhere/mine", elf(FOREIGN));
  const binaries = [{ source: "elsewhere/mine" }];
  const destination = "parts/foreign.par.gz";
  await it.build({ skipBuild: true, binaries, destination, revision: 2 });
  const part = { archives: [destination], revision: 2 };
  const { targets, claims } = await it.build(part);
  assert.deepEqual(targets, [`${FOREIGN}-linux`, HOST_TARGET].sort());
  assert.equal(claims.wascap.rev, 2);
  assert.equal(await it.output(ARCHIVE), "source");
  assert.equal((await it.build(part)).upToDate, true);

  await it.write("src/main.rs", 'fn main() { println!("newer"); }\n');
  const whole = { ...part, archives: [ARCHIVE] };
  assert.equal((await it.build(whole)).upToDate, true, "what the archive has is not built");
  await it.build({ ...whole, targets: [HOST_TARGET] });
  assert.equal(await it.output(ARCHIVE), "newer", "what is named takes its place");
  await place(it, "elsewhere/host", "given");
  await it.build({ ...whole, binaries: [{ source: "elsewhere/host" }] });
  assert.equal(await it.output(ARCHIVE), "given", "so does a binary that is given");
  const revised = await it.refused({ ...part, revision: 3 });
  assert.equal(revised.code, "ERR_MERGE_CONFLICT");
  assert.match(
    revised.message,
    /the revision of "Cargo\.toml" is 3, and that of "parts\/.*" is 2$/,
  );
  const renamed = await it.refused({ ...part, name: "Other" });
  assert.equal(renamed.code, "ERR_MERGE_CONFLICT");
  const stolen = await it.refused({ ...part, env: { WASH_ISSUER_KEY: OTHER_ISSUER.seed } });
  assert.equal(stolen.code, "ERR_KEY_MISMATCH");
});

test("build() keeps the end of validity of the archives that it takes over", async () => {
  await using it = await project();
  await it.write("elsewhere/mine", elf(FOREIGN));
  const now = Math.floor(Date.now() / 1000);
  const part = `${it.folder}/part.par`;
  await create({
    ...await signers(),
    name: "mine",
    vendor: "NoVendor",
    version: "1.0.0",
    binaries: [{ source: `${it.folder}/elsewhere/mine` }],
    expires: new Date((now + 3600) * 1000),
    destination: part,
  });
  const { claims, upToDate } = await it.build({ archives: ["part.par"] });
  assert.equal(claims.exp, now + 3600);
  assert.equal(upToDate, false);
  assert.equal((await it.build({ archives: ["part.par"] })).upToDate, true);
});
