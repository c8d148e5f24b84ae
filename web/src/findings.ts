/**
 * What is known of an archive so far, from the events of its worker.
 *
 * @module
 */

import type { VerifiedArchive } from "../../lib/archive/reader.ts";
import type { Check as PolicyCheck } from "../../lib/verbs/policy.ts";
import type { InspectionEvent, Refusal, TokenReport } from "./protocol.ts";

/** What is known of a binary, or of the WIT package. */
export interface EntryFindings {
  /** Its length in bytes, once the reader has reached it. */
  readonly size?: number;
  /** Whether its hash is the one in the claims. */
  readonly matched?: boolean;
  /** What its header says. */
  readonly header?: string;
  /** Whether that agrees with its target. Absent if the header is unknown. */
  readonly fits?: boolean;
}

/** What is known of an archive. */
export interface Findings {
  /** Its file name, or its address. */
  readonly name: string;
  readonly phase: "working" | "done" | "failed" | "stopped";
  /** Its length in bytes, if that is known. */
  readonly size?: number;
  /** How many bytes were read. */
  readonly read: number;
  readonly report?: TokenReport;
  /** The entries by target, or by the name of the WIT package. */
  readonly entries: Readonly<Record<string, EntryFindings>>;
  readonly archive?: VerifiedArchive;
  /** The checks of the policy, if there is one. */
  readonly policyChecks?: readonly PolicyCheck[];
  /** How many bundles were chosen with it. */
  readonly bundles: number;
  readonly failure?: Refusal;
  /** The entry that caused the failure, if that is known. */
  readonly blamed?: string;
}

/** Gives the findings at the start of an inspection. */
export function nothingOf(name: string, bundles = 0): Findings {
  return { name, phase: "working", read: 0, entries: {}, bundles };
}

/** Adds an event to the findings. */
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

/** Gives what is known of an entry, or nothing if the reader has not reached it. */
export function entryOf({ entries }: Findings, key: string): EntryFindings | undefined {
  return Object.hasOwn(entries, key) ? entries[key] : undefined;
}

function withEntry(findings: Findings, key: string, news: Partial<EntryFindings>): Findings {
  const entry = { ...entryOf(findings, key), ...news };
  return { ...findings, entries: { ...findings.entries, [key]: entry } };
}
