import { ParError } from "../errors.ts";
import { readSmallInput } from "../system/files.ts";
import { parsePublicKey, type PublicKey } from "../signing/nkey.ts";
import { parseTarget } from "../target/target.ts";
import { type Check, type Policy, verify } from "../verbs/verify.ts";
import { VerificationFailed } from "./exit_errors.ts";
import { ARCHIVE, openInput, sayTraffic, withReadProgress } from "./input.ts";
import { print, printJson } from "./io.ts";
import { printable } from "./printable.ts";
import { paint } from "./style.ts";
import { MAX_SIZE, OUTPUT, parseDays, parseLimits } from "./options.ts";
import { PULL_FLAGS, type PullFlags } from "./registry_flags.ts";
import type { Verb } from "./verb.ts";

interface VerifyFlags extends PullFlags {
  readonly trustedIssuer?: string[];
  readonly subject?: string;
  readonly requireArch?: string[];
  readonly thisHost?: boolean;
  readonly maxAge?: string;
  readonly maxSize?: string;
  readonly output: "text" | "json";
}

/** A list of trusted issuers is a text of some lines. */
const MAX_LIST = 2 ** 20;

/** `par verify`. */
export const VERIFY: Verb = {
  name: "verify",
  description: "check an archive, and whether it fits a policy",
  arguments: [ARCHIVE],
  flags: [
    {
      flags: "--trusted-issuer <key>",
      description:
        "an issuer to believe, or a file with one a line; repeatable (env: PAR_TRUSTED_ISSUERS)",
      repeatable: true,
    },
    { flags: "--subject <key>", description: "the provider's public key it must have" },
    {
      flags: "--require-arch <target>",
      description: "a target it must have; repeatable",
      repeatable: true,
    },
    { flags: "--this-host", description: "it must have a binary that this machine can run" },
    { flags: "--max-age <days>", description: "how long ago it may have been issued" },
    ...PULL_FLAGS,
    MAX_SIZE,
    OUTPUT,
  ],
  examples: [
    "par verify fakepay.par.gz --trusted-issuer issuers.txt --this-host",
    "par verify fakepay.par.gz --require-arch aarch64-linux --max-age 90 -o json",
  ],
  run: ([archive = ""], flags: VerifyFlags, { signal }) => run(archive, flags, signal),
};

async function run(name: string, flags: VerifyFlags, signal: AbortSignal): Promise<void> {
  using input = await openInput(name, flags, signal);
  const { source } = input;
  const policy: Policy = {
    trustedIssuers: await trustedIssuers(flags, signal),
    subject: flags.subject === undefined ? undefined : parsePublicKey(flags.subject, "service"),
    requiredTargets: flags.requireArch?.map(parseTarget),
    thisHost: flags.thisHost,
    maxAge: flags.maxAge === undefined ? undefined : parseDays(flags.maxAge, "--max-age"),
    limits: parseLimits(flags),
    signal,
  };
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
    });
  } else {
    for (const check of report.checks) await print(toLine(check));
  }
  if (failed) throw new VerificationFailed();
}

function toLine({ name, passed, message, code }: Check): string {
  const outcome = passed
    ? paint(Deno.stdout, "green", "ok    ")
    : paint(Deno.stdout, "red", "FAILED");
  return `${outcome}  ${name.padEnd(10)}  ${printable(message)}${code ? ` [${code}]` : ""}`;
}

/** The flags' issuers, else the environment's; `undefined` where there is no list at all. */
async function trustedIssuers(
  flags: VerifyFlags,
  signal: AbortSignal,
): Promise<PublicKey[] | undefined> {
  const listed = Deno.env.get("PAR_TRUSTED_ISSUERS");
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
  const keys = lines.filter((line) => line !== "").map((line) => parsePublicKey(line, "account"));
  if (keys.length > 0) return keys;
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot find an issuer in ${JSON.stringify(path)}: write one public key (A…) a line`,
  );
}
