/**
 * Keys that sign bundles: ECDSA with P-256 and Ed25519, as PEM or as nkeys. This module is browser
 * compatible.
 *
 * @module
 */

import * as base64url from "npm:jose@6.2.18/base64url";
import { decodeBase64, encodeBase64 } from "../bytes/base64.ts";
import { hex } from "../bytes/hex.ts";
import { ParError } from "../errors.ts";
import { fromDer, toDer } from "./ecdsa.ts";
import {
  importPublicKey,
  type KeyPair,
  parsePublicKey,
  type PublicKey,
  publicKeyBytes,
  roleOf,
  verifySignature,
} from "./nkey.ts";

/** How a {@linkcode BundleKey} verifies: ECDSA with P-256 and SHA-256, or Ed25519. */
export type BundleKeyAlgorithm = "ECDSA-P256" | "Ed25519";

/** The beginning of a P-256 key's SubjectPublicKeyInfo (RFC 5480, section 2); a point follows. */
const P256_SPKI = [
  ...[0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1],
  ...[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3, 0x42, 0, 4],
];

/** The beginning of an Ed25519 key's SubjectPublicKeyInfo (RFC 8410, section 4); 32 bytes follow. */
const ED25519_SPKI = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/**
 * A public key that verifies bundles. {@linkcode parseBundleKey} makes one of a text.
 *
 * @example Write an issuer's nkey as PEM, for `cosign` and `openssl`
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const key = await parseBundleKey("AA7R5L74E45BJ4XVUYTELQ56P5VCOSPOAA474L7QWH4ZAILLKTZFWYYW");
 * assert.equal(key.algorithm, "Ed25519");
 * assert.match(key.pem(), /^-----BEGIN PUBLIC KEY-----\n/);
 * assert.equal((await parseBundleKey(key.pem())).hint, key.hint);
 * ```
 */
export class BundleKey {
  /** How the key verifies. */
  readonly algorithm: BundleKeyAlgorithm;
  /** The base64 of the SHA-256 of the key's DER. It is how a bundle names its key. */
  readonly hint: string;
  /** The key's text form as an nkey, if it was given as one. */
  readonly nkey?: PublicKey;
  readonly #spki: Uint8Array<ArrayBuffer>;

  private constructor(
    algorithm: BundleKeyAlgorithm,
    hint: string,
    spki: Uint8Array<ArrayBuffer>,
    nkey: PublicKey | undefined,
  ) {
    this.algorithm = algorithm;
    this.hint = hint;
    this.#spki = spki;
    if (nkey) this.nkey = nkey;
  }

  /**
   * Makes a key of its DER.
   *
   * @param der A SubjectPublicKeyInfo (RFC 5280, section 4.1), P-256 with an uncompressed point, or
   * Ed25519.
   * @param name What error messages call the key.
   * @returns The key.
   * @throws {ParError} `ERR_KEY_UNSUPPORTED` for a key of another kind, and `ERR_KEY_INVALID` for
   * bytes that are no key.
   */
  static async fromDer(der: Uint8Array, name = "the key"): Promise<BundleKey> {
    return await BundleKey.#of(der, name);
  }

  /**
   * Makes a key of an nkey.
   *
   * @param nkey The public key in its text form.
   * @returns The key.
   * @throws {ParError} `ERR_KEY_ROLE` for a curve key, because X25519 keys do not sign, and
   * `ERR_KEY_INVALID` for one of small order.
   */
  static async fromNkey(nkey: PublicKey): Promise<BundleKey> {
    if (roleOf(nkey) === "curve") {
      throw new ParError(
        "ERR_KEY_ROLE",
        `Cannot use ${nkey}: a curve key only encrypts; give a key of another role`,
      );
    }
    const der = Uint8Array.of(...ED25519_SPKI, ...publicKeyBytes(nkey));
    return await BundleKey.#of(der, `public key ${nkey}`, nkey);
  }

