/**
 * Verifies an archive against a policy.
 *
 * @module
 */

import { readArchive, type ReadOptions, type VerifiedArchive } from "../archive/reader.ts";
import type { Claims } from "../signing/claims.ts";
import { type ErrorCode, ParError, redact } from "../errors.ts";
import { EXECUTABLE_HEADER_LENGTH, readExecutable, runsOn } from "../target/executable.ts";
import { requireList, requireOptions, requireText } from "./arguments.ts";
import { type ArchiveInput, toSource } from "./inspect.ts";
import { parsePublicKey } from "../signing/nkey.ts";
import { hostTarget, parseTarget, type Target } from "../target/target.ts";
import { formatTime } from "../signing/token.ts";

/** What an archive must fulfil, besides being complete and validly signed. */
export interface Policy extends ReadOptions {
  /**
   * Public keys of the trusted issuers. An empty list trusts no issuer. Without a list, the issuer is
   * not checked.
   */
  readonly trustedIssuers?: readonly string[] | undefined;
  /** The public key that the subject must have. */
  readonly subject?: string | undefined;
  /** The targets that the archive must have. */
  readonly requiredTargets?: readonly string[] | undefined;
  /** Whether the archive must have a binary that this machine can run. */
  readonly thisHost?: boolean | undefined;
  /** The highest age of the archive in seconds. */
  readonly maxAge?: number | undefined;
}

/** The outcome of one check. */
export interface Check {
  /** What was checked: `archive`, `signature`, `validity`, `binaries`, or a part of the policy. */
  readonly name: string;
  /** Whether the archive passed. */
  readonly passed: boolean;
  /** What was found, as a sentence. */
  readonly message: string;
  /** The code of the failure. */
  readonly code?: ErrorCode;
}

/** The result of {@linkcode verify}. */
export interface VerifyReport {
  /** Whether every check passed. */
  readonly trusted: boolean;
  /** The checks in order. If the archive cannot be verified, the policy is not checked. */
  readonly checks: readonly Check[];
  /** The contents of the archive, if it could be verified. */
  readonly archive?: VerifiedArchive;
}

/**
 * Verifies an archive, and checks it against a policy.
 *
 * @param archive A file's path, a stream, bytes, or another source.
 * @param policy What the archive must fulfil; limits, time and signal.
 * @returns Each check with its outcome. An archive that must not be trusted is a result, not an error.
 * @throws {ParError} Of the category `usage` for a wrong policy; of the category `failed` if the policy
 * has a malformed key or the archive cannot be read.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const { trusted, checks } = await verify(new Uint8Array(2048));
 * assert(!trusted);
 * assert.equal(checks[0]?.code, "ERR_CLAIMS_MISSING");
 * ```
 */
export async function verify(archive: ArchiveInput, policy: Policy = {}): Promise<VerifyReport> {
  // First, so that a policy with an error never accepts an archive.
  requirePolicy(policy);
  const host = policy.thisHost ? hostTarget() : undefined;
  const head = new HeadCollector();
  let verified: VerifiedArchive;
  try {
    verified = await readArchive(
      toSource(archive, policy.signal).open(),
      policy,
      (entry) => entry.kind === "binary" && entry.target === host ? head.add : undefined,
    );
  } catch (error) {
    if (!(error instanceof ParError) || error.category !== "untrusted") throw error;
    return { trusted: false, checks: [fail(checkOf(error.code), error.code, error.message)] };
  }
  const checks = [
    ...describe(verified),
    ...checkIssuer(verified.claims, policy),
    ...checkSubject(verified.claims, policy),
    ...checkTargets(verified, policy),
    ...(policy.thisHost ? [checkHost(verified, host, head.bytes)] : []),
    ...checkAge(verified.claims, policy),
  ];
  return { trusted: checks.every((check) => check.passed), checks, archive: verified };
}

function requirePolicy(policy: Policy): void {
  const { trustedIssuers = [], subject, requiredTargets = [] } = requireOptions(policy);
  requireList(trustedIssuers, "the trusted issuers");
  requireList(requiredTargets, "the required targets");
  for (const issuer of trustedIssuers) {
    requireText(issuer, "a trusted issuer");
    parsePublicKey(issuer, "account");
  }
  if (subject !== undefined) {
    requireText(subject, "the subject");
    parsePublicKey(subject, "service");
  }
  for (const target of requiredTargets) {
    requireText(target, "a required target");
    parseTarget(target);
  }
}

