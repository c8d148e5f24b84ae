/**
 * nkeys: Ed25519 keys in the text form that NATS and wasmCloud share. A public key begins with its
 * role's letter, a seed with `S` and that letter. This module is browser compatible.
 *
 * @module
 */

import { decodeBase32, encodeBase32 } from "./base32.ts";
import { ParError } from "../errors.ts";
import { hex } from "../bytes/hex.ts";

/** What a key is for. An `account` issues archives, a `service` is the provider itself. */
export type KeyRole =
  | "account"
  | "cluster"
  | "module"
  | "server"
  | "operator"
  | "user"
  | "service"
  | "curve";

/** A role and the byte its keys begin with; base32 makes the byte's upper five bits the letter. */
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
 * A checked public key in its text form: 56 characters of base32, such as `A…` for an account.
 *
 * A string like any other when it is printed; only {@linkcode parsePublicKey} makes one.
 */
export type PublicKey = string & { readonly "~checked": "public key" };

const ROLE_OF: ReadonlyMap<number, KeyRole> = new Map(
  KEY_ROLES.map((role) => [PREFIXES[role], role]),
);

const PREFIX_SEED = 18 << 3;
const KEY_LENGTH = 32;

/** Characters of a public key's text form. */
const PUBLIC_KEY_LENGTH = 56;
/** Characters of a seed's text form. */
const SEED_LENGTH = 58;

/**
 * Checks a public key.
 *
 * @param text 56 characters of base32 (RFC 4648, section 6, without padding).
 * @param role The role it must have; any where left out.
 * @returns The same text, typed.
 * @throws {ParError} `ERR_KEY_INVALID` for another form, `ERR_KEY_CHECKSUM` for a mistyped
 * character, `ERR_KEY_ROLE` for a key of another role.
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
      `Cannot read ${shown}: its first letter is no role's; an issuer's key begins with A, ` +
        "a provider's with V",
    );
  }
  if (role && role !== found) throw roleError(shown, role, found);
  return text as PublicKey;
}

/**
 * Reads the role from a public key.
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
 * Gives the 32 bytes of a public key.
 *
 * @param key A checked public key.
 * @returns The point of RFC 8032, section 5.1.5; for a curve key that of RFC 7748, section 5.
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
 * A private key and its public half.
 *
 * The seed stays inside: printing, spreading or serializing a pair shows the public key alone.
 *
 * @example Make a key, keep its seed, sign with it
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
  /** The role both halves have. */
  readonly role: KeyRole;
  /** The public half in its text form. */
  readonly publicKey: PublicKey;
  readonly #seed: Uint8Array<ArrayBuffer>;

  private constructor(role: KeyRole, publicKey: PublicKey, seed: Uint8Array<ArrayBuffer>) {
    this.role = role;
    this.publicKey = publicKey;
    this.#seed = seed;
  }

  /**
   * Makes a new pair from the system's random source.
   *
   * @param role What the key is for.
   * @returns A new pair.
   */
  static async generate(role: KeyRole): Promise<KeyPair> {
    return await KeyPair.#of(role, crypto.getRandomValues(new Uint8Array(KEY_LENGTH)));
  }

  /**
   * Reads a seed. No error of this function contains any part of it.
   *
   * @param text 58 characters of base32, beginning with `S`; white space around it is ignored.
   * @param role The role it must have; any where left out.
   * @param name How errors call it, such as `the issuer's seed file /home/me/me_account.nk`.
   * @returns The pair.
   * @throws {ParError} `ERR_KEY_INVALID`, `ERR_KEY_CHECKSUM`, `ERR_KEY_ROLE` as
   * {@linkcode parsePublicKey}.
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
    // A seed's two prefix bytes hold five bits of the kind, then the eight of the role.
    const found = ROLE_OF.get(((first & 7) << 5) | (second >> 3));
    const seed = payload.slice(2);
    const isSeed = (first & 0xf8) === PREFIX_SEED && (second & 7) === 0;
    if (!isSeed || !found) {
      throw new ParError(
        "ERR_KEY_INVALID",
        `Cannot use ${name} as a seed: a seed begins with S and the letter of its role`,
      );
    }
    if (role && role !== found) throw roleError(name, role, found);
    const pair = await KeyPair.#of(found, seed);
    // The two bits base32 leaves over must be zero, or one key would have four spellings.
    if (pair.seed() !== trimmed) throw encodingError(name);
    return pair;
  }

  static async #of(role: KeyRole, seed: Uint8Array<ArrayBuffer>): Promise<KeyPair> {
    const algorithm = role === "curve" ? "X25519" : "Ed25519";
    const key = await importPrivateKey(seed, algorithm, true);
    const { x } = await crypto.subtle.exportKey("jwk", key);
    const bytes = Uint8Array.from(
      atob((x ?? "").replaceAll("-", "+").replaceAll("_", "/")),
      (char) => char.charCodeAt(0),
    );
    return new KeyPair(role, encode(Uint8Array.of(PREFIXES[role], ...bytes)) as PublicKey, seed);
  }

  /**
   * Gives the secret's text form, to store where only its owner reads.
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
   * Signs bytes with Ed25519 (RFC 8032, section 5.1.6).
   *
   * @param data What to sign.
   * @returns A signature of 64 bytes.
   * @throws {ParError} `ERR_KEY_ROLE` for a curve key, which cannot sign.
   */
  async sign(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    if (this.role === "curve") {
      throw new ParError(
        "ERR_KEY_ROLE",
        `Cannot sign with the curve key ${this.publicKey}: it encrypts; give another role's key`,
      );
    }
    const key = await importPrivateKey(this.#seed, "Ed25519", false);
    return new Uint8Array(await crypto.subtle.sign("Ed25519", key, data));
  }

  /** The public key: what may be seen of a pair in a text. */
  toString(): string {
    return this.publicKey;
  }

  /** The public key: what may be seen of a pair in JSON. */
  toJSON(): string {
    return this.publicKey;
  }
}

