/**
 * The errors of this toolkit: one class, every code it can carry, and what keeps secrets out of
 * them. This module is browser compatible and imports nothing.
 *
 * @module
 */

/**
 * What a failure means to whoever called: `usage` (the call was wrong), `untrusted` (the archive
 * must not be believed), `failed` (everything else).
 */
export type ErrorCategory = "usage" | "failed" | "untrusted";

/** One row of {@linkcode ERROR_CODES}. */
export interface ErrorCodeInfo {
  /** Decides the exit status of the command: `usage` 2, `untrusted` 3, `failed` 1. */
  readonly category: ErrorCategory;
  /** When the code is used, in one sentence. */
  readonly meaning: string;
}

/** Every code this toolkit's errors carry, with its category and meaning. */
export const ERROR_CODES = {
  ERR_USAGE: {
    category: "usage",
    meaning: "The command line names an unknown verb or flag, or lacks a required one.",
  },
  ERR_OPTION_INVALID: {
    category: "usage",
    meaning: "An option has a value outside of what it accepts.",
  },
  ERR_TARGET_INVALID: { category: "usage", meaning: "A target's name cannot be an entry's name." },
  ERR_TARGET_DUPLICATE: { category: "usage", meaning: "The same target was given twice." },

  ERR_ABORTED: { category: "failed", meaning: "The caller, or a signal, stopped the work." },
  ERR_FILE_NOT_FOUND: { category: "failed", meaning: "A file does not exist." },
  ERR_FILE_UNREADABLE: {
    category: "failed",
    meaning: "A file cannot be read, or is none: a directory, a socket, a device.",
  },
  ERR_FILE_UNWRITABLE: {
    category: "failed",
    meaning: "A file cannot be written: permission, missing folder, full disk.",
  },
  ERR_FILE_CHANGED: { category: "failed", meaning: "A file changed while it was being read." },
  ERR_TARGET_UNKNOWN: {
    category: "failed",
    meaning: "A binary's header does not name one target, and none was given.",
  },
  ERR_TARGET_MISMATCH: {
    category: "failed",
    meaning: "A binary's header contradicts the target given for it.",
  },
  ERR_TARGET_NOT_FOUND: {
    category: "failed",
    meaning: "The archive has no binary for the target asked for.",
  },
  ERR_TARGET_LAST: {
    category: "failed",
    meaning: "Removing the target would leave the archive empty.",
  },
  ERR_BINARY_EMPTY: { category: "failed", meaning: "A binary holds no bytes at all." },
  ERR_BINARY_FORMAT: {
    category: "failed",
    meaning: "A file that is neither ELF, Mach-O nor PE would replace a binary.",
  },
  ERR_BINARY_TOO_LARGE: { category: "failed", meaning: "A binary is larger than an entry can be." },
  ERR_SCHEMA_INVALID: {
    category: "failed",
    meaning: "The configuration schema is not JSON, or is ambiguous.",
  },
  ERR_WIT_INVALID: {
    category: "failed",
    meaning: "A WIT package is malformed, or its text does not hold together.",
  },
  ERR_WIT_TOOL_MISSING: {
    category: "failed",
    meaning: "Text and encoding of a WIT package take `wasm-tools`, which cannot be started.",
  },
  ERR_WIT_NOT_FOUND: { category: "failed", meaning: "The archive has no WIT package." },
  ERR_KEY_INVALID: { category: "failed", meaning: "A key is not in the text form of an nkey." },
  ERR_KEY_CHECKSUM: { category: "failed", meaning: "A key's checksum does not match its bytes." },
  ERR_KEY_ROLE: { category: "failed", meaning: "A key has another role than its place asks for." },
  ERR_KEY_NOT_FOUND: {
    category: "failed",
    meaning: "No key was found, and none may be generated.",
  },
  ERR_KEY_MISMATCH: {
    category: "failed",
    meaning: "The keys found are not those the archive was signed with.",
  },
  ERR_MERGE_CONFLICT: {
    category: "failed",
    meaning: "The archives to merge do not describe the same provider.",
  },

  ERR_ARCHIVE_EMPTY: { category: "untrusted", meaning: "The input holds no bytes at all." },
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
    meaning: "A tar header states a size that is unreadable, or repeated by a pax header.",
  },
  ERR_HEADER_AMBIGUOUS: {
    category: "untrusted",
    meaning: "A tar header is of a form that readers read in different ways.",
  },
  ERR_ENTRY_TYPE: { category: "untrusted", meaning: "An entry is no regular file." },
  ERR_ENTRY_PATH: { category: "untrusted", meaning: "An entry's name holds a path." },
  ERR_ENTRY_UNKNOWN: {
    category: "untrusted",
    meaning: "An entry is neither the claims, the WIT nor a binary.",
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
    meaning: "The archive unpacks to more times its size than allowed.",
  },
  ERR_CLAIMS_MISSING: { category: "untrusted", meaning: "The archive has no claims." },
  ERR_CLAIMS_DUPLICATE: { category: "untrusted", meaning: "The archive has claims twice." },
  ERR_CLAIMS_TOO_LARGE: { category: "untrusted", meaning: "The claims are larger than allowed." },
  ERR_CLAIMS_INVALID: {
    category: "untrusted",
    meaning: "The token's payload is not a provider's claims.",
  },
  ERR_TOKEN_MALFORMED: {
    category: "untrusted",
    meaning: "The token is not a canonical compact JWS of unambiguous JSON.",
  },
  ERR_TOKEN_HEADER: {
    category: "untrusted",
    meaning: "The token's header has parameters that none may have.",
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
    meaning: "The token's signature is not the issuer's.",
  },
  ERR_TOKEN_EXPIRED: { category: "untrusted", meaning: "The token's validity has ended." },
  ERR_TOKEN_NOT_YET_VALID: {
    category: "untrusted",
    meaning: "The token's validity has not begun.",
  },
  ERR_HASH_UNLISTED: { category: "untrusted", meaning: "An entry's hash is not in the claims." },
  ERR_HASH_MISMATCH: {
    category: "untrusted",
    meaning: "An entry's bytes do not have the hash the claims state.",
  },
  ERR_ENTRY_MISSING: {
    category: "untrusted",
    meaning: "The claims name an entry the archive does not have.",
  },

  ERR_ISSUER_UNTRUSTED: {
    category: "untrusted",
    meaning: "The archive's issuer is not among the trusted ones.",
  },
  ERR_SUBJECT_MISMATCH: {
    category: "untrusted",
    meaning: "The archive is another provider's than the one asked for.",
  },
  ERR_TARGET_REQUIRED: { category: "untrusted", meaning: "A target that is required is missing." },
  ERR_HOST_INCOMPATIBLE: {
    category: "untrusted",
    meaning: "The archive has no binary that this machine can run.",
  },
  ERR_TOO_OLD: { category: "untrusted", meaning: "The archive was issued too long ago." },

  ERR_REFERENCE_INVALID: { category: "usage", meaning: "A reference to a registry is malformed." },
  ERR_REFERENCE_LATEST: {
    category: "usage",
    meaning: "A reference has the tag `latest`, or none, and may not.",
  },
  ERR_REGISTRY_UNREACHABLE: {
    category: "failed",
    meaning: "A registry cannot be reached, or failed time after time.",
  },
  ERR_REGISTRY_CERTIFICATE: {
    category: "failed",
    meaning: "A registry's TLS certificate is not trusted.",
  },
  ERR_REGISTRY_CREDENTIALS: {
    category: "failed",
    meaning: "Credentials are not to be had where the configuration says.",
  },
  ERR_REGISTRY_DENIED: {
    category: "failed",
    meaning: "A registry refused the credentials, or asks for some.",
  },
  ERR_REGISTRY_NOT_FOUND: {
    category: "failed",
    meaning: "A registry does not have what was asked for.",
  },
  ERR_REGISTRY_REFUSED: {
    category: "failed",
    meaning: "A registry refused a request for a reason of its own.",
  },
  ERR_REGISTRY_PROTOCOL: {
    category: "failed",
    meaning: "A registry's answer breaks the distribution specification.",
  },
  ERR_REGISTRY_DIGEST: {
    category: "untrusted",
    meaning: "Content does not have the digest or size that names it.",
  },
  ERR_REGISTRY_CONTENT: {
    category: "untrusted",
    meaning: "A reference names something else than one provider archive.",
  },
} as const satisfies Record<string, ErrorCodeInfo>;