  static async #of(der: Uint8Array, name: string, nkey?: PublicKey): Promise<BundleKey> {
    const algorithm = algorithmOf(der, name);
    const spki = new Uint8Array(der);
    if (!await isUsable(algorithm, spki)) {
      throw new ParError(
        "ERR_KEY_INVALID",
        `Cannot use ${name}: its bytes are not a sound key, so anybody could sign for it; make a new key`,
      );
    }
    const hint = encodeBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", spki)));
    return new BundleKey(algorithm, hint, spki, nkey);
  }

  /**
   * Gives the key's DER.
   *
   * @returns A SubjectPublicKeyInfo (RFC 5280, section 4.1).
   */
  der(): Uint8Array<ArrayBuffer> {
    return this.#spki.slice();
  }

  /**
   * Gives the key as PEM (RFC 7468, section 13).
   *
   * @returns Lines that end with a line feed.
   */
  pem(): string {
    const lines = encodeBase64(this.#spki).match(/.{1,64}/g) ?? [];
    return `-----BEGIN PUBLIC KEY-----\n${lines.join("\n")}\n-----END PUBLIC KEY-----\n`;
  }

  /**
   * Verifies a signature.
   *
   * @param data The bytes that were signed.
   * @param signature The signature: ASN.1 DER for ECDSA, in its canonical form only; 64 bytes for
   * Ed25519.
   * @returns Whether the signature is valid.
   */
  async verify(
    data: Uint8Array<ArrayBuffer>,
    signature: Uint8Array<ArrayBuffer>,
  ): Promise<boolean> {
    if (this.algorithm === "Ed25519") {
      return await verifySignature(this.#spki.slice(ED25519_SPKI.length), data, signature);
    }
    const raw = fromDer(signature);
    if (!raw) return false;
    try {
      const key = await crypto.subtle.importKey("spki", this.#spki, ECDSA, false, ["verify"]);
      return await crypto.subtle.verify(ECDSA, key, raw, data);
    } catch {
      // A runtime may throw for numbers that are out of range.
      return false;
    }
  }

  /** Gives the nkey, or the algorithm and the hint. */
  toString(): string {
    return this.nkey ?? `${this.algorithm} key ${this.hint}`;
  }
}

/**
 * A private key that signs bundles. {@linkcode parseSigningKey} makes one of PEM, and
 * {@linkcode signerOf} one of an nkey's pair. Whoever prints it sees the public key only.
 */
export class BundleSigner {
  /** The public key that verifies what this signs. */
  readonly key: BundleKey;
  readonly #sign: (data: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>;

  /**
   * Makes a signer of a function, such as one that asks a key store to sign.
   *
   * @param key The public key.
   * @param sign Signs bytes. Gives ASN.1 DER for ECDSA, and 64 bytes for Ed25519.
   */
  constructor(
    key: BundleKey,
    sign: (data: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>,
  ) {
    this.key = key;
    this.#sign = sign;
  }

  /**
   * Signs bytes, and verifies the signature.
   *
   * @param data The bytes to sign.
   * @returns The signature: ASN.1 DER for ECDSA, 64 bytes for Ed25519.
   * @throws {ParError} `ERR_KEY_MISMATCH` if the public key does not belong to the private key.
   */
  async sign(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const signature = await this.#sign(data);
    if (await this.key.verify(data, signature)) return signature;
    throw new ParError(
      "ERR_KEY_MISMATCH",
      `Cannot sign with ${this.key}: the private key made a signature that this public key does ` +
        "not verify; make a new pair of keys",
    );
  }
}

/**
 * Reads a public key for bundles.
 *
 * @param text PEM (`-----BEGIN PUBLIC KEY-----`) with a P-256 or an Ed25519 key, or a public nkey
 * such as `A…`. White space around it is ignored.
 * @param name What error messages call the key, such as `the key file "cosign.pub"`.
 * @returns The key.
 * @throws {ParError} `ERR_KEY_UNSUPPORTED` for a key of another kind, `ERR_KEY_ROLE` for a curve key;
 * `ERR_KEY_INVALID` or `ERR_KEY_CHECKSUM` for any other text. No message shows a private key.
 *
 * @example Refuse a seed
 * ```ts
 * import assert from "node:assert/strict";
 * import { KeyPair } from "./nkey.ts";
 *
 * const seed = (await KeyPair.generate("account")).seed();
 * await assert.rejects(parseBundleKey(seed), { code: "ERR_KEY_INVALID" });
 * ```
 */
export async function parseBundleKey(text: string, name = "the key"): Promise<BundleKey> {
  const trimmed = text.trim();
  if (!trimmed.includes(PEM_BEGIN)) {
    return await BundleKey.fromNkey(parseNkey(trimmed, name));
  }
  const { label, bytes } = readPem(trimmed, name);
  if (label.endsWith("PRIVATE KEY")) {
    throw invalidKey(
      name,
      "it is a private key, which is secret; give the public key that belongs to it, " +
        (label.startsWith("ENCRYPTED ") && label !== "ENCRYPTED PRIVATE KEY"
          ? "which `cosign public-key --key cosign.key` prints"
          : "which `openssl pkey -in private.pem -pubout` prints"),
    );
  }
  if (label === "RSA PUBLIC KEY") throw otherKind(name, "RSA");
  if (label === "CERTIFICATE") {
    throw invalidKey(
      name,
      "it is a certificate; give its public key, which " +
        "`openssl x509 -in certificate.pem -noout -pubkey` prints",
    );
  }
  if (label !== "PUBLIC KEY" || !bytes) {
    throw invalidKey(name, "it is not one whole public key in PEM (-----BEGIN PUBLIC KEY-----)");
  }
  return await BundleKey.fromDer(bytes, name);
}

/**
 * Reads a private key for bundles.
 *
 * @param text PEM (`-----BEGIN PRIVATE KEY-----`, PKCS #8) with a P-256 or an Ed25519 key. White space
 * around it is ignored.
 * @param name What error messages call the key, such as `the key file "key.pem"`.
 * @returns The signer. It does not give the private key away.
 * @throws {ParError} `ERR_KEY_UNSUPPORTED` for a key that is encrypted or of another kind, and
 * `ERR_KEY_INVALID` for any other text. No message shows a part of the text.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
 * const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
 * const pem = `-----BEGIN PRIVATE KEY-----\n${
 *   btoa(String.fromCharCode(...der))
 * }\n-----END PRIVATE KEY-----\n`;
 * const signer = await parseSigningKey(pem);
 * assert.equal((await signer.sign(Uint8Array.of(1, 2, 3))).length, 64);
 * ```
 */
export async function parseSigningKey(text: string, name = "the key"): Promise<BundleSigner> {
  const trimmed = text.trim();
  if (!trimmed.includes(PEM_BEGIN)) {
    throw invalidKey(
      name,
      SEED.test(trimmed)
        ? "it is the seed of an nkey; make a `KeyPair` of it, and give that to `signerOf()`"
        : "it is not a private key in PEM, which begins with -----BEGIN PRIVATE KEY-----",
    );
  }
  const { label, bytes } = readPem(trimmed, name);
  switch (label) {
    case "PRIVATE KEY":
      if (!bytes) {
        throw invalidKey(
          name,
          "it is not one whole key in PEM; give a text with one key and nothing else",
        );
      }
      return await importSigner(bytes, name);
    case "EC PRIVATE KEY":
      throw unsupportedKey(
        name,
        "it is in the older form SEC 1; convert it to PKCS #8 with " +
          "`openssl pkcs8 -topk8 -nocrypt -in old.pem -out key.pem`",
      );
    case "ENCRYPTED PRIVATE KEY":
      throw unsupportedKey(
        name,
        "it is encrypted; decrypt it with `openssl pkcs8 -in encrypted.pem -out key.pem`",
      );
    case "ENCRYPTED SIGSTORE PRIVATE KEY":
    case "ENCRYPTED COSIGN PRIVATE KEY":
      throw unsupportedKey(
        name,
        `cosign encrypted it, and only cosign can decrypt it; make a key with ${MAKE_KEY}, which ` +
          "`cosign import-key-pair --key key.pem` takes too",
      );
    case "RSA PRIVATE KEY":
      throw otherKind(name, "RSA");
    case "OPENSSH PRIVATE KEY":
      throw otherKind(name, "OpenSSH");
    case "PUBLIC KEY":
      throw invalidKey(name, "it is a public key; give the private key that belongs to it");
    default:
      throw invalidKey(name, "it is not a private key (-----BEGIN PRIVATE KEY-----)");
  }
}

/**
 * Makes a signer of an nkey's pair, such as an issuer's.
 *
 * @param pair The pair of any role other than `curve`.
 * @returns The signer. Its bundles verify with the pair's public key, as an nkey or as PEM.
 * @throws {ParError} `ERR_KEY_ROLE` for a curve key, because X25519 keys do not sign.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { KeyPair } from "./nkey.ts";
 *
 * const issuer = await KeyPair.generate("account");
 * assert.equal((await signerOf(issuer)).key.nkey, issuer.publicKey);
 * ```
 */
export async function signerOf(pair: KeyPair): Promise<BundleSigner> {
  const key = await BundleKey.fromNkey(pair.publicKey);
  return new BundleSigner(key, (data) => pair.sign(data));
}

async function importSigner(der: Uint8Array<ArrayBuffer>, name: string): Promise<BundleSigner> {
  for (const algorithm of [ECDSA, { name: "Ed25519" }] as const) {
    let exportable: CryptoKey;
    try {
      exportable = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
    } catch {
      // It is a key of the other kind, or of none. The error could quote a part of the key.
      continue;
    }
    const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", exportable);
    const prefix = algorithm === ECDSA ? P256_SPKI : ED25519_SPKI;
    const spki = Uint8Array.of(...prefix, ...base64url.decode(x), ...base64url.decode(y));
    const key = await BundleKey.fromDer(spki, name);
    const secret = await crypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
    return new BundleSigner(key, async (data) => {
      const signature = new Uint8Array(await crypto.subtle.sign(algorithm, secret, data));
      return algorithm === ECDSA ? toDer(signature) : signature;
    });
  }
  throw unsupportedKey(
    name,
    `it is not a P-256 or Ed25519 key in PKCS #8; make one with ${MAKE_KEY}`,
  );
}

/** Tells whether a public key is a point of its curve, and for Ed25519 not one of small order. */
async function isUsable(algorithm: BundleKeyAlgorithm, spki: Uint8Array): Promise<boolean> {
  if (algorithm === "Ed25519") {
    return await importPublicKey(new Uint8Array(spki.subarray(ED25519_SPKI.length))) !== undefined;
  }
  // Some runtimes import any two numbers.
  const point = hex(spki.subarray(P256_SPKI.length));
  const [x, y] = [BigInt(`0x${point.slice(0, 64)}`), BigInt(`0x${point.slice(64)}`)];
  return x < P && y < P && (y * y - x * x * x + 3n * x - B) % P === 0n;
}

/** P-256 (SP 800-186, section 3.2.1.3): y² = x³ - 3x + b modulo p. */
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

function algorithmOf(der: Uint8Array, name: string): BundleKeyAlgorithm {
  const has = (prefix: readonly number[], rest: number): boolean =>
    der.length === prefix.length + rest && prefix.every((byte, at) => der[at] === byte);
  if (has(P256_SPKI, 64)) return "ECDSA-P256";
  if (has(ED25519_SPKI, 32)) return "Ed25519";
  throw unsupportedKey(
    name,
    "it is not a P-256 key with an uncompressed point, and not an Ed25519 key; give a key of one of " +
      "these kinds",
  );
}

/** What looks like an nkey's seed. */
const SEED = /^S[A-Z0-9]{57}$/i;

/** What every block of PEM begins with. */
const PEM_BEGIN = "-----BEGIN ";

/** One block of PEM, with text neither before nor behind it (RFC 7468, section 3). */
const PEM = /^-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n([A-Za-z0-9+/=\s]*)-----END \1-----$/;

/** Reads a block of PEM. If there is more than that, only the label of the telling block counts. */
function readPem(
  text: string,
  name: string,
): { readonly label: string; readonly bytes: Uint8Array<ArrayBuffer> | undefined } {
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label = ""]) => label);
  // `openssl ecparam -genkey` writes the name of the curve before the key.
  const secret = labels.find((each) => each.endsWith("PRIVATE KEY"));
  const label = secret ?? (labels.length === 1 ? labels[0] : undefined);
  if (label === undefined) {
    throw invalidKey(
      name,
      `it has ${labels.length} blocks of PEM; give a text with one key and nothing else`,
    );
  }
  const body = PEM.exec(text)?.[2];
  return {
    label,
    bytes: body === undefined ? undefined : decodeBase64(body.replaceAll(/\s/g, "")),
  };
}

/** Reads an nkey, and does not show a text that could be something secret. */
function parseNkey(text: string, name: string): PublicKey {
  if (/^[A-RT-Z][A-Z0-9]{55}$/.test(text)) return parsePublicKey(text);
  throw invalidKey(
    name,
    SEED.test(text)
      ? "it is a seed, which is secret; give the public key that belongs to it"
      : "it is neither PEM (-----BEGIN PUBLIC KEY-----) nor a public nkey of 56 characters (A…)",
  );
}

/** The command that makes a key. */
const MAKE_KEY = "`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem`";

function otherKind(name: string, kind: string): ParError {
  return unsupportedKey(
    name,
    `it is an ${kind} key; give a P-256 or an Ed25519 key, which ${MAKE_KEY} makes`,
  );
}

function unsupportedKey(name: string, reason: string): ParError {
  return new ParError("ERR_KEY_UNSUPPORTED", `Cannot use ${name}: ${reason}`);
}

function invalidKey(name: string, reason: string): ParError {
  return new ParError("ERR_KEY_INVALID", `Cannot use ${name}: ${reason}`);
}
