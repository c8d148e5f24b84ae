/**
 * The claims a provider archive carries: what they say, and how they are checked for shape. This
 * module is browser compatible.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { type Json, parseJson } from "./json.ts";
import { parsePublicKey, type PublicKey } from "./nkey.ts";
import { isTargetName, type Target } from "../target/target.ts";

/** The `wascap` part of the claims: what the provider is, and what its binaries hash to. */
export interface ProviderMetadata {
  /** The display name. */
  readonly name?: string;
  /** The capability contract's id, such as `examples:payments`; hosts before 1.0 need it. */
  readonly capid?: string;
  /** Who makes the provider. */
  readonly vendor: string;
  /** A revision that grows by one, as a signed 32-bit integer. */
  readonly rev?: number;
  /** A version for people, such as `1.0`. */
  readonly ver?: string;
  /** For each target, and for `world.wasm`, the SHA-256 of its bytes as upper-case hexadecimal. */
  readonly target_hashes: Readonly<Record<string, string>>;
  /** The JSON schema of the link definition. */
  readonly config_schema?: Json;
}

/** The payload of an archive's token (RFC 7519, section 4, and wasmCloud's own). */
export interface Claims {
  /** When the token ends to be valid, in seconds since the epoch; never where absent. */
  readonly exp?: number;
  /** The token's unique id. */
  readonly jti: string;
  /** When it was issued, in seconds since the epoch. */
  readonly iat: number;
  /** The issuer: an account's public key. */
  readonly iss: PublicKey;
  /** The subject: the provider's own public key, a service's. */
  readonly sub: PublicKey;
  /** When the token begins to be valid, in seconds since the epoch; at once where absent. */
  readonly nbf?: number;
  /** What the provider is. */
  readonly wascap: ProviderMetadata;
  /** The revision of this set of fields, as an unsigned 32-bit integer; 3 today. */
  readonly wascap_revision?: number;
}

/** The revision of the claims' fields that this toolkit writes. */
export const WASCAP_REVISION = 3;

/** The members of the payload. */
const MEMBERS = ["exp", "jti", "iat", "iss", "sub", "nbf", "wascap", "wascap_revision"];

/** The members of its `wascap`. */
const WASCAP_MEMBERS = ["name", "capid", "vendor", "rev", "ver", "target_hashes", "config_schema"];

/**
 * Checks that a payload is a provider's claims.
 *
 * Unknown fields are let through and kept. What is known must have its type and its exact name: a
 * reader elsewhere that is stricter or laxer than this one must not come to another meaning. What
 * `JSON.parse` forgets, such as a member that stood twice, is not seen here: `verifyToken` sees it.
 *
 * @param payload The token's payload, parsed.
 * @returns The same object, typed.
 * @throws {ParError} `ERR_CLAIMS_INVALID`, `ERR_TOKEN_ISSUER` or `ERR_TOKEN_SUBJECT`.
 */
export function parseClaims(payload: unknown): Claims {
  if (!isObject(payload)) throw invalid("the payload is not a JSON object");
  refuseOtherCase(payload, MEMBERS);
  for (const field of ["iat"]) requireField(payload, field, isTime, "a time in seconds");
  for (const field of ["exp", "nbf"]) optional(payload, field, isTime, "a time in seconds");
  for (const field of ["jti", "iss", "sub"]) requireField(payload, field, isString, "a string");
  optional(payload, "wascap_revision", isUnsigned32, "a whole number of 32 bits");
  const metadata = payload["wascap"];
  if (!isObject(metadata)) throw invalid("`wascap` is not an object; is this a provider's token?");
  refuseOtherCase(metadata, WASCAP_MEMBERS, "wascap.");
  requireField(metadata, "vendor", isString, "a string", "wascap.");
  for (const field of ["name", "capid", "ver"]) {
    optional(metadata, field, isString, "a string", "wascap.");
  }
  optional(metadata, "rev", isRevision, "a 32-bit integer", "wascap.");
  requireField(metadata, "target_hashes", isObject, "an object", "wascap.");
  for (const [name, hash] of Object.entries(metadata["target_hashes"] as object)) {
    if (!isString(hash) || !/^[0-9A-F]{64}$/.test(hash)) {
      throw invalid(
        `the hash of ${JSON.stringify(name)} is not a SHA-256 in upper-case hexadecimal`,
      );
    }
  }
  checkKey(payload["iss"] as string, "account", "ERR_TOKEN_ISSUER", "issuer");
  checkKey(payload["sub"] as string, "service", "ERR_TOKEN_SUBJECT", "subject");
  return payload as unknown as Claims;
}

/**
 * Writes claims as JSON, and makes sure that it is read as these claims.
 *
 * @param claims What is to be signed; its fields keep their order.
 * @returns The payload.
 * @throws {ParError} `ERR_OPTION_INVALID`.
 */
export function formatClaims(claims: Claims): string {
  try {
    const text = JSON.stringify(claims, refuseNonFinite);
    parseClaims(parseJson(new TextEncoder().encode(text)));
    return text;
  } catch (cause) {
    const { message } = cause as Error;
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot sign claims that could not be read again (${message}): change what they say`,
      cause,
    );
  }
}

/** JSON has no way to write infinities, and `JSON.stringify` writes `null` for them. */
function refuseNonFinite(_name: string, value: unknown): unknown {
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  throw new RangeError(`JSON has no number ${value}`);
}

/**
 * Lists the targets that claims vouch for.
 *
 * @param claims A provider's claims.
 * @returns The targets, sorted.
 */
export function claimedTargets({ wascap }: Claims): Target[] {
  return Object.keys(wascap.target_hashes).filter(isTargetName).sort();
}

/** Whether a number is a revision: an integer of 32 bits, as the reference stores it. */
export function isRevision(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) === ((value as number) | 0);
}

function checkKey(
  text: string,
  role: "account" | "service",
  code: "ERR_TOKEN_ISSUER" | "ERR_TOKEN_SUBJECT",
  field: string,
): void {
  try {
    parsePublicKey(text, role);
  } catch (cause) {
    throw new ParError(
      code,
      `Cannot trust the token: its ${field} ${JSON.stringify(text)} is not the public key of ` +
        `${role === "account" ? "an account (A…)" : "a service (V…)"}`,
      cause,
    );
  }
}

/** Go's JSON decoder takes a name in any case, folded as Unicode folds it, for the one it knows. */
function refuseOtherCase(object: JsonObject, names: readonly string[], path = ""): void {
  const anyCase = new RegExp(`^(?:${names.join("|")})$`, "iu");
  for (const name of Object.keys(object)) {
    if (anyCase.test(name) && !names.includes(name)) {
      throw invalid(`\`${path}${name}\` differs from a known member in nothing but its case`);
    }
  }
}

type Check = (value: unknown) => boolean;

function requireField(object: JsonObject, field: string, is: Check, what: string, path = ""): void {
  if (!is(object[field])) throw invalid(`\`${path}${field}\` is not ${what}`);
}

/** The reference writes no absent field, yet reads `null` as one. */
function optional(object: JsonObject, field: string, is: Check, what: string, path = ""): void {
  if (object[field] === null) delete object[field];
  if (Object.hasOwn(object, field)) requireField(object, field, is, what, path);
}

type JsonObject = Record<string, unknown>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isUnsigned32(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) === (value as number) >>> 0;
}

function invalid(reason: string): ParError {
  return new ParError("ERR_CLAIMS_INVALID", `Cannot read the claims: ${reason}`);
}
