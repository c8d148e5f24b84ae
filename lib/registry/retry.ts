/**
 * Trying again what failed for a passing reason.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { throwIfAborted } from "../bytes/abort.ts";

/** Time and chance, so that a test need not wait for either. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Waits; ends early where the signal is given. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** A number from 0 to below 1. */
  random(): number;
}

/** The machine's own time and chance. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      signal?.addEventListener("abort", end);
      if (signal?.aborted) end();
    }),
  random: () => Math.random(),
};

/** A failure that may not happen again: a broken connection, an overloaded server. */
export class TransientError extends Error {
  /** Names this class where `instanceof` cannot reach. */
  override readonly name = "TransientError";
  /** How long the server asks to wait, in seconds. */
  readonly retryAfter: number | undefined;

  /**
   * Builds one.
   *
   * @param message What happened, to follow "Cannot …: ".
   * @param retryAfter How long the server asks to wait, in seconds.
   * @param cause What led to it.
   */
  constructor(message: string, retryAfter?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfter = retryAfter;
  }
}

/** Settings of {@linkcode Backoff}. */
export interface BackoffOptions {
  /** What is tried, to follow "Cannot ". */
  readonly task: string;
  /** How often it is tried in all. */
  readonly tries: number;
  /** Time and chance. */
  readonly clock: Clock;
  /** Ends the waiting, and the trying. */
  readonly signal?: AbortSignal | undefined;
}

const FIRST_DELAY = 250;
const MAX_DELAY = 8_000;
/** Whoever is asked to wait for longer wants to know it now. */
const MAX_RETRY_AFTER = 60;

/** Waits between tries, ever longer, and counts them: exponential backoff with full jitter. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  /** Begins to count. */
  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Says that there was progress: failures before it count no more. */
  reset(): void {
    this.#failures = 0;
  }

  /**
   * Takes a failure and waits until it is time to try again.
   *
   * @param failure What was thrown.
   * @throws {ParError} `ERR_REGISTRY_UNREACHABLE` where it was tried often enough, `ERR_ABORTED`;
   * and the failure itself where it is no passing one.
   */
  async wait(failure: unknown): Promise<void> {
    const { task, tries, clock, signal } = this.#options;
    throwIfAborted(signal);
    if (!(failure instanceof TransientError)) throw failure;
    const { retryAfter = 0 } = failure;
    this.#failures++;
    if (this.#failures >= tries) {
      throw new ParError(
        "ERR_REGISTRY_UNREACHABLE",
        `Cannot ${task}: ${failure.message}; tried ${tries} times, try again later`,
        failure,
      );
    }
    if (retryAfter > MAX_RETRY_AFTER) {
      throw new ParError(
        "ERR_REGISTRY_UNREACHABLE",
        `Cannot ${task}: ${failure.message}; it asks to try again in ${retryAfter} seconds`,
        failure,
      );
    }
    const ceiling = Math.min(MAX_DELAY, FIRST_DELAY * 2 ** (this.#failures - 1));
    await clock.sleep(retryAfter * 1000 + clock.random() * ceiling, signal);
    throwIfAborted(signal);
  }
}

/**
 * Does a piece of work, again and again where it fails for a passing reason.
 *
 * @param work The work; each time it starts from the beginning.
 * @param options How often, and what messages call it.
 * @returns What the work gave.
 */
export async function retry<T>(work: () => Promise<T>, options: BackoffOptions): Promise<T> {
  const backoff = new Backoff(options);
  while (true) {
    try {
      return await work();
    } catch (failure) {
      await backoff.wait(failure);
    }
  }
}

/**
 * Reads a Retry-After header (RFC 9110, section 10.2.3).
 *
 * @param text Seconds, or a date.
 * @param now Milliseconds since the epoch.
 * @returns Seconds to wait, or `undefined` where the text says nothing of use.
 */
export function parseRetryAfter(text: string | null, now: number): number | undefined {
  if (text === null) return undefined;
  if (/^\s*[0-9]+\s*$/.test(text)) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000));
}
