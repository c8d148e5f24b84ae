/**
 * Retrying work that failed for a reason that may pass.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { throwIfAborted, untilAborted } from "../bytes/abort.ts";

/** Time and randomness. A test replaces them. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Waits. It ends early if the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** A number from 0 to below 1. */
  random(): number;
}

/** The machine's own time and randomness. */
export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(milliseconds, signal) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    await untilAborted(promise, signal).catch(() => {});
    clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** A failure that may not happen again: a broken connection, or a server that is overloaded. */
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
  /** How often the work is tried in all. */
  readonly tries: number;
  /** Time and randomness. */
  readonly clock: Clock;
  /** Is told why the work waits. */
  readonly onNote?: ((text: string) => void) | undefined;
  /** Stops waiting and trying. */
  readonly signal?: AbortSignal | undefined;
}

const FIRST_DELAY = 250;
const MAX_DELAY = 8_000;
/** Bytes of progress after which earlier failures no longer count. */
const PROGRESS = 1024 * 1024;
/** The longest wait, in seconds, that a server may ask for. A longer one is an error at once. */
const MAX_RETRY_AFTER = 60;

/** Counts failures and waits longer after each one: exponential backoff with full jitter. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;
  #settled = 0;

  /** Starts with no failure. */
  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /**
   * Takes note of progress. After enough of it, earlier failures no longer count.
   *
   * @param position Bytes transferred so far.
   */
  reached(position: number): void {
    if (position - this.#settled < PROGRESS) return;
    this.#settled = position;
    this.#failures = 0;
  }

  /**
   * Counts a failure and waits until it is time to try again.
   *
   * @param failure What was thrown.
   * @throws {ParError} `ERR_REGISTRY_UNREACHABLE` after the last try, `ERR_ABORTED`; and the failure
   * itself if it is not a {@linkcode TransientError}.
   */
  async wait(failure: unknown): Promise<void> {
    const { task, tries, clock, onNote, signal } = this.#options;
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
        `Cannot ${task}: ${failure.message}; it asks for a wait of ${retryAfter} seconds; try again then`,
        failure,
      );
    }
    const ceiling = Math.min(MAX_DELAY, FIRST_DELAY * 2 ** (this.#failures - 1));
    const delay = retryAfter * 1000 + clock.random() * ceiling;
    const later = delay < 1000 ? "" : ` in ${Math.ceil(delay / 1000)} s`;
    onNote?.(`retrying${later} (${this.#failures + 1} of ${tries}): ${failure.message}`);
    await clock.sleep(delay, signal);
    throwIfAborted(signal);
  }
}

/**
 * Does a piece of work, and does it again if it fails with a {@linkcode TransientError}.
 *
 * @param work The work. Each try starts from the beginning.
 * @param options How often to try, and how messages name the work.
 * @returns The result of the work.
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
 * @returns Seconds to wait, or `undefined` if the text is neither.
 */
export function parseRetryAfter(text: string | null, now: number): number | undefined {
  if (text === null) return undefined;
  if (/^\s*[0-9]+\s*$/.test(text)) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1000));
}
