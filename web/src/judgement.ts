/**
 * Judges an archive from the findings: may it run, why, and what to do next.
 *
 * @module
 */

import { ERROR_CODES, type ErrorCode } from "../../lib/errors.ts";
import type { Claims } from "../../lib/signing/claims.ts";
import type { Check as PolicyCheck } from "../../lib/verbs/policy.ts";
import { entryOf, type Findings } from "./findings.ts";
import type { Refusal } from "./protocol.ts";
import type { TrustedIssuer } from "./trust.ts";
import { sayBytes, sayDate, sayDistance, sayList, sentence } from "./words.ts";

/** How good a result is. `busy`: there is none yet. `none`: there will be none. */
export type Tone = "busy" | "good" | "caution" | "bad" | "none";

/** The outcome of one check. */
export interface Check {
  readonly name: string;
  readonly tone: Tone;
  readonly text: string;
  /** The code of the failure, if it failed. */
  readonly code?: ErrorCode;
}

/** What to think of an archive. */
export interface Judgement {
  readonly tone: Tone;
  /** The answer in a word or two, such as `Yes` and `You decide`. */
  readonly answer: string;
  /** The answer with its reason, in one sentence. */
  readonly title: string;
  /** What the archive is, by its claims. Empty if their signature is not valid. */
  readonly provider: string;
  /** What the reason means, and what to do next. */
  readonly detail: string;
  /** The checks. There are none if the file is not an archive. */
  readonly checks: readonly Check[];
  /** Whether its binaries may be saved. */
  readonly usable: boolean;
  /** Whether the person is to be asked about the issuer. */
  readonly asksForTrust: boolean;
}

/** Whom a person trusts. */
export interface Rules {
  /** The issuers of the policy, or the person's own if there is no policy. */
  readonly trusted: readonly TrustedIssuer[];
  /** The name of the policy, if there is one. Its checks are in {@linkcode Findings}. */
  readonly policy?: string;
}

/**
 * Judges an archive.
 *
 * @param findings What is known.
 * @param rules Whom the person trusts.
 * @param now The time to judge at.
 */
export function judge(findings: Findings, rules: Rules, now: Date): Judgement {
  const { phase, report } = findings;
  const claims = report?.claims;
  const signer = claims && rules.trusted.find(({ key }) => key === claims.iss);
  const usable = phase === "done" && report?.window === undefined && !broken(findings);
  const conclusion = conclude(findings, signer, rules, now);
  return {
    ...conclusion,
    title: conclusion.reason === ""
      ? `${conclusion.answer}…`
      : `${conclusion.answer}: ${conclusion.reason}`,
    provider: claims ? sayProvider(claims, usable && signer !== undefined) : "",
    checks: checksOf(findings, signer, rules, now),
    usable,
    asksForTrust: usable && !signer && rules.policy === undefined,
  };
}

interface Conclusion {
  readonly tone: Tone;
  readonly answer: string;
  readonly reason: string;
  readonly detail: string;
}

function conclude(
  findings: Findings,
  signer: TrustedIssuer | undefined,
  rules: Rules,
  now: Date,
): Conclusion {
  const { phase, failure, report } = findings;
  if (phase === "working") {
    return {
      tone: "busy",
      answer: "Checking",
      reason: "",
      detail: "There is no answer before the whole archive has been read.",
    };
  }
  if (phase === "stopped") {
    return {
      tone: "none",
      answer: "Cancelled",
      reason: "there is no answer",
      detail: "You cancelled before the whole archive was read. Check it again to get one.",
    };
  }
  if (failure) return concludeFailure(findings, failure);
  const claims = report?.claims as Claims;
  if (report?.window) return concludeWindow(claims, report.window, signer, now);
  const rule = broken(findings);
  if (rule) {
    return {
      tone: "bad",
      answer: "No",
      reason: sayBroken(rule, signer),
      detail: `The archive is intact, but it does not meet ${rules.policy}.`,
    };
  }
  const doubts = doubtsOf(findings, rules);
  const [answer, tone] = signer
    ? doubts.length === 0 ? ["Yes", "good"] as const : ["Careful", "caution"] as const
    : ["You decide", "caution"] as const;
  const end = claims.exp === undefined ? "without end" : `until ${sayDate(claims.exp)}`;
  const signed = `signed by ${sayIssuer(signer)}`;
  const valid = doubts.length === 0 && signer ? `, valid ${end}` : "";
  return {
    tone,
    answer,
    reason: [signed + valid, ...doubts].join(signer ? ", but " : ", and "),
    detail: `The archive is intact. ${
      signer ? sayContent(findings, rules) : rules.trusted.length === 0 ? ASK_FIRST : ASK
    }`,
  };
}