/** A stable name for one kind of failure, to `switch` on. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Letters and digits of one case: seeds, public keys and digests are such runs, words are shorter. */
const RUN = /[A-Z0-9]{32,}|[a-z0-9]{32,}/g;

/** Of any length; a seed begins with an S, which is no digit of these. */
const DIGEST = /^(?:[0-9A-F]+|[0-9a-f]+)$/;

/** A seed begins with S and its role's letter; no public key does. */
const START_OF_SEED = /S[ACMNOUVX][A-Z2-7]{30}/i;

const PUBLIC_KEY_LENGTH = 56;

/** The user and the password of an address. */
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*:[^\s/]*@/gi;

/**
 * Takes secrets out of a text that is about to be shown: nkey seeds, also mistyped, in lower case,
 * glued to another word or with their end lost, and the user and password of an address. Public
 * keys, digests and tokens stay.
 *
 * At most 31 characters of a seed pass. The rest holds more than 100 unknown bits.
 *
 * @param text The text.
 * @returns The text without them.
 */
export function redact(text: string): string {
  return text.replace(RUN, (run) => couldBeSeed(run) ? "[a seed, not shown]" : run)
    .replace(USER_INFO, "$1…@");
}

function couldBeSeed(run: string): boolean {
  const start = run.search(START_OF_SEED);
  if (run.length <= PUBLIC_KEY_LENGTH) return start === 0;
  // One that is mistyped has digits among its letters still, and no word has.
  return start >= 0 || /[0-9]/.test(run) && !DIGEST.test(run);
}

