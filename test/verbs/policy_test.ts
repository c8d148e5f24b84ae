import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Check, ParError, type Policy, verify } from "../../mod.ts";
import { streamSource } from "../../lib/archive/mod.ts";
import { type CandidateBundle, parseBundleKey } from "../../lib/verbs/attestations.ts";
import {
  type BundleSigner,
  createBundle,
  createStatement,
  KeyPair,
  MAX_BUNDLE_SIZE,
  parseSigningKey,
  PREDICATE_TYPES,
  signerOf,
} from "../../lib/signing/mod.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import { chunked } from "../_bytes.ts";
import { ISSUER, issuerPair, OTHER_ISSUER, SUBJECT } from "../_keys.ts";
import { decode, encode, p256Pem } from "../signing/_bundles.ts";
import { assertFails } from "./_fixtures.ts";

const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const archive = await archiveOf({ binaries: { "x86_64-linux": "one", "aarch64-linux": "two" } });
const digest = digestOf(archive);
const manifest = `sha256:${"b2".repeat(32)}`;
const other = `sha256:${"c3".repeat(32)}`;

const release = await parseSigningKey(await p256Pem());
const ci = await signerOf(await KeyPair.generate("user"));
const issuer = await signerOf(await issuerPair());

/** Makes a bundle about the archive, or about something else. */
async function bundle(
  signer: BundleSigner,
  type: keyof typeof PREDICATE_TYPES = "signature",
  about = digest,
): Promise<CandidateBundle> {
  const statement = createStatement({ archive: { digest: about } }, PREDICATE_TYPES[type]);
  return { bytes: await createBundle(statement, signer), place: `${type}.json` };
}

/** Gives the checks of a name, or the only one. */
async function check(name: string, policy: Policy): Promise<Check> {
  const { checks, trusted } = await verify(archive, policy);
  assert.equal(trusted, checks.every(({ passed }) => passed));
  const found = checks.filter((each) => each.name === name);
  assert.equal(found.length, 1, `${name}: ${JSON.stringify(checks)}`);
  return found[0] as Check;
}

async function assertCode(name: string, policy: Policy, code: ParError["code"]): Promise<Check> {
  const found = await check(name, policy);
  assert.equal(found.code, code, found.message);
  assert.equal(found.passed, false);
  return found;
}

Deno.test("verify() computes the digest of the whole file in its one pass", async () => {
  const padded = new Uint8Array(archive.length + 8192);
  padded.set(archive);
  for (const bytes of [archive, padded, await gzipped(archive)]) {
    let opened = 0;
    const source = {
      ...streamSource(chunked(bytes, 1000, 7), "x"),
      open: () => {
        opened++;
        return chunked(bytes, 1000, 7);
      },
    };
    const report = await verify(source, { keys: [] });
    assert.equal(report.digest, digestOf(bytes));
    assert.equal(opened, 1);
  }
  assert.equal((await verify(archive)).digest, undefined);
});

Deno.test("verify() with keys wants a signature by one of them, and names it", async () => {
  const bundles = [await bundle(release)];
  const named = { key: release.key, name: "Release" };
  const { message } = await check("bundle signature", { keys: [ci.key, named], bundles });
  assert.equal(message, `by Release (ECDSA-P256 key ${release.key.hint}), in signature.json`);
  const byIssuer = { keys: [issuer.key], bundles: [await bundle(issuer)] };
  assert.match((await check("bundle signature", byIssuer)).message, new RegExp(ISSUER.publicKey));
  await assertCode("bundle signature", { keys: [ci.key], bundles }, "ERR_BUNDLE_KEY");
  await assertCode("bundle signature", { keys: [], bundles }, "ERR_BUNDLE_KEY");
  await assertCode("bundle signature", { keys: [ci.key] }, "ERR_ATTESTATION_MISSING");
});

