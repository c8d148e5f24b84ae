import assert from "node:assert/strict";
import { create, type CreateOptions, insert, JsonNumber, ParError } from "../../mod.ts";
import { REQUIRED, sandbox } from "../_cli.ts";
import { temporaryFolder } from "../_tools.ts";
import { listFolder, readContents, richArchive, signers } from "./_fixtures.ts";

/** Options that would make an archive that no strict reader takes, or another one than was meant. */
const UNREADABLE: Readonly<Record<string, Partial<CreateOptions>>> = {
  "an end that is no date": { expires: new Date(NaN) },
  "an end before the epoch": { expires: new Date(-5000) },
  "a beginning that is no date": { notBefore: new Date(NaN) },
  "a beginning before the epoch": { notBefore: new Date(-5000) },
  "a time of issue before the epoch": { sourceDateEpoch: -1 },
  "a time of issue with a fraction": { sourceDateEpoch: 1.5 },
  "a time of issue that is no number": { sourceDateEpoch: NaN },
  "a revision that is too large": { revision: 2 ** 31 },
  "a name with half a surrogate pair": { name: "half \ud83d" },
  "a version with a zero character": { version: "1.0\0" },
  "a schema with a number that is none": { schema: { minimum: NaN } },
  "a schema with a number that is too large": { schema: [new JsonNumber("1e400")] },
  "a schema that names the prototype": { schema: JSON.parse('{ "__proto__": true }') },
  "claims beyond what readers take": { schema: "x".repeat(2 ** 20) },
};

for (const [what, options] of Object.entries(UNREADABLE)) {
  Deno.test(`create() refuses ${what}`, async () => {
    await using folder = await temporaryFolder();
    const error = await create({
      ...await signers(),
      name: "Fake Payments",
      vendor: "wasmCloud",
      binaries: [],
      destination: `${folder.path}/a.par`,
      ...options,
    }).then(() => undefined, (reason) => reason);
    assert(error instanceof ParError, "it made an archive");
    assert.notEqual(error.category, "untrusted");
    assert.match(error.message, /^Cannot /);
    assert.deepEqual(listFolder(folder.path), []);
  });
}

Deno.test("insert() refuses what would make the claims larger than readers take", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const original = await richArchive({
    bend: (payload) => payload["wascap"].config_schema = "x".repeat(784_000),
  });
  await Deno.writeFile(archive, original);
  await readContents(archive);
  const binaries = Array.from({ length: 40 }, (_, i) => ({
    source: new Blob(["x"]),
    target: `${"long".repeat(20)}${i}`,
  }));
  const error = await insert(archive, { ...await signers(), binaries })
    .then(() => undefined, (reason) => reason);
  assert(error instanceof ParError, "it made an archive that cannot be read");
  assert.deepEqual(await Deno.readFile(archive), original);
  assert.deepEqual(listFolder(folder.path), ["a.par"]);
});

Deno.test("par create makes no archive that par inspect refuses", async () => {
  await using s = await sandbox();
  await s.write("one", "1");
  // As deep as a text may be, and deeper in the claims.
  await s.write("schema.json", "[".repeat(127) + "]".repeat(127));
  const cases: [string[], Record<string, string>][] = [
    [["--schema", "schema.json"], {}],
    [[], { SOURCE_DATE_EPOCH: "-5" }],
    [["--expires-in", "1"], { SOURCE_DATE_EPOCH: "-100000" }],
  ];
  for (const [args, env] of cases) {
    const flags = [...REQUIRED, "-b", "arm-linux=one", "--destination", "a.par", ...args];
    const { code, stderr } = await s.create(flags, { env });
    assert(code === 1 || code === 2, `${args} ${JSON.stringify(env)}: ${code} ${stderr}`);
    assert.match(stderr, /\[ERR_[A-Z_]+\]/);
    assert(!(await s.list()).includes("a.par"));
  }
});
