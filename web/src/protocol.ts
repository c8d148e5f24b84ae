/**
 * What the page and its worker say to each other. One worker does one job; to cancel a job is to end
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

/** To inspect an archive. */
export interface InspectJob {
  readonly kind: "inspect";
  readonly origin: Origin;
  /** The text of the policy, if there is one: what is parsed of it cannot be sent between threads. */
  readonly policy: string | undefined;
  /** The bundles that came with the archive. */
  readonly bundles: readonly File[];
}

/** To take a binary out of an archive that was verified before. */
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
  /** The file to write to; a `Blob` is made where left out. */
  readonly file?: FileSystemFileHandle;
}

/** A failure of the core, as far as it can be sent between threads. */
export interface Refusal {
  /** The stable code; absent for a fault of the page's own. */
  readonly code?: ErrorCode;
  /** Whether the archive is to blame. */
  readonly category: ErrorCategory;
  /** A sentence. */
  readonly message: string;
}

/** Takes from an error what the page shows. */
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
  /** Its claims, where the signature holds. */
  readonly claims?: Claims;
  /** Why it is not to be believed at any time. */
  readonly refusal?: Refusal;
  /** Why it is not to be believed now. */
  readonly window?: Refusal;
}

/** Milliseconds between two tellings of progress: as often as an eye can follow. */
const PROGRESS_INTERVAL = 60;

/** Passes on no more calls than an eye can follow. */
export function paced(tell: (bytes: number) => void): (bytes: number) => void {
  let told = 0;
  return (bytes) => {
    const now = performance.now();
    if (now - told < PROGRESS_INTERVAL) return;
    told = now;
    tell(bytes);
  };
}

/** What a worker tells while it inspects an archive. */
export type InspectionEvent =
  /** Comes once, or never where the length is not known. */
  | { readonly kind: "size"; readonly size: number }
  /** Comes early where the claims are at the archive's front, and again with `done`. */
  | { readonly kind: "token"; readonly report: TokenReport }
  | { readonly kind: "entry"; readonly key: string; readonly size: number }
  | { readonly kind: "progress"; readonly read: number }
  /** What a binary's own header says; `fits` is absent where it says nothing. */
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
    /** The checks of the policy, where there is one. */
    readonly policyChecks?: readonly PolicyCheck[];
  }
  /** `key` names the entry that is to blame, where that is known. */
  | {
    readonly kind: "failed";
    readonly refusal: Refusal;
    /** Bytes read till then; absent where the worker itself failed. */
    readonly read?: number;
    readonly key?: string;
  };

/** What a worker tells while it saves a binary. */
export type SaveEvent =
  | { readonly kind: "saving"; readonly done: number }
  /** `blob` is absent where the bytes went to a file. */
  | { readonly kind: "saved"; readonly blob?: Blob }
  | { readonly kind: "failed"; readonly refusal: Refusal };