/**
 * Takes secrets out of what led to an error: out of its texts and those of what led to it in turn.
 * The object stays the same one, for whoever compares or catches it.
 */
function redactCause(cause: unknown, seen: Set<unknown> = new Set()): unknown {
  if (typeof cause === "string") return redact(cause);
  // Arrays: an `AggregateError` holds one of errors.
  if (!(cause instanceof Error || Array.isArray(cause)) || seen.has(cause)) return cause;
  seen.add(cause);
  // A `DOMException` has its message from its prototype.
  for (const key of new Set([...Object.getOwnPropertyNames(cause), "message"])) {
    const value: unknown = Reflect.get(cause, key);
    const clean = redactCause(value, seen);
    if (clean === value) continue;
    const property = { value: clean, writable: true, configurable: true };
    // What is frozen had better be lost.
    if (!Reflect.defineProperty(cause, key, property)) return undefined;
  }
  return cause;
}

/**
 * Every failure that a user of this toolkit can cause.
 *
 * No seed, and no password of an address, is in its message, its stack or its causes: whatever a
 * caller gave in the wrong place can be logged.
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
  /** Names this class where `instanceof` cannot reach. */
  override readonly name = "ParError";
  /** The stable code of this failure. */
  readonly code: ErrorCode;

  /**
   * Builds an error.
   *
   * @param code The stable code.
   * @param message A sentence that names the thing and says what to do next.
   * @param cause What led to it, where something did.
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
 * A text as messages show it: quoted, so that spaces are seen and where it ends.
 *
 * @param text A path, a name, what somebody typed.
 */
export function quote(text: string): string {
  return JSON.stringify(text);
}

/**
 * Takes out of somebody's text what would move a terminal's cursor, colour it or turn the direction
 * of reading; line feeds and tabs stay.
 *
 * @param text What an archive, a registry or a program says.
 */
export function printable(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex -- these are what is to be replaced
    /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    "\ufffd",
  );
}
