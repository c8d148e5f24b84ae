import assert from "node:assert/strict";
import { isRevision, parseClaims } from "../../lib/signing/claims.ts";
import { payloadFor } from "../_archive.ts";

Deno.test("parseClaims() gives back the payload", () => {
  const payload = payloadFor();
  assert.equal(parseClaims(payload), payload);
});

Deno.test("parseClaims() keeps fields that it does not know", () => {
  const payload = { ...payloadFor(), aud: ["everybody"] };
  assert.deepEqual((parseClaims(payload) as unknown as typeof payload).aud, ["everybody"]);
});

Deno.test("parseClaims() names the field that is wrong", () => {
  const messageOf = (bend: (payload: ReturnType<typeof payloadFor>) => void): string => {
    const payload = payloadFor();
    bend(payload);
    try {
      parseClaims(payload);
    } catch (error) {
      return (error as Error).message;
    }
    return assert.fail("wrong claims were accepted");
  };
  assert.match(messageOf((payload) => payload["iat"] = "x"), /`iat`/);
  assert.match(messageOf((payload) => payload["wascap"].vendor = 1), /`wascap\.vendor`/);
  assert.match(messageOf((payload) => payload["wascap"].rev = 0.5), /`wascap\.rev`/);
  assert.match(messageOf(({ wascap }) => wascap.target_hashes["x"] = ""), /"x"/);
  assert.match(messageOf((payload) => payload["wascap_revision"] = 2 ** 32), /`wascap_revision`/);
  assert.match(messageOf((payload) => payload["Iss"] = "x"), /`Iss` .* case/);
  assert.match(messageOf(({ wascap }) => wascap.Rev = 1), /`wascap\.Rev` .* case/);
  assert.match(messageOf((payload) => payload["iss"] = "x"), /issuer "x"/);
  assert.match(messageOf((payload) => payload["sub"] = "x"), /subject "x"/);
});

Deno.test("parseClaims() says that a payload is a JSON object", () => {
  for (const payload of [null, undefined, "text", 1, true, [payloadFor()]]) {
    assert.throws(() => parseClaims(payload), {
      code: "ERR_CLAIMS_INVALID",
      message: /the payload is not a JSON object/,
    });
  }
});

Deno.test("isRevision() accepts integers of 32 bits", () => {
  for (const number of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]) assert(isRevision(number));
  for (const other of [2 ** 31, -(2 ** 31) - 1, 0.5, NaN, Infinity, "1", null, undefined, 1n]) {
    assert(!isRevision(other));
  }
});
