import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  BUNDLE_MEDIA_TYPE,
  type BundleKey,
  createBundle,
  createStatement,
  type Json,
  MAX_BUNDLE_SIZE,
  ParError,
  parseBundle,
  PREDICATE_TYPES,
  type VerifiedBundle,
  verifyBundle,
} from "../../lib/signing/mod.ts";
import { ARCHIVE, decode, encode, MANIFEST, OTHER, signers, STATEMENT } from "./_bundles.ts";
import { assertFails } from "../verbs/_fixtures.ts";

/** Reads and verifies. */
const verify = async (
  bytes: Uint8Array,
  keys: readonly BundleKey[],
  expected = { digests: [ARCHIVE], predicateType: PREDICATE_TYPES.signature as string },
): Promise<VerifiedBundle> => await verifyBundle(parseBundle(bytes), keys, expected);

for (const kind of ["ECDSA-P256", "Ed25519"] as const) {
  Deno.test(`verifyBundle() accepts what createBundle() signed with ${kind}`, async () => {
    const signer = (await signers())[kind];
    const bytes = await createBundle(STATEMENT, signer);
    const { statement, key } = await verify(bytes, [signer.key]);
    assert.deepEqual(statement, STATEMENT);
    assert.equal(key, signer.key);
    const other = (await signers())[kind === "Ed25519" ? "ECDSA-P256" : "Ed25519"].key;
    assert.equal((await verify(bytes, [other, signer.key])).key, signer.key);
  });
}

Deno.test("createBundle() writes the members that the format has, and no others", async () => {
  const { Ed25519: signer } = await signers();
  const bundle = decode(await createBundle(STATEMENT, signer));
  const { payload, signatures } = bundle.dsseEnvelope;
  assert.deepEqual(bundle, {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint: signer.key.hint } },
    dsseEnvelope: {
      payload,
      payloadType: "application/vnd.in-toto+json",
      signatures: [{ sig: signatures[0]?.sig }],
    },
  });
  assert.equal(
    atob(payload),
    JSON.stringify({ _type: "https://in-toto.io/Statement/v1", ...STATEMENT }),
  );
  // What DSSE says is signed, written by hand.
  const data = new TextEncoder().encode(
    `DSSEv1 28 application/vnd.in-toto+json ${atob(payload).length} ${atob(payload)}`,
  );
  const sig = Uint8Array.from(atob(signatures[0]?.sig ?? ""), (each) => each.charCodeAt(0));
  assert(await signer.key.verify(data, sig));
});

Deno.test("verifyBundle() gives back any predicate that was signed", async () => {
  const { Ed25519: signer } = await signers();
  const predicates = fc.dictionary(fc.stringMatching(/^[a-z]*$/), fc.jsonValue({ maxDepth: 2 }));
  await fc.assert(fc.asyncProperty(predicates, async (predicate) => {
    fc.pre(!/\\u0000|__proto__/.test(JSON.stringify(predicate)));
    const statement = createStatement({ archive: { digest: ARCHIVE } }, "urn:x", predicate as Json);
    const bytes = await createBundle(statement, signer);
    const verified = await verify(bytes, [signer.key], {
      digests: [ARCHIVE],
      predicateType: "urn:x",
    });
    assert.equal(JSON.stringify(verified.statement), JSON.stringify(statement));
  }));
});

Deno.test("verifyBundle() refuses other keys, archives and types with a code for each", async () => {
  const { Ed25519: signer, "ECDSA-P256": other } = await signers();
  const bytes = await createBundle(STATEMENT, signer);
  await assertFails(verify(bytes, [other.key]), "ERR_BUNDLE_KEY");
  await assertFails(verify(bytes, []), "ERR_BUNDLE_KEY");
  const bundle = decode(bytes);
  const { verificationMaterial } = decode(await createBundle(STATEMENT, other));
  const misnamed = encode({ ...bundle, verificationMaterial });
  await assertFails(verify(misnamed, [signer.key, other.key]), "ERR_BUNDLE_SIGNATURE");
  const type = PREDICATE_TYPES.signature;
  await assertFails(
    verify(bytes, [signer.key], { digests: [OTHER], predicateType: type }),
    "ERR_BUNDLE_SUBJECT",
  );
  await assertFails(
    verify(bytes, [signer.key], { digests: [], predicateType: type }),
    "ERR_BUNDLE_SUBJECT",
  );
  await assertFails(
    verify(bytes, [signer.key], { digests: [MANIFEST], predicateType: PREDICATE_TYPES.spdx }),
    "ERR_BUNDLE_PREDICATE",
  );
});

