import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { verifySignature } from "../../lib/signing/mod.ts";
import { readVectors } from "./_wycheproof.ts";

const vectors = readVectors();

const fromHex = (hex: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(hex, "hex"));

Deno.test({
  name: "verifySignature() decides Project Wycheproof's Ed25519 vectors as they are decided there",
  ignore: !vectors,
  async fn() {
    assert(vectors);
    const counts = { valid: 0, invalid: 0 };
    const wrong: string[] = [];
    for (const { publicKey, tests } of vectors.testGroups) {
      for (const { tcId, comment, msg, sig, result } of tests) {
        assert(result === "valid" || result === "invalid", `${tcId}: ${result}`);
        const verdict = await verifySignature(fromHex(publicKey.pk), fromHex(msg), fromHex(sig));
        if (verdict !== (result === "valid")) wrong.push(`${tcId} ${comment}: ${verdict}`);
        counts[result]++;
      }
    }
    assert.deepEqual(wrong, []);
    const run = counts.valid + counts.invalid;
    assert.equal(run, vectors.numberOfTests);
    assert.equal(run, 151);
    console.log(
      `Wycheproof vectors run: ${run} (${counts.valid} valid, ${counts.invalid} invalid), ` +
        "decided wrongly: 0",
    );
  },
});
