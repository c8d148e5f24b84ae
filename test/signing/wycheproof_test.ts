import assert from "node:assert/strict";
import { verifySignature } from "../../mod.ts";
import { ROOT } from "../_tools.ts";

/** Beside the checkout, where there is one; a clone elsewhere has none. */
const VECTORS = `${ROOT}/../shared/data/wycheproof-ed25519.json`;

interface Vectors {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly msg: string;
      readonly sig: string;
      readonly result: string;
    }[];
  }[];
}

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

Deno.test({
  name: "verifySignature() decides Project Wycheproof's Ed25519 vectors as they are decided there",
  ignore: !exists(VECTORS),
  async fn() {
    const vectors = JSON.parse(await Deno.readTextFile(VECTORS)) as Vectors;
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
