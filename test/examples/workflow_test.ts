import assert from "node:assert/strict";
import { CARGO, copyOf, CROSS, MAKE, testWith } from "./_example.ts";
import { ISSUER } from "../_keys.ts";
import { isInstalled, ROOT, runTool } from "../_tools.ts";

const WORKFLOW = `${ROOT}/examples/.github/workflows/provider.yml`;
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
