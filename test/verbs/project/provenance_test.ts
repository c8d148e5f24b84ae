import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { checkPredicate, PREDICATE_TYPES } from "../../../lib/signing/mod.ts";
import { CARGO, HOST_TARGET, testWith } from "../../examples/_example.ts";
import { projectOf, type TestProject } from "./_project.ts";

const MANIFEST = '[package]\nname = "my-provider"\nversion = "1.2.3"\nedition = "2021"\n';
const PROVENANCE = "provenance.json";

const project = (): Promise<TestProject> =>
  projectOf({
    "Cargo.toml": MANIFEST,
    "src/main.rs": 'fn main() { println!("one"); }\n',
    ".gitignore": "/target\n/build\n/provenance.json\n",
    "other": "made elsewhere",
  });

async function digestOf(from: TestProject, path: string): Promise<string> {
  return createHash("sha256").update(await from.read(path)).digest("hex");
}

// deno-lint-ignore no-explicit-any -- JSON of many levels
async function provenanceOf(from: TestProject): Promise<any> {
  return JSON.parse(new TextDecoder().decode(await from.read(PROVENANCE)));
}

/** Makes a repository of the project, whose remote has a password in it. */
async function commit(from: TestProject): Promise<string> {
  const git = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await from.run("git", args);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  await git("init", "--quiet");
  await git("remote", "add", "origin", "https://me:secret@git.example/me/my-provider.git");
  await git("add", ".");
  await git(
    ...["-c", "user.name=a", "-c", "user.email=a@example.com"],
    ...["commit", "--quiet", "-m", "one"],
  );
  return await git("rev-parse", "HEAD");
}

testWith(
  [CARGO],
  "build() writes a provenance of what it ran, with what, and what came out",
  async () => {
    await using from = await project();
    await from.build();
    const revision = await commit(from);
    const { path, claims } = await from.build({
      provenance: { path: PROVENANCE, versions: { par: "1" } },
      binaries: [{ source: "other", target: "riscv64-linux" }],
      targets: [HOST_TARGET],
      buildFlags: ["--offline"],
      forceTarget: true,
    });
    const { buildDefinition, runDetails } = await provenanceOf(from);
    assert.equal(buildDefinition.buildType, "urn:x-par:build:v1");
    assert.deepEqual(buildDefinition.externalParameters, {
      targets: [HOST_TARGET],
      buildFlags: ["--offline"],
    });
    const [command, ...others] = buildDefinition.internalParameters.commands;
    assert.match(command, /^cargo build .*--offline/);
    assert.deepEqual(others, []);
    assert.deepEqual(buildDefinition.resolvedDependencies, [
      {
        name: "source",
        uri: "git+https://git.example/me/my-provider.git",
        digest: { gitCommit: revision },
        annotations: { modified: false },
      },
      ...await Promise.all(["Cargo.toml", "Cargo.lock", "other"].map(async (name) => ({
        name,
        digest: { sha256: await digestOf(from, name) },
      }))),
    ]);
    assert.equal(runDetails.builder.id, "urn:x-par:builder:local");
    assert.equal(runDetails.builder.version.par, "1");
    assert.match(runDetails.builder.version.cargo, /^cargo 1\./);
    const { startedOn, finishedOn } = runDetails.metadata;
    assert(Date.parse(startedOn) <= Date.parse(finishedOn));
    assert.deepEqual(runDetails.byproducts, [
      { name: "my-provider.par.gz", digest: { sha256: await digestOf(from, path) } },
      ...Object.entries(claims.wascap.target_hashes ?? {}).map(([name, hash]) => ({
        name,
        digest: { sha256: hash.toLowerCase() },
      })),
    ]);
    assert.equal(runDetails.byproducts.length, 3);

    // It is one that can be signed for this archive, and for no other.
    const bytes = await from.read(PROVENANCE);
    const type = PREDICATE_TYPES["slsa-provenance"];
    const archive = { name: path, digest: `sha256:${await digestOf(from, path)}` };
    checkPredicate(bytes, type, { archive });
    const other = { ...archive, digest: `sha256:${"0".repeat(64)}` };
    assert.throws(() => checkPredicate(bytes, type, { archive: other }), {
      code: "ERR_PREDICATE_MISMATCH",
    });
  },
);

testWith(
  [CARGO],
  "build() says of changed sources, of GitHub and of a time that is fixed",
  async () => {
    await using from = await project();
    await from.build();
    await commit(from);
    await from.write("src/main.rs", 'fn main() { println!("two"); }\n');
    const github = {
      GITHUB_ACTIONS: "true",
      RUNNER_ENVIRONMENT: "github-hosted",
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REPOSITORY: "me/my-provider",
      GITHUB_RUN_ID: "7",
      GITHUB_RUN_ATTEMPT: "2",
    };
    const provenance = { path: PROVENANCE };
    await from.build({ provenance, sourceDateEpoch: 1_700_000_000, env: github });
    const { buildDefinition, runDetails } = await provenanceOf(from);
    assert.deepEqual(buildDefinition.resolvedDependencies[0].annotations, { modified: true });
    assert.equal(runDetails.builder.id, "https://github.com/actions/runner/github-hosted");
    assert.deepEqual(runDetails.metadata, {
      invocationId: "https://github.com/me/my-provider/actions/runs/7/attempts/2",
    });
    const first = await from.read(PROVENANCE);
    await from.build({ provenance, sourceDateEpoch: 1_700_000_000, env: github });
    assert.deepEqual(await from.read(PROVENANCE), first);
    await from.build({ provenance: { ...provenance, builder: "https://ci.example/" } });
    assert.equal((await provenanceOf(from)).runDetails.builder.id, "https://ci.example/");
  },
);

testWith(
  [CARGO],
  "build() writes a provenance without git too, and none where it fails",
  async () => {
    await using from = await project();
    await from.build({ provenance: { path: PROVENANCE } });
    const { buildDefinition } = await provenanceOf(from);
    assert.deepEqual(
      buildDefinition.resolvedDependencies.map(({ name }: { name: string }) => name),
      ["Cargo.toml", "Cargo.lock"],
    );
    await Deno.remove(`${from.folder}/${PROVENANCE}`);
    await from.write("src/main.rs", "no Rust");
    await from.refused({ provenance: { path: PROVENANCE } });
    await assert.rejects(from.read(PROVENANCE), Deno.errors.NotFound);
  },
);

testWith(
  [CARGO],
  "build() writes a provenance with the versions of the programs that built, and of no others",
  async () => {
    await using from = await project();
    await from.write(
      "wasmcloud.toml",
      'language = "rust"\ntype = "provider"\n[rust]\ncargo_path = "./mine"\n',
    );
    const mine = '#!/bin/sh\n[ "$1" = --version ] && { echo mine 9; exit; }\nexec cargo "$@"\n';
    await from.write("mine", mine, 0o755);
    const versions = async (skipBuild: boolean): Promise<Record<string, string>> => {
      await from.build({ skipBuild, provenance: { path: PROVENANCE } });
      return (await provenanceOf(from)).runDetails.builder.version;
    };
    const built = await versions(false);
    assert.equal(built["./mine"], "mine 9");
    assert.deepEqual(Object.keys(built), ["deno", "./mine", "rustc"]);
    assert.deepEqual(Object.keys(await versions(true)), ["deno"]);
  },
);