Deno.test("verifyBundle() tries every key where the bundle names none of them", async () => {
  const { Ed25519: signer, "ECDSA-P256": other } = await signers();
  const bundle = decode(await createBundle(STATEMENT, signer));
  for (const publicKey of [{}, { hint: "" }, { hint: "the key of release 1" }]) {
    const bytes = encode({ ...bundle, verificationMaterial: { publicKey } });
    assert.equal((await verify(bytes, [other.key, signer.key])).key, signer.key);
    await assertFails(verify(bytes, [other.key]), "ERR_BUNDLE_KEY");
  }
});

Deno.test("verifyBundle() leaves certificates to cosign, whatever the keys", async () => {
  const { Ed25519: signer } = await signers();
  const bundle = decode(await createBundle(STATEMENT, signer));
  for (
    const verificationMaterial of [
      { certificate: { rawBytes: "AA==" }, tlogEntries: [{ logIndex: "1" }] },
      { x509CertificateChain: { certificates: [{ rawBytes: "AA==" }] } },
    ]
  ) {
    const bytes = encode({ ...bundle, verificationMaterial });
    assert.equal(parseBundle(bytes).signer, "certificate");
    await assert.rejects(verify(bytes, [signer.key]), (error: ParError) => {
      assert.equal(error.code, "ERR_BUNDLE_UNSUPPORTED");
      assert.match(error.message, /keyless.*cosign verify/);
      return true;
    });
  }
});

Deno.test("verifyBundle() takes a key's signature with an entry of a log", async () => {
  const { Ed25519: signer } = await signers();
  const bundle = decode(await createBundle(STATEMENT, signer));
  const { publicKey } = bundle.verificationMaterial;
  const logged = encode({
    ...bundle,
    verificationMaterial: { publicKey, tlogEntries: [{ logIndex: "1" }] },
  });
  assert.equal((await verify(logged, [signer.key])).key, signer.key);
  const empty = encode({
    ...bundle,
    verificationMaterial: { publicKey, tlogEntries: [], timestampVerificationData: {} },
  });
  assert.equal((await verify(empty, [signer.key])).key, signer.key);
});

