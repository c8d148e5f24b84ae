/**
 * Tokens: JSON Web Tokens that carry claims and are signed with Ed25519 (RFC 7515, RFC 7519,
 * RFC 9864). `jose` signs and verifies them; this module adds the checks that are stricter. This
 * module is browser compatible.
 *
 * @module
 */

import * as base64url from "npm:jose@6.2.18/base64url";
import { JWSSignatureVerificationFailed } from "npm:jose@6.2.18/errors";
import { CompactSign } from "npm:jose@6.2.18/jws/compact/sign";
import { compactVerify } from "npm:jose@6.2.18/jws/compact/verify";
import { type Claims, formatClaims, parseClaims } from "./claims.ts";
import { ParError } from "../errors.ts";
import { isJsonObject, type Json, parseJson } from "./json.ts";
import { importPublicKey, type KeyPair, type PublicKey, publicKeyBytes } from "./nkey.ts";

/** A token that {@linkcode verifyToken} accepted. */
export interface VerifiedToken {
  /** The token itself. */
  readonly token: string;
  /** The claims in its payload. */
  readonly claims: Claims;
}

/** The header of every token. Its members are written in this order. */
const HEADER = { typ: "jwt", alg: "Ed25519" } as const;

/**
 * Signs claims.
 *
 * @param claims The claims to sign. Their members are written in the order that they have.
 * @param issuer The key pair of the issuer, `claims.iss`.
 * @returns The token, a compact JWS (RFC 7515, section 3.1).
 * @throws {ParError} `ERR_KEY_MISMATCH` for a key pair that is not the issuer's, and
 * `ERR_OPTION_INVALID` for claims that {@linkcode verifyToken} would refuse.
 *
 * @example Sign claims and verify them
 * ```ts
 * import assert from "node:assert/strict";
 * import { KeyPair } from "./nkey.ts";
 *
 * const issuer = await KeyPair.generate("account");
 * const subject = await KeyPair.generate("service");
 * const token = await signClaims({
 *   jti: "6RJVyJn2vWPyMFcdRV6QTs",
 *   iat: 1700000000,
 *   iss: issuer.publicKey,
 *   sub: subject.publicKey,
 *   wascap: { name: "Fake Payments", vendor: "wasmCloud", target_hashes: {} },
 *   wascap_revision: 3,
 * }, issuer);
 * assert.equal((await verifyToken(token)).claims.wascap.vendor, "wasmCloud");
 * ```
 */
export async function signClaims(claims: Claims, issuer: KeyPair): Promise<string> {
  if (claims.iss !== issuer.publicKey) {
    throw new ParError(
      "ERR_KEY_MISMATCH",
      `Cannot sign claims of the issuer ${claims.iss} with the key ${issuer.publicKey}: give the ` +
        "issuer's key pair",
    );
  }
  const payload = new TextEncoder().encode(formatClaims(claims));
  return await new CompactSign(payload)
    .setProtectedHeader(HEADER)
    .sign(await issuer.signingKey());
}

/** Options of {@linkcode verifyToken}. */
export interface VerifyTokenOptions {
  /** The time at which the token must be valid. Without it, this is the current time. */
  readonly now?: Date | undefined;
  /** Accepts a token before its `nbf`. This is for changing an archive that is not valid yet. */
  readonly allowEarly?: boolean | undefined;
}

/** Options with which a token is verified without regard to its time of validity. */
export const ANY_TIME = {
  now: new Date(-1),
  allowEarly: true,
} as const satisfies VerifyTokenOptions;

/**
 * Verifies a token: its form, its header, its claims, its signature, and its time of validity.
 *
 * The base64url must be canonical (RFC 4648, section 3.5). Otherwise one signed token could be
 * written as several texts, and each of them would verify.
 *
 * It does not decide whether the issuer is one to trust. That is up to the caller.
 *
 * @param token The token, a compact JWS (RFC 7515, section 3.1).
 * @param options The time at which the token must be valid.
 * @returns The token and its claims.
 * @throws {ParError} Of the category `untrusted`. The signature is verified before the time, so
 * `ERR_TOKEN_EXPIRED` and `ERR_TOKEN_NOT_YET_VALID` are about a token that the issuer signed.
 *
 * @example Refuse a token that nobody signed
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const unsigned = `${btoa('{"alg":"none"}')}.e30.`.replaceAll("=", "");
 * await assert.rejects(verifyToken(unsigned), { code: "ERR_TOKEN_ALGORITHM" });
 * ```
 */
