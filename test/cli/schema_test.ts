import assert from "node:assert/strict";
import { Ajv2020 as Ajv, type AnySchemaObject } from "npm:ajv@8.20.0/dist/2020.js";
import { VERBS } from "../../lib/cli/verbs.ts";
import { denoFlags } from "../../scripts/par.ts";
import { type Sandbox, sandbox } from "../_cli.ts";
import { elf } from "../_executable.ts";
import { ISSUER, OTHER_ISSUER, SUBJECT } from "../_keys.ts";
import { type Output, ROOT, runTool } from "../_tools.ts";
import { WIT_BYTES } from "../_wit.ts";
import { testWith, type Tool } from "../examples/_example.ts";
import { hasDockerRegistry, startDockerRegistry } from "../registry/_registry.ts";

const SCHEMAS = `${ROOT}/docs/schema`;

const REGISTRY: Tool = { name: "docker-registry", isThere: () => hasDockerRegistry };

/** Verbs whose results are texts for other programs already. */
const WITHOUT_JSON = ["completions"];

async function readSchema(name: string): Promise<AnySchemaObject> {
  return JSON.parse(await Deno.readTextFile(`${SCHEMAS}/${name}.json`));
}

async function schemaNames(): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(SCHEMAS), ({ name }) => name);
  return names.map((name) => name.replace(/\.json$/, "")).sort();
}

/** Schemas let keys through that they do not know; here, an object has those that they list alone. */
function close(schema: unknown): void {
  if (typeof schema !== "object" || schema === null) return;
  if ("properties" in schema) {
    (schema as AnySchemaObject)["additionalProperties"] ??= false;
  }
  Object.values(schema).forEach(close);
}

/** Checks what verbs print, against closed schemas. */
async function openChecker(): Promise<(name: string, output: Output) => Record<string, unknown>> {
  const options = { strict: true, strictRequired: false, allErrors: true };
  const [ajv, open] = [new Ajv(options), new Ajv(options)];
  for (const name of await schemaNames()) {
    const schema = await readSchema(name);
    open.addSchema(structuredClone(schema));
    close(schema);
    ajv.addSchema(schema);
  }
  return (name, { stdout, stderr }) => {
    const validate = ajv.getSchema(`${name}.json`);
    assert(validate, `docs/schema has no ${name}.json`);
    assert.notEqual(stdout, "", stderr);
    const value = JSON.parse(stdout);
    const reasons = ajv.errorsText(validate(value) ? [] : validate.errors, { separator: "\n" });
    assert(validate(value), `${stdout}${reasons}`);
    assert(open.validate(`${name}.json`, value), `${stdout}${open.errorsText()}`);
    return value;
  };
}

/** Words of a command line that ask for JSON. */
const JSON_OUTPUT = ["-o", "json"];

Deno.test("docs/schema has a valid schema for each verb, for failures and policies, and no other", async () => {
  const verbs = Object.keys(VERBS).filter((verb) => !WITHOUT_JSON.includes(verb))
    .flatMap((verb) => verb === "keys" ? ["keys-gen", "keys-list", "keys-get"] : [verb]);
  assert.deepEqual(await schemaNames(), [...verbs, "failure", "policy"].sort());
  for (const name of await schemaNames()) {
    const { $id, $schema } = await readSchema(name);
    assert.equal($id, `${name}.json`);
    assert.equal($schema, "https://json-schema.org/draft/2020-12/schema");
  }
});