Deno.test("parseBundle() refuses what is not a bundle that all readers read alike", async () => {
  const { Ed25519: signer } = await signers();
  const bytes = await createBundle(STATEMENT, signer);
  const bundle = decode(bytes);
  const { dsseEnvelope: envelope, verificationMaterial: material } = bundle;
  const text = new TextDecoder().decode(bytes);
  const [first] = envelope.signatures;
  const sig = first?.sig ?? "";
  const cases: readonly [what: string, bent: unknown, code?: ParError["code"]][] = [
    ["nothing", ""],
    ["no object", "[]"],
    ["text behind it", `${text}{}`],
    ["two payloads", text.replace('"payload":', '"payload":"e30=","payload":')],
    ["another spelling", { ...bundle, dsse_envelope: envelope }],
    ["a member in capitals", { ...bundle, MediaType: "x" }],
    ["no envelope", { ...bundle, dsseEnvelope: null }],
    ["a list of envelopes", { ...bundle, dsseEnvelope: [envelope] }],
    ["no material", { ...bundle, verificationMaterial: undefined }],
    ["empty material", { ...bundle, verificationMaterial: {} }],
    ["key and certificate", {
      ...bundle,
      verificationMaterial: { ...material, certificate: { rawBytes: "AA==" } },
    }],
    ["a hint that is a number", { ...bundle, verificationMaterial: { publicKey: { hint: 1 } } }],
    ["a long hint", { ...bundle, verificationMaterial: { publicKey: { hint: "x".repeat(257) } } }],
    ["a key in the bundle", {
      ...bundle,
      verificationMaterial: { publicKey: { ...material.publicKey, rawBytes: "AA==" } },
    }],
    ["no signature", { ...bundle, dsseEnvelope: { ...envelope, signatures: [] } }],
    ["two signatures", { ...bundle, dsseEnvelope: { ...envelope, signatures: [first, first] } }],
    ["no list of signatures", {
      ...bundle,
      dsseEnvelope: { ...envelope, signatures: { 0: first, length: 1 } },
    }],
    ["a signature that is a text", { ...bundle, dsseEnvelope: { ...envelope, signatures: [sig] } }],
    ["an unknown member of the signature", {
      ...bundle,
      dsseEnvelope: { ...envelope, signatures: [{ sig, cert: "x" }] },
    }],
    ["a keyid that is a number", {
      ...bundle,
      dsseEnvelope: { ...envelope, signatures: [{ sig, keyid: 1 }] },
    }],
    ["no padding", {
      ...bundle,
      dsseEnvelope: { ...envelope, signatures: [{ sig: sig.replaceAll("=", "") }] },
    }],
    ["a space in base64", {
      ...bundle,
      dsseEnvelope: { ...envelope, payload: ` ${envelope.payload}` },
    }],
    ["base64url", { ...bundle, dsseEnvelope: { ...envelope, signatures: [{ sig: "-_-_" }] } }],
    ["leftover bits", { ...bundle, dsseEnvelope: { ...envelope, signatures: [{ sig: "AB==" }] } }],
    ["a payload that is no statement", {
      ...bundle,
      dsseEnvelope: { ...envelope, payload: btoa("{") },
    }],
    ["another payload type", {
      ...bundle,
      dsseEnvelope: { ...envelope, payloadType: "application/json" },
    }, "ERR_BUNDLE_UNSUPPORTED"],
    ["an older bundle", {
      ...bundle,
      mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.2",
    }, "ERR_BUNDLE_UNSUPPORTED"],
    ["no media type", { ...bundle, mediaType: undefined }, "ERR_BUNDLE_UNSUPPORTED"],
    ["a signature of bytes", {
      mediaType: BUNDLE_MEDIA_TYPE,
      verificationMaterial: material,
      messageSignature: { signature: sig },
    }, "ERR_BUNDLE_UNSUPPORTED"],
  ];
  for (const [what, bent, code = "ERR_BUNDLE_INVALID"] of cases) {
    assert.throws(() => parseBundle(encode(bent), "the bundle x"), (error: unknown) => {
      assert(error instanceof ParError, `${what}: ${error}`);
      assert.equal(error.code, code, `${what}: ${error.message}`);
      assert.match(error.message, /^Cannot read the bundle/);
      return true;
    });
  }
  assert.throws(() => parseBundle(encode("[1 2]")), { message: /the text is not JSON \(line 1/ });
  assert.throws(() => parseBundle(new Uint8Array(MAX_BUNDLE_SIZE + 1)), {
    code: "ERR_BUNDLE_INVALID",
    message: /more than/,
  });
});

Deno.test("createBundle() refuses a statement that no reader would take", async () => {
  const { Ed25519: signer } = await signers();
  const empty = createBundle({ ...STATEMENT, subject: [] }, signer);
  await assertFails(empty, "ERR_OPTION_INVALID");
});

Deno.test("a bundle of the largest predicate is written and read", async () => {
  const { Ed25519: signer } = await signers();
  const predicate = { text: "x".repeat(16 * 2 ** 20 - 1000) };
  const statement = createStatement({ archive: { digest: ARCHIVE } }, "urn:x", predicate);
  const bytes = await createBundle(statement, signer);
  await verify(bytes, [signer.key], { digests: [ARCHIVE], predicateType: "urn:x" });
});
