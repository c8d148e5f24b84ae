/**
 * Keys for tests: pairs that the reference implementations publish in their own tests.
 *
 * @module
 */

import { KeyPair } from "../lib/signing/nkey.ts";

/** A seed and its public key. */
export interface KeyVector {
  readonly seed: string;
  readonly publicKey: string;
}

/** An account's. */
export const ISSUER: KeyVector = {
  seed: "SAACTTUPKR55VUWUDK7GJ5SU5KGED455FR7BDO46RUVOTHUWKBLECLH2UU",
  publicKey: "AA7R5L74E45BJ4XVUYTELQ56P5VCOSPOAA474L7QWH4ZAILLKTZFWYYW",
};

/** Another account's. */
export const OTHER_ISSUER: KeyVector = {
  seed: "SAAPN4W3EG6KCJGUQTKTJ5GSB5NHK5CHAJL4DBGFUM3HHROI4XUEP4OBK4",
  publicKey: "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2",
};

/** A service's, which is a provider's. */
export const SUBJECT: KeyVector = {
  seed: "SVAOZUSBWWFL65P255DOHIETPTXUQMM5ETLSYPITI5G4K4HI6M2CDAPWAU",
  publicKey: "VBM5JMFOVUJDHGTOJSPUJ33ZGHCRCJ3LYHUJ3HND5ZMRVORYCMAVPZQF",
};

/** The pair of {@linkcode ISSUER}. */
export const issuerPair = (): Promise<KeyPair> => KeyPair.fromSeed(ISSUER.seed);

/** The pair of {@linkcode OTHER_ISSUER}. */
export const otherIssuerPair = (): Promise<KeyPair> => KeyPair.fromSeed(OTHER_ISSUER.seed);

/** The pair of {@linkcode SUBJECT}. */
export const subjectPair = (): Promise<KeyPair> => KeyPair.fromSeed(SUBJECT.seed);

/** The characters of base32 (RFC 4648, section 6). */
export const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The text form of any payload, right or wrong: its checksum behind it, in base32. */
export function encodeKey(payload: Uint8Array): string {
  let crc = 0;
  for (const byte of payload) {
    for (let bit = 7; bit >= 0; bit--) {
      const carry = (crc >> 15) ^ (byte >> bit & 1);
      crc = (crc << 1 & 0xffff) ^ (carry ? 0x1021 : 0);
    }
  }
  const bits = [...payload, crc & 0xff, crc >> 8]
    .map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.replace(/.{1,5}/g, (five) => BASE32[parseInt(five.padEnd(5, "0"), 2)] as string);
}