Deno.test("verify() without keys looks at no bundle", async () => {
  const bundles: Iterable<CandidateBundle> = {
    [Symbol.iterator]: () => assert.fail("the bundles were read"),
  };
  const { checks } = await verify(archive, { bundles });
  assert.deepEqual(checks.map(({ name }) => name), [
    "archive",
    "signature",
    "validity",
    "binaries",
  ]);
});

Deno.test("verify() takes a signature of the manifest, and of nothing else", async () => {
  const keys = [release.key];
  const bundles = [await bundle(release, "signature", manifest)];
  assert((await check("bundle signature", { keys, bundles, manifest })).passed);
  await assertCode("bundle signature", { keys, bundles }, "ERR_BUNDLE_SUBJECT");
  await assertCode(
    "bundle signature",
    { keys, bundles: [await bundle(release, "signature", other)], manifest },
    "ERR_BUNDLE_SUBJECT",
  );
});

Deno.test("verify() takes no attestation for a signature, and no other type for a required one", async () => {
  const keys = [release.key];
  const sbom = await bundle(release, "cyclonedx");
  const { message } = await assertCode(
    "bundle signature",
    { keys, bundles: [sbom] },
    "ERR_ATTESTATION_MISSING",
  );
  assert.match(message, /none of the bundles found \(1\) is of type signature/);
  const policy: Policy = { keys, requiredAttestations: ["cyclonedx"] };
  const signature = await bundle(release);
  await assertCode(
    "attestation cyclonedx",
    { ...policy, bundles: [signature, await bundle(release, "spdx")] },
    "ERR_ATTESTATION_MISSING",
  );
  const { checks, trusted } = await verify(archive, { ...policy, bundles: [sbom, signature] });
  assert(trusted, JSON.stringify(checks));
  assert.deepEqual(checks.slice(4).map(({ name }) => name), [
    "bundle signature",
    "attestation cyclonedx",
  ]);
});

Deno.test("verify() wants a required attestation by the keys that it names", async () => {
  const policy: Policy = {
    keys: [release.key, { key: ci.key, name: "CI" }],
    requiredAttestations: [
      { type: "slsa-provenance", keys: [ci.key] },
      { type: "signature", keys: [release.key] },
    ],
  };
  const good = [await bundle(release), await bundle(ci, "slsa-provenance")];
  const { trusted, checks } = await verify(archive, { ...policy, bundles: good });
  assert(trusted, JSON.stringify(checks));
  assert.equal(checks.filter(({ name }) => name === "bundle signature").length, 1);
  const swapped = [await bundle(ci), await bundle(release, "slsa-provenance")];
  const { message } = await assertCode(
    "bundle signature",
    { ...policy, bundles: swapped },
    "ERR_BUNDLE_KEY",
  );
  assert.match(message, /^signature\.json: CI \(U[A-Z0-9]+\) signed it, and another key/);
  await assertCode(
    "attestation slsa-provenance",
    { ...policy, bundles: swapped },
    "ERR_BUNDLE_KEY",
  );
});

Deno.test("verify() is not kept from a good bundle by bad ones before it", async () => {
  const good = await bundle(release);
  const { verificationMaterial } = decode(good.bytes);
  const bad: CandidateBundle[] = [
    { bytes: new Uint8Array(), place: "empty" },
    { bytes: encode("{}"), place: "{}" },
    { ...await bundle(ci), place: "another key" },
    { ...await bundle(release, "signature", other), place: "another archive" },
    {
      bytes: encode({ ...decode((await bundle(ci)).bytes), verificationMaterial }),
      place: "misnamed",
    },
  ];
  assert(
    (await check("bundle signature", { keys: [release.key], bundles: [...bad, good] })).passed,
  );
  const { message } = await assertCode(
    "bundle signature",
    { keys: [release.key], bundles: bad },
    "ERR_BUNDLE_SIGNATURE",
  );
  assert.match(message, /^misnamed: .*\(4 more do not count either\)$/);
});

