import { inFile, ParError, printable, quote } from "../errors.ts";
import { readSmallInput } from "../system/files.ts";
import { parsePublicKey, type PublicKey } from "../signing/nkey.ts";
import { type Check, type Policy, verify, type VerifyReport } from "../verbs/verify.ts";
import { type CheckLine, printChecks } from "./checks.ts";
import { forEachArchive } from "./each.ts";
import { EXIT_STATUS, ExitStatus } from "./exit_status.ts";
import { openInput, sayTraffic, withReadProgress } from "./input.ts";
import { isQuiet, print, printJson } from "./io.ts";
import { paint } from "./style.ts";
import type { Context, Values } from "./verb.ts";
import { VERBS } from "./verbs.ts";

type VerifyFlags = Values<typeof VERBS.verify.flags>;

/** A list of trusted issuers is a text of some lines. */
const MAX_LIST = 2 ** 20;

/** Runs `par verify`. */
export async function run(
  this: Context,
  flags: VerifyFlags,
  ...archives: string[]
): Promise<void> {
  const policy = await readPolicy(flags, this.signal);
  await forEachArchive(
    this,
    archives,
    (archive, label) => verifyOne(archive, label, policy, flags),
  );
}

/** What every archive must fulfil, and what stops the reading. */
type ReadPolicy = Policy & { readonly signal: AbortSignal };

/** Reads what every archive must fulfil. */
async function readPolicy(flags: VerifyFlags, signal: AbortSignal): Promise<ReadPolicy> {
  return {
    trustedIssuers: await trustedIssuers(flags, signal),
    subject: flags.subject === undefined ? undefined : parsePublicKey(flags.subject, "service"),
    requiredTargets: flags.requireArch,
    thisHost: flags.thisHost,
    maxAge: flags.maxAge,
    limits: { maxSize: flags.maxSize },
    signal,
  };
}

/**
 * Verifies one archive, and prints what was found.
 *
 * @param label Its name, if it is one of several.
 * @throws {ExitStatus} If it must not be trusted.
 */
async function verifyOne(
  archive: string,
  label: string | undefined,
  policy: ReadPolicy,
  flags: VerifyFlags,
): Promise<void> {
  using input = await openInput(archive, flags, policy.signal);
  const { source } = input;
  const report = await withReadProgress(
    "Verifying",
    source,
    (onProgress) => verify(source, { ...policy, onProgress }),
  );
  await sayTraffic(input);
  const failed = report.checks.find((check) => !check.passed);
  if (flags.output === "json") {
    const { claims } = report.archive ?? {};
    await printJson({
      success: report.trusted,
      checks: report.checks,
      ...(claims && { issuer: claims.iss, service: claims.sub }),
      ...(failed && { error: { code: failed.code, message: failed.message } }),
    }, label);
  } else {
    const checks = report.checks.filter(({ passed }) => !(passed && isQuiet()));
    if (label !== undefined && !isQuiet()) await print(`${printable(label)}:`);
    await printChecks(checks.map(toLine), isQuiet() && !failed ? [] : [verdict(archive, report)]);
  }
  if (failed) throw new ExitStatus(EXIT_STATUS.untrusted);
}

function toLine({ name, passed, message, code }: Check): CheckLine {
  return { name, outcome: passed ? "ok" : "FAILED", message: message + (code ? ` [${code}]` : "") };
}

/** The line that ends it: whether to use the archive. */
function verdict(archive: string, { checks, trusted }: VerifyReport): string {
  const name = printable(archive);
  if (!trusted) {
    const failed = new Set(checks.filter(({ passed }) => !passed).map(({ name }) => name));
    return `${paint(Deno.stdout, "red", "Not trusted:")} ${name} failed: ${
      [...failed].join(", ")
    }.`;
  }
  if (checks.some(({ name }) => name === "issuer")) {
    return `${paint(Deno.stdout, "green", "Trusted:")} ${name} passed every check.`;
  }
  return `${
    paint(Deno.stdout, "yellow", "Valid:")
  } ${name} passed every check, but no issuer was ` +
    "asked for; say whom you trust (--trusted-issuer).";
}

/** The flags' issuers, else the environment's; `undefined` where there is no list at all. */
async function trustedIssuers(
  flags: VerifyFlags,
  signal: AbortSignal,
): Promise<PublicKey[] | undefined> {
  const listed = Deno.env.get(VERBS.verify.flags.trustedIssuer.env);
  const items = flags.trustedIssuer ?? listed?.split(/[\s,]+/).filter((item) => item !== "");
  if (!items) return undefined;
  const keys: PublicKey[] = [];
  for (const item of items) {
    if (looksLikeKey(item)) keys.push(parsePublicKey(item, "account"));
    else keys.push(...await readIssuers(item, signal));
  }
  return keys;
}

/** A file's name is hardly ever 56 capitals; a mistyped key should be told as one. */
function looksLikeKey(item: string): boolean {
  return /^[A-Z0-9]{40,}$/.test(item);
}

async function readIssuers(path: string, signal: AbortSignal): Promise<PublicKey[]> {
  const text = new TextDecoder().decode(await readSmallInput(path, MAX_LIST, signal));
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim());
  const keys = lines.filter((line) => line !== "").map((line) => {
    try {
      return parsePublicKey(line, "account");
    } catch (error) {
      throw error instanceof ParError ? inFile(error, path) : error;
    }
  });
  if (keys.length > 0) return keys;
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot find an issuer in ${quote(path)}: write one public key (A…) per line`,
  );
}
