/**
 * The claims' envelope: a JSON Web Token signed with Ed25519 (RFC 7515, RFC 8037, RFC 9864). This
 * module is browser compatible.
 *
 * @module
 */

import { type Claims, formatClaims, parseClaims } from "./claims.ts";
import { ParError } from "../errors.ts";
import { type Json, parseJson } from "./json.ts";
import { type KeyPair, publicKeyBytes, verifySignature } from "./nkey.ts";

/** What {@linkcode verifyToken} found in order. */
export interface VerifiedToken {
  /** The token as it was read. */
  readonly token: string;
  /** Its payload. */
  readonly claims: Claims;
}

/** The header every archive's token has, in the bytes every archive's token has it in. */
const HEADER = { typ: "jwt", alg: "Ed25519" } as const;

/**
 * Signs claims.
 *
 * @param claims What to sign; its fields keep their order.
 * @param issuer The key pair of `claims.iss`.
 * @returns A compact JWS (RFC 7515, section 3.1).
 * @throws {ParError} `ERR_KEY_MISMATCH` where the pair is not the issuer's, `ERR_OPTION_INVALID`
 * where {@linkcode verifyToken} would refuse the claims.
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
      `Cannot sign claims of issuer ${claims.iss} with the key of ${issuer.publicKey}`,
    );
  }
  const signed = `${encodePart(JSON.stringify(HEADER))}.${encodePart(formatClaims(claims))}`;
  const signature = await issuer.sign(new TextEncoder().encode(signed));
  return `${signed}.${toBase64Url(signature)}`;
}

/** Settings of {@linkcode verifyToken}. */
export interface VerifyTokenOptions {
  /** The time to judge validity at; now where left out. */
  readonly now?: Date | undefined;
  /** Whether a token is accepted before it becomes valid: by those who prepare an archive. */
  readonly allowEarly?: boolean | undefined;
}

/**
 * Checks a token in full: form, header, claims, signature, validity window.
 *
 * The token must be spelled in the one canonical way (RFC 4648, section 3.5), so that a signed
 * token cannot be altered into another text that verifies too.
 *
 * @param token A compact JWS.
 * @param options The time to judge at.
 * @returns The token and its claims.
 * @throws {ParError} `ERR_TOKEN_MALFORMED`, `ERR_TOKEN_HEADER`, `ERR_TOKEN_TYPE`,
 * `ERR_TOKEN_ALGORITHM`, `ERR_CLAIMS_INVALID`, `ERR_TOKEN_ISSUER`, `ERR_TOKEN_SUBJECT`,
 * `ERR_TOKEN_SIGNATURE`, `ERR_TOKEN_EXPIRED` or `ERR_TOKEN_NOT_YET_VALID`.
 *
 * @example A token nobody signed
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
  const [header, payload, signature, ...rest] = token.split(".");
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
    throw malformed("it does not have three parts");
  }
  checkHeader(readJson(header, "header"));
  const claims = parseClaims(readJson(payload, "payload"));
  await checkSignature(`${header}.${payload}`, decodePart(signature, "signature"), claims);
  checkWindow(claims, options);
  return { token, claims };
}

function checkHeader(header: unknown): void {
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw malformed("its header is not a JSON object");
  }
  const { alg, typ, ...others } = header as Record<string, unknown>;
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
    // A key or key id in the header invites verifiers to believe the token about its own key.
    throw new ParError(
      "ERR_TOKEN_HEADER",
      `Cannot trust the token: its header has parameters besides alg and typ: ${
        names.map((name) => JSON.stringify(name)).join(", ")
      }`,
    );
  }
}

async function checkSignature(
  signed: string,
  signature: Uint8Array<ArrayBuffer>,
  claims: Claims,
): Promise<void> {
  const bytes = new TextEncoder().encode(signed);
  if (!await verifySignature(publicKeyBytes(claims.iss), bytes, signature)) {
    throw new ParError(
      "ERR_TOKEN_SIGNATURE",
      `Cannot trust the token: its signature is not that of its issuer ${claims.iss}`,
    );
  }
}

/** RFC 7519, sections 4.1.4 and 4.1.5: invalid on and after `exp`, invalid before `nbf`. */
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

/** A time of the claims for people, in UTC; one past what dates reach as the number it is. */
export function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString().replace(".000Z", "Z");
}

function decodePart(text: string, part: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) throw malformed(`its ${part} is not base64url`);
  let binary: string;
  try {
    binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    throw malformed(`its ${part} is not base64url`);
  }
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  if (toBase64Url(bytes) !== text) throw malformed(`its ${part} is not in canonical base64url`);
  return bytes;
}

function encodePart(text: string): string {
  return toBase64Url(new TextEncoder().encode(text));
}

/** RFC 7515, section 2: base64url without padding. */
function toBase64Url(bytes: Uint8Array): string {
  // Argument lists have a limit, which a large schema in the claims would pass.
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
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
