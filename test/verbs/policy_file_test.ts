import assert from "node:assert/strict";
import { Ajv2020 as Ajv } from "npm:ajv@8.20.0/dist/2020.js";
import { ParError, parsePolicy } from "../../mod.ts";
import { signerOf } from "../../lib/signing/mod.ts";
import { ISSUER, issuerPair, OTHER_ISSUER, SUBJECT } from "../_keys.ts";
import { ROOT } from "../_tools.ts";

const PEM = (await signerOf(await issuerPair())).key.pem();
const DIGEST = `sha256:${"a1".repeat(32)}`;

/** A policy with every member. */
const FULL = {
  $schema: "https://example.com/policy.json",
  issuers: [
    { name: "Payments team", key: ISSUER.publicKey },
    {
      name: "Storage team",
      key: OTHER_ISSUER.publicKey,
      vendors: ["Example Corp"],
      subjects: [SUBJECT.publicKey],
      targets: ["x86_64-linux", "aarch64-linux"],
    },
  ],
  keys: [
    { name: "release", key: PEM },
    { name: "CI", key: OTHER_ISSUER.publicKey },
  ],
  requiredAttestations: [
    { type: "cyclonedx" },
    { type: "slsa-provenance", keys: ["CI"] },
    { type: "https://example.com/reviewed/v1", keys: ["release", "CI"] },
  ],
  maxAgeDays: 90,
  revoked: { keys: [{ key: OTHER_ISSUER.publicKey, name: "lost" }], archives: [DIGEST] },
};

const ISSUERS = [{ name: "x", key: ISSUER.publicKey }];
const KEYS = [{ name: "x", key: PEM }];

const schema = JSON.parse(await Deno.readTextFile(`${ROOT}/docs/schema/policy.json`));
const isValid = new Ajv({ strict: true, strictRequired: false, allErrors: true }).compile(schema);

/** Checks that a policy is refused, at a path. */
async function assertRefused(policy: unknown, path: string): Promise<void> {
  const text = typeof policy === "string" ? policy : JSON.stringify(policy);
  const error = await parsePolicy(text, { name: 'the policy "p.json"' }).then(
    () => assert.fail(`${text} was accepted`),
    (reason) => reason,
  );
  assert(error instanceof ParError, `${error}`);
  assert.equal(error.code, "ERR_POLICY_INVALID");
  const start = `Cannot use the policy "p.json": ${path}`;
  assert(error.message.startsWith(start), `${error.message} does not begin with ${start}`);
}

/** A value without the members that are not there. */
const present = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

Deno.test("parsePolicy() reads every member", async () => {
  const policy = await parsePolicy(JSON.stringify(FULL));
  const [release, ci] = policy.keys ?? [];
  assert(release && "key" in release && ci && "key" in ci);
  assert.equal(release.key.pem(), PEM);
  assert.equal(ci.key.nkey, OTHER_ISSUER.publicKey);
  assert.deepEqual([release.name, ci.name], ["release", "CI"]);
  assert.deepEqual(present(policy.trustedIssuers), FULL.issuers);
  assert.equal(policy.maxAge, 90 * 86400);
  assert.deepEqual(policy.requiredAttestations, [
    { type: "https://cyclonedx.org/bom", keys: undefined },
    { type: "https://slsa.dev/provenance/v1", keys: [ci.key] },
    { type: "https://example.com/reviewed/v1", keys: [release.key, ci.key] },
  ]);
  assert.deepEqual(policy.revokedArchives, [DIGEST]);
  const [revoked] = policy.revokedKeys ?? [];
  assert(revoked && "key" in revoked);
  assert.deepEqual([revoked.key.hint, revoked.name], [ci.key.hint, "lost"]);
  assert.deepEqual(
    present(await parsePolicy(new TextEncoder().encode(JSON.stringify({ issuers: ISSUERS })))),
    {
      trustedIssuers: ISSUERS,
    },
  );
});

