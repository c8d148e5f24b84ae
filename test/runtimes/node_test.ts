import assert from "node:assert/strict";
import { createStream, type CreateStreamOptions, JsonNumber } from "../../mod.ts";
import { bundle } from "../../web/bundle.ts";
import { collect } from "../_bytes.ts";
import { ISSUER, issuerPair, SUBJECT, subjectPair } from "../_keys.ts";
import { isInstalled, ROOT, runTool, temporaryFolder } from "../_tools.ts";
import { elf, MACHINE } from "../web/_binaries.ts";
import { ARCHIVE } from "../signing/_bundles.ts";
import { verdictCases } from "./_verdicts.ts";

const DESCRIPTION = { name: "Fake Payments", vendor: "wasmCloud", capid: "examples:payments" };
const SOURCE_DATE_EPOCH = 1_700_000_000;

Deno.test({
  name: "the module, bundled, creates, inspects, verifies and judges the same in Node (needs Node)",
  ignore: !isInstalled("node"),
}, async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  const binary = elf(MACHINE.aarch64, 3_000_000);
  await Deno.writeFile(`${path}/binary`, binary);
  const inputs = {
    description: DESCRIPTION,
    issuer: ISSUER.seed,
    subject: SUBJECT.seed,
    sourceDateEpoch: SOURCE_DATE_EPOCH,
  };
  await Deno.writeTextFile(`${path}/inputs.json`, JSON.stringify(inputs));
  await Deno.writeFile(`${path}/plain.par`, await archiveOf(binary, false));
  await Deno.writeFile(`${path}/compressed.par.gz`, await archiveOf(binary, true));
  const schema = { minimum: new JsonNumber("0.0"), maximum: 10 };
  await Deno.writeFile(`${path}/numbers.par`, await archiveOf(binary, false, { schema }));
  const cases = { ...await verdictCases(), archive: ARCHIVE };
  await Deno.writeTextFile(`${path}/verdicts.json`, JSON.stringify(cases));
  for (const [name, entry] of [["par", "mod.ts"], ["signing", "lib/signing/mod.ts"]] as const) {
    const module = await bundle(new URL(`../../${entry}`, import.meta.url), {
      platform: "deno",
      format: "esm",
    });
    await Deno.writeTextFile(`${path}/${name}.mjs`, module);
  }

  const output = await runTool(
    "node",
    ["--test", "--test-reporter=tap", `${ROOT}/test/runtimes/module.node.mjs`],
    { env: { PAR_TEST_FOLDER: path, NODE_NO_WARNINGS: "1" } },
  );
  assert.equal(output.code, 0, output.stdout + output.stderr);
  assert.match(output.stdout, /^# pass 15$/m);
  assert.match(output.stdout, /^# fail 0$/m);
});

async function archiveOf(
  binary: Uint8Array<ArrayBuffer>,
  compress: boolean,
  options: Partial<CreateStreamOptions> = {},
): Promise<Uint8Array> {
  const { stream } = await createStream({
    ...DESCRIPTION,
    issuer: await issuerPair(),
    subject: await subjectPair(),
    sourceDateEpoch: SOURCE_DATE_EPOCH,
    binaries: [{ source: binary }],
    compress,
    ...options,
  });
  return await collect(stream);
}
