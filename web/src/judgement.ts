/**
 * From what is known of an archive to what a person should think of it.
 *
 * @module
 */

import { WIT_ENTRY } from "../../lib/archive/entries.ts";
import type { ErrorCode } from "../../lib/errors.ts";
import { entryOf, type Findings } from "./findings.ts";
import type { TrustedIssuer } from "./trust.ts";
import { sayBytes, sayDate, sayDistance } from "./words.ts";

/** How good the news is. `busy` is none yet, `none` that there will be none. */
export type Tone = "busy" | "good" | "caution" | "bad" | "none";

/** The outcome of one check. */
export interface Check {
  readonly name: string;
  readonly tone: Tone;
  readonly text: string;
}

/** What to think of an archive. */
export interface Judgement {
  readonly tone: Tone;
  readonly title: string;
  readonly detail: string;
  readonly checks: readonly Check[];
  /** Whether its binaries may be saved. */
  readonly usable: boolean;
  /** Whether the person is to be asked about the issuer. */
  readonly asksForTrust: boolean;
}

/**
 * Judges an archive.
 *
 * @param findings What is known.
 * @param trusted The issuers the person trusts.
 * @param now The time to judge at.
 */
export function judge(
  findings: Findings,
  trusted: readonly TrustedIssuer[],
  now: Date,
): Judgement {
  const checks = [
    checkContainer(findings),
    checkSignature(findings),
    checkValidity(findings, now),
    checkIssuer(findings, trusted),
    checkBinaries(findings),
    checkHeaders(findings),
  ];
  const usable = findings.phase === "done" && findings.report?.window === undefined;
  const asksForTrust = usable &&
    checks.some(({ name, tone }) => name === ISSUER && tone === "caution");
  return { ...conclude(findings, checks), checks, usable, asksForTrust };
}

const ISSUER = "Issuer";

function conclude(
  findings: Findings,
  checks: readonly Check[],
): Pick<Judgement, "tone" | "title" | "detail"> {
  const { phase, failure, report } = findings;
  if (phase === "working") {
    return { tone: "busy", title: "Checking…", detail: "Nothing is certain before the end." };
  }
  if (phase === "stopped") {
    return {
      tone: "none",
      title: "Stopped",
      detail: "The archive was not read to its end, so nothing can be said of it.",
    };
  }
  if (failure) {
    const untrusted = failure.category === "untrusted";
    return {
      tone: untrusted ? "bad" : "none",
      title: untrusted ? titleOf(failure.code) : "It could not be read",
      detail: `${failure.message}.`,
    };
  }
  if (report?.window) {
    return {
      tone: "bad",
      title: report.window.code === "ERR_TOKEN_EXPIRED" ? "Expired" : "Not valid yet",
      detail: "It is whole, and signed as it should be, but its time is not now.",
    };
  }
  const doubts = checks.filter(({ tone }) => tone === "caution");
  const [doubt] = doubts;
  if (!doubt) {
    return {
      tone: "good",
      title: "Verified",
      detail: "It is whole, and signed by an issuer you trust.",
    };
  }
  return {
    tone: "caution",
    title: doubts.length > 1 ? "Verified, with doubts" : DOUBTS[doubt.name]?.title ?? "Verified",
    detail: doubts.length > 1
      ? "Its signature holds. Look at what is marked below."
      : DOUBTS[doubt.name]?.detail ?? `${doubt.text}.`,
  };
}

const BINARIES = "Binaries";
const MACHINES = "Machines";

const DOUBTS: Readonly<Record<string, { readonly title: string; readonly detail?: string }>> = {
  [ISSUER]: {
    title: "Verified, from an issuer you have not listed",
    detail: "Its signature holds. Whether to believe the one who signed it is yours to say.",
  },
  [MACHINES]: { title: "Verified, but a binary is not what its name says" },
  [BINARIES]: {
    title: "Verified, and holds no binaries",
    detail: "Its signature holds. Binaries can be inserted later.",
  },
};

function titleOf(code: ErrorCode | undefined): string {
  switch (checkOf(code)) {
    case "signature":
      return "Not to be trusted: its signature does not hold";
    case "binaries":
      return "Not to be trusted: its content is not what was signed";
    default:
      return code !== undefined && NO_ARCHIVE.has(code)
        ? "This is no provider archive"
        : "Not to be trusted";
  }
}

const NO_ARCHIVE: ReadonlySet<ErrorCode> = new Set([
  "ERR_ARCHIVE_EMPTY",
  "ERR_HEADER_INVALID",
  "ERR_CLAIMS_MISSING",
]);

/** Which check a refusal belongs to. */
function checkOf(code: ErrorCode | undefined): "container" | "signature" | "binaries" {
  if (code?.startsWith("ERR_TOKEN_") || code === "ERR_CLAIMS_INVALID") return "signature";
  if (code?.startsWith("ERR_HASH_") || code === "ERR_ENTRY_MISSING") return "binaries";
  return "container";
}

