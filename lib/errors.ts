/**
 * The errors of this toolkit: one class, all its codes, and the code that removes secrets from
 * messages. This module is browser compatible and imports nothing.
 *
 * @module
 */

/**
 * What a failure means to the caller: `usage` (the call was wrong), `untrusted` (the archive must not
 * be used), `failed` (everything else).
 */
export type ErrorCategory = "usage" | "failed" | "untrusted";

/** One row of {@linkcode ERROR_CODES}. */
export interface ErrorCodeInfo {
  /** Determines the exit status of the command: `usage` 2, `untrusted` 3, `failed` 1. */
  readonly category: ErrorCategory;
  /** When the code is used, in one sentence. */
  readonly meaning: string;
}

/** Every code of this toolkit's errors, with its category and meaning. */
export const ERROR_CODES = {
  ERR_USAGE: {
    category: "usage",
    meaning: "The command line names an unknown verb or flag, or lacks a required one.",
  },
  ERR_OPTION_INVALID: {
    category: "usage",
    meaning: "An option has a value that it does not accept.",
  },
  ERR_TARGET_INVALID: {
    category: "usage",
    meaning: "A target has a name that no entry of an archive can have.",
  },
  ERR_TARGET_DUPLICATE: { category: "usage", meaning: "The same target was given twice." },

  ERR_ABORTED: { category: "failed", meaning: "The caller, or a signal, stopped the work." },
  ERR_FILE_NOT_FOUND: { category: "failed", meaning: "A file does not exist." },
  ERR_FILE_UNREADABLE: {
    category: "failed",
    meaning: "A file cannot be read, or it is a directory, a socket or a device.",
  },
  ERR_FILE_UNWRITABLE: {
    category: "failed",
    meaning: "A file cannot be written: no permission, no such folder, or a full disk.",
  },
  ERR_SYSTEM: {
    category: "failed",
    meaning: "The operating system, or Deno's permissions, refused something else.",
  },
  ERR_FILE_CHANGED: { category: "failed", meaning: "A file changed while it was being read." },
  ERR_TARGET_UNKNOWN: {
    category: "failed",
    meaning: "A binary's header does not name exactly one target, and no target was given.",
  },
  ERR_TARGET_MISMATCH: {
    category: "failed",
    meaning: "A binary's header contradicts the target given for it.",
  },
  ERR_TARGET_NOT_FOUND: {
    category: "failed",
    meaning: "The archive has no binary for the requested target.",
  },
  ERR_TARGET_LAST: {
    category: "failed",
    meaning: "Without the target, the archive would have no binary.",
  },
  ERR_BINARY_EMPTY: { category: "failed", meaning: "A binary or a WIT package is empty." },
  ERR_BINARY_FORMAT: {
    category: "failed",
    meaning: "A file that is not an ELF, Mach-O or PE file would replace a binary.",
  },
  ERR_BINARY_TOO_LARGE: { category: "failed", meaning: "A binary is too large for an entry." },
  ERR_SCHEMA_INVALID: {
    category: "failed",
    meaning: "The configuration schema is not JSON, or parsers would read it differently.",
  },
  ERR_WIT_INVALID: {
    category: "failed",
    meaning: "A WIT package is malformed, or its text has errors.",
  },
  ERR_WIT_TOOL_MISSING: {
    category: "failed",
    meaning: "The program `wasm-tools`, which encodes and prints WIT packages, cannot be started.",
  },
  ERR_WIT_NOT_FOUND: { category: "failed", meaning: "The archive has no WIT package." },
  ERR_FIELD_NOT_FOUND: { category: "failed", meaning: "An archive says nothing by that name." },
  ERR_KEY_INVALID: {
    category: "failed",
    meaning: "A key is not written as an nkey, or a key for bundles not as PEM or an nkey.",
  },
  ERR_KEY_UNSUPPORTED: {
    category: "failed",
    meaning: "A PEM key is encrypted, or of another kind than P-256 and Ed25519.",
  },
  ERR_KEY_CHECKSUM: {
    category: "failed",
    meaning: "A key's checksum does not match. Perhaps it is mistyped.",
  },
  ERR_KEY_ROLE: {
    category: "failed",
    meaning: "A key has the wrong role, such as a service's key as the issuer.",
  },
  ERR_KEY_NOT_FOUND: {
    category: "failed",
    meaning: "No key was found, and generating one is disabled.",
  },
  ERR_KEY_AMBIGUOUS: {
    category: "failed",
    meaning: "Two key directories have different keys of the same name.",
  },
  ERR_KEY_MISMATCH: {
    category: "failed",
    meaning: "A key is not the one that the archive or the claims name.",
  },
  ERR_POLICY_INVALID: {
    category: "failed",
    meaning: "A policy file cannot be read, or has a member that is unknown or wrong.",
  },
  ERR_PREDICATE_INVALID: {
    category: "failed",
    meaning: "A predicate is not JSON, or not of the type that was stated.",
  },
  ERR_PREDICATE_MISMATCH: {
    category: "failed",
    meaning: "A predicate has a digest for the archive that is not the archive's.",
  },
  ERR_MERGE_CONFLICT: {
    category: "failed",
    meaning: "The archives to merge do not describe the same provider.",
  },

  ERR_PROJECT_NOT_FOUND: {
    category: "failed",
    meaning: "A folder has no provider project that can be built.",
  },
  ERR_PROJECT_INVALID: {
    category: "failed",
    meaning: "A project file cannot be read, or the project has nothing that can be archived.",
  },
  ERR_PROJECT_AMBIGUOUS: {
    category: "failed",
    meaning: "A project has several binaries, and none of them was chosen.",
  },
  ERR_BUILD_TOOL_MISSING: {
    category: "failed",
    meaning: "A program or library that a build needs is not installed.",
  },
  ERR_BUILD_FAILED: { category: "failed", meaning: "The program that builds a binary failed." },

  ERR_ARCHIVE_EMPTY: { category: "untrusted", meaning: "The input is empty." },
  ERR_ARCHIVE_TRUNCATED: {
    category: "untrusted",
    meaning: "The archive ends before it is complete.",
  },
  ERR_ARCHIVE_TRAILING_DATA: {
    category: "untrusted",
    meaning: "Bytes follow the end of the archive.",
  },
  ERR_GZIP_CORRUPT: {
    category: "untrusted",
    meaning: "The gzip member cannot be decompressed or fails its checksum.",
  },
  ERR_GZIP_SECOND_MEMBER: {
    category: "untrusted",
    meaning: "A second gzip member follows the first.",
  },
  ERR_INDEX_MISMATCH: {
    category: "untrusted",
    meaning: "The archive's index disagrees with its content.",
  },
  ERR_HEADER_INVALID: {
    category: "untrusted",
    meaning: "A tar header is malformed or fails its checksum.",
  },
  ERR_HEADER_SIZE: {
    category: "untrusted",
    meaning: "A tar header states a size that cannot be read, or a pax header states it again.",
  },
  ERR_HEADER_AMBIGUOUS: {
    category: "untrusted",
    meaning: "A tar header can be read in different ways.",
  },
  ERR_ENTRY_TYPE: { category: "untrusted", meaning: "An entry is not a regular file." },
  ERR_ENTRY_PATH: { category: "untrusted", meaning: "An entry's name contains a path." },
  ERR_ENTRY_UNKNOWN: {
    category: "untrusted",
    meaning: "An entry is not the claims, the WIT package or a binary.",
  },
  ERR_ENTRY_DUPLICATE: { category: "untrusted", meaning: "An entry appears twice." },
  ERR_LIMIT_ENTRIES: {
    category: "untrusted",
    meaning: "The archive has more entries than allowed.",
  },
  ERR_LIMIT_SIZE: {
    category: "untrusted",
    meaning: "The archive unpacks to more bytes than allowed.",
  },
  ERR_LIMIT_RATIO: {
    category: "untrusted",
    meaning: "The archive's compression ratio is higher than allowed.",
  },
  ERR_CLAIMS_MISSING: { category: "untrusted", meaning: "The archive has no claims." },
  ERR_CLAIMS_DUPLICATE: { category: "untrusted", meaning: "The archive has claims twice." },
  ERR_CLAIMS_TOO_LARGE: { category: "untrusted", meaning: "The claims are larger than allowed." },
  ERR_CLAIMS_INVALID: {
    category: "untrusted",
    meaning: "The token's payload is not the claims of a provider.",
  },
  ERR_TOKEN_MALFORMED: {
    category: "untrusted",
    meaning: "The token is not a compact JWS in canonical base64url, or its JSON is ambiguous.",
  },
  ERR_TOKEN_HEADER: {
    category: "untrusted",
    meaning: "The token's header has parameters other than `alg` and `typ`.",
  },
  ERR_TOKEN_TYPE: { category: "untrusted", meaning: "The token's type is not `jwt`." },
  ERR_TOKEN_ALGORITHM: {
    category: "untrusted",
    meaning: "The token's algorithm is not `Ed25519`.",
  },
  ERR_TOKEN_ISSUER: {
    category: "untrusted",
    meaning: "The token's issuer is not an account's public key.",
  },
  ERR_TOKEN_SUBJECT: {
    category: "untrusted",
    meaning: "The token's subject is not a service's public key.",
  },
  ERR_TOKEN_SIGNATURE: {
    category: "untrusted",
    meaning: "The token's signature was not made with the issuer's key.",
  },
  ERR_TOKEN_EXPIRED: { category: "untrusted", meaning: "The token has expired." },
  ERR_TOKEN_NOT_YET_VALID: {
    category: "untrusted",
    meaning: "The token is not valid yet.",
  },
  ERR_HASH_UNLISTED: {
    category: "untrusted",
    meaning: "The claims have no hash of an entry in the archive.",
  },
  ERR_HASH_MISMATCH: {
    category: "untrusted",
    meaning: "An entry's hash is not the one in the claims.",
  },
  ERR_ENTRY_MISSING: {
    category: "untrusted",
    meaning: "The claims have the hash of an entry that is not in the archive.",
  },

  ERR_BUNDLE_INVALID: {
    category: "untrusted",
    meaning: "A bundle is not a Sigstore bundle that every reader reads the same way.",
  },
  ERR_BUNDLE_UNSUPPORTED: {
    category: "untrusted",
    meaning: "A bundle has no signature by a plain key over a statement; `cosign` may verify it.",
  },
  ERR_BUNDLE_KEY: {
    category: "untrusted",
    meaning: "A bundle was not signed with one of the given keys.",
  },
  ERR_BUNDLE_SIGNATURE: {
    category: "untrusted",
    meaning: "A bundle's signature was not made with the key that the bundle names.",
  },
  ERR_BUNDLE_SUBJECT: {
    category: "untrusted",
    meaning: "A bundle is about another archive.",
  },
  ERR_BUNDLE_PREDICATE: {
    category: "untrusted",
    meaning: "A bundle's statement is of another type than the one asked for.",
  },

  ERR_ISSUER_UNTRUSTED: {
    category: "untrusted",
    meaning: "The archive's issuer is not a trusted issuer.",
  },
  ERR_ISSUER_NOT_ALLOWED: {
    category: "untrusted",
    meaning: "The archive's issuer is trusted, but not for its vendor, its subject or its targets.",
  },
  ERR_SUBJECT_MISMATCH: {
    category: "untrusted",
    meaning: "The archive's subject is not the requested provider.",
  },
  ERR_TARGET_REQUIRED: {
    category: "untrusted",
    meaning: "The archive has no binary for a required target.",
  },
  ERR_HOST_INCOMPATIBLE: {
    category: "untrusted",
    meaning: "The archive has no binary that this machine can run.",
  },
  ERR_TOO_OLD: {
    category: "untrusted",
    meaning: "The archive was issued too long ago, or its time of issue is in the future.",
  },
  ERR_ATTESTATION_MISSING: {
    category: "untrusted",
    meaning: "The archive has no bundle of a required type.",
  },
  ERR_KEY_REVOKED: {
    category: "untrusted",
    meaning: "The key that signed the archive or a bundle is revoked.",
  },
  ERR_ARCHIVE_REVOKED: { category: "untrusted", meaning: "The archive is revoked." },

  ERR_REFERENCE_INVALID: { category: "usage", meaning: "A reference to a registry is malformed." },
  ERR_REFERENCE_LATEST: {
    category: "usage",
    meaning: "A reference has no tag or the tag `latest`, and that is not allowed.",
  },
  ERR_REGISTRY_UNREACHABLE: {
    category: "failed",
    meaning: "A registry cannot be reached, or several attempts failed.",
  },
  ERR_REGISTRY_CERTIFICATE: {
    category: "failed",
    meaning: "A registry's TLS certificate is not trusted.",
  },
  ERR_REGISTRY_CREDENTIALS: {
    category: "failed",
    meaning: "The configured credentials could not be read.",
  },
  ERR_REGISTRY_DENIED: {
    category: "failed",
    meaning: "A registry refused the credentials, or requires credentials.",
  },
  ERR_REGISTRY_NOT_FOUND: {
    category: "failed",
    meaning: "A registry does not have the requested content.",
  },
  ERR_REGISTRY_REFUSED: {
    category: "failed",
    meaning: "A registry refused a request for another reason.",
  },
  ERR_REGISTRY_PROTOCOL: {
    category: "failed",
    meaning: "A registry's answer does not follow the distribution specification.",
  },
  ERR_LIMIT_REFERRERS: {
    category: "untrusted",
    meaning: "More manifests refer to an archive in a registry than allowed, or larger ones.",
  },
  ERR_REGISTRY_DIGEST: {
    category: "untrusted",
    meaning: "Content does not have the digest or size that its descriptor states.",
  },
  ERR_REGISTRY_CONTENT: {
    category: "untrusted",
    meaning: "A reference names something that is not one provider archive.",
  },
} as const satisfies Record<string, ErrorCodeInfo>;