/** The first rule of the policy that the archive breaks. */
function broken({ policyChecks }: Findings): PolicyCheck | undefined {
  return policyChecks?.find(({ passed }) => !passed);
}

/** Says which rule an archive breaks, as the end of a sentence. */
function sayBroken({ name, code }: PolicyCheck, signer: TrustedIssuer | undefined): string {
  switch (code) {
    case "ERR_ISSUER_UNTRUSTED":
      return "the policy does not trust its issuer";
    case "ERR_ISSUER_NOT_ALLOWED":
      return `the policy does not trust ${sayIssuer(signer)} for this archive`;
    case "ERR_TOO_OLD":
      return "it is older than the policy allows";
    case "ERR_KEY_REVOKED":
      return "a key that signed it is revoked";
    case "ERR_ARCHIVE_REVOKED":
      return "it is revoked";
    default:
      return `it has no ${name.replace(/^(attestation) (.*)$/, "$2 $1")} that the policy accepts`;
  }
}

const ASK = "Anybody can make a key and sign with it: compare this issuer’s key with what the " +
  "vendor published, and then decide.";
const ASK_FIRST = `You trust nobody yet. ${ASK}`;

function sayIssuer(signer: TrustedIssuer | undefined): string {
  if (!signer) return "an issuer you do not trust yet";
  return signer.note === "" ? "an issuer you trust" : signer.note;
}

function sayContent({ archive, bundles }: Findings, { policy }: Rules): string {
  const count = archive?.binaries.length ?? 0;
  const said = count === 0
    ? "Binaries can be added later."
    : count === 1
    ? "Its binary is as it was signed."
    : `All ${count} binaries are as signed.`;
  if (policy !== undefined) return `${said} It meets ${policy}.`;
  if (bundles === 0) return said;
  return `${said} To check the ${
    bundles === 1 ? "bundle" : "bundles"
  }, load a policy that has keys.`;
}

/** Gives the doubts about an archive that is intact, as ends of a sentence. */
function doubtsOf(findings: Findings, rules: Rules): string[] {
  const others = misfits(findings);
  const [first] = others;
  const doubts: string[] = [];
  if (findings.archive?.binaries.length === 0) doubts.push("it has no binaries");
  if (first !== undefined) {
    doubts.push(
      others.length === 1
        ? `the binary for ${first} is for another machine (${entryOf(findings, first)?.header})`
        : `the binaries for ${sayList(others)} are for other machines`,
    );
  }
  const { bundles } = findings;
  if (leavesBundles(findings, rules)) {
    doubts.push(
      bundles === 1 ? "its bundle was not checked" : `its ${bundles} bundles were not checked`,
    );
  }
  return doubts;
}

/** Whether there are bundles that no check looked at. */
function leavesBundles({ bundles, policyChecks }: Findings, { policy }: Rules): boolean {
  if (bundles === 0) return false;
  return policy === undefined ||
    policyChecks?.every(({ name }) => name !== "bundle signature") === true;
}

/** The targets whose binaries are for another machine. */
function misfits({ entries }: Findings): string[] {
  return Object.keys(entries).filter((key) => entries[key]?.fits === false);
}

function concludeFailure(findings: Findings, failure: Refusal): Conclusion {
  const { code, category, message } = failure;
  if (category !== "untrusted") {
    return {
      tone: "none",
      answer: "No answer",
      reason: code === "ERR_POLICY_INVALID"
        ? "the policy cannot be used"
        : "the archive could not be read",
      detail: sentence(message),
    };
  }
  return isNoArchive(findings)
    ? {
      tone: "bad",
      answer: "No",
      reason: "this is not a provider archive",
      detail: `${sentence(message)} (${code})`,
    }
    : { tone: "bad", answer: "No", reason: reasonOf(findings, code), detail: adviceOf(code) };
}

/** Whether the file seems to be something other than an archive. */
function isNoArchive({ failure, report }: Findings): boolean {
  return report === undefined && failure?.code !== undefined && NO_ARCHIVE.has(failure.code);
}

const NO_ARCHIVE: ReadonlySet<ErrorCode> = new Set([
  "ERR_ARCHIVE_EMPTY",
  "ERR_HEADER_INVALID",
  "ERR_CLAIMS_MISSING",
]);

