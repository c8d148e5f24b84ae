import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  type ArchiveSubjects,
  checkPredicate,
  createStatement,
  formatStatement,
  isAbout,
  type Json,
  ParError,
  parsePredicateType,
  parseStatement,
  PREDICATE_TYPES,
  predicateTypeName,
} from "../../lib/signing/mod.ts";

const bytesOf = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));

const HEX = { archive: "a1".repeat(32), manifest: "b2".repeat(32), other: "c3".repeat(32) };

const SUBJECTS: ArchiveSubjects = {
  manifest: { name: "registry.example/payments", digest: `sha256:${HEX.manifest}` },
  archive: { name: "dist/payments.par.gz", digest: `sha256:${HEX.archive}` },
};

const fails = (action: () => unknown, code: ParError["code"], says?: RegExp): void => {
  assert.throws(action, (error: unknown) => {
    assert(error instanceof ParError, `${error}`);
    assert.equal(error.code, code, error.message);
    if (says) assert.match(error.message, says);
    return true;
  });
};

Deno.test("createStatement() puts the manifest first and the archive second", () => {
  assert.deepEqual(createStatement(SUBJECTS), {
    subject: [
      { name: "registry.example/payments", digest: { sha256: HEX.manifest } },
      { name: "dist/payments.par.gz", digest: { sha256: HEX.archive } },
    ],
    predicateType: "https://sigstore.dev/cosign/sign/v1",
    predicate: {},
  });
  const { subject } = createStatement({ archive: { digest: `sha256:${HEX.archive}` } });
  assert.deepEqual(subject, [{ digest: { sha256: HEX.archive } }]);
});

Deno.test("createStatement() refuses digests that are not of SHA-256", () => {
  for (
    const digest of [
      HEX.archive,
      `sha512:${HEX.archive}`,
      `sha256:${HEX.archive.toUpperCase()}`,
      `sha256:${HEX.archive}:1`,
      `sha256:${HEX.archive} `,
      "",
    ]
  ) {
    fails(() => createStatement({ archive: { digest } }), "ERR_OPTION_INVALID");
  }
});

Deno.test("parseStatement() reads what formatStatement() wrote, whatever is said", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string().filter((name) => name !== "__proto__"), fc.jsonValue()),
      fc.string(),
      (predicate, name) => {
        fc.pre(!JSON.stringify([predicate, name]).includes("\\u0000"));
        fc.pre(!/"__proto__"/.test(JSON.stringify(predicate)));
        const archive = { name, digest: `sha256:${HEX.archive}` };
        const statement = createStatement({ archive }, "urn:x", predicate as Json);
        const read = parseStatement(formatStatement(statement));
        assert.equal(JSON.stringify(read), JSON.stringify(statement));
      },
    ),
  );
});

const GOOD = {
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name: "x", digest: { sha256: HEX.archive } }],
  predicateType: "urn:x",
  predicate: {},
};

