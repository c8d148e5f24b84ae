import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "npm:fast-check@4.10.2";
import { createSha256, toClaimsHash } from "../../lib/bytes/digest.ts";
import { concat } from "../_bytes.ts";

Deno.test("createSha256() gives the digest of FIPS 180-4's example", async () => {
  const hash = await createSha256();
  await hash.update(concat("abc"));
  assert.equal(
    toClaimsHash(await hash.digest()),
    "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
  );
});

Deno.test("createSha256() does not depend on how bytes are cut", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 })), async (parts) => {
    const hash = await createSha256();
    for (const part of parts) await hash.update(part);
    const expected = createHash("sha256").update(concat(...parts)).digest("hex").toUpperCase();
    assert.equal(toClaimsHash(await hash.digest()), expected);
  }));
});