Deno.test("every verb's failure is the object that docs/schema describes", async () => {
  await using box = await sandbox();
  const check = await openChecker();
  await box.write("x.nk", "no seed");
  await Deno.mkdir(box.keys, { recursive: true });
  await Deno.writeTextFile(`${box.keys}/kevin_account.nk`, ISSUER.seed);
  const failures: Readonly<Record<string, readonly (readonly [readonly string[], string])[]>> = {
    create: [
      [["-n", "a", "-v", "b", "-b", "none.so"], "ERR_FILE_NOT_FOUND"],
      [["-n", "a"], "ERR_USAGE"],
    ],
    insert: [[["none.par", "-b", "none.so"], "ERR_FILE_NOT_FOUND"]],
    remove: [[["none.par", "-a", "x86_64-linux"], "ERR_FILE_NOT_FOUND"]],
    merge: [[["none.par", "--destination", "a.par"], "ERR_FILE_NOT_FOUND"]],
    extract: [[["none.par"], "ERR_FILE_NOT_FOUND"]],
    inspect: [[["none.par"], "ERR_FILE_NOT_FOUND"], [["--wit"], "ERR_USAGE"]],
    verify: [[["none.par"], "ERR_FILE_NOT_FOUND"]],
    diff: [[["none.par", "none.par"], "ERR_FILE_NOT_FOUND"]],
    sign: [
      [["none.par"], "ERR_FILE_NOT_FOUND"],
      [["none.par", "--key", "x.nk"], "ERR_KEY_INVALID"],
    ],
    attest: [
      [["none.par", "--type", "sbom", "--predicate", "x.nk"], "ERR_OPTION_INVALID"],
      [["none.par", "--type", "spdx"], "ERR_USAGE"],
    ],
    attachments: [
      [["none.par"], "ERR_FILE_NOT_FOUND"],
      [["none.par", "--get", "x"], "ERR_REFERENCE_INVALID"],
      [["none.par", "--get", "0".repeat(64)], "ERR_USAGE"],
    ],
    push: [[["a b/c:1", "none.par"], "ERR_REFERENCE_INVALID"]],
    pull: [[["example.com/c:latest"], "ERR_REFERENCE_LATEST"]],
    copy: [[["example.com/c:1", "kv:1"], "ERR_REFERENCE_INVALID"]],
    list: [[["oci:none"], "ERR_REGISTRY_NOT_FOUND"]],
    login: [[["h.example"], "ERR_USAGE"], [
      ["a/b", "-u", "me", "-p", "x"],
      "ERR_REFERENCE_INVALID",
    ]],
    logout: [[["a/b"], "ERR_REFERENCE_INVALID"]],
    doctor: [[["a/b", "-q", "x"], "ERR_USAGE"]],
    "keys gen": [[["kind"], "ERR_OPTION_INVALID"]],
    "keys list": [[["-d", "x.nk"], "ERR_FILE_UNREADABLE"]],
    "keys get": [[["none"], "ERR_FILE_NOT_FOUND"]],
  };
  for (const [verb, cases] of Object.entries(failures)) {
    for (const [args, code] of cases) {
      const output = await box.run([...verb.split(" "), ...args, ...JSON_OUTPUT]);
      const { success, error } = check(verb.replace(" ", "-"), output);
      assert.equal(success, false);
      assert.equal((error as { code: string }).code, code, verb);
      assert.notEqual(output.code, 0);
    }
  }
});

/** A sandbox with two binaries and an archive of the first. */
async function archiveBox(): Promise<Sandbox> {
  const box = await sandbox();
  await box.write("linux.so", elf({ machine: 62 }));
  await box.write("arm.so", elf({ machine: 183 }));
  await box.write("schema.json", '{"type":"object"}');
  await box.write("world.wasm", WIT_BYTES);
  const { code, stderr } = await box.create(["-b", "linux.so", "--destination", "plain.par"]);
  assert.equal(code, 0, stderr);
  return box;
}

/** The flags that fix the keys, for verbs that sign anew. */
const KEYS = { WASH_ISSUER_KEY: ISSUER.seed };