function checkContainer({ phase, archive, failure }: Findings): Check {
  const name = "Archive";
  if (archive) {
    const packed = archive.compressed ? "compressed" : "not compressed";
    return {
      name,
      tone: "good",
      text: `Whole, ${packed}, ${sayBytes(archive.size)}`,
    };
  }
  if (failure && checkOf(failure.code) === "container") {
    return failure.category === "untrusted"
      ? { name, tone: "bad", text: "Not well-formed" }
      : { name, tone: "none", text: "Could not be read" };
  }
  return pending(name, phase);
}

function checkSignature({ phase, report, failure }: Findings): Check {
  const name = "Signature";
  if (failure && checkOf(failure.code) === "signature") {
    return { name, tone: "bad", text: "Does not hold" };
  }
  if (report?.refusal) return { name, tone: "bad", text: "Does not hold" };
  if (report?.claims) return { name, tone: "good", text: "Made with the issuer’s key" };
  return pending(name, phase);
}

function checkValidity({ phase, report }: Findings, now: Date): Check {
  const name = "Validity";
  if (!report?.claims) return pending(name, phase);
  const { exp, nbf, iat } = report.claims;
  if (report.window?.code === "ERR_TOKEN_NOT_YET_VALID") {
    return { name, tone: "bad", text: `Begins ${sayDistance(nbf ?? 0, now)}` };
  }
  if (report.window) return { name, tone: "bad", text: `Ended ${sayDistance(exp ?? 0, now)}` };
  const since = `Issued ${sayDistance(iat, now)}`;
  return exp === undefined
    ? { name, tone: "good", text: `${since}, without end` }
    : { name, tone: "good", text: `${since}, ends ${sayDistance(exp, now)}` };
}

function checkIssuer(
  { phase, report }: Findings,
  trusted: readonly TrustedIssuer[],
): Check {
  const name = ISSUER;
  if (!report?.claims) return pending(name, phase);
  const { iss } = report.claims;
  const found = trusted.find(({ key }) => key === iss);
  if (!found) return { name, tone: "caution", text: "Not among those you trust" };
  return {
    name,
    tone: "good",
    text: found.note === "" ? "Trusted by you" : `Trusted: ${found.note}`,
  };
}

function checkBinaries({ phase, archive, failure }: Findings): Check {
  const name = BINARIES;
  if (failure && checkOf(failure.code) === "binaries") {
    return { name, tone: "bad", text: BINARY_FAULTS[failure.code ?? ""] ?? "Not as signed" };
  }
  if (!archive) return pending(name, phase);
  const count = archive.binaries.length;
  if (count === 0) return { name, tone: "caution", text: "There are none yet" };
  return { name, tone: "good", text: count === 1 ? "As signed" : `All ${count} as signed` };
}

const BINARY_FAULTS: Readonly<Record<string, string>> = {
  ERR_HASH_MISMATCH: "One differs from its signed hash",
  ERR_HASH_UNLISTED: "One is there that was not signed",
  ERR_ENTRY_MISSING: "One that was signed is missing",
};

function checkHeaders({ phase, archive, entries }: Findings): Check {
  const name = MACHINES;
  const others = Object.keys(entries).filter((key) => entries[key]?.fits === false);
  if (others.length > 0) {
    const verb = others.length === 1 ? "is" : "are";
    return { name, tone: "caution", text: `${others.join(", ")} ${verb} for another machine` };
  }
  if (!archive) return pending(name, phase);
  const silent = archive.binaries.filter(({ target }) => entries[target]?.fits === undefined);
  if (archive.binaries.length === 0) return { name, tone: "none", text: "Nothing to look at" };
  return silent.length === 0
    ? { name, tone: "good", text: "Each header fits its target" }
    : { name, tone: "none", text: `No known header in ${silent.map((e) => e.target).join(", ")}` };
}

function pending(name: string, phase: Findings["phase"]): Check {
  return phase === "working"
    ? { name, tone: "busy", text: "Waiting" }
    : { name, tone: "none", text: "Not judged" };
}

/** What to say of one binary. */
export function judgeEntry(findings: Findings, key: string): { tone: Tone; text: string } {
  const { phase, blamed, failure } = findings;
  const entry = entryOf(findings, key);
  if (blamed === key) return { tone: "bad", text: "Differs from the signed hash" };
  if (phase === "done") return { tone: "good", text: "Has the signed hash" };
  if (phase !== "working") {
    const unread = entry === undefined && failure?.code === "ERR_ENTRY_MISSING";
    return unread ? { tone: "bad", text: "Missing" } : { tone: "none", text: "Not judged" };
  }
  if (!entry) return { tone: "busy", text: "Waiting" };
  if (entry.matched) return { tone: "good", text: "Has the signed hash" };
  return { tone: "busy", text: "Hashing…" };
}

/** The validity window as sentences with dates, for the provider's table. */
export function describeWindow(
  { exp, nbf, iat }: { exp?: number; nbf?: number; iat: number },
): string {
  const from = nbf === undefined ? `From ${sayDate(iat)}` : `From ${sayDate(nbf)}`;
  return exp === undefined ? `${from}, without end` : `${from} until ${sayDate(exp)}`;
}

/** Whether a key of the signed hashes is the WIT package's. */
export function isWit(key: string): boolean {
  return key === WIT_ENTRY;
}