/** The stable code of one kind of failure, for a `switch`. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Matches seeds, public keys and digests: letters and digits of one case, longer than words. */
const RUN = /[A-Z0-9]{32,}|[a-z0-9]{32,}/g;

/** Matches hexadecimal. A seed begins with S, so it never matches. */
const DIGEST = /^(?:[0-9A-F]+|[0-9a-f]+)$/;

/** A seed begins with S and a letter for its role. A public key does not begin with S. */
const START_OF_SEED = /S[ACMNOUVX][A-Z2-7]{30}/i;

const PUBLIC_KEY_LENGTH = 56;

/**
 * Matches a private key in PEM form (RFC 7468), also one that is cut off, or quoted, or on one line. A
 * message that only names the first line of one has nothing behind it.
 */
const PRIVATE_KEY =
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:(?:\\[rn]|[\r\n])+\S| *[A-Za-z0-9+/]{16})[^]*?(?:-----END [A-Z0-9 ]*KEY-----|$)/g;

/** Matches the user and the password in a URL. */
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*:[^\s/]*@/gi;

/**
 * Removes secrets from a text before it is shown: nkey seeds, private keys in PEM form, and the user and
 * password in a URL. It also finds seeds that are mistyped, in lower case, cut off, or joined to another
 * word. Public keys, digests and tokens stay.
 *
 * At most 31 characters of a seed remain. The rest holds more than 100 unknown bits.
 *
 * @param text The text.
 * @returns The text without secrets.
 */