export async function verifyToken(
  token: string,
  options: VerifyTokenOptions = {},
): Promise<VerifiedToken> {
  const parts = token.split(".");
  if (parts.length !== 3) throw malformed("it does not have three parts");
  const [header = "", payload = "", signature = ""] = parts;
  checkHeader(readJson(header, "header"));
  const claims = parseClaims(readJson(payload, "payload"));
  // jose decodes it again, and would accept spellings that are not canonical.
  decodePart(signature, "signature");
  if (!await isSignedBy(token, claims.iss)) {
    throw new ParError(
      "ERR_TOKEN_SIGNATURE",
      `Cannot trust the token: its signature was not made with the key of its issuer ${claims.iss}`,
    );
  }
  checkWindow(claims, options);
  return { token, claims };
}

function checkHeader(header: Json): void {
  if (!isJsonObject(header)) throw malformed("its header is not a JSON object");
  const { alg, typ, ...others } = header;
  if (alg !== HEADER.alg) {
    throw new ParError(
      "ERR_TOKEN_ALGORITHM",
      `Cannot trust the token: its algorithm is ${JSON.stringify(alg)}, not "${HEADER.alg}"`,
    );
  }
  if (typ !== HEADER.typ) {
    throw new ParError(
      "ERR_TOKEN_TYPE",
      `Cannot trust the token: its type is ${JSON.stringify(typ)}, not "${HEADER.typ}"`,
    );
  }
  const names = Object.keys(others);
  if (names.length > 0) {
    // A header could bring a key along, and a careless verifier would verify the token with it.
    throw new ParError(
      "ERR_TOKEN_HEADER",
      `Cannot trust the token: its header may have only alg and typ, and it also has ${
        names.map((name) => JSON.stringify(name)).join(", ")
      }`,
    );
  }
}

async function isSignedBy(token: string, issuer: PublicKey): Promise<boolean> {
  const key = await importPublicKey(publicKeyBytes(issuer));
  if (!key) return false;
  try {
    await compactVerify(token, key, { algorithms: [HEADER.alg] });
    return true;
  } catch (cause) {
    if (cause instanceof JWSSignatureVerificationFailed) return false;
    // jose parses the header with `JSON.parse`, where some versions of V8 misread escaped names.
    throw malformed(`jose refuses it (${(cause as Error).message})`, cause);
  }
}

/** A token is not valid before `nbf`, nor at `exp` or later (RFC 7519, 4.1.4 and 4.1.5). */
function checkWindow(claims: Claims, options: VerifyTokenOptions): void {
  const seconds = (options.now ?? new Date()).getTime() / 1000;
  if (claims.exp !== undefined && seconds >= claims.exp) {
    throw new ParError(
      "ERR_TOKEN_EXPIRED",
      `Cannot trust the token: it expired at ${
        formatTime(claims.exp)
      }; ask its issuer for a new one`,
    );
  }
  if (claims.nbf !== undefined && seconds < claims.nbf && !options.allowEarly) {
    throw new ParError(
      "ERR_TOKEN_NOT_YET_VALID",
      `Cannot trust the token yet: it becomes valid at ${formatTime(claims.nbf)}`,
    );
  }
}

/**
 * Formats a time of the claims for people.
 *
 * @param seconds Seconds since the epoch.
 * @returns The time in UTC, such as `2023-11-14T22:13:20Z`; for a time that no `Date` can hold, the
 * number of seconds.
 */
export function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString().replace(".000Z", "Z");
}

function decodePart(text: string, part: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = base64url.decode(text);
  } catch {
    throw malformed(`its ${part} is not base64url`);
  }
  // The decoder accepts white space, padding, and leftover bits that are not zero.
  if (base64url.encode(bytes) !== text) {
    throw malformed(`its ${part} is not in canonical base64url`);
  }
  return bytes;
}

function readJson(text: string, part: string): Json {
  const bytes = decodePart(text, part);
  try {
    return parseJson(bytes);
  } catch (cause) {
    throw malformed(`in its ${part}, ${(cause as Error).message}`, cause);
  }
}

function malformed(reason: string, cause?: unknown): ParError {
  return new ParError(
    "ERR_TOKEN_MALFORMED",
    `Cannot read the token: ${reason}; the archive must hold a signed JSON Web Token`,
    cause,
  );
}
