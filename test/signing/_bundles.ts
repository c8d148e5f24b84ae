/**
 * Bundles for tests, and ways to bend them.
 *
 * @module
 */

import {
  type BundleKey,
  type BundleSigner,
  createStatement,
  parseSigningKey,
  signerOf,
  type Statement,
} from "../../lib/signing/mod.ts";
import { issuerPair } from "../_keys.ts";

/** The digest of the archive that {@linkcode STATEMENT} is about. */
export const ARCHIVE = `sha256:${"a1".repeat(32)}`;
/** The digest of its manifest. */
export const MANIFEST = `sha256:${"b2".repeat(32)}`;
/** The digest of something else. */
export const OTHER = `sha256:${"c3".repeat(32)}`;

/** A plain signature. */
export const STATEMENT: Statement = createStatement({
  manifest: { name: "registry.example/payments", digest: MANIFEST },
  archive: { name: "payments.par.gz", digest: ARCHIVE },
});

let made: Promise<Record<BundleKey["algorithm"], BundleSigner>> | undefined;

/** A signer of each kind, the same at every call. */
export function signers(): Promise<Record<BundleKey["algorithm"], BundleSigner>> {
  return made ??= (async () => ({
    "ECDSA-P256": await parseSigningKey(await p256Pem()),
    Ed25519: await signerOf(await issuerPair()),
  }))();
}

/** A new private key as PEM, as WebCrypto writes it. */
export async function p256Pem(): Promise<string> {
  return await pemOf({ name: "ECDSA", namedCurve: "P-256" });
}

/** The same of the other kind. */
export async function ed25519Pem(): Promise<string> {
  return await pemOf({ name: "Ed25519" });
}

async function pemOf(algorithm: EcKeyGenParams | Algorithm): Promise<string> {
  const pair = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { privateKey } = pair as CryptoKeyPair;
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

/** The members of a bundle that is signed with a key. */
export interface BundleJson {
  readonly mediaType: string;
  readonly verificationMaterial: { readonly publicKey: { readonly hint: string } };
  readonly dsseEnvelope: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string }[];
  };
}

/** Reads a bundle without any check. */
export function decode(bytes: Uint8Array): BundleJson {
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** Writes anything as JSON; a text is taken as it is. */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}