export function redact(text: string): string {
  return text.replace(PRIVATE_KEY, "[a private key, not shown]")
    .replace(RUN, (run) => couldBeSeed(run) ? "[a seed, not shown]" : run)
    .replace(USER_INFO, "$1…@");
}

function couldBeSeed(run: string): boolean {
  const start = run.search(START_OF_SEED);
  if (run.length <= PUBLIC_KEY_LENGTH) return start === 0;
  // A mistyped seed still has digits between its letters, and words have none.
  return start >= 0 || /[0-9]/.test(run) && !DIGEST.test(run);
}

/**
 * Removes secrets from the cause of an error, from its properties, and from its own causes. The object
 * stays the same, so that callers can compare it.
 */
function redactCause(cause: unknown, seen: Set<unknown> = new Set()): unknown {
  if (typeof cause === "string") return redact(cause);
  // An `AggregateError` holds its errors in an array.
  if (!(cause instanceof Error || Array.isArray(cause)) || seen.has(cause)) return cause;
  seen.add(cause);
  // The message of a `DOMException` is a property of its prototype.
  for (const key of new Set([...Object.getOwnPropertyNames(cause), "message"])) {
    const value: unknown = Reflect.get(cause, key);
    const clean = redactCause(value, seen);
    if (clean === value) continue;
    const property = { value: clean, writable: true, configurable: true };
    // A frozen object cannot be cleaned, so it is dropped.
    if (!Reflect.defineProperty(cause, key, property)) return undefined;
  }
  return cause;
}

