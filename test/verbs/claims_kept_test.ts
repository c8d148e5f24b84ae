import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { create, insert, inspect, JsonNumber, merge, remove } from "../../mod.ts";
import { archiveOf, payloadFor, signToken } from "../_archive.ts";
import { FIXED_KEYS, sandbox } from "../_cli.ts";
import { temporaryFolder } from "../_tools.ts";
import { assertFails, signers } from "./_fixtures.ts";

/** Numbers that JavaScript would write otherwise, in a schema. */
const SCHEMA = '{"minimum":0.0,"maximum":12345678901234567890,"multipleOf":0.1000,' +
  '"enum":[1e3,-0,1E-2,5,9007199254740993,1e-400],"x":{"default":1.0}}';

/** An archive with such numbers in its schema, and in members that nobody knows. */
async function numbersArchive(target: string, schema = SCHEMA): Promise<Uint8Array<ArrayBuffer>> {
  const binaries = { [target]: `a binary for ${target}` };
  const text = JSON.stringify(payloadFor(binaries))
    .replace('"vendor"', () => `"mood":[2.50],"config_schema":${schema},"vendor"`)
    .replace('"jti"', () => '"exp":9007199254740991,"origin":{"at":1.0},"jti"');
  return await archiveOf({ binaries, token: await signToken(text) });
}

/** The payload of an archive, as it is written. */
async function payloadOf(archive: string): Promise<string> {
  const { token } = await inspect(archive);
  return Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
}

function assertKept(payload: string): void {
  for (const piece of [`"config_schema":${SCHEMA}`, '"mood":[2.50]', '"origin":{"at":1.0}']) {
    assert(payload.includes(piece), `${piece} in ${payload}`);
  }
  assert(payload.startsWith('{"exp":9007199254740991,'), payload);
}

Deno.test("insert(), remove() and merge() keep every number as it is written", async () => {
  await using folder = await temporaryFolder();
  const [first, second] = [`${folder.path}/a.par`, `${folder.path}/b.par`];
  await Deno.writeFile(first, await numbersArchive("x86_64-linux"));
  await Deno.writeFile(second, await numbersArchive("x86_64-macos"));
  const keys = await signers();
  const binaries = [{ source: new Blob(["x"]), target: "arm-linux" }];
  await insert(first, { ...keys, binaries });
  assertKept(await payloadOf(first));
  await remove(first, { ...keys, targets: ["arm-linux"] });
  assertKept(await payloadOf(first));
  const destination = `${folder.path}/all.par`;
  await merge([first, second], { ...keys, destination });
  assertKept(await payloadOf(destination));
});

Deno.test("inspect() gives numbers as they are written, and JSON.stringify() writes them so", async () => {
  const { claims } = await inspect(await numbersArchive("x86_64-linux"));
  const schema = claims.wascap.config_schema as Record<string, unknown>;
  assert.deepEqual(schema["minimum"], new JsonNumber("0.0"));
  assert.deepEqual((schema["enum"] as unknown[])[3], 5);
  assert.equal(JSON.stringify(schema), SCHEMA);
  // What a validator wants: JavaScript's numbers.
  assert.equal(JSON.parse(JSON.stringify(schema)).minimum, 0);
});

Deno.test("create() takes numbers as they are to be written", async () => {
  await using folder = await temporaryFolder();
  const destination = `${folder.path}/a.par`;
  const schema = { minimum: new JsonNumber("0.0"), maximum: 10, x: [new JsonNumber("1e3")] };
  const named = { name: "Fake Payments", vendor: "wasmCloud", binaries: [], destination };
  const make = async (epoch?: number): Promise<string> => {
    await create({ ...await signers(), ...named, schema, sourceDateEpoch: epoch });
    return await payloadOf(destination);
  };
  assert.match(await make(), /"config_schema":\{"minimum":0\.0,"maximum":10,"x":\[1e3\]\}/);
  assert.equal(await make(1_700_000_000), await make(1_700_000_000));
});

