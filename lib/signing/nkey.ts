/**
 * Keys in the text form of nkeys, which NATS and wasmCloud share. A public key begins with the
 * letter of its role. A seed begins with `S` and that letter. This module is browser compatible.
 *
 * @module
 */

import { base32nopad } from "npm:@scure/base@2.4.0";
import * as base64url from "npm:jose@6.2.18/base64url";
import { ParError } from "../errors.ts";
import { hex } from "../bytes/hex.ts";

/** What a key is for. The issuer of an archive has an `account` key, a provider a `service` key. */
export type KeyRole =
  | "account"
  | "cluster"
  | "module"
  | "server"
  | "operator"
  | "user"
  | "service"
  | "curve";

/** The first byte of each role's public keys. Base32 turns its upper five bits into the letter. */
const PREFIXES: Readonly<Record<KeyRole, number>> = {
  account: 0 << 3,
  cluster: 2 << 3,
  module: 12 << 3,
  server: 13 << 3,
  operator: 14 << 3,
  user: 20 << 3,
  service: 21 << 3,
  curve: 23 << 3,
};

/** All roles, in the order of their prefixes. */
export const KEY_ROLES: readonly KeyRole[] = Object.keys(PREFIXES) as KeyRole[];

/**
 * A public key that was checked, in its text form: 56 characters of base32, such as `A…` for an
 * account.
 *
 * At run time it is a plain string. Only {@linkcode parsePublicKey} gives a string this type.
 */
export type PublicKey = string & { readonly "~checked": "public key" };

const ROLE_OF: ReadonlyMap<number, KeyRole> = new Map(
  KEY_ROLES.map((role) => [PREFIXES[role], role]),
);

const PREFIX_SEED = 18 << 3;
const KEY_LENGTH = 32;

/** The number of characters in a public key. */
const PUBLIC_KEY_LENGTH = 56;
/** The number of characters in a seed. */
const SEED_LENGTH = 58;

/**
 * Checks a public key: its length, its base32, its checksum and its role.
 *
 * It does not check that the bytes are a point of the curve; {@linkcode verifySignature} does.
 *
 * @param text 56 characters of base32 (RFC 4648, section 6, without padding).
 * @param role The role that the key must have. Without it, any role is accepted.
 * @returns The same text, as a checked key.
 * @throws {ParError} Of the category `failed`. The code is `ERR_KEY_CHECKSUM` if a character was
 * mistyped, and `ERR_KEY_ROLE` if the key has another role.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const text = "AA7R5L74E45BJ4XVUYTELQ56P5VCOSPOAA474L7QWH4ZAILLKTZFWYYW";
 * assert.equal(parsePublicKey(text, "account"), text);
 * assert.throws(() => parsePublicKey(text, "service"), { code: "ERR_KEY_ROLE" });
 * ```
 */
export function parsePublicKey(text: string, role?: KeyRole): PublicKey {
  if (typeof text !== "string") {
    throw new ParError(
      "ERR_KEY_INVALID",
      "Cannot read a public key that is no string: give its text",
    );
  }
  const shown = `public key ${JSON.stringify(text)}`;
  if (text.length !== PUBLIC_KEY_LENGTH) {
    throw new ParError(
      "ERR_KEY_INVALID",
      `Cannot read ${shown}: ` +
        (text.length === SEED_LENGTH && /^S/i.test(text)
          ? "it is a seed, which is secret; give the public key that belongs to it"
          : `a public key has ${PUBLIC_KEY_LENGTH} characters, and this has ${text.length}`),
    );
  }
  const payload = decode(text, shown);
  const found = ROLE_OF.get(payload[0] ?? -1);
  if (!found) {
    throw new ParError(
      "ERR_KEY_INVALID",
      `Cannot read ${shown}: its first letter stands for no role; the key of an issuer begins ` +
        "with A, the key of a provider with V",
    );
  }
  if (role && role !== found) throw roleError(shown, role, found);
  return text as PublicKey;
}

/**
 * Tells the role of a public key.
 *
 * @param key A checked public key.
 * @returns Its role.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const key = parsePublicKey("VBM5JMFOVUJDHGTOJSPUJ33ZGHCRCJ3LYHUJ3HND5ZMRVORYCMAVPZQF");
 * assert.equal(roleOf(key), "service");
 * ```
 */
export function roleOf(key: PublicKey): KeyRole {
  return ROLE_OF.get(bytesOf(key)[0] as number) as KeyRole;
}

/**
 * Decodes a public key into its 32 bytes.
 *
 * @param key A checked public key.
 * @returns An Ed25519 public key (RFC 8032, section 5.1.5), or for a curve key an X25519 public key
 * (RFC 7748, section 5).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const key = parsePublicKey("VBM5JMFOVUJDHGTOJSPUJ33ZGHCRCJ3LYHUJ3HND5ZMRVORYCMAVPZQF");
 * assert.equal(publicKeyBytes(key).length, 32);
 * ```
 */
