/**
 * Verifies an archive against a policy.
 *
 * @module
 */

import { readArchive, type VerifiedArchive } from "../archive/reader.ts";
import { hashSource } from "../bytes/hashed_source.ts";
import { type ErrorCode, ParError } from "../errors.ts";
import { EXECUTABLE_HEADER_LENGTH, readExecutable, runsOn } from "../target/executable.ts";
import { hostTarget, type Target } from "../target/target.ts";
import { type ArchiveInput, toSource } from "./inspect.ts";
import {
  type Check,
  checkPolicy,
  fail,
  needsDigest,
  pass,
  type Policy,
  requirePolicy,
} from "./policy.ts";

/** The result of {@linkcode verify}. */
export interface VerifyReport {
  /** Whether every check passed. */
  readonly trusted: boolean;
  /** The checks in order. If the archive cannot be verified, the policy is not checked. */
  readonly checks: readonly Check[];
  /** The contents of the archive, if it could be verified. */
  readonly archive?: VerifiedArchive;
  /** The digest of the archive's bytes (`sha256:…`), if the policy needed it. */
  readonly digest?: string;
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
  const head = new Uint8Array(host ? EXECUTABLE_HEADER_LENGTH : 0);
  let length = 0;
  const addToHead = (chunk: Uint8Array): void => {
    const part = chunk.subarray(0, head.length - length);
    head.set(part, length);
    length += part.length;
  };
  const source = toSource(archive, policy.signal);
  const hashed = needsDigest(policy) ? hashSource(source) : undefined;
  let verified: VerifiedArchive;
  try {
    verified = await readArchive(
      (hashed ?? source).open(),
      policy,
      (entry) => entry.kind === "binary" && entry.target === host ? addToHead : undefined,
    );
  } catch (error) {
    if (!(error instanceof ParError) || error.category !== "untrusted") throw error;
    return { trusted: false, checks: [fail(checkOf(error.code), error.code, error.message)] };
  }
  const digest = (await hashed?.hashed())?.digest;
  const checks = await checkPolicy(verified, policy, {
    digest,
    host: policy.thisHost ? checkHost(verified, host, head.subarray(0, length)) : undefined,
  });
  return {
    trusted: checks.every((check) => check.passed),
    checks,
    archive: verified,
    ...(digest !== undefined && { digest }),
  };
}

function checkHost(
  { binaries }: VerifiedArchive,
  host: Target | undefined,
  head: Uint8Array,
): Check {
  const refuse = (message: string): Check => fail("host", "ERR_HOST_INCOMPATIBLE", message);
  const binary = binaries.find(({ target }) => target === host);
  if (!binary) return refuse(`no binary for this machine, ${host ?? "unknown"}`);
  const { target } = binary;
  const executable = readExecutable(head);
  if (!executable) return refuse(`the binary for ${target} is not an ELF, Mach-O or PE file`);
  const { format, machine, flaw } = executable;
  if (flaw) return refuse(`the binary for ${target} ${flaw}`);
  const what = `the binary for ${target} is ${format} for ${machine}`;
  return runsOn(executable, target)
    ? pass("host", what)
    : refuse(`${what}, which this machine cannot run`);
}

/** The check that an error belongs to. */
function checkOf(code: ErrorCode): string {
  if (code === "ERR_TOKEN_EXPIRED" || code === "ERR_TOKEN_NOT_YET_VALID") return "validity";
  if (code.startsWith("ERR_TOKEN_") || code.startsWith("ERR_CLAIMS_")) return "signature";
  if (code.startsWith("ERR_HASH_") || code === "ERR_ENTRY_MISSING") return "binaries";
  return "archive";
}