/**
 * Checks an Ed25519 signature (RFC 8032, section 5.1.7). Every signature that this toolkit believes
 * has passed here.
 *
 * @param publicKey The signer's 32 bytes, as {@linkcode publicKeyBytes} gives them.
 * @param data What was signed.
 * @param signature The signature to check, of any length.
 * @returns False for anything but a valid signature.
 */
export async function verifySignature(
  publicKey: Uint8Array<ArrayBuffer>,
  data: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const point = publicKey.slice();
  point[31] = (point[31] ?? 0) & 0x7f; // the top bit is the sign of x, not part of y
  if (SMALL_ORDER.has(hex(point))) return false;
  try {
    const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, signature, data);
  } catch {
    // Runtimes refuse bytes that are no point of the curve, some here and some when they verify.
    return false;
  }
}

/**
 * The points of small order, by their y in every encoding that decodes to one. With such a point
 * for a key there are signatures that hold for any message: nobody's, so nobody's are believed.
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

/** RFC 8410, section 7: what stands before the 32 bytes in a private key's PKCS #8 form. */
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
  return encodeBase32(Uint8Array.of(...payload, sum & 0xff, sum >> 8));
}

/** Takes off base32 and checksum. `shown` is how the text may be called in an error. */
function decode(text: string, shown: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase32(text);
  if (!bytes) throw encodingError(shown);
  const payload = new Uint8Array(bytes.subarray(0, -2));
  const [low = 0, high = 0] = bytes.subarray(-2);
  if (crc16(payload) !== (low | (high << 8))) {
    throw new ParError(
      "ERR_KEY_CHECKSUM",
      `Cannot use ${shown}: its checksum does not match; a character was changed`,
    );
  }
  return payload;
}

function encodingError(shown: string): ParError {
  return new ParError(
    "ERR_KEY_INVALID",
    `Cannot read ${shown}: a key consists of the letters A-Z and the digits 2-7, nothing else`,
  );
}

function roleError(shown: string, wanted: KeyRole, found: KeyRole): ParError {
  return new ParError(
    "ERR_KEY_ROLE",
    `Cannot use ${shown}: this must be ${article(wanted)} key, and it is ${article(found)} key`,
  );
}

function article(role: KeyRole): string {
  return `${/^[ao]/.test(role) ? "an" : "a"} ${role}`;
}

/** CRC-16/XMODEM: polynomial 0x1021, initial value 0. */
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
