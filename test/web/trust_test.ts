import assert from "node:assert/strict";
import { formatIssuers, parseIssuers } from "../../web/src/trust.ts";
import { ISSUER, OTHER_ISSUER, SUBJECT } from "../_keys.ts";

Deno.test("parseIssuers() reads what formatIssuers() writes", () => {
  const text = `${ISSUER.publicKey} # ours, #1\n${OTHER_ISSUER.publicKey}\n`;
  const { issuers, refused } = parseIssuers(text);
  assert.deepEqual(issuers, [
    { key: ISSUER.publicKey, note: "ours, #1" },
    { key: OTHER_ISSUER.publicKey, note: "" },
  ]);
  assert.deepEqual(refused, []);
  assert.equal(formatIssuers(issuers), text);
});

Deno.test("parseIssuers() takes each key once, with its last note", () => {
  const { issuers } = parseIssuers(`${ISSUER.publicKey} # a\r\n\r\n# b\r\n${ISSUER.publicKey} # c`);
  assert.deepEqual(issuers, [{ key: ISSUER.publicKey, note: "c" }]);
});

Deno.test("parseIssuers() shows and keeps no seed that stands on a line", () => {
  const { seed, publicKey } = OTHER_ISSUER;
  const { issuers, refused } = parseIssuers(
    `${seed}\n${seed} # ours\n${seed.slice(0, -1)}\n${publicKey} # ours, ${seed}\n`,
  );
  assert.deepEqual(issuers, [{ key: publicKey, note: "ours, [a seed, not shown]" }]);
  assert.equal(refused.length, 3);
  const shown = refused.join() + formatIssuers(issuers);
  assert(!shown.includes(seed.slice(2, 18)) && !shown.includes(seed.slice(30, 46)), shown);
  assert.match(refused[0] ?? "", /it is a seed, which is secret; give the public key/);
});

Deno.test("parseIssuers() refuses keys that issue no archives, and takes the rest", () => {
  const { issuers, refused } = parseIssuers(`${SUBJECT.publicKey}\nnonsense\n${ISSUER.publicKey}`);
  assert.deepEqual(issuers.map(({ key }) => key), [ISSUER.publicKey]);
  assert.deepEqual(refused.map((message) => /^Cannot /.test(message)), [true, true]);
});
