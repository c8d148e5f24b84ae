import assert from "node:assert/strict";
import { CARGO, copyOf, CROSS, GO, MAKE, testWith } from "./_example.ts";
import { hasDockerRegistry, hasOpenssl, startDockerRegistry } from "../registry/_registry.ts";
import { ISSUER } from "../_keys.ts";
import { isInstalled, ROOT, runTool } from "../_tools.ts";

const WORKFLOW = `${ROOT}/examples/.github/workflows/provider.yml`;
const REGISTRY = { name: "docker-registry", isThere: () => hasDockerRegistry };
const OPENSSL = { name: "openssl", isThere: () => hasOpenssl };
const JQ = { name: "jq", isThere: () => isInstalled("jq") };
const ACTIONLINT = { name: "actionlint", isThere: () => isInstalled("actionlint") };

testWith([ACTIONLINT], "actionlint has nothing to say of the workflow", async () => {
  const { code, stdout, stderr } = await runTool("actionlint", ["-no-color", WORKFLOW]);
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stdout, "");
});

Deno.test("the workflow hands seeds to signing steps alone, through the environment", async () => {
  const text = await Deno.readTextFile(WORKFLOW);
  const steps = text.split(/^ {6}- /m).slice(1);
  for (const step of steps) {
    const [before = "", command = ""] = step.split(/^ {8}run: /m);
    assert.doesNotMatch(command, /secrets\.|\$\{\{/, "nothing is pasted into a command line");
    const isSigning = /^make par/.test(command);
    assert.equal(/secrets\.WASH_(ISSUER|SUBJECT)_KEY/.test(before), isSigning, step);
    assert.equal(
      before.includes("secrets.PAR_SIGNING_KEY"),
      command.startsWith("make push "),
      step,
    );
  }
  assert.equal(steps.filter((step) => step.includes("secrets.WASH_SUBJECT_KEY")).length, 2);
});

/** The least that says of itself what a Mach-O library for a machine is. */
function machO(cpu: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(32));
  [0xfeedfacf, cpu, 0, 6].forEach((word, at) => header.setUint32(4 * at, word, true));
  return new Uint8Array(header.buffer);
}

testWith(
  [MAKE, CARGO, CROSS],
  "the workflow's commands build, merge and verify every target",
  async () => {
    const text = await Deno.readTextFile(WORKFLOW);
    const targets = [...text.matchAll(/^ {10}- target: (\S+)$/gm)].map(([, target]) =>
      target ?? ""
    );
    const commands = [...text.matchAll(/^ {8}run: (make .*)$/gm)].map(([, command]) =>
      command ?? ""
    );
    const [build = "", merge = "", verify = "", push = ""] = commands;
    assert.equal(commands.length, 4);
    assert.match(push, /^make push /);

    await using builder = await copyOf("fakepay-provider");
    await using publisher = await copyOf("fakepay-provider");
    // No compiler for Apple's machines is at hand: what one would have made stands in.
    await builder.write("mac-x86_64", machO(0x01000007));
    await builder.write("mac-aarch64", machO(0x0100000c));
    for (const target of targets) {
      const prebuilt = target.endsWith("darwin")
        ? [`PREBUILT_${target}=mac-${target.split("-")[0]}`]
        : [];
      await run(builder, [build, ...prebuilt.map((it) => `'${it}'`)].join(" "), { TARGET: target });
      const archive = await builder.read(`build/${target}.par.gz`);
      await publisher.write(`build/parts/${target}.par.gz`, archive);
    }
    await run(publisher, merge);
    assert.deepEqual((await publisher.inspected()).targets, [
      ...["aarch64-linux", "aarch64-macos", "arm-linux"],
      ...["x86_64-linux", "x86_64-macos", "x86_64-windows"],
    ]);
    assert.match(
      await run(publisher, verify, { PAR_TRUSTED_ISSUERS: ISSUER.publicKey }),
      /6 binaries have the signed hash/,
    );

    await Deno.remove(`${publisher.folder}/build/parts/x86_64-apple-darwin.par.gz`);
    const { code, stderr } = await publisher.make(["par-full", "STRICT=1"]);
    assert.notEqual(code, 0, "an archive that lacks a target is not published");
    assert.match(stderr, /Cannot build for x86_64-macos/);
  },
);

/** The command of a step, as its shell gets it. */
function commandOf(workflow: string, name: string): string {
  const [, step = ""] = workflow.split(`      - name: ${name}\n`);
  const [, line, block] = /^ {8}run: (?:\|\n((?: {10}.*\n|\n)+)|(.*)\n)/m.exec(step) ?? [];
  const command = line?.replaceAll(/^ {10}/gm, "") ?? block;
  assert(command, `the workflow has no step ${name}`);
  return command;
}

testWith(
  [MAKE, GO, REGISTRY, OPENSSL, JQ],
  "the workflow's last steps push an archive with all that its policy demands",
  async () => {
    const text = await Deno.readTextFile(WORKFLOW);
    await using registry = await startDockerRegistry();
    await using provider = await copyOf("go-provider");
    await provider.made(["par"]);
    const algorithm = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    await provider.run("openssl", "genpkey", ...algorithm, "-out", "key.pem");
    await provider.run("openssl", "pkey", "-in", "key.pem", "-pubout", "-out", "key.pub");
    await provider.write(
      "policy.json",
      JSON.stringify({
        issuers: [{ name: "us", key: ISSUER.publicKey }],
        keys: [{ name: "release", file: "key.pub" }],
        requiredAttestations: [{ type: "cyclonedx" }, { type: "slsa-provenance" }],
        maxAgeDays: 1,
      }),
    );
    // Another program's work.
    await provider.write("sbom.json", '{"bomFormat":"CycloneDX","specVersion":"1.6","version":1}');
    const github = {
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REPOSITORY: "example-corp/fakepay",
      GITHUB_REF: "refs/tags/v1.0.0",
      GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
      GITHUB_WORKFLOW_REF: "example-corp/fakepay/.github/workflows/provider.yml@refs/tags/v1.0.0",
      GITHUB_EVENT_NAME: "push",
      GITHUB_REPOSITORY_ID: "1",
      GITHUB_REPOSITORY_OWNER_ID: "2",
      GITHUB_RUN_ID: "3",
      GITHUB_RUN_ATTEMPT: "1",
      RUNNER_ENVIRONMENT: "github-hosted",
    };
    await run(provider, commandOf(text, "Provenance"), github);
    const { buildDefinition, runDetails } = JSON.parse(
      new TextDecoder().decode(await provider.read("provenance.json")),
    );
    assert.equal(
      buildDefinition.externalParameters.workflow.path,
      ".github/workflows/provider.yml",
    );
    assert.equal(
      runDetails.metadata.invocationId,
      "https://github.com/example-corp/fakepay/actions/runs/3/attempts/1",
    );

    const key = new TextDecoder().decode(await provider.read("key.pem"));
    const env = {
      REFERENCE: `${registry.host}/example-corp/fakepay:v1.0.0`,
      PATH: `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}`,
    };
    const verify = commandOf(text, "Verify what was pushed");
    await run(provider, 'make push oci_url="$REFERENCE"', env);
    const bare = await provider.run(
      ...["env", `PATH=${env.PATH}`, `REFERENCE=${env.REFERENCE}`, "sh", "-c", verify] as const,
    );
    assert.equal(bare.code, 3, bare.stderr);
    assert.match(bare.stdout, /FAILED +bundle signature .*ERR_ATTESTATION_MISSING/);
    await run(provider, commandOf(text, "Push and sign"), { ...env, PAR_SIGNING_KEY: key });
    const printed = await run(provider, verify, env);
    assert.match(printed, /attestation cyclonedx/);
    assert.match(printed, /attestation slsa-provenance/);
  },
);

/** Runs a step's command as the runner does: through a shell, with the step's environment. */
async function run(
  provider: Awaited<ReturnType<typeof copyOf>>,
  command: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const { code, stdout, stderr } = await provider.run("env", ...assignments, "sh", "-c", command);
  assert.equal(code, 0, `${command}\n${stdout}${stderr}`);
  return stdout;
}