/** The checks that passed when the archive was read. */
function describe({ claims, binaries, compressed }: VerifiedArchive): Check[] {
  const until = claims.exp === undefined ? "without end" : `until ${formatTime(claims.exp)}`;
  const count = binaries.length === 1 ? "1 binary has" : `${binaries.length} binaries have`;
  return [
    pass("archive", `whole and well-formed, ${compressed ? "compressed" : "not compressed"}`),
    pass("signature", `by ${claims.iss}`),
    pass("validity", `since ${formatTime(claims.nbf ?? claims.iat)}, ${until}`),
    pass("binaries", `${count} the signed hash`),
  ];
}

function checkIssuer({ iss }: Claims, { trustedIssuers }: Policy): Check[] {
  if (!trustedIssuers) return [];
  return [
    trustedIssuers.includes(iss)
      ? pass("issuer", `${iss} is trusted`)
      : fail("issuer", "ERR_ISSUER_UNTRUSTED", `${iss} is not among the trusted issuers`),
  ];
}

function checkSubject({ sub }: Claims, { subject }: Policy): Check[] {
  if (!subject) return [];
  return [
    sub === subject
      ? pass("subject", `${sub} is the provider asked for`)
      : fail("subject", "ERR_SUBJECT_MISMATCH", `${sub} is not the provider ${subject}`),
  ];
}

function checkTargets({ binaries }: VerifiedArchive, { requiredTargets = [] }: Policy): Check[] {
  return requiredTargets.map((target) =>
    binaries.some((binary) => binary.target === target)
      ? pass("target", `${target} is there`)
      : fail("target", "ERR_TARGET_REQUIRED", `${target} is missing`)
  );
}

function checkHost(
  { binaries }: VerifiedArchive,
  host: Target | undefined,
  head: Uint8Array,
): Check {
  const binary = binaries.find(({ target }) => target === host);
  if (!binary) {
    return fail(
      "host",
      "ERR_HOST_INCOMPATIBLE",
      `no binary for this machine, ${host ?? "unknown"}`,
    );
  }
  const { target } = binary;
  const executable = readExecutable(head);
  if (!executable) {
    return fail(
      "host",
      "ERR_HOST_INCOMPATIBLE",
      `the binary for ${target} is not an ELF, Mach-O or PE file`,
    );
  }
  const { format, machine, flaw } = executable;
  if (flaw) return fail("host", "ERR_HOST_INCOMPATIBLE", `the binary for ${target} ${flaw}`);
  const what = `the binary for ${target} is ${format} for ${machine}`;
  return runsOn(executable, target)
    ? pass("host", what)
    : fail("host", "ERR_HOST_INCOMPATIBLE", `${what}, which this machine cannot run`);
}

/** The accepted difference between the clocks of two machines, in seconds. */
const CLOCK_SKEW = 300;

function checkAge({ iat }: Claims, { maxAge, now = new Date() }: Policy): Check[] {
  if (maxAge === undefined) return [];
  const issued = `issued at ${formatTime(iat)}`;
  const age = now.getTime() / 1000 - iat;
  if (age < -CLOCK_SKEW) return [fail("age", "ERR_TOO_OLD", `${issued}, which is in the future`)];
  return [
    age <= maxAge
      ? pass("age", issued)
      : fail("age", "ERR_TOO_OLD", `${issued}, which is too long ago`),
  ];
}

/** The check that an error belongs to. */
function checkOf(code: ErrorCode): string {
  if (code === "ERR_TOKEN_EXPIRED" || code === "ERR_TOKEN_NOT_YET_VALID") return "validity";
  if (code.startsWith("ERR_TOKEN_") || code.startsWith("ERR_CLAIMS_")) return "signature";
  if (code.startsWith("ERR_HASH_") || code === "ERR_ENTRY_MISSING") return "binaries";
  return "archive";
}

function pass(name: string, message: string): Check {
  return { name, passed: true, message };
}

function fail(name: string, code: ErrorCode, message: string): Check {
  return { name, passed: false, message: redact(message), code };
}

/** Collects the first bytes of a binary, which hold its header. */
class HeadCollector {
  readonly #bytes = new Uint8Array(EXECUTABLE_HEADER_LENGTH);
  #length = 0;

  readonly add = (chunk: Uint8Array): void => {
    const part = chunk.subarray(0, this.#bytes.length - this.#length);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
  };

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}
