import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parseBundleKey, verifySignature } from "../../lib/signing/mod.ts";
import { readVectors, type Vectors } from "./_wycheproof.ts";

const ed25519 = readVectors("ed25519_test");
const ecdsa = readVectors("ecdsa_secp256r1_sha256_test");

const fromHex = (hex: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(hex, "hex"));

/** Compares each verdict with the project's. */
async function decide<Group>(
  vectors: Vectors<Group>,
  verify: (
    group: Group,
    message: Uint8Array<ArrayBuffer>,
    signature: Uint8Array<ArrayBuffer>,
  ) => Promise<boolean>,
): Promise<void> {
  const counts = { valid: 0, invalid: 0 };
  const wrong: string[] = [];
  for (const group of vectors.testGroups) {
    for (const { tcId, comment, msg, sig, result } of group.tests) {
      assert(result === "valid" || result === "invalid", `${tcId}: ${result}`);
      const verdict = await verify(group, fromHex(msg), fromHex(sig));
      if (verdict !== (result === "valid")) wrong.push(`${tcId} ${comment}: ${verdict}`);
      counts[result]++;
    }
  }
  assert.deepEqual(wrong, []);
  assert.equal(counts.valid + counts.invalid, vectors.numberOfTests);
  console.log(
    `Wycheproof vectors run: ${vectors.numberOfTests} (${counts.valid} valid, ` +
      `${counts.invalid} invalid), decided wrongly: 0`,
  );
}

Deno.test({
  name: "verifySignature() decides Project Wycheproof's Ed25519 vectors as they are decided there",
  ignore: !ed25519,
  async fn() {
    assert(ed25519);
    assert.equal(ed25519.numberOfTests, 151);
    await decide(
      ed25519,
      ({ publicKey }, message, signature) =>
        verifySignature(fromHex(publicKey.pk), message, signature),
    );
  },
});

Deno.test({
  name: "BundleKey.verify() decides Project Wycheproof's P-256 vectors as they are decided there",
  ignore: !ecdsa,
  async fn() {
    assert(ecdsa);
    assert.equal(ecdsa.numberOfTests, 484);
    await decide(ecdsa, async ({ publicKeyPem, publicKeyDer }, message, signature) => {
      const key = await parseBundleKey(publicKeyPem);
      assert.deepEqual(key.der(), fromHex(publicKeyDer));
      return await key.verify(message, signature);
    });
  },
});