/** Says why an archive is refused, as the end of a sentence. Names the binary if it is known. */
function reasonOf(findings: Findings, code: ErrorCode | undefined): string {
  switch (code) {
    case "ERR_HASH_MISMATCH":
      return `${findings.blamed ?? "a binary"} was changed after signing`;
    case "ERR_HASH_UNLISTED":
      return "a binary was added after signing";
    case "ERR_ENTRY_MISSING":
      return `${sayList(missing(findings))} was removed after signing`;
    case "ERR_TOKEN_SIGNATURE":
      return "its claims were changed after signing, or somebody else signed them";
    case undefined:
      return "it is refused";
    default:
      return lowerFirst(ERROR_CODES[code].meaning.replace(/\.$/, ""));
  }
}

/** The targets that the claims list and the archive does not have. */
function missing(findings: Findings): string[] {
  return Object.keys(findings.report?.claims?.wascap.target_hashes ?? {})
    .filter((key) => entryOf(findings, key) === undefined);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function adviceOf(code: ErrorCode | undefined): string {
  if (code === "ERR_ARCHIVE_TRUNCATED" || code === "ERR_GZIP_CORRUPT") {
    return "Do not run it. The file may be damaged: get it again.";
  }
  return checkFor(code) === SIGNATURE
    ? "Do not run it. Nothing that it says about itself can be believed."
    : "Do not run it. Get the archive from its vendor again.";
}

function concludeWindow(
  { exp = 0, nbf = 0 }: Claims,
  { code }: Refusal,
  signer: TrustedIssuer | undefined,
  now: Date,
): Conclusion {
  const detail = `Apart from that, the archive is intact, and signed by ${sayIssuer(signer)}.`;
  return code === "ERR_TOKEN_EXPIRED"
    ? {
      tone: "bad",
      answer: "No",
      reason: `it expired ${sayDistance(exp, now)} (${sayDate(exp)}); ` +
        "ask the issuer for a new one",
      detail,
    }
    : {
      tone: "bad",
      answer: "Not yet",
      reason: `it becomes valid ${sayDistance(nbf, now)} (${sayDate(nbf)})`,
      detail,
    };
}

function sayProvider({ wascap }: Claims, believed: boolean): string {
  const { name = "a provider without a name", ver, vendor } = wascap;
  const what = `${name}${ver === undefined ? "" : ` ${ver}`}, from ${vendor}`;
  return believed ? what : `Calls itself ${what}`;
}

const ARCHIVE = "Archive";
const SIGNATURE = "Signature";
const BINARIES = "Binaries";

/** The check that a refusal belongs to. */
function checkFor(code: ErrorCode | undefined): string {
  if (code?.startsWith("ERR_TOKEN_") || code === "ERR_CLAIMS_INVALID") return SIGNATURE;
  if (code?.startsWith("ERR_HASH_") || code === "ERR_ENTRY_MISSING") return BINARIES;
  return ARCHIVE;
}

function checksOf(
  findings: Findings,
  signer: TrustedIssuer | undefined,
  rules: Rules,
  now: Date,
): Check[] {
  const { phase, failure } = findings;
  if (phase === "failed" && findings.report === undefined) {
    if (failure?.category !== "untrusted" || isNoArchive(findings)) return [];
  }
  const { policyChecks } = findings;
  const checks: readonly (readonly [name: string, Outcome])[] = [
    [ARCHIVE, checkContainer(findings)],
    [SIGNATURE, checkSignature(findings)],
    ["Validity", checkValidity(findings, now)],
    ...rules.policy === undefined ? [["Issuer", checkIssuer(findings, signer)] as const] : [],
    [BINARIES, checkBinaries(findings)],
    ["Headers match targets", checkHeaders(findings)],
    ...rules.policy !== undefined && !policyChecks ? [["Policy", undefined] as const] : [],
    ...(policyChecks ?? []).filter(({ name }) => !READING.has(name)).map(toOutcome),
    ...leavesBundles(findings, rules) && phase === "done"
      ? [
        ["Bundles", {
          tone: "caution",
          text: "Not checked: no policy says whose they must be",
        }] as const,
      ]
      : [],
  ];
  const made: Check[] = [];
  const open: string[] = [];
  for (const [name, check] of checks) {
    if (failure?.category === "untrusted" && checkFor(failure.code) === name) {
      const { message, code } = failure;
      made.push({ name, tone: "bad", text: message, ...(code && { code }) });
    } else if (check) made.push({ name, ...check });
    else if (phase === "working") made.push({ name, tone: "busy", text: "Waiting" });
    else open.push(name);
  }
  if (open.length === 0) return made;
  return [...made, {
    name: "Not checked",
    tone: "none",
    text: `${open.join(", ")}. ${
      phase === "stopped" ? "You cancelled before the end." : "Reading stopped at the fault."
    }`,
  }];
}

type Outcome = Omit<Check, "name"> | undefined;

/** The checks of `lib/` that the page shows in its own words. */
const READING: ReadonlySet<string> = new Set(["archive", "signature", "validity", "binaries"]);

function toOutcome({ name, passed, message, code }: PolicyCheck): readonly [string, Outcome] {
  const text = upperFirst(message);
  return [upperFirst(name), { tone: passed ? "good" : "bad", text, ...(code && { code }) }];
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function checkContainer({ archive }: Findings): Outcome {
  if (!archive) return undefined;
  const packed = archive.compressed ? "compressed" : "not compressed";
  return { tone: "good", text: `Whole and well-formed, ${packed}, ${sayBytes(archive.size)}` };
}

function checkSignature({ report, failure }: Findings): Outcome {
  if (report?.claims) return { tone: "good", text: "Made with the issuer’s key" };
  const refusal = report?.refusal ?? failure;
  if (!report?.refusal || !refusal) return undefined;
  const { message, code } = refusal;
  return { tone: "bad", text: message, ...(code && { code }) };
}

function checkValidity({ report }: Findings, now: Date): Outcome {
  if (!report?.claims) return undefined;
  const { exp, nbf, iat } = report.claims;
  if (report.window) {
    const { code } = report.window;
    const text = code === "ERR_TOKEN_NOT_YET_VALID"
      ? `Begins ${sayDistance(nbf ?? 0, now)}`
      : `Ended ${sayDistance(exp ?? 0, now)}`;
    return { tone: "bad", text, ...(code && { code }) };
  }
  const end = exp === undefined ? "valid without end" : `ends ${sayDistance(exp, now)}`;
  return { tone: "good", text: `Issued ${sayDistance(iat, now)}, ${end}` };
}

function checkIssuer({ report }: Findings, signer: TrustedIssuer | undefined): Outcome {
  if (!report?.claims) return undefined;
  if (!signer) return { tone: "caution", text: "You do not trust it yet" };
  return {
    tone: "good",
    text: signer.note === "" ? "You trust it" : `You trust it: ${signer.note}`,
  };
}

function checkBinaries({ archive }: Findings): Outcome {
  if (!archive) return undefined;
  const count = archive.binaries.length;
  if (count === 0) return { tone: "caution", text: "There are none" };
  return { tone: "good", text: count === 1 ? "It is as signed" : `All ${count} are as signed` };
}

function checkHeaders(findings: Findings): Outcome {
  const { archive } = findings;
  const others = misfits(findings);
  if (others.length > 0) {
    const said = others.map((key) => `the binary for ${key} is ${entryOf(findings, key)?.header}`);
    return { tone: "caution", text: upperFirst(sayList(said)) };
  }
  if (!archive || archive.binaries.length === 0) {
    return archive ? { tone: "none", text: "There are no binaries to look at" } : undefined;
  }
  const silent = archive.binaries.map(({ target }) => target)
    .filter((target) => entryOf(findings, target)?.fits === undefined);
  return silent.length === 0
    ? { tone: "good", text: "Each binary is for the machine that its target names" }
    : { tone: "none", text: `Cannot tell: ${sayList(silent)} has no known header` };
}

/** Judges one binary. */
export function judgeEntry(findings: Findings, key: string): { tone: Tone; text: string } {
  const { phase, blamed, failure } = findings;
  const entry = entryOf(findings, key);
  if (blamed === key) return { tone: "bad", text: "Changed" };
  if (phase === "done" || (phase === "working" && entry?.matched)) {
    return { tone: "good", text: "As signed" };
  }
  if (phase === "working") return { tone: "busy", text: entry ? "Reading…" : "Waiting" };
  if (phase === "stopped") return { tone: "none", text: "Not checked" };
  if (entry) return { tone: "none", text: "Not accepted" };
  return failure?.code === "ERR_ENTRY_MISSING"
    ? { tone: "bad", text: "Missing" }
    : { tone: "none", text: "Not read" };
}

/** Says why the binaries are not accepted, or cannot be saved. Empty if they are and can. */
export function noteOnTargets({ phase, failure }: Findings, usable: boolean): string {
  if (phase === "done" && !usable) return "None of them can be saved: the archive is refused.";
  if (phase === "stopped") return "You cancelled before the end, so none of them was checked.";
  if (phase !== "failed") return "";
  return failure?.category === "untrusted"
    ? "Reading stopped at the fault. None of the binaries is accepted, because the archive is not."
    : "Reading stopped before the end, so none of the binaries is accepted.";
}
