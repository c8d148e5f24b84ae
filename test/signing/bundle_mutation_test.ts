import assert from "node:assert/strict";
import {
  type BundleKey,
  createBundle,
  ParError,
  parseBundle,
  verifyBundle,
} from "../../lib/signing/mod.ts";
import { cuts, flips } from "../verbs/_mutations.ts";
import { ARCHIVE, type BundleJson, decode, encode, signers, STATEMENT } from "./_bundles.ts";

/** Alters the bytes inside of base64 too, so that the statement and the signature change. */
function* inside(bundle: BundleJson): Generator<[what: string, altered: Uint8Array<ArrayBuffer>]> {
  const { dsseEnvelope: envelope } = bundle;
  const toBytes = (text: string): Uint8Array =>
    Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const toText = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
  const [signature] = envelope.signatures;
  for (const bend of [flips, cuts] as const) {
    const masks = [1, 0x20, 0x80];
    for (const [what, payload] of bend(toBytes(envelope.payload), masks)) {
      yield [
        `payload: ${what}`,
        encode({ ...bundle, dsseEnvelope: { ...envelope, payload: toText(payload) } }),
      ];
    }
    for (const [what, sig] of bend(toBytes(signature?.sig ?? ""), masks)) {
      const signatures = [{ sig: toText(sig) }];
      yield [
        `signature: ${what}`,
        encode({ ...bundle, dsseEnvelope: { ...envelope, signatures } }),
      ];
    }
  }
}

function* altered(
  original: Uint8Array,
): Generator<[what: string, altered: Uint8Array<ArrayBuffer>]> {
  yield* flips(original, [1, 0x20, 0x80, 0xff]);
  yield* cuts(original);
  yield* inside(decode(original));
}

Deno.test("verifyBundle() accepts of altered bundles only those that say the same", async () => {
  let tried = 0;
  let refused = 0;
  for (const { key, sign } of await kinds()) {
    const original = await sign();
    for (const [what, bytes] of altered(original)) {
      tried++;
      try {
        const { statement } = await verifyBundle(parseBundle(bytes), [key], { digests: [ARCHIVE] });
        // Another hint, or another spelling of the same JSON.
        assert.deepEqual(statement, STATEMENT, what);
        const { payload, signature } = parseBundle(bytes);
        const before = parseBundle(original);
        assert.deepEqual([payload, signature], [before.payload, before.signature], what);
      } catch (error) {
        assert(error instanceof ParError, `${what}: ${error}`);
        assert.equal(error.category, "untrusted", `${what}: ${error}`);
        refused++;
      }
    }
  }
  assert(refused > tried * 0.9, `${refused} of ${tried}`);
  assert(refused < tried);
  assert(tried > 10_000);
  console.log(
    `altered bundles tried: ${tried} (${refused} refused, ${tried - refused} without effect), ` +
      "accepted wrongly: 0",
  );
});

async function kinds(): Promise<{ key: BundleKey; sign: () => Promise<Uint8Array> }[]> {
  return Object.values(await signers())
    .map((signer) => ({ key: signer.key, sign: () => createBundle(STATEMENT, signer) }));
}
