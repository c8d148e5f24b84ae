import { ParError, printable, quote } from "../errors.ts";
import { readSmallInput } from "../system/files.ts";
import { parsePublicKey, type PublicKey } from "../signing/nkey.ts";
import type { Check, Policy } from "../verbs/policy.ts";
import { verify } from "../verbs/verify.ts";
import { EXIT_STATUS, ExitStatus } from "./exit_status.ts";
import { openInput, sayTraffic, withReadProgress } from "./input.ts";
import { print, printJson } from "./io.ts";
import { paint } from "./style.ts";
import type { Context, Values } from "./verb.ts";
import { VERBS } from "./verbs.ts";

type VerifyFlags = Values<typeof VERBS.verify.flags>;

/** A list of trusted issuers is a text of some lines. */
const MAX_LIST = 2 ** 20;

/** Runs `par verify`. */
export async function run(this: Context, flags: VerifyFlags, name: string): Promise<void> {
  const { signal } = this;
  using input = await openInput(name, flags, signal);
  const { source } = input;
  const policy: Policy = {
    trustedIssuers: await trustedIssuers(flags, signal),
    subject: flags.subject === undefined ? undefined : parsePublicKey(flags.subject, "service"),
    requiredTargets: flags.requireArch,
    thisHost: flags.thisHost,
    maxAge: flags.maxAge,
    limits: { maxSize: flags.maxSize },
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
  if (failed) throw new ExitStatus(EXIT_STATUS.untrusted);
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
  const keys = lines.filter((line) => line !== "").map((line) => parsePublicKey(line, "account"));
  if (keys.length > 0) return keys;
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot find an issuer in ${quote(path)}: write one public key (A…) per line`,
  );
}