Deno.test("merge() compares schemas by what they say, each digit included", async () => {
  await using folder = await temporaryFolder();
  const [first, second] = [`${folder.path}/a.par`, `${folder.path}/b.par`];
  const compare = async (one: string, other: string): Promise<void> => {
    await Deno.writeFile(first, await numbersArchive("x86_64-linux", one));
    await Deno.writeFile(second, await numbersArchive("x86_64-macos", other));
    await merge([first, second], { ...await signers(), destination: `${folder.path}/all.par` });
  };
  for (
    const [one, other] of [
      ['{"a":1.0,"b":[{"c":1,"d":2}],"2":0,"1":0}', '{"1":0,"2":0,"b":[{"d":2,"c":1}],"a":1.0}'],
      ['{ "a" : "\\u00e9" }', '{"a":"é"}'],
      ["false", "false"],
    ] as const
  ) await compare(one, other);
  for (
    const [one, other] of [
      ["1.0", "1"],
      ['{"a":12345678901234567890}', '{"a":12345678901234567891}'],
      ['{"a":1e3}', '{"a":1000}'],
      ["[1,2]", "[2,1]"],
      ['{"text":"1.0"}', "1.0"],
      ['"1.0"', "1.0"],
      ["[0]", '{"0":0}'],
      ["false", '{"not":{}}'],
    ] as const
  ) await assertFails(compare(one, other), "ERR_MERGE_CONFLICT", "schema");
});

Deno.test("par create keeps a schema's numbers, and par inspect shows them", async () => {
  await using s = await sandbox();
  await s.write("lib", "x");
  await s.write("schema.json", ` ${SCHEMA.replaceAll(":", " :\n")}\n`);
  const flags = ["-b", "arm-linux=lib", "-j", "schema.json", "--destination", "a.par"];
  assert.equal((await s.create(flags)).code, 0);
  const { stdout } = await s.run(["inspect", "a.par", "-o", "json"]);
  for (const name of ["schema", "config_schema"]) {
    assert(stdout.replace(/\s+/g, "").includes(`"${name}":${SCHEMA}`), stdout);
  }
});

Deno.test("par create refuses a schema that readers could read in two ways", async () => {
  await using s = await sandbox();
  await s.write("lib", "x");
  const flags = ["-b", "arm-linux=lib", "-j", "schema.json", "--destination", "a.par"];
  const cases: [string | Uint8Array<ArrayBuffer>, RegExp][] = [
    ['{\n  "type": "object",\n  "type": "string"\n}', /"type" appears twice \(line 3, column 3\)/],
    ['{"a":{"b":1,"\\u0062":1}}', /"b" appears twice/],
    ["\ufefftrue", /begins with a byte order mark/],
    [Uint8Array.of(0x22, 0xff, 0x22), /is not UTF-8/],
    ['"\\ud800"', /half a surrogate pair/],
    ["[1e400]", /1e400 is out of the range/],
    ["[".repeat(128) + "]".repeat(128), /nested deeper/],
    ["{}\n{}", /is not JSON \(line 2, column 1\)/],
    ["", /ends too early/],
  ];
  for (const [schema, reason] of cases) {
    await s.write("schema.json", schema);
    const { code, stderr } = await s.create(flags);
    assert.equal(code, 1, stderr);
    assert.match(stderr, reason);
    assert.match(stderr, /Cannot use "schema\.json" as the schema: .*\[ERR_SCHEMA_INVALID\]/);
    assert.deepEqual((await s.list()).sort(), ["lib", "schema.json"]);
  }
});

Deno.test("par insert and par merge keep numbers as they are written", async () => {
  await using s = await sandbox();
  await s.write("lib", "x");
  await s.write("a.par", await numbersArchive("x86_64-linux"));
  await s.write("b.par", await numbersArchive("x86_64-macos"));
  const insertion = await s.run(["insert", "a.par", "-b", "arm-linux=lib", ...FIXED_KEYS]);
  assert.equal(insertion.code, 0, insertion.stderr);
  const merging = ["merge", "a.par", "b.par", "--destination", "all.par", ...FIXED_KEYS];
  const { code, stderr } = await s.run(merging);
  assert.equal(code, 0, stderr);
  for (const name of ["a.par", "all.par"]) assertKept(await payloadOf(`${s.folder}/${name}`));
});
