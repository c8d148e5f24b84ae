/**
 * The claims of a provider archive, and the checks of their members. This module is browser
 * compatible.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { isJsonObject, type Json, parseJson, refuseOtherCase } from "./json.ts";
import { parsePublicKey, type PublicKey } from "./nkey.ts";
import { isTargetName, type Target } from "../target/target.ts";

/** The member `wascap` of the claims. It describes the provider and has the hashes of its files. */
export interface ProviderMetadata {
  /** The display name. */
  readonly name?: string;
  /** The id of the capability contract, such as `examples:payments`. Hosts before 1.0 need it. */
  readonly capid?: string;
  /** The vendor of the provider. */
  readonly vendor: string;
  /** The revision, a signed 32-bit integer. By custom it grows by one. */
  readonly rev?: number;
  /** A version for people, such as `1.0`. */
  readonly ver?: string;
  /** The SHA-256 of each target's binary, and of `world.wasm`, in upper-case hexadecimal. */
  readonly target_hashes: Readonly<Record<string, string>>;
  /** The JSON schema of the link's configuration. */
  readonly config_schema?: Json;
}

/** The payload of a token: claims of RFC 7519, section 4, and two of wasmCloud's own. */
export interface Claims {
  /** The token is not valid from this time on, in seconds since the epoch. Without it: no end. */
  readonly exp?: number;
  /** The unique id of the token. */
  readonly jti: string;
  /** The time at which the token was issued, in seconds since the epoch. */
  readonly iat: number;
  /** The issuer: the public key of an account. */
  readonly iss: PublicKey;
  /** The subject, which is the provider: the public key of a service. */
  readonly sub: PublicKey;
  /** The token is not valid before this time, in seconds since the epoch. Without it: no start. */
  readonly nbf?: number;
  /** What the provider is, and the hashes of its files. */
  readonly wascap: ProviderMetadata;
  /** The revision of the format of the claims, an unsigned 32-bit integer. It is 3 today. */
  readonly wascap_revision?: number;
}

/** The `wascap_revision` of the claims that this toolkit writes. */
export const WASCAP_REVISION = 3;

/** The known members of the payload. */
const MEMBERS = ["exp", "jti", "iat", "iss", "sub", "nbf", "wascap", "wascap_revision"];

/** The known members of `wascap`. */
const WASCAP_MEMBERS = ["name", "capid", "vendor", "rev", "ver", "target_hashes", "config_schema"];

/**
 * Checks that a payload is the claims of a provider.
 *
 * Unknown members are accepted and kept. A known member must have its type and its exact name, so
 * that the claims mean the same to every reader. An optional member that is `null` is removed.
 *
 * `JSON.parse` keeps one of two members with the same name, so they cannot be noticed here.
 * `verifyToken()` refuses them.
 *
 * @param payload The parsed payload of a token.
 * @returns The same object, as checked claims.
 * @throws {ParError} Of the category `untrusted`. If the issuer or the subject is not a public key
 * of its role, the code says which of the two it is.
 */
export function parseClaims(payload: unknown): Claims {
  if (!isJsonObject(payload)) throw invalid("the payload is not a JSON object");
  refuseOtherCase(payload, MEMBERS, invalid);
  requireField(payload, "iat", isTime, "a time in seconds");
  for (const field of ["exp", "nbf"]) optional(payload, field, isTime, "a time in seconds");
  for (const field of ["jti", "iss", "sub"]) requireField(payload, field, isString, "a string");
  optional(payload, "wascap_revision", isUnsigned32, "a whole number of 32 bits");
  const metadata = payload["wascap"];
  if (!isJsonObject(metadata)) {
    throw invalid("`wascap` is not an object; is this a provider's token?");
  }
  refuseOtherCase(metadata, WASCAP_MEMBERS, invalid, "wascap.");
  requireField(metadata, "vendor", isString, "a string", "wascap.");
  for (const field of ["name", "capid", "ver"]) {
    optional(metadata, field, isString, "a string", "wascap.");
  }
  optional(metadata, "rev", isRevision, "a 32-bit integer", "wascap.");
  requireField(metadata, "target_hashes", isJsonObject, "an object", "wascap.");
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
 * Formats claims as JSON, and parses the JSON again to make sure that a reader accepts it.
 *
 * @param claims The claims. Their members are written in the order that they have.
 * @returns The JSON of the payload.
 * @throws {ParError} `ERR_OPTION_INVALID` for claims that a reader would refuse.
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
      `Cannot sign the claims: every reader would refuse them (${message}); correct them first`,
      cause,
    );
  }
}

/** Refuses infinities and NaN, for which `JSON.stringify` would write `null`. */
function refuseNonFinite(_name: string, value: unknown): unknown {
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  throw new RangeError(`JSON cannot hold the number ${value}`);
}

/**
 * Lists the targets that the claims have a hash of.
 *
 * @param claims The claims of a provider.
 * @returns The targets, sorted.
 */
export function claimedTargets({ wascap }: Claims): Target[] {
  return Object.keys(wascap.target_hashes).filter(isTargetName).sort();
}

/** Tells whether a value is a revision: a signed 32-bit integer, as the reference stores it. */
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

type Check = (value: unknown) => boolean;

function requireField(object: Members, field: string, is: Check, what: string, path = ""): void {
  if (!is(object[field])) throw invalid(`\`${path}${field}\` is not ${what}`);
}

/** Removes a member that is `null`: the reference reads it as an absent member, and writes none. */
function optional(object: Members, field: string, is: Check, what: string, path = ""): void {
  if (object[field] === null) delete object[field];
  if (Object.hasOwn(object, field)) requireField(object, field, is, what, path);
}

/** An object whose members may be removed. */
type Members = Record<string, unknown>;

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