Deno.test("create, insert, remove, merge and extract print what docs/schema describes", async () => {
  await using box = await archiveBox();
  const check = await openChecker();
  const created = await box.create(["-b", "linux.so", ...JSON_OUTPUT]);
  assert.deepEqual(check("create", created), { file: "linux.par", success: true });
  const subject = ["-s", "subject.nk"];
  await box.write("subject.nk", SUBJECT.seed);
  const run = (args: readonly string[]): Promise<Output> =>
    box.run([...args, ...JSON_OUTPUT], { env: KEYS });
  check("insert", await run(["insert", "linux.par", "-b", "arm.so", ...subject]));
  check(
    "merge",
    await run(["merge", "linux.par", "plain.par", "--destination", "m.par", ...subject]),
  );
  check("remove", await run(["remove", "m.par", "-a", "x86_64-linux", ...subject]));
  const { files } = check("extract", await run(["extract", "linux.par", "--all"]));
  assert.deepEqual(files, [
    { target: "aarch64-linux", file: "aarch64-linux.bin" },
    { target: "x86_64-linux", file: "x86_64-linux.bin" },
  ]);
});

Deno.test("inspect prints what docs/schema describes, of archives with little and with much in them", async () => {
  await using box = await archiveBox();
  const check = await openChecker();
  const much = await box.create([
    ...["-b", "linux.so", "-b", "arm.so", "--destination", "much.par", "--compress"],
    ...["-c", "examples:payments", "--version", "1.0", "-r", "-7", "-j", "schema.json"],
    ...["--wit", "world.wasm", "--expires-in", "36500", "--valid-in", "1"],
  ], { env: { SOURCE_DATE_EPOCH: "1700000000" } });
  assert.equal(much.code, 0, much.stderr);
  assert.equal((await box.create(["--destination", "none.par"])).code, 0);
  const short = ["-b", "linux.so", "--destination", "expired.par", "--expires-in", "1"];
  const env = { SOURCE_DATE_EPOCH: "1700000000" };
  assert.equal((await box.create(short, { env })).code, 0);
  const token = await box.run(["inspect", "plain.par", "--jwt-only", ...JSON_OUTPUT]);
  assert.match(String(check("inspect", token)["token"]), /^ey/);
  const expired = await box.run(["inspect", "expired.par", ...JSON_OUTPUT]);
  assert.equal(check("inspect", expired)["success"], false);
  for (const archive of ["plain.par", "much.par.gz", "none.par"]) {
    for (const flags of [[], ["--claims-only"]]) {
      const output = await box.run(["inspect", archive, ...flags, ...JSON_OUTPUT]);
      const { success, size } = check("inspect", output);
      assert.equal(success, true);
      assert.equal(size === undefined, flags.length > 0);
    }
  }
  const output = await box.run(["inspect", "much.par.gz", ...JSON_OUTPUT]);
  const { claims, wit_details } = check("inspect", output) as Record<
    string,
    Record<string, unknown>
  >;
  assert.deepEqual(Object.keys(claims ?? {}), [
    ...["exp", "jti", "iat", "iss", "sub", "nbf", "wascap", "wascap_revision"],
  ]);
  assert.equal(wit_details?.["size"], WIT_BYTES.length);
});

Deno.test("verify prints what docs/schema describes, whatever comes out", async () => {
  await using box = await archiveBox();
  const check = await openChecker();
  await box.write("broken.par", (await box.read("plain.par")).slice(0, 700));
  const all = ["--require-arch", "x86_64-linux", "--max-age", "1", "--this-host"];
  const bundles = ["--key", ISSUER.publicKey, "--require-attestation", "spdx"];
  const issuers = [{ name: "x", key: ISSUER.publicKey }];
  const revoked = { keys: [{ key: OTHER_ISSUER.publicKey }] };
  await box.write("policy.json", JSON.stringify({ issuers, revoked }));
  const cases: readonly (readonly [readonly string[], number])[] = [
    [["plain.par"], 0],
    [["plain.par", ...all, "--trusted-issuer", OTHER_ISSUER.publicKey], 3],
    [["plain.par", ...bundles, "--require-attestation", "https://example.com/type"], 3],
    [["plain.par", "--policy", "policy.json"], 0],
    [["plain.par", "--require-arch", "arm-linux", "--subject", subjectOf(await inspect(box))], 3],
    [["broken.par"], 3],
    [["plain.par", "--max-age", "soon"], 2],
  ];
  for (const [args, status] of cases) {
    const output = await box.run(["verify", ...args, ...JSON_OUTPUT]);
    assert.equal(output.code, status, output.stdout);
    assert.equal(check("verify", output)["success"], status === 0);
  }
  const several = await box.run(["verify", "plain.par", "broken.par", "none.par", ...JSON_OUTPUT]);
  const lines = several.stdout.trimEnd().split("\n").map((stdout) =>
    check("verify", { ...several, stdout })
  );
  assert.deepEqual(lines.map(({ archive }) => archive), ["plain.par", "broken.par", "none.par"]);
});

