import assert from "node:assert/strict";
import { redact } from "../../lib/cli/redact.ts";
import { KEY_ROLES, KeyPair } from "../../lib/signing/nkey.ts";
import { ISSUER, OTHER_ISSUER, SUBJECT } from "../_keys.ts";

Deno.test("redact() takes out seeds of every role, wherever they stand", async () => {
  for (const role of KEY_ROLES) {
    const seed = (await KeyPair.generate(role)).seed();
    for (const text of [seed, `'${seed}'`, `--issuer=${seed}`, `a ${seed} b`, `/${seed}/x.nk`]) {
      const shown = redact(text);
      assert(!shown.includes(seed.slice(2, 20)) && !shown.includes(seed.slice(30)), shown);
    }
  }
});

Deno.test("redact() takes out a seed in lower case or with its end lost", () => {
  assert(!redact(ISSUER.seed.toLowerCase()).includes(ISSUER.seed.toLowerCase().slice(2, 20)));
  assert(!redact(ISSUER.seed.slice(0, 50)).includes(ISSUER.seed.slice(2, 20)));
});

Deno.test("redact() leaves public keys, hashes and paths as they are", async () => {
  const texts = [ISSUER, OTHER_ISSUER, SUBJECT].map(({ publicKey }) => publicKey);
  for (const role of KEY_ROLES) {
    for (let round = 0; round < 20; round++) texts.push((await KeyPair.generate(role)).publicKey);
  }
  texts.push("5AF4885282D382D20E1D7679900EC088C123D0A5AA548392A710B6A580EA149C");
  texts.push("target/release/libfakepay_provider.so");
  for (const text of texts) assert.equal(redact(`key ${text}.`), `key ${text}.`);
});