Deno.test("parseStatement() refuses what readers could read in different ways", () => {
  const texts: unknown[] = [
    "",
    "[]",
    { ...GOOD, Subject: [] },
    { ...GOOD, PREDICATETYPE: "urn:y" },
    JSON.stringify(GOOD).replace('"predicate":', '"predicateType":"urn:y","predicate":'),
    { ...GOOD, predicateType: 1 },
    { ...GOOD, predicateType: "" },
    { ...GOOD, subject: [] },
    { ...GOOD, subject: undefined },
    { ...GOOD, subject: {} },
    { ...GOOD, subject: ["x"] },
    { ...GOOD, subject: [null] },
    { ...GOOD, subject: [{ ...GOOD.subject[0], Digest: {} }] },
    { ...GOOD, subject: [{ name: "x" }] },
    { ...GOOD, subject: [{ name: "x", digest: {} }] },
    { ...GOOD, subject: [{ name: 1, digest: { sha256: HEX.archive } }] },
    { ...GOOD, subject: [{ name: "x", digest: { sha256: HEX.archive.toUpperCase() } }] },
    { ...GOOD, subject: [{ name: "x", digest: { sha256: HEX.archive, SHA256: HEX.other } }] },
    { ...GOOD, subject: [{ name: "x", digest: { sha256: HEX.archive.slice(2) } }] },
    { ...GOOD, subject: [{ name: "x", digest: { sha512: 1 } }] },
    { ...GOOD, subject: Array(1025).fill(GOOD.subject[0]) },
    " ".repeat(16 * 2 ** 20) + JSON.stringify(GOOD),
  ];
  for (const text of texts) fails(() => parseStatement(bytesOf(text)), "ERR_BUNDLE_INVALID");
  fails(() => parseStatement(bytesOf("[1 2]")), "ERR_BUNDLE_INVALID", /the text is not JSON/);
  assert.equal(parseStatement(bytesOf(GOOD)).predicateType, "urn:x");
  // As `cosign attest` 3.1.3 writes it.
  const older = { ...GOOD, _type: "https://in-toto.io/Statement/v0.1" };
  assert.deepEqual(parseStatement(bytesOf(older)), parseStatement(bytesOf(GOOD)));
  const other = { ...GOOD, _type: "https://in-toto.io/Statement/v2" };
  fails(() => parseStatement(bytesOf(other)), "ERR_BUNDLE_UNSUPPORTED", /v2/);
});

Deno.test("isAbout() compares SHA-256 digests, and nothing else", () => {
  const statement = createStatement(SUBJECTS);
  assert(isAbout(statement, [`sha256:${HEX.archive}`]));
  assert(isAbout(statement, [`sha256:${HEX.other}`, `sha256:${HEX.manifest}`]));
  assert(!isAbout(statement, [`sha256:${HEX.other}`]));
  assert(!isAbout(statement, []));
  const sha512 = { ...statement, subject: [{ digest: { sha512: HEX.archive } }] };
  assert(!isAbout(sha512, [`sha256:${HEX.archive}`]));
});

Deno.test("parsePredicateType() takes short names and URIs, and predicateTypeName() gives them", () => {
  for (const [name, uri] of Object.entries(PREDICATE_TYPES)) {
    assert.equal(parsePredicateType(name), uri);
    assert.equal(parsePredicateType(uri), uri);
    assert.equal(predicateTypeName(uri), name);
  }
  assert.equal(predicateTypeName("urn:x"), "urn:x");
  for (const text of ["", "sbom", "toString", "https://", "urn:a b", "CycloneDX"]) {
    fails(() => parsePredicateType(text), "ERR_OPTION_INVALID", /cyclonedx, spdx/);
  }
});

const CYCLONEDX = { bomFormat: "CycloneDX", specVersion: "1.6" };
const SPDX = { spdxVersion: "SPDX-2.3", SPDXID: "SPDXRef-DOCUMENT" };
const SLSA = {
  buildDefinition: { buildType: "https://example.com/build/v1" },
  runDetails: { builder: { id: "https://example.com/builder" } },
};

const check = (predicate: unknown, type: keyof typeof PREDICATE_TYPES): Json =>
  checkPredicate(bytesOf(predicate), PREDICATE_TYPES[type], SUBJECTS);

Deno.test("checkPredicate() gives back a predicate of the stated type", () => {
  assert.deepEqual(check(CYCLONEDX, "cyclonedx"), CYCLONEDX);
  assert.deepEqual(check(SPDX, "spdx"), SPDX);
  assert.deepEqual(check(SLSA, "slsa-provenance"), SLSA);
  assert.deepEqual(check({}, "signature"), {});
  assert.deepEqual(checkPredicate(bytesOf({ a: [1] }), "urn:x", SUBJECTS), { a: [1] });
});

