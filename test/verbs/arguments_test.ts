import assert from "node:assert/strict";
import * as par from "../../mod.ts";
import { attest, type AttestOptions } from "../../lib/verbs/sign.ts";
import { issuerPair, subjectPair } from "../_keys.ts";

/** What plain JavaScript may give, and TypeScript would not compile. */
// deno-lint-ignore no-explicit-any -- any value at all
const WRONG: readonly any[] = [undefined, null, 42, true, Symbol("x"), () => {}, [], {}];

Deno.test("every verb answers arguments of a wrong type with a ParError", async () => {
  const keys = { issuer: await issuerPair(), subject: await subjectPair() };
  // deno-lint-ignore no-explicit-any -- any value at all
  const calls: Readonly<Record<string, (wrong: any) => Promise<unknown>>> = {
    "create()": (wrong) => par.create(wrong),
    "create(), destination": (wrong) =>
      par.create({ ...keys, name: "x", vendor: "y", binaries: [], destination: wrong }),
    "create(), issuer": (wrong) =>
      par.create({
        ...keys,
        issuer: wrong,
        name: "x",
        vendor: "y",
        binaries: [],
        destination: "/a",
      }),
    "createStream()": (wrong) => par.createStream(wrong),
    "createStream(), name": (wrong) =>
      par.createStream({ ...keys, name: wrong, vendor: "y", binaries: [] }),
    "insert()": (wrong) => par.insert(wrong, { ...keys, binaries: [] }),
    "insert(), options": (wrong) => par.insert("/no/such.par", wrong),
    "remove()": (wrong) => par.remove(wrong, { ...keys, targets: [] }),
    "remove(), options": (wrong) => par.remove("/no/such.par", wrong),
    "merge(), options": (wrong) => par.merge([], wrong),
    "inspect()": (wrong) => par.inspect(wrong),
    "inspectClaims()": (wrong) => par.inspectClaims(wrong),
    "verify()": (wrong) => par.verify(wrong),
    "verify(), subject": (wrong) =>
      wrong === undefined ? par.inspect(wrong) : par.verify(new Uint8Array(9), { subject: wrong }),
    "extract()": (wrong) => par.extract(wrong, { outputs: {} }),
    "extract(), outputs": (wrong) => par.extract(new Uint8Array(9), { outputs: wrong }),
    "push(), reference": (wrong) => par.push(new Uint8Array(9), wrong),
    "push(), options": (wrong) => par.push(new Uint8Array(9), "", wrong),
    "pull()": (wrong) => par.pull(wrong),
    "pull(), options": (wrong) => par.pull("", wrong),
    "copy(), from": (wrong) => par.copy(wrong, ""),
    "copy(), to": (wrong) => par.copy("oci:a:1", wrong),
    "parsePolicy()": (wrong) => par.parsePolicy(wrong),
    "parsePublicKey()": (wrong) => Promise.resolve(par.parsePublicKey(wrong)),
    ...Object.fromEntries(["notBefore", "expires"].map((name) => [
      `createStream(), ${name}`,
      (wrong) =>
        par.createStream({
          ...keys,
          name: "x",
          vendor: "y",
          binaries: [],
          [name]: wrong ?? 42,
        }),
    ])),
    "verify(), now": (wrong) => par.verify(new Uint8Array(9), { now: wrong ?? 42 }),
  };
  for (const [name, call] of Object.entries(calls)) {
    for (const wrong of WRONG) {
      await assert.rejects(
        // A call that throws at once is no promise.
        async () => await call(wrong),
        (error: Error) => {
          assert(error instanceof par.ParError, `${name} of ${String(wrong)}: ${error}`);
          return true;
        },
      );
    }
  }
});

Deno.test("verify() trusts nobody by a list that it cannot read", async () => {
  const archive = new Uint8Array(2048);
  for (const trustedIssuers of ["A", [undefined], ["A"], [42], {}]) {
    const policy = { trustedIssuers } as unknown as par.Policy;
    await assert.rejects(par.verify(archive, policy), par.ParError, JSON.stringify(trustedIssuers));
  }
});

Deno.test("attest() signs no predicate that was left out", async () => {
  const signer = await par.KeyPair.generate("account");
  const wrong = [{ predicateType: "https://example.com/own" }, { predicate: new Uint8Array(2) }];
  for (const options of wrong) {
    await assert.rejects(attest("none.par.gz", { signer, ...options } as AttestOptions), {
      code: "ERR_OPTION_INVALID",
    });
  }
});