Deno.test("verify() reads no more bundles than it needs, and no more than a thousand", async () => {
  let read = 0;
  const stranger = await bundle(ci);
  async function* endless(first: CandidateBundle): AsyncGenerator<CandidateBundle> {
    for (let turn = first; read < 2000; turn = stranger) {
      read++;
      yield turn;
    }
  }
  const keys = [release.key];
  assert(
    (await check("bundle signature", { keys, bundles: endless(await bundle(release)) })).passed,
  );
  assert.equal(read, 1);
  read = 0;
  const { message } = await assertCode(
    "bundle signature",
    { keys, bundles: endless(stranger) },
    "ERR_BUNDLE_KEY",
  );
  assert.match(message, /only the first 1000 bundles were looked at/);
  assert.equal(read, 1001);
  // Few, and together larger than anybody's.
  const large = { bytes: new Uint8Array(MAX_BUNDLE_SIZE), place: "large" };
  const bundles = Array.from({ length: 6 }, () => large);
  const { message: limit } = await assertCode(
    "bundle signature",
    { keys, bundles },
    "ERR_BUNDLE_INVALID",
  );
  assert.match(limit, /only the first 4 bundles were looked at/);
});

Deno.test("verify() passes on an error of whoever finds the bundles", async () => {
  const failure = new ParError("ERR_REGISTRY_UNREACHABLE", "Cannot reach it");
  const bundles: AsyncIterable<CandidateBundle> = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(failure) }),
  };
  await assertFails(verify(archive, { keys: [release.key], bundles }), "ERR_REGISTRY_UNREACHABLE");
});

Deno.test("verify() believes no revoked key, in whatever form it is given", async () => {
  const keys = [release.key, issuer.key];
  const bundles = [await bundle(issuer)];
  const pem = await parseBundleKey(issuer.key.pem());
  for (const revoked of [issuer.key, pem, { key: pem, name: "lost in a train" }]) {
    const policy: Policy = { keys, bundles, revokedKeys: [revoked] };
    await assertCode("revocation", policy, "ERR_KEY_REVOKED");
    await assertCode("bundle signature", policy, "ERR_KEY_REVOKED");
  }
  const policy: Policy = { keys, bundles, revokedKeys: [release.key] };
  assert((await check("revocation", policy)).passed);
  assert((await check("bundle signature", policy)).passed);
  const both = [await bundle(issuer), await bundle(release)];
  assert((await check("bundle signature", { keys, bundles: both, revokedKeys: [pem] })).passed);
});

Deno.test("verify() believes no revoked archive, by its digest or its manifest's", async () => {
  for (const revokedArchives of [[digest], [other, manifest]]) {
    await assertCode("revocation", { manifest, revokedArchives }, "ERR_ARCHIVE_REVOKED");
  }
  assert((await check("revocation", { manifest, revokedArchives: [other] })).passed);
});