export function publicKeyBytes(key: PublicKey): Uint8Array<ArrayBuffer> {
  return bytesOf(key).slice(1, 1 + KEY_LENGTH);
}

function bytesOf(key: PublicKey): Uint8Array<ArrayBuffer> {
  return decodeBase32(key) as Uint8Array<ArrayBuffer>;
}

/**
 * A private key with its public key.
 *
 * The seed is private to the object. Whoever prints, spreads or serializes a pair sees its role and
 * its public key only.
 *
 * @example Make a pair, and make it again from its seed
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const pair = await KeyPair.generate("account");
 * const again = await KeyPair.fromSeed(pair.seed(), "account");
 * assert.equal(again.publicKey, pair.publicKey);
 * assert.equal(JSON.stringify(pair), JSON.stringify(pair.publicKey));
 * ```
 */
export class KeyPair {
  /** The role of both keys. */
  readonly role: KeyRole;
  /** The public key in its text form. */
  readonly publicKey: PublicKey;
  readonly #seed: Uint8Array<ArrayBuffer>;

  private constructor(role: KeyRole, publicKey: PublicKey, seed: Uint8Array<ArrayBuffer>) {
    this.role = role;
    this.publicKey = publicKey;
    this.#seed = seed;
  }

  /**
   * Makes a new pair. The seed comes from the system's source of random numbers.
   *
   * @param role The role of the new pair.
   * @returns The new pair.
   */
  static async generate(role: KeyRole): Promise<KeyPair> {
    return await KeyPair.#of(role, crypto.getRandomValues(new Uint8Array(KEY_LENGTH)));
  }

  /**
   * Makes the pair that belongs to a seed. No error of this function contains a part of the seed.
   *
   * @param text 58 characters of base32 that begin with `S`. White space around them is ignored.
   * @param role The role that the seed must have. Without it, any role is accepted.
   * @param name What error messages call the seed, such as `the issuer's seed file
   * /home/me/me_account.nk`.
   * @returns The pair.
   * @throws {ParError} Of the category `failed`, with the codes of {@linkcode parsePublicKey}.
   */
  static async fromSeed(text: string, role?: KeyRole, name = "the seed"): Promise<KeyPair> {
    const trimmed = text.trim();
    if (trimmed.length !== SEED_LENGTH) {
      throw new ParError(
        "ERR_KEY_INVALID",
        `Cannot read ${name}: a seed has ${SEED_LENGTH} characters, and this has ` +
          `${trimmed.length}`,
      );
    }
    const payload = decode(trimmed, name);
    const [first = 0, second = 0] = payload;
    // The first two bytes hold five bits that say "seed", then the eight bits of the role.
    const found = ROLE_OF.get(((first & 7) << 5) | (second >> 3));
    const seed = payload.slice(2);
    const isSeed = (first & 0xf8) === PREFIX_SEED && (second & 7) === 0;
    if (!isSeed || !found) {
      throw new ParError(
        "ERR_KEY_INVALID",
        `Cannot use ${name}: it is not a seed; a seed begins with S and the letter of its role`,
      );
    }
    if (role && role !== found) throw roleError(name, role, found);
    return await KeyPair.#of(found, seed);
  }

  static async #of(role: KeyRole, seed: Uint8Array<ArrayBuffer>): Promise<KeyPair> {
    const algorithm = role === "curve" ? "X25519" : "Ed25519";
    const key = await importPrivateKey(seed, algorithm, true);
    const { x } = await crypto.subtle.exportKey("jwk", key);
    const payload = Uint8Array.of(PREFIXES[role], ...base64url.decode(x ?? ""));
    return new KeyPair(role, encode(payload) as PublicKey, seed);
  }

  /**
   * Gives the seed in its text form. Store it where only its owner can read it.
   *
   * @returns 58 characters of base32.
   */
  seed(): string {
    const prefix = PREFIXES[this.role];
    return encode(
      Uint8Array.of(PREFIX_SEED | (prefix >> 5), (prefix & 31) << 3, ...this.#seed),
    );
  }

  /**
   * Gives the private key in the form of WebCrypto, for libraries that sign. It cannot be exported,
   * so it does not give the seed away.
   *
   * @returns An Ed25519 key that can only sign.
   * @throws {ParError} `ERR_KEY_ROLE` for a curve key, because X25519 keys do not sign.
   */
  async signingKey(): Promise<CryptoKey> {
    if (this.role === "curve") {
      throw new ParError(
        "ERR_KEY_ROLE",
        `Cannot sign with ${this.publicKey}: a curve key only encrypts; use a key of another role`,
      );
    }
    return await importPrivateKey(this.#seed, "Ed25519", false);
  }

  /**
   * Signs bytes with Ed25519 (RFC 8032, section 5.1.6).
   *
   * @param data The bytes to sign.
   * @returns The signature, 64 bytes.
   * @throws {ParError} `ERR_KEY_ROLE` for a curve key, because X25519 keys do not sign.
   */
  async sign(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await crypto.subtle.sign("Ed25519", await this.signingKey(), data));
  }

  /** Gives the public key, so that a pair in a text does not show its seed. */
  toString(): string {
    return this.publicKey;
  }

  /** Gives the public key, so that a pair in JSON does not show its seed. */
  toJSON(): string {
    return this.publicKey;
  }
}