Deno.test("checkPredicate() refuses what is not of the stated type", () => {
  const cases: readonly [predicate: unknown, type: keyof typeof PREDICATE_TYPES, says: RegExp][] = [
    ["<bom/>", "cyclonedx", /as cyclonedx: the text is not JSON/],
    [[CYCLONEDX], "cyclonedx", /not a JSON object/],
    [SPDX, "cyclonedx", /bomFormat/],
    [{ ...CYCLONEDX, specVersion: 1.6 }, "cyclonedx", /specVersion/],
    ['{"bomFormat":"CycloneDX","specVersion":"1.6","bomFormat":"x"}', "cyclonedx", /twice/],
    [CYCLONEDX, "spdx", /spdxVersion/],
    [{ ...SPDX, spdxVersion: "SPDX-3.0" }, "spdx", /SPDX-2\.3/],
    [{ ...SPDX, SPDXID: "SPDXRef-x" }, "spdx", /SPDXID/],
    [CYCLONEDX, "slsa-provenance", /buildDefinition\.buildType/],
    [{ ...SLSA, runDetails: { builder: "x" } }, "slsa-provenance", /runDetails\.builder\.id/],
    [{ ...GOOD, predicate: SLSA }, "slsa-provenance", /whole statement/],
    [{ x: 1 }, "signature", /is \{\}/],
  ];
  for (const [predicate, type, says] of cases) {
    fails(() => check(predicate, type), "ERR_PREDICATE_INVALID", says);
  }
  fails(() => checkPredicate(bytesOf("1"), "urn:x", SUBJECTS), "ERR_PREDICATE_INVALID");
});

/** A predicate of each type with one digest, and where the digest is. */
const withDigest: readonly [
  type: keyof typeof PREDICATE_TYPES,
  path: string,
  make: (name: string, digest: string) => unknown,
][] = [
  ["cyclonedx", "metadata.component", (name, content) => ({
    ...CYCLONEDX,
    metadata: { component: { name, hashes: [{ alg: "MD5" }, { alg: "SHA-256", content }] } },
  })],
  ["cyclonedx", "components[1].components[0]", (name, content) => ({
    ...CYCLONEDX,
    components: [
      { name: "libc", hashes: [{ alg: "SHA-256", content: HEX.other }] },
      { name: "x", components: [{ name, hashes: [{ alg: "SHA-256", content }] }] },
    ],
  })],
  ["spdx", "packages[0]", (packageFileName, checksumValue) => ({
    ...SPDX,
    packages: [{ name: "x", packageFileName, checksums: [{ algorithm: "SHA256", checksumValue }] }],
  })],
  ["spdx", "files[0]", (name, checksumValue) => ({
    ...SPDX,
    files: [{ fileName: `./${name}`, checksums: [{ algorithm: "SHA256", checksumValue }] }],
  })],
  ["slsa-provenance", "subject[0]", (name, sha256) => ({
    ...SLSA,
    subject: [{ name, digest: { sha256 } }],
  })],
  ["slsa-provenance", "runDetails.byproducts[0]", (name, sha256) => ({
    ...SLSA,
    runDetails: { ...SLSA.runDetails, byproducts: [{ name, digest: { sha256 } }] },
  })],
];

Deno.test("checkPredicate() refuses a digest for the archive's name that is not the archive's", () => {
  for (const [type, path, make] of withDigest) {
    for (const name of ["payments.par.gz", "payments", "out/payments.par.gz"]) {
      check(make(name, HEX.archive), type);
      check(make(name, HEX.archive.toUpperCase()), type);
      check(make(name, HEX.manifest), type);
      fails(() => check(make(name, HEX.other), type), "ERR_PREDICATE_MISMATCH");
    }
    check(make("payments.par", HEX.other), type);
    assert.throws(() => check(make("payments", HEX.other), type), (error: Error) => {
      assert(error.message.includes(`${path} has the SHA-256 ${HEX.other}`), error.message);
      return true;
    });
  }
});