/**
 * The error for every failure that a user of this toolkit can cause.
 *
 * It can be logged: its message, its stack and its causes hold no seed and no password of a URL, even
 * if the caller gave one in the wrong place.
 *
 * @example Tell failures apart by their code
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const error = new ParError("ERR_TOKEN_EXPIRED", "Cannot trust the archive: it expired");
 * assert.equal(error.code, "ERR_TOKEN_EXPIRED");
 * assert.equal(error.category, "untrusted");
 * ```
 */
export class ParError extends Error {
  /** The name of this class, for code that cannot use `instanceof`. */
  override readonly name = "ParError";
  /** The stable code of the failure. */
  readonly code: ErrorCode;

  /**
   * Makes an error.
   *
   * @param code The stable code.
   * @param message A sentence that names the thing and says what to do next.
   * @param cause The error that caused it, if there is one.
   */
  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(redact(message), cause === undefined ? undefined : { cause: redactCause(cause) });
    this.code = code;
  }

  /** What the failure means to the caller. */
  get category(): ErrorCategory {
    return ERROR_CODES[this.code].category;
  }
}

/**
 * Quotes a text for a message, so that its spaces and its end are visible.
 *
 * @param text A path, a name, or something that the user typed.
 */
export function quote(text: string): string {
  return JSON.stringify(text);
}