/**
 * Verifies an Ed25519 signature of some bytes (RFC 8032, section 5.1.7).
 *
 * @param publicKey The 32 bytes of the public key, as {@linkcode publicKeyBytes} gives them.
 * @param data The bytes that were signed.
 * @param signature The signature. It may have any length; one that has not 64 bytes is not valid.
 * @returns Whether the signature is valid. It never is for a public key of small order, or for one
 * that is not a point of the curve.
 */
export async function verifySignature(
  publicKey: Uint8Array<ArrayBuffer>,
  data: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const key = await importPublicKey(publicKey);
  if (!key) return false;
  try {
    return await crypto.subtle.verify("Ed25519", key, signature, data);
  } catch {
    // Some runtimes notice only here that the public key is not a point of the curve.
    return false;
  }
}

/**
 * Imports a public key into WebCrypto. Every key that verifies a signature comes from here, so no
 * other code needs to know about keys of small order.
 *
 * @param publicKey The 32 bytes of the public key, as {@linkcode publicKeyBytes} gives them.
 * @returns An Ed25519 key that can only verify. It is `undefined` for a key of small order, and for
 * bytes that the runtime does not accept as a key.
 */
export async function importPublicKey(
  publicKey: Uint8Array<ArrayBuffer>,
): Promise<CryptoKey | undefined> {
  const point = publicKey.slice();
  point[31] = (point[31] ?? 0) & 0x7f; // the top bit is the sign of x, not part of y
  if (SMALL_ORDER.has(hex(point))) return undefined;
  try {
    return await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  } catch {
    return undefined;
  }
}

/**
 * The points of small order: the y coordinate in each encoding that decodes to one of them. For
 * such a public key, anybody can make a signature that is valid for many messages or for all.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  "00".repeat(32),
  "01" + "00".repeat(31),
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ec" + "ff".repeat(30) + "7f",
  "ed" + "ff".repeat(30) + "7f",
  "ee" + "ff".repeat(30) + "7f",
]);

/** Imports a private key as PKCS #8 (RFC 8410, section 7), because WebCrypto takes no raw seed. */
function importPrivateKey(
  seed: Uint8Array,
  algorithm: "Ed25519" | "X25519",
  extractable: boolean,
): Promise<CryptoKey> {
  const oid = algorithm === "Ed25519" ? 0x70 : 0x6e;
  const head = [0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, oid, 4, 34, 4, KEY_LENGTH];
  return crypto.subtle.importKey(
    "pkcs8",
    Uint8Array.of(...head, ...seed),
    { name: algorithm },
    extractable,
    algorithm === "Ed25519" ? ["sign"] : ["deriveBits"],
  );
}

function encode(payload: Uint8Array): string {
  const sum = crc16(payload);
  return base32nopad.encode(Uint8Array.of(...payload, sum & 0xff, sum >> 8));
}

/** Decodes base32, checks the checksum and removes it. Error messages call the text `shown`. */
function decode(text: string, shown: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase32(text);
  if (!bytes) {
    throw new ParError(
      "ERR_KEY_INVALID",
      `Cannot read ${shown}: it is not canonical base32, which has only the letters A-Z and the ` +
        "digits 2-7",
    );
  }
  const payload = new Uint8Array(bytes.subarray(0, -2));
  const [low = 0, high = 0] = bytes.subarray(-2);
  if (crc16(payload) !== (low | (high << 8))) {
    throw new ParError(
      "ERR_KEY_CHECKSUM",
      `Cannot use ${shown}: its checksum does not match, so a character was changed; copy it again`,
    );
  }
  return payload;
}

/**
 * Decodes base32. The package accepts the canonical form only: upper case, no padding, and no
 * leftover bits other than zeros. Its errors quote a character, which may be one of a seed, so they
 * are dropped here.
 */
function decodeBase32(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return new Uint8Array(base32nopad.decode(text));
  } catch {
    return undefined;
  }
}

function roleError(shown: string, wanted: KeyRole, found: KeyRole): ParError {
  return new ParError(
    "ERR_KEY_ROLE",
    `Cannot use ${shown}: it is ${article(found)} key; give ${article(wanted)} key`,
  );
}

function article(role: KeyRole): string {
  return `${/^[ao]/.test(role) ? "an" : "a"} ${role}`;
}

/** The CRC-16/XMODEM of some bytes: polynomial 0x1021, initial value 0. */
function crc16(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      sum = ((sum << 1) ^ (sum & 0x8000 ? 0x1021 : 0)) & 0xffff;
    }
  }
  return sum;
}
