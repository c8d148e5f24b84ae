import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  type BundleSigner,
  createBundle,
  createStatement,
  parseSigningKey,
  PREDICATE_TYPES,
  signerOf,
} from "../../lib/signing/mod.ts";
import { archiveOf } from "../_archive.ts";
import { type Sandbox, sandbox } from "../_cli.ts";
import { ISSUER, issuerPair, OTHER_ISSUER } from "../_keys.ts";
import { p256Pem } from "../signing/_bundles.ts";

const archive = await archiveOf();
const digest = `sha256:${createHash("sha256").update(archive).digest("hex")}`;
const release = await parseSigningKey(await p256Pem());
const issuer = await signerOf(await issuerPair());

function bundle(
  signer: BundleSigner,
  type: keyof typeof PREDICATE_TYPES = "signature",
): Promise<Uint8Array> {
  return createBundle(createStatement({ archive: { digest } }, PREDICATE_TYPES[type]), signer);
}

/** A sandbox with an archive `a.par`, a key `release.pub`, and bundles of both keys. */
async function workshop(): Promise<Sandbox> {
  const s = await sandbox();
  await s.write("a.par", archive);
  await s.write("release.pub", release.key.pem());
  await s.write("release.json", await bundle(release));
  await s.write("issuer.json", await bundle(issuer));
  await s.write("sbom.json", await bundle(release, "cyclonedx"));
  return s;
}

/** Runs `par verify a.par` and gives its status and what it printed. */
async function verify(s: Sandbox, ...flags: string[]): Promise<[code: number, text: string]> {
  const { code, stdout, stderr } = await s.run(["verify", "a.par", ...flags]);
  return [code, stdout + stderr];
}

Deno.test("par verify --key finds the bundles beside the file, or takes those that are named", async () => {
  await using s = await workshop();
  const [none, text] = await verify(s, "--key", "release.pub");
  assert.equal(none, 3, text);
  assert.match(
    text,
    /^FAILED +bundle signature +no bundle was found.* \[ERR_ATTESTATION_MISSING\]$/m,
  );

  const [named, found] = await verify(s, "--key", "release.pub", "--bundle", "release.json");
  assert.equal(named, 0, found);
  assert(found.includes(`ok      bundle signature  by ECDSA-P256 key ${release.key.hint}`), found);

  await s.write("a.par.sigstore.json", await bundle(issuer));
  const [beside, by] = await verify(s, "--key", ISSUER.publicKey);
  assert.equal(beside, 0, by);
  assert.match(by, new RegExp(`by ${ISSUER.publicKey}, in .*a\\.par\\.sigstore\\.json`));
  const [other] = await verify(s, "--key", ISSUER.publicKey, "--bundle", "release.json");
  assert.equal(other, 3);
  assert.equal((await verify(s))[0], 0);
});

Deno.test("par verify --require-attestation wants an attestation beside the signature", async () => {
  await using s = await workshop();
  const flags = ["--key", "release.pub", "--require-attestation", "cyclonedx"];
  const [missing, text] = await verify(s, ...flags, "--bundle", "release.json");
  assert.equal(missing, 3);
  assert.match(text, /^ok +bundle signature /m);
  assert.match(text, /^FAILED +attestation cyclonedx .*\[ERR_ATTESTATION_MISSING\]$/m);
  const both = ["--bundle", "release.json", "--bundle", "sbom.json"];
  assert.equal((await verify(s, ...flags, ...both))[0], 0);
  assert.equal((await verify(s, ...flags, "--bundle", "sbom.json"))[0], 3);
});

Deno.test("par verify refuses flags that would check nothing", async () => {
  await using s = await workshop();
  await s.write("policy.json", policyText());
  const wrong: readonly [flags: string[], code: string][] = [
    [["--bundle", "release.json"], "ERR_USAGE"],
    [["--require-attestation", "spdx"], "ERR_USAGE"],
    [["--key", "release.pub", "--require-attestation", "sbom"], "ERR_OPTION_INVALID"],
    [["--policy", "policy.json", "--bundle", "release.json"], "ERR_USAGE"],
    [["--policy", "policy.json", "--key", "release.pub"], "ERR_USAGE"],
    [["--policy", "policy.json", "--trusted-issuer", ISSUER.publicKey], "ERR_USAGE"],
    [["--policy", "policy.json", "--max-age", "1"], "ERR_USAGE"],
    [["--policy", "policy.json", "--require-attestation", "spdx"], "ERR_USAGE"],
    [["--key", "none.pub"], "ERR_FILE_NOT_FOUND"],
    [["--key", "a.par"], "ERR_KEY_INVALID"],
    [["--key", ISSUER.publicKey.replace("A7R5", "A7R6")], "ERR_KEY_CHECKSUM"],
    [["--key", "release.pub", "--bundle", "none.json"], "ERR_FILE_NOT_FOUND"],
  ];
  for (const [flags, code] of wrong) {
    const [status, text] = await verify(s, ...flags);
    assert(status === 1 || status === 2, `${flags}: ${status} ${text}`);
    assert(text.includes(`[${code}]`), `${flags}: ${text}`);
    assert(!/^ok /m.test(text), text);
  }
});