Deno.test("doctor prints what docs/schema describes", async () => {
  await using box = await sandbox();
  const check = await openChecker();
  for (const args of [[], ["a/b"]]) {
    const output = await box.run(["doctor", ...args, ...JSON_OUTPUT]);
    assert.equal(check("doctor", output)["success"], args.length === 0);
    assert.equal(output.code, args.length);
  }
});

Deno.test("diff prints what docs/schema describes", async () => {
  await using box = await archiveBox();
  const check = await openChecker();
  const other = ["-b", "arm.so", "-b", "linux.so", "--wit", "world.wasm", "--destination", "b.par"];
  assert.equal((await box.create([...other, "--version", "2"])).code, 0);
  for (const [archive, same] of [["plain.par", true], ["b.par", false]] as const) {
    const output = await box.run(["diff", "plain.par", archive, ...JSON_OUTPUT]);
    assert.equal(output.code, same ? 0 : 1);
    assert.equal(check("diff", output)["same"], same);
  }
});

async function inspect(box: Sandbox): Promise<Output> {
  return await box.run(["inspect", "plain.par", ...JSON_OUTPUT]);
}

function subjectOf({ stdout }: Output): string {
  return JSON.parse(stdout).service;
}

Deno.test("keys print what docs/schema describes", async () => {
  await using box = await sandbox();
  const check = await openChecker();
  check("keys-list", await box.run(["keys", "list", ...JSON_OUTPUT]));
  for (const kind of ["account", "service", "x25519"]) {
    const { file } = check("keys-gen", await box.run(["keys", "gen", kind, ...JSON_OUTPUT]));
    const name = String(file).replace(/^.*\//, "");
    check("keys-get", await box.run(["keys", "get", "--public", name, ...JSON_OUTPUT]));
    if (kind !== "x25519") {
      check("keys-get", await box.run(["keys", "get", "--public", "--pem", name, ...JSON_OUTPUT]));
    }
    // This one prints a secret on purpose, which the sandbox does not let anything do.
    const { seed } = check(
      "keys-get",
      await runTool(
        Deno.execPath(),
        [
          "run",
          ...denoFlags(["keys", "get"]),
          `${ROOT}/cli.ts`,
          "keys",
          "get",
          name,
          ...JSON_OUTPUT,
        ],
        { env: { HOME: box.home } },
      ),
    );
    assert.equal(seed, (await Deno.readTextFile(String(file))).trim());
  }
  const { keys } = check("keys-list", await box.run(["keys", "list", ...JSON_OUTPUT]));
  assert.equal((keys as unknown[]).length, 3);
});

testWith(
  [REGISTRY],
  "push, pull, copy, list, login and logout print what docs/schema describes",
  async () => {
    await using registry = await startDockerRegistry();
    await using box = await archiveBox();
    const check = await openChecker();
    const reference = `${registry.host}/payments/fakepay:1.0`;
    const insecure = ["--insecure", ...JSON_OUTPUT];
    const pushed = check("push", await box.run(["push", reference, "plain.par", ...insecure]));
    assert.equal(
      pushed["reference_by_digest"],
      `${registry.host}/payments/fakepay@${pushed["digest"]}`,
    );
    const pulled = check("pull", await box.run(["pull", reference, ...insecure]));
    assert.equal(pulled["digest"], pushed["digest"]);
    assert.equal(pulled["size"], pushed["size"]);
    assert.deepEqual([pushed["tags"], pushed["unchanged"]], [["1.0"], false]);
    const layout = ["copy", reference, "oci:layout:1.0", ...JSON_OUTPUT];
    assert.equal(check("copy", await box.run(layout))["digest"], pushed["digest"]);
    const { tags } = check("list", await box.run(["list", reference, ...JSON_OUTPUT]));
    assert.deepEqual(tags, ["1.0"]);
    const user = ["-u", "me", "-p", "secret", ...JSON_OUTPUT];
    const { file } = check("login", await box.run(["login", registry.host, ...user]));
    assert.equal(file, `${box.home}/.docker/config.json`);
    for (const found of [true, false]) {
      const output = await box.run(["logout", registry.host, ...JSON_OUTPUT]);
      assert.equal(check("logout", output)["found"], found);
    }
  },
);

testWith(
  [REGISTRY],
  "sign, attest, attachments, inspect and push print what docs/schema describes of bundles",
  async () => {
    await using registry = await startDockerRegistry();
    await using box = await archiveBox();
    const check = await openChecker();
    const reference = `${registry.host}/payments/fakepay:1.0`;
    await box.write("sbom.json", '{"bomFormat":"CycloneDX","specVersion":"1.6"}');
    const options = { env: KEYS, remote: true };
    const run = (args: readonly string[]): Promise<Output> =>
      box.run([...args, ...JSON_OUTPUT], options);
    const pushed = check(
      "push",
      await run(["push", reference, "plain.par", "--sign", "--sbom", "sbom.json"]),
    );
    assert.equal((pushed["attached"] as unknown[]).length, 2);
    const signed = check("sign", await run(["sign", reference]));
    assert.equal(signed["manifest_digest"], pushed["digest"]);
    assert.equal(signed["archive_digest"], pushed["layer_digest"]);
    assert.equal((signed["key"] as Record<string, unknown>)["nkey"], ISSUER.publicKey);
    const attest = ["--type", "cyclonedx", "--predicate", "sbom.json"];
    check("attest", await run(["attest", reference, ...attest]));
    assert.equal(
      check("sign", await run(["sign", "plain.par"]))["bundle"],
      "plain.par.sigstore.json",
    );
    check("attest", await run(["attest", "plain.par", ...attest]));
    for (const [place, count] of [[reference, 4], ["plain.par", 2]] as const) {
      const { attachments } = check("attachments", await run(["attachments", place]));
      const listed = attachments as { digest: string }[];
      assert.equal(listed.length, count);
      const get = ["--get", listed[0]?.digest ?? "", "--destination", "got.json"];
      check("attachments", await run(["attachments", place, ...get]));
      assert.match(new TextDecoder().decode(await box.read("got.json")), /dsseEnvelope/);
    }
    const { attachments } = check("inspect", await run(["inspect", reference]));
    assert.equal((attachments as unknown[]).length, 4);
    const pull = ["pull", reference, "--with-attachments", "--destination", "pulled.par"];
    const { bundles } = check("pull", await run(pull));
    // Two of them say what two others say, by the same key.
    assert.deepEqual(bundles, ["pulled.par.sigstore.json", "pulled.par.sigstore.2.json"]);
  },
);

Deno.test("the schemas refuse what no verb prints", async () => {
  const check = await openChecker();
  const output = (value: unknown): Output => ({
    code: 0,
    stdout: JSON.stringify(value),
    stderr: "",
  });
  assert.throws(() => check("create", output({ file: "a.par" })));
  assert.throws(() => check("create", output({ file: "a.par", success: true, more: 1 })));
  assert.throws(() =>
    check("failure", output({ success: false, error: { code: "E", message: "m" } }))
  );
  assert.throws(() => check("verify", output({ success: true, checks: [] })));
});
