/**
 * The messages between the page and its workers. A worker does one job. To cancel a job, the page ends
 * its worker.
 *
 * @module
 */

import type { VerifiedArchive } from "../../lib/archive/reader.ts";
import type { Claims } from "../../lib/signing/claims.ts";
import { type ErrorCategory, type ErrorCode, ParError, redact } from "../../lib/errors.ts";
import type { Check as PolicyCheck } from "../../lib/verbs/policy.ts";

/** An archive: a file a person chose, or an address to fetch. */
export type Origin = File | string;

/** Asks a worker to inspect an archive. */
export interface InspectJob {
  readonly kind: "inspect";
  readonly origin: Origin;
  /** The text of the policy, if there is one. A parsed policy cannot be sent between threads. */
  readonly policy: string | undefined;
  /** The bundles that came with the archive. */
  readonly bundles: readonly File[];
}

/** Asks a worker to take a binary out of an archive that was verified before. */
export interface SaveJob {
  readonly kind: "save";
  readonly origin: Origin;
  readonly binary: WantedBinary;
}

/** What the page asks a worker for. */
export type Job = InspectJob | SaveJob;

/** Which binary, and where to. */
export interface WantedBinary {
  /** The name of its entry. */
  readonly entry: string;
  /** Its length in bytes. */
  readonly size: number;
  /** The SHA-256 that was verified, as upper-case hexadecimal. */
  readonly sha256: string;
  /** The file to write to. Without one, the worker makes a `Blob`. */
  readonly file?: FileSystemFileHandle;
}

/** The part of an error that can be sent between threads. */
export interface Refusal {
  /** The stable code. Absent for a fault of the page itself. */
  readonly code?: ErrorCode;
  /** Whether the archive is to blame, or something else. */
  readonly category: ErrorCategory;
  /** A sentence. */
  readonly message: string;
}

/** Takes what the page needs from an error. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof ParError) {
    return { code: error.code, category: error.category, message: error.message };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { category: "failed", message: redact(`Cannot go on: ${message}`) };
}

/** What is known of a token. */
export interface TokenReport {
  /** The token as it was read. */
  readonly token: string;
  /** Its claims, if its signature is valid. */
  readonly claims?: Claims;
  /** Why it is refused at any time. */
  readonly refusal?: Refusal;
  /** Why it is refused at this time: it has expired, or is not valid yet. */
  readonly window?: Refusal;
}

/** Milliseconds between two reports of progress. The eye could not follow more. */
const PROGRESS_INTERVAL = 60;

/** Wraps a report of progress, so that it is made at most every 60 milliseconds. */
export function paced(tell: (bytes: number) => void): (bytes: number) => void {
  let told = 0;
  return (bytes) => {
    const now = performance.now();
    if (now - told < PROGRESS_INTERVAL) return;
    told = now;
    tell(bytes);
  };
}

/** What a worker reports while it inspects an archive. */
export type InspectionEvent =
  /** Comes once, or never if the length is not known. */
  | { readonly kind: "size"; readonly size: number }
  /** Comes early if the claims are at the front of the archive, and again with `done`. */
  | { readonly kind: "token"; readonly report: TokenReport }
  | { readonly kind: "entry"; readonly key: string; readonly size: number }
  | { readonly kind: "progress"; readonly read: number }
  /** What the header of a binary says. `fits` is absent if the header is unknown. */
  | {
    readonly kind: "header";
    readonly key: string;
    readonly header: string;
    readonly fits?: boolean;
  }
  | { readonly kind: "matched"; readonly key: string }
  | {
    readonly kind: "done";
    readonly archive: VerifiedArchive;
    readonly report: TokenReport;
    /** The checks of the policy, if there is one. */
    readonly policyChecks?: readonly PolicyCheck[];
  }
  /** `key` names the entry that caused the failure, if that is known. */
  | {
    readonly kind: "failed";
    readonly refusal: Refusal;
    /** The bytes that were read. Absent if the worker itself failed. */
    readonly read?: number;
    readonly key?: string;
  };

/** What a worker reports while it saves a binary. */
export type SaveEvent =
  | { readonly kind: "saving"; readonly done: number }
  /** `blob` is absent if the bytes went to a file. */
  | { readonly kind: "saved"; readonly blob?: Blob }
  | { readonly kind: "failed"; readonly refusal: Refusal };
