/**
 * What is known of an archive so far: the sum of a worker's events.
 *
 * @module
 */

import type { VerifiedArchive } from "../../lib/archive/reader.ts";
import type { Check as PolicyCheck } from "../../lib/verbs/policy.ts";
import type { InspectionEvent, Refusal, TokenReport } from "./protocol.ts";

/** What is known of a binary, or of the WIT package. */
export interface EntryFindings {
  /** Its length in bytes, once it is reached. */
  readonly size?: number;
  /** Whether it was held against the claims, and found to be what they say. */
  readonly matched?: boolean;
  /** What its header says. */
  readonly header?: string;
  /** Whether that agrees with its name; absent where the header says nothing. */
  readonly fits?: boolean;
}

/** What is known of an archive. */
export interface Findings {
  /** What it is called. */
  readonly name: string;
  readonly phase: "working" | "done" | "failed" | "stopped";
  /** Its length in bytes, where that is known. */
  readonly size?: number;
  /** How many bytes were read. */
  readonly read: number;
  readonly report?: TokenReport;
  /** By target, or the WIT's name. */
  readonly entries: Readonly<Record<string, EntryFindings>>;
  readonly archive?: VerifiedArchive;
  /** The checks of the policy, where there is one. */
  readonly policyChecks?: readonly PolicyCheck[];
  /** How many bundles were chosen with it. */
  readonly bundles: number;
  readonly failure?: Refusal;
  /** The entry that is to blame for the failure, where that is known. */
  readonly blamed?: string;
}

/** Nothing is known yet. */
export function nothingOf(name: string, bundles = 0): Findings {
  return { name, phase: "working", read: 0, entries: {}, bundles };
}

/** Adds an event to what is known. */
export function learn(findings: Findings, event: InspectionEvent): Findings {
  switch (event.kind) {
    case "size":
      return { ...findings, size: event.size };
    case "token":
      return { ...findings, report: event.report };
    case "entry":
      return withEntry(findings, event.key, { size: event.size });
    case "progress":
      return { ...findings, read: event.read };
    case "header":
      return withEntry(findings, event.key, {
        header: event.header,
        ...(event.fits !== undefined && { fits: event.fits }),
      });
    case "matched":
      return withEntry(findings, event.key, { matched: true });
    case "done": {
      const { kind: _, ...found } = event;
      const ended: Findings = { ...findings, ...found, phase: "done", read: event.archive.size };
      return Object.keys(event.report.claims?.wascap.target_hashes ?? {}).reduce(
        (sum, key) => withEntry(sum, key, { matched: true }),
        ended,
      );
    }
    case "failed": {
      const { refusal, read, key } = event;
      return {
        ...findings,
        phase: "failed",
        failure: refusal,
        ...(read !== undefined && { read }),
        ...(key !== undefined && { blamed: key }),
      };
    }
  }
}

/** What is known of an entry; nothing of one that was not reached. */
export function entryOf({ entries }: Findings, key: string): EntryFindings | undefined {
  return Object.hasOwn(entries, key) ? entries[key] : undefined;
}

function withEntry(findings: Findings, key: string, news: Partial<EntryFindings>): Findings {
  const entry = { ...entryOf(findings, key), ...news };
  return { ...findings, entries: { ...findings.entries, [key]: entry } };
}
