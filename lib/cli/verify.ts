import { inFile, ParError, printable, quote } from "../errors.ts";
import { MAX_BUNDLE_SIZE } from "../signing/bundle.ts";
import { type BundleKey, parseBundleKey } from "../signing/bundle_key.ts";
import { parsePublicKey, type PublicKey } from "../signing/nkey.ts";
import { parsePredicateType } from "../signing/statement.ts";
import { readSmallInput } from "../system/files.ts";
import type { RegistrySource } from "../registry/pull.ts";
import type { CandidateBundle } from "../verbs/bundle_search.ts";
import type { Check, Policy } from "../verbs/policy.ts";
import { verify, type VerifyReport } from "../verbs/verify.ts";
import { type CheckLine, printChecks } from "./checks.ts";
import { EXIT_STATUS, ExitStatus } from "./exit_status.ts";
import { forEachArchive, type Input, openInput, sayTraffic } from "./input.ts";
import { isQuiet, print, printJson } from "./io.ts";
import { withProgress } from "./progress.ts";
import { paint } from "./style.ts";
import type { Context, Values } from "./verb.ts";
import { VERBS } from "./verbs.ts";

type VerifyFlags = Values<typeof VERBS.verify.flags>;

/** A list of trusted issuers, a key and a policy are texts of some lines. */
const MAX_TEXT = 2 ** 20;

/** Runs `par verify`. */
export async function run(
  this: Context,
  flags: VerifyFlags,
  ...archives: string[]
): Promise<void> {
  const policy = await findPolicy(flags, this.signal);
  await forEachArchive(
    this,
    archives,
    (archive, label) => verifyOne(archive, label, policy, flags, this.signal),
  );
}

/** Reads what every archive must fulfil. */
async function findPolicy(flags: VerifyFlags, signal: AbortSignal): Promise<Policy> {
  const basis = flags.policy === undefined
    ? await policyOfFlags(flags, signal)
    : await readPolicy(flags.policy, signal);
  // A bundle that nobody looks at must not seem to be in order.
  if (flags.bundle && !basis.keys) {
    throw new ParError(
      "ERR_USAGE",
      "Cannot check a --bundle without keys: give --key, or a policy that has keys",
    );
  }
  return {
    ...basis,
    subject: flags.subject === undefined ? undefined : parsePublicKey(flags.subject, "service"),
    requiredTargets: flags.requireArch,
    thisHost: flags.thisHost,
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
  policy: Policy,
  flags: VerifyFlags,
  signal: AbortSignal,
): Promise<void> {
  using input = await openInput(archive, flags, signal);
  const { source } = input;
  const manifest = await manifestOf(input);
  const bundles = policy.keys && findBundles(input, flags, manifest, signal);
  const report = await withProgress(
    "Verifying",
    (onProgress) => verify(source, { ...policy, manifest, bundles, onProgress }),
    await source.size?.(),
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
    const end = isQuiet() && !failed ? [] : [verdict(archive, policy, report)];
    await printChecks(checks.map(toLine), end);
  }
  if (failed) throw new ExitStatus(EXIT_STATUS.untrusted);
}

/** The policy that flags and the environment make. */
async function policyOfFlags(flags: VerifyFlags, signal: AbortSignal): Promise<Policy> {
  const requiredAttestations = flags.requireAttestation?.map(parsePredicateType);
  if (requiredAttestations && !flags.key) {
    throw new ParError(
      "ERR_USAGE",
      "Cannot use --require-attestation without --key: give the keys that may have signed it",
    );
  }
  return {
    trustedIssuers: await trustedIssuers(flags, signal),
    maxAge: flags.maxAge,
    keys: flags.key && await Promise.all(flags.key.map((item) => readKey(item, signal))),
    requiredAttestations,
  };
}

async function readPolicy(path: string, signal: AbortSignal): Promise<Policy> {
  const { MAX_POLICY_SIZE, parsePolicy } = await import("../verbs/policy_file.ts");
  const { dirname, resolve } = await import("node:path");
  const folder = dirname(path);
  return await parsePolicy(await readSmallInput(path, MAX_POLICY_SIZE, signal), {
    name: `the policy ${quote(path)}`,
    readKeyFile: (file) => readText(resolve(folder, file), signal),
  });
}

async function readKey(item: string, signal: AbortSignal): Promise<BundleKey> {
  if (looksLikeKey(item)) return await parseBundleKey(item);
  return await parseBundleKey(await readText(item, signal), `the key file ${quote(item)}`);
}

/** The digest of the archive's manifest, if it is in a registry or a layout. */
async function manifestOf({ source }: Input): Promise<string | undefined> {
  if (!("resolve" in source)) return undefined;
  // Whoever reads the archive hears why there is no manifest.
  return await (source as RegistrySource).resolve().then(({ digest }) => digest, () => undefined);
}

/** Reads the bundles that the flags name, else those beside the file or in the registry. */
async function* findBundles(
  { place }: Input,
  { bundle: paths }: VerifyFlags,
  manifest: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<CandidateBundle> {
  for (const path of paths ?? []) {
    yield { bytes: await readSmallInput(path, MAX_BUNDLE_SIZE, signal), place: path };
  }
  if (paths) return;
  const { readAttachedBundles, readBundlesBeside } = await import("../verbs/bundles.ts");
  if ("path" in place) yield* await readBundlesBeside(place.path);
  else if (manifest) yield* readAttachedBundles(place.reference, manifest, place.options);
}

function toLine({ name, passed, message, code }: Check): CheckLine {
  return { name, outcome: passed ? "ok" : "FAILED", message: message + (code ? ` [${code}]` : "") };
}

/** The line that ends it: whether to use the archive. */
function verdict(archive: string, policy: Policy, { checks, trusted }: VerifyReport): string {
  const name = printable(archive);
  if (!trusted) {
    const failed = new Set(checks.filter(({ passed }) => !passed).map(({ name }) => name));
    return `${paint(Deno.stdout, "red", "Not trusted:")} ${name} failed: ${
      [...failed].join(", ")
    }.`;
  }
  if (policy.keys || checks.some(({ name }) => name === "issuer")) {
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
  const text = await readText(path, signal);
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

async function readText(path: string, signal: AbortSignal): Promise<string> {
  return new TextDecoder().decode(await readSmallInput(path, MAX_TEXT, signal));
}