Deno.test("verify() trusts an issuer for what the policy says, and names it", async () => {
  const key = ISSUER.publicKey;
  const name = "Payments team";
  const { wascap } = (await verify(archive)).archive?.claims ?? assert.fail();
  const allowed = {
    vendors: ["x", wascap.vendor],
    subjects: [SUBJECT.publicKey],
    targets: ["x86_64-linux", "aarch64-linux", "arm-linux"],
  };
  const policy: Policy = { trustedIssuers: [{ key, name, ...allowed }] };
  assert.equal((await check("issuer", policy)).message, `${name} (${key}) is trusted`);
  assert.equal((await check("signature", policy)).message, `by ${name} (${key})`);
  const stranger = (await KeyPair.generate("service")).publicKey;
  const refused: readonly [Partial<typeof allowed>, RegExp][] = [
    [{ vendors: [wascap.vendor.toUpperCase()] }, /may not publish archives of the vendor "/],
    [{ vendors: [] }, /may not publish archives of the vendor/],
    [{ subjects: [stranger] }, /may not publish archives of the provider V/],
    [{ targets: ["x86_64-linux"] }, /Payments team .* may not publish binaries for aarch64-linux/],
  ];
  for (const [limit, says] of refused) {
    const trustedIssuers = [{ key, name, ...allowed, ...limit }];
    const { message } = await assertCode("issuer", { trustedIssuers }, "ERR_ISSUER_NOT_ALLOWED");
    assert.match(message, says);
    const also = [...trustedIssuers, { key, ...allowed }];
    assert((await check("issuer", { trustedIssuers: also })).passed);
  }
  await assertCode(
    "issuer",
    { trustedIssuers: [{ key: OTHER_ISSUER.publicKey, name }] },
    "ERR_ISSUER_UNTRUSTED",
  );
});

Deno.test("verify() refuses a policy with an error before it reads the archive", async () => {
  const key = ISSUER.publicKey;
  const wrong: readonly [policy: unknown, code: ParError["code"]][] = [
    [{ trustedIssuers: [{ name: "x" }] }, "ERR_OPTION_INVALID"],
    [{ trustedIssuers: [null] }, "ERR_OPTION_INVALID"],
    [{ trustedIssuers: [{ key: SUBJECT.publicKey }] }, "ERR_KEY_ROLE"],
    [{ trustedIssuers: [{ key, vendors: "x" }] }, "ERR_OPTION_INVALID"],
    [{ trustedIssuers: [{ key, vendors: [1] }] }, "ERR_OPTION_INVALID"],
    [{ trustedIssuers: [{ key, subjects: [key] }] }, "ERR_KEY_ROLE"],
    [{ trustedIssuers: [{ key, targets: ["a/b"] }] }, "ERR_TARGET_INVALID"],
    [{ trustedIssuers: [{ key, name: 1 }] }, "ERR_OPTION_INVALID"],
    [{ subject: key }, "ERR_KEY_ROLE"],
    [{ keys: release.key }, "ERR_OPTION_INVALID"],
    [{ keys: [key] }, "ERR_OPTION_INVALID"],
    [{ keys: [null] }, "ERR_OPTION_INVALID"],
    [{ keys: null }, "ERR_OPTION_INVALID"],
    [{ trustedIssuers: null }, "ERR_OPTION_INVALID"],
    [{ requiredTargets: null }, "ERR_OPTION_INVALID"],
    [{ revokedKeys: null }, "ERR_OPTION_INVALID"],
    [{ revokedArchives: null }, "ERR_OPTION_INVALID"],
    [{ keys: [], requiredAttestations: null }, "ERR_OPTION_INVALID"],
    [{ keys: [], requiredAttestations: [null] }, "ERR_OPTION_INVALID"],
    [{ revokedKeys: [{ key }] }, "ERR_OPTION_INVALID"],
    [{ requiredAttestations: ["spdx"] }, "ERR_OPTION_INVALID"],
    [{ keys: [], requiredAttestations: ["sbom"] }, "ERR_OPTION_INVALID"],
    [{ keys: [], requiredAttestations: [{ type: "spdx", keys: [key] }] }, "ERR_OPTION_INVALID"],
    [{ keys: [], requiredAttestations: [{}] }, "ERR_OPTION_INVALID"],
    [{ revokedArchives: ["sha256:00"] }, "ERR_OPTION_INVALID"],
    [{ revokedArchives: [digest.toUpperCase()] }, "ERR_OPTION_INVALID"],
    [{ manifest: "latest" }, "ERR_OPTION_INVALID"],
  ];
  for (const [policy, code] of wrong) {
    const source = { name: "x", open: () => assert.fail("the archive was read") };
    await assertFails(verify(source, policy as Policy), code);
  }
});

Deno.test("verify() refuses an archive from the future, beyond what clocks may differ", async () => {
  const iat = (await verify(archive)).archive?.claims.iat ?? assert.fail();
  const at = (seconds: number): Policy => ({ maxAge: 60, now: new Date((iat + seconds) * 1000) });
  assert((await check("age", at(-300))).passed);
  assert.match((await assertCode("age", at(-301), "ERR_TOO_OLD")).message, /in the future/);
});