Deno.test("parsePolicy() reads the files of keys with what it is given for it", async () => {
  const policy = { issuers: ISSUERS, keys: [{ name: "release", file: "keys/release.pub" }] };
  const asked: string[] = [];
  const { keys } = await parsePolicy(JSON.stringify(policy), {
    readKeyFile: (path) => {
      asked.push(path);
      return Promise.resolve(PEM);
    },
  });
  assert.deepEqual(asked, ["keys/release.pub"]);
  const [release] = keys ?? [];
  assert(release && "key" in release);
  assert.equal(release.key.pem(), PEM);
  await assertRefused(policy, "keys[0].file: files cannot be read here");
  const missing = new ParError("ERR_FILE_NOT_FOUND", "Cannot find it");
  const readKeyFile = (): Promise<string> => Promise.reject(missing);
  await assert.rejects(parsePolicy(JSON.stringify(policy), { readKeyFile }), missing);
});

/** What the schema refuses too. */
const WRONG: readonly [policy: unknown, path: string][] = [
  [[], "it is not a JSON object"],
  [{}, "issuers: this member is missing"],
  [{ issuers: [] }, "issuers: the list is empty"],
  [{ issuers: ISSUER.publicKey }, "issuers: it is not a list"],
  [{ issuers: ISSUERS, Keys: KEYS }, "Keys: this member is unknown"],
  [{ issuers: ISSUERS, "a b": 1 }, '["a b"]: this member is unknown'],
  [{ issuers: ISSUERS, $schema: 1 }, "$schema: "],
  [{ issuers: [ISSUER.publicKey] }, "issuers[0]: it is not a JSON object"],
  [{ issuers: [...ISSUERS, { name: "y" }] }, "issuers[1].key: this member is missing"],
  [{ issuers: [{ key: ISSUER.publicKey }] }, "issuers[0].name: this member is missing"],
  [{ issuers: [{ ...ISSUERS[0], name: "" }] }, "issuers[0].name: it is empty"],
  [{ issuers: [{ ...ISSUERS[0], name: "x".repeat(201) }] }, "issuers[0].name: "],
  [{ issuers: [{ ...ISSUERS[0], key: 1 }] }, "issuers[0].key: it is not a text"],
  [{ issuers: [{ ...ISSUERS[0], key: SUBJECT.publicKey }] }, "issuers[0].key: "],
  [{ issuers: [{ ...ISSUERS[0], vendor: ["x"] }] }, "issuers[0].vendor: this member is unknown"],
  [{ issuers: [{ ...ISSUERS[0], vendors: [] }] }, "issuers[0].vendors: the list is empty"],
  [{ issuers: [{ ...ISSUERS[0], vendors: ["x", 1] }] }, "issuers[0].vendors[1]: "],
  [{ issuers: [{ ...ISSUERS[0], subjects: [] }] }, "issuers[0].subjects: the list is empty"],
  [{ issuers: [{ ...ISSUERS[0], subjects: ["V"] }] }, "issuers[0].subjects[0]: "],
  [{ issuers: [{ ...ISSUERS[0], targets: "x" }] }, "issuers[0].targets: it is not a list"],
  [{ issuers: [{ ...ISSUERS[0], targets: ["a/b"] }] }, "issuers[0].targets[0]: "],
  [{ issuers: ISSUERS, keys: [] }, "keys: the list is empty"],
  [{ issuers: ISSUERS, keys: [{ key: PEM }] }, "keys[0].name: this member is missing"],
  [{ issuers: ISSUERS, keys: [{ name: "x" }] }, "keys[0]: it must have one of key and file"],
  [
    { issuers: ISSUERS, keys: [{ name: "x", key: PEM, file: "x" }] },
    "keys[0]: it must have one of key and file",
  ],
  [{ issuers: ISSUERS, keys: [{ name: "x", file: 1 }] }, "keys[0].file: it is not a text"],
  [{ issuers: ISSUERS, requiredAttestations: [{ type: "spdx" }] }, "requiredAttestations: "],
  [{ issuers: ISSUERS, keys: KEYS, requiredAttestations: [] }, "requiredAttestations: "],
  [
    { issuers: ISSUERS, keys: KEYS, requiredAttestations: ["spdx"] },
    "requiredAttestations[0]: it is not a JSON object",
  ],
  [
    { issuers: ISSUERS, keys: KEYS, requiredAttestations: [{ type: "sbom" }] },
    "requiredAttestations[0].type: ",
  ],
  [
    { issuers: ISSUERS, keys: KEYS, requiredAttestations: [{ type: "spdx", keys: [] }] },
    "requiredAttestations[0].keys: the list is empty",
  ],
  [{ issuers: ISSUERS, maxAgeDays: 0 }, "maxAgeDays: "],
  [{ issuers: ISSUERS, maxAgeDays: 1.5 }, "maxAgeDays: "],
  [{ issuers: ISSUERS, maxAgeDays: "90" }, "maxAgeDays: "],
  [{ issuers: ISSUERS, maxAgeDays: 36501 }, "maxAgeDays: "],
  [{ issuers: ISSUERS, maxAgeDays: null }, "maxAgeDays: "],
  [{ issuers: ISSUERS, revoked: {} }, "revoked: it has neither keys nor archives"],
  [{ issuers: ISSUERS, revoked: [] }, "revoked: it is not a JSON object"],
  [{ issuers: ISSUERS, revoked: { keys: [] } }, "revoked.keys: the list is empty"],
  [{ issuers: ISSUERS, revoked: { keys: ["x"] } }, "revoked.keys[0]: it is not a JSON object"],
  [{ issuers: ISSUERS, revoked: { archives: ["a1"] } }, "revoked.archives[0]: "],
  [
    { issuers: ISSUERS, revoked: { archives: [DIGEST.toUpperCase()] } },
    "revoked.archives[0]: ",
  ],
];