/** A policy that the archive fulfils, with more members. */
function policyText(more: Record<string, unknown> = {}): string {
  const issuers = [{ name: "Payments team", key: ISSUER.publicKey }];
  return JSON.stringify({ issuers, ...more });
}

Deno.test("par verify --policy checks what the file says, and names who signed", async () => {
  await using s = await workshop();
  await Deno.mkdir(`${s.folder}/policies`);
  await s.write("policies/release.pub", release.key.pem());
  await s.write(
    "policies/policy.json",
    policyText({
      keys: [{ name: "Release", file: "release.pub" }],
      requiredAttestations: [{ type: "cyclonedx", keys: ["Release"] }],
      maxAgeDays: 36500,
      revoked: { keys: [{ key: OTHER_ISSUER.publicKey }] },
    }),
  );
  const flags = ["--policy", "policies/policy.json", "--bundle", "release.json"];
  const { code, stdout, stderr } = await s.run(
    ["verify", "a.par", ...flags, "--bundle", "sbom.json", "-o", "json"],
    // The file takes the place of the environment's list.
    { env: { PAR_TRUSTED_ISSUERS: OTHER_ISSUER.publicKey } },
  );
  assert.equal(code, 0, stdout + stderr);
  const { checks } = JSON.parse(stdout);
  assert.deepEqual(checks.map(({ name }: { name: string }) => name), [
    ...["archive", "signature", "validity", "binaries", "issuer", "age", "revocation"],
    ...["bundle signature", "attestation cyclonedx"],
  ]);
  assert.equal(checks[1].message, `by Payments team (${ISSUER.publicKey})`);
  assert.equal(checks[4].message, `Payments team (${ISSUER.publicKey}) is trusted`);
  assert.match(checks[7].message, /^by Release \(ECDSA-P256 key .+\), in release\.json$/);
  const [missing, text] = await verify(s, ...flags);
  assert.equal(missing, 3, text);
});

Deno.test("par verify --policy refuses archives and keys that are revoked", async () => {
  await using s = await workshop();
  const cases: readonly [revoked: unknown, code: string][] = [
    [{ archives: [digest] }, "ERR_ARCHIVE_REVOKED"],
    [{ keys: [{ key: issuer.key.pem(), name: "lost" }] }, "ERR_KEY_REVOKED"],
  ];
  for (const [revoked, code] of cases) {
    await s.write("policy.json", policyText({ revoked }));
    const [status, text] = await verify(s, "--policy", "policy.json");
    assert.equal(status, 3, text);
    assert.match(text, new RegExp(`^FAILED  revocation  .*\\[${code}\\]$`, "m"));
  }
});

Deno.test("par verify --policy takes flags that ask for more", async () => {
  await using s = await workshop();
  await s.write("policy.json", policyText());
  assert.equal((await verify(s, "--policy", "policy.json"))[0], 0);
  const [status, text] = await verify(s, "--policy", "policy.json", "--require-arch", "mips-linux");
  assert.equal(status, 3);
  assert.match(text, /\[ERR_TARGET_REQUIRED\]$/m);
});

Deno.test("par verify --policy trusts nobody by mistake: a policy it cannot read is an error", async () => {
  await using s = await workshop();
  const keys = [{ name: "x", file: "none.pub" }];
  const policies: readonly [text: string, code: string, says: RegExp][] = [
    ["", "ERR_POLICY_INVALID", /ends too early/],
    ["{}", "ERR_POLICY_INVALID", /issuers: this member is missing/],
    [policyText({ extra: 1 }), "ERR_POLICY_INVALID", /extra: this member is unknown/],
    [policyText({ keys: [{ name: "x", key: "no key" }] }), "ERR_POLICY_INVALID", /keys\[0\]\.key/],
    [policyText({ keys }), "ERR_FILE_NOT_FOUND", /none\.pub/],
  ];
  for (const [policy, code, says] of policies) {
    await s.write("policy.json", policy);
    const { code: status, stdout, stderr } = await s.run([
      ...["verify", "a.par", "--policy", "policy.json"],
    ]);
    assert.equal(status, 1, stderr);
    assert.equal(stdout, "");
    assert(stderr.includes(`[${code}]`), stderr);
    assert.match(stderr, says);
  }
  assert.equal((await s.run(["verify", "a.par", "--policy", "none.json"])).code, 1);
});