/**
 * Writes a number with its noun: `1 target`, `2 targets`.
 *
 * @param count The number.
 * @param noun The noun in the singular.
 */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Says which of several files an error is about, unless its message does.
 *
 * @param error What went wrong.
 * @param file The file's name.
 * @returns The same error, or one with the same code whose message names the file.
 */
export function inFile(error: ParError, file: string): ParError {
  const name = quote(file);
  if (error.message.includes(name)) return error;
  const message = error.message.replace(/^Cannot [^:;]*/, (start) => {
    const named = start.replace("the archive", () => `the archive ${name}`);
    if (named !== start) return named;
    const about = start.replace("the token", () => `the token of ${name}`);
    return about === start ? `${start} in ${name}` : about;
  });
  return new ParError(error.code, message, error.cause);
}

/**
 * Cuts a long text for a message. Secrets are removed first: what a cut leaves of one may look like
 * something else.
 *
 * @param text A text from a file or an archive.
 * @param length The most characters to show.
 */
export function excerpt(text: string, length = 100): string {
  const clean = redact(text);
  return clean.length > length ? `${clean.slice(0, length)}…` : clean;
}

/**
 * Replaces characters that would move a terminal's cursor, change its colours or change the reading
 * direction. Line feeds and tabs stay.
 *
 * @param text A text from an archive, a registry or a program.
 */
export function printable(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex -- the control characters are replaced
    /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    "\ufffd",
  );
}