/** What no schema can say. */
const WRONG_BEYOND: readonly [policy: unknown, path: string][] = [
  ["", "the text ends too early"],
  ['{"issuers":1,"issuers":1}', 'the member "issuers" appears twice'],
  [`${" ".repeat(2 ** 20)}{}`, "it has more than"],
  [
    { issuers: [{ ...ISSUERS[0], key: ISSUER.publicKey.replace("A7R5", "A7R6") }] },
    "issuers[0].key: Cannot use public key",
  ],
  [{ issuers: [{ ...ISSUERS[0], name: "a\u202eb" }] }, "issuers[0].name: "],
  [{ issuers: Array(1001).fill(ISSUERS[0]) }, "issuers: the list has more than 1000"],
  [{ issuers: ISSUERS, keys: [...KEYS, ...KEYS] }, "keys[1].name: another key has the same name"],
  [{ issuers: ISSUERS, keys: [{ name: "x", key: "AAAA" }] }, "keys[0].key: Cannot use the key"],
  [
    { issuers: ISSUERS, keys: KEYS, requiredAttestations: [{ type: "spdx", keys: ["y"] }] },
    'requiredAttestations[0].keys[0]: no item of keys has the name "y"',
  ],
];

Deno.test("parsePolicy() refuses what is wrong, and names the member", async () => {
  for (const [policy, path] of [...WRONG, ...WRONG_BEYOND]) await assertRefused(policy, path);
});

Deno.test("docs/schema/policy.json refuses what parsePolicy() refuses, and accepts the rest", () => {
  assert.equal(schema.$id, "policy.json");
  for (const good of [FULL, { issuers: ISSUERS }]) {
    assert(isValid(good), JSON.stringify(isValid.errors));
  }
  for (const [policy, path] of WRONG) assert(!isValid(policy), path);
});

Deno.test("parsePolicy() and the schema accept the policy in docs/security.md", async () => {
  const page = await Deno.readTextFile(`${ROOT}/docs/security.md`);
  const [, text = ""] = /```json\n(.*?)```/s.exec(page) ?? [];
  const policy = await parsePolicy(text, { readKeyFile: () => Promise.resolve(PEM) });
  assert.equal(policy.keys?.length, 2);
  assert.equal(policy.revokedArchives?.length, 1);
  assert(isValid(JSON.parse(text)), JSON.stringify(isValid.errors));
});
