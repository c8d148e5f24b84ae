import assert from "node:assert/strict";
import { parsePublicKey, type Policy, verify, type VerifyReport } from "../../mod.ts";
import { parseTarget } from "../../lib/target/mod.ts";
import { archiveOf, gzipped, ISSUED_AT } from "../_archive.ts";
import { ISSUER, OTHER_ISSUER, otherIssuerPair, SUBJECT } from "../_keys.ts";
import { FOREIGN, foreignElf, HOST, hostElf } from "./_fixtures.ts";
import { KeyPair } from "../../lib/signing/nkey.ts";

const issuer = parsePublicKey(ISSUER.publicKey);
const otherIssuer = parsePublicKey(OTHER_ISSUER.publicKey);

/** The checks that failed, by name and code. */
function failures({ checks }: VerifyReport): [string, string | undefined][] {
  return checks.filter(({ passed }) => !passed).map(({ name, code }) => [name, code]);
}

Deno.test("verify() reports what it checked of an archive in order", async () => {
  const report = await verify(gzipped(await archiveOf()));
  assert(report.trusted);
  assert.deepEqual(
    report.checks.map(({ name, passed }) => [name, passed]),
    [["archive", true], ["signature", true], ["validity", true], ["binaries", true]],
  );
  assert.equal(report.archive?.claims.iss, ISSUER.publicKey);
  for (const { message, code } of report.checks) {
    assert(message.length > 0);
    assert.equal(code, undefined);
  }
});

Deno.test("verify() holds the archive against each part of a policy", async () => {
  const archive = await archiveOf({ binaries: { [HOST]: hostElf(), "arm-linux": "x" } });
  const stranger = (await KeyPair.generate("service")).publicKey;
  const age = Math.floor(Date.now() / 1000) - ISSUED_AT;
  const accepted: Policy[] = [
    {},
    { trustedIssuers: [issuer] },
    { trustedIssuers: [otherIssuer, issuer] },
    { subject: parsePublicKey(SUBJECT.publicKey) },
    { requiredTargets: [] },
    { requiredTargets: [parseTarget("arm-linux"), HOST] },
    { thisHost: true },
    { maxAge: age + 60 },
  ];
  for (const policy of accepted) {
    assert.deepEqual(failures(await verify(archive, policy)), []);
  }
  // All parts together, too.
  assert((await verify(archive, Object.assign({}, ...accepted))).trusted);
  const refused: [Policy, [string, string][]][] = [
    [{ trustedIssuers: [otherIssuer] }, [["issuer", "ERR_ISSUER_UNTRUSTED"]]],
    [{ trustedIssuers: [] }, [["issuer", "ERR_ISSUER_UNTRUSTED"]]],
    [{ subject: stranger }, [["subject", "ERR_SUBJECT_MISMATCH"]]],
    [{ requiredTargets: [parseTarget("mips-linux"), HOST] }, [["target", "ERR_TARGET_REQUIRED"]]],
    [{ maxAge: age - 60 }, [["age", "ERR_TOO_OLD"]]],
    [{ trustedIssuers: [], subject: stranger, maxAge: 1 }, [
      ["issuer", "ERR_ISSUER_UNTRUSTED"],
      ["subject", "ERR_SUBJECT_MISMATCH"],
      ["age", "ERR_TOO_OLD"],
    ]],
  ];
  for (const [policy, expected] of refused) {
    const report = await verify(archive, policy);
    assert(!report.trusted);
    assert.deepEqual(failures(report), expected);
  }
});

Deno.test("verify() judges the age at the second", async () => {
  const archive = await archiveOf();
  const at = (age: number): Date => new Date((ISSUED_AT + age) * 1000);
  const trusted = async (age: number): Promise<boolean> =>
    (await verify(archive, { maxAge: 100, now: at(age) })).trusted;
  assert(await trusted(99));
  assert(await trusted(100));
  assert(!await trusted(101));
  // From the future, by more than two clocks may differ.
  assert(await trusted(-300));
  const report = await verify(archive, { maxAge: 100, now: at(-301) });
  assert(!report.trusted);
  assert.deepEqual(failures(report), [["age", "ERR_TOO_OLD"]]);
  assert.match(report.checks.at(-1)?.message ?? "", /which is in the future$/);
});

Deno.test("verify() refuses a policy whose keys are none, or of another role", async () => {
  const archive = await archiveOf();
  for (
    const [policy, code] of [
      [{ subject: "VBM5JMFOVUJDHGTO" }, "ERR_KEY_INVALID"],
      [{ subject: "" }, "ERR_KEY_INVALID"],
      [{ subject: issuer }, "ERR_KEY_ROLE"],
      [{ trustedIssuers: [issuer, "AA7R5L74"] }, "ERR_KEY_INVALID"],
      [{ trustedIssuers: [SUBJECT.publicKey] }, "ERR_KEY_ROLE"],
    ] as const
  ) await assert.rejects(verify(archive, policy), { code }, JSON.stringify(policy));
});

Deno.test("verify() with this host wants a binary that this machine can run", async () => {
  const cases: [Record<string, Uint8Array | string>, boolean][] = [
    [{ [HOST]: hostElf() }, true],
    [{ [HOST]: foreignElf() }, false],
    // An object file.
    [{ [HOST]: hostElf().with(16, 1) }, false],
    [{ [HOST]: "a script, maybe" }, false],
    [{ [HOST]: "" }, false],
    [{ [FOREIGN]: hostElf() }, false],
    [{}, false],
  ];
  for (const [binaries, expected] of cases) {
    const report = await verify(await archiveOf({ binaries }), { thisHost: true });
    assert.equal(report.trusted, expected, JSON.stringify(report.checks));
    assert.deepEqual(failures(report), expected ? [] : [["host", "ERR_HOST_INCOMPATIBLE"]]);
    const none = !Object.hasOwn(binaries, HOST);
    assert.equal(none, report.checks.some(({ message }) => /^no binary for this/.test(message)));
  }
});

Deno.test("verify() reports an archive that is not to be believed, whatever the policy", async () => {
  const whole = await archiveOf();
  const cases: [Uint8Array<ArrayBuffer>, string, string][] = [
    [whole.slice(0, -600), "archive", "ERR_ARCHIVE_TRUNCATED"],
    [new Uint8Array(0), "archive", "ERR_ARCHIVE_EMPTY"],
    [
      await archiveOf({ signer: await otherIssuerPair() }),
      "signature",
      "ERR_TOKEN_SIGNATURE",
    ],
    [await archiveOf({ bend: (payload) => payload["exp"] = 1 }), "validity", "ERR_TOKEN_EXPIRED"],
    [
      await archiveOf({
        bend: (payload) => delete payload["wascap"].target_hashes["x86_64-linux"],
      }),
      "binaries",
      "ERR_HASH_UNLISTED",
    ],
  ];
  for (const [bytes, name, code] of cases) {
    const report = await verify(bytes, { trustedIssuers: [issuer, otherIssuer] });
    assert.deepEqual(failures(report), [[name, code]]);
    assert(!report.trusted);
    assert.equal(report.archive, undefined);
  }
});
