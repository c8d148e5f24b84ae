/**
 * Hashing on a core of its own, beside the one that reads, inflates and writes. This module is browser
 * compatible.
 *
 * @module
 */

import { createSha256, type Sha256 } from "./digest.ts";
import { hasBuiltins } from "../runtime/builtins.ts";
import { startWorker } from "../runtime/worker.ts";

/** What is worth a thread: to start one takes as long as to hash about half of this. */
const WORTH_LENGTH = 64 * 1024 * 1024;

/**
 * The memory that both threads see, a ring of slots: to send the bytes as messages would cost half of
 * what is gained.
 */
const RING = {
  SLOTS: 16,
  SLOT_LENGTH: 256 * 1024,
  /** Where the state says how many slots were filled so far, */
  FILLED: 0,
  /** how many of them are done with, */
  EMPTIED: 1,
  /** whether the one that fills them waits, */
  WAITING: 2,
  /** whether it has no more use for the thread, */
  ENDED: 3,
  /** and, from here on, how many bytes are in each. */
  LENGTHS: 4,
  /** In place of a length: the digest is wanted, and shall be in the slot when that is done with. */
  DIGEST: -1,
} as const;

const DIGEST_LENGTH = 32;

/**
 * A thread that hashes one content after the other. It starts when one is worth it.
 *
 * A runtime without workers, or one that refuses this one, costs time and changes nothing else: the
 * hashes are computed on this thread then.
 */
export class HashThread implements Disposable {
  #thread: Promise<Thread | undefined> | undefined;

  /**
   * @param length How many bytes are expected of all contents together: where that is worth the
   * thread, it starts at once.
   */
  constructor(length = 0) {
    if (length >= WORTH_LENGTH) this.#thread = startThread();
  }

  /**
   * Begins a SHA-256 computation; the one before must have ended.
   *
   * @param length How many bytes are about to come.
   * @returns The computation.
   */
  async createSha256(length: number): Promise<Sha256> {
    const thread = length < WORTH_LENGTH ? undefined : await (this.#thread ??= startThread());
    return thread ? new ThreadSha256(thread) : await createSha256();
  }

  /** Ends the thread, and with it a computation that has not ended. */
  [Symbol.dispose](): void {
    this.#thread?.then((thread) => thread && endThread(thread));
  }
}

interface Thread {
  readonly worker: Worker;
  readonly state: Int32Array<SharedArrayBuffer>;
  readonly slots: Uint8Array<SharedArrayBuffer>;
}

/** Gives bytes to the thread. */
class ThreadSha256 implements Sha256 {
  readonly #state: Int32Array<SharedArrayBuffer>;
  readonly #slots: Uint8Array<SharedArrayBuffer>;
  /** Bytes in the slot that is being filled. */
  #length = 0;
  #failure: unknown;
  #wake = (): void => {};

  constructor({ worker, state, slots }: Thread) {
    this.#state = state;
    this.#slots = slots;
    worker.onmessage = (): void => this.#wake();
    worker.onerror = (event: ErrorEvent): void => {
      event.preventDefault();
      this.#failure = new Error(event.message);
      this.#wake();
    };
  }

  async update(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      if (this.#length === 0) await this.#emptied(RING.SLOTS - 1);
      const part = chunk.subarray(at, at + RING.SLOT_LENGTH - this.#length);
      this.#slots.set(part, this.#slot * RING.SLOT_LENGTH + this.#length);
      this.#length += part.length;
      at += part.length;
      if (this.#length === RING.SLOT_LENGTH) this.#hand(this.#length);
    }
  }

  async digest(): Promise<Uint8Array> {
    if (this.#length > 0) this.#hand(this.#length);
    await this.#emptied(0);
    const at = this.#slot * RING.SLOT_LENGTH;
    this.#hand(RING.DIGEST);
    await this.#emptied(0);
    return this.#slots.slice(at, at + DIGEST_LENGTH);
  }

  get #slot(): number {
    return Atomics.load(this.#state, RING.FILLED) % RING.SLOTS;
  }

  #hand(length: number): void {
    this.#state[RING.LENGTHS + this.#slot] = length;
    Atomics.add(this.#state, RING.FILLED, 1);
    Atomics.notify(this.#state, RING.FILLED);
    this.#length = 0;
  }

  /** Waits until the thread has at most so many slots left to empty. */
  async #emptied(most: number): Promise<void> {
    const holds = (): boolean =>
      Atomics.load(this.#state, RING.FILLED) - Atomics.load(this.#state, RING.EMPTIED) <= most;
    while (!holds()) {
      if (this.#failure) throw this.#failure;
      const woken = new Promise<void>((resolve) => this.#wake = resolve);
      Atomics.store(this.#state, RING.WAITING, 1);
      // It may have emptied the last one before it could see that somebody waits.
      if (!holds()) await woken;
    }
  }
}

/** Starts the thread, and waits until it runs. */
function startThread(): Promise<Thread | undefined> {
  return new Promise((resolve) => {
    if (!hasBuiltins() || navigator.hardwareConcurrency === 1) return resolve(undefined);
    try {
      const worker = startWorker(`(${serve})(${JSON.stringify(RING)});`);
      const state = new Int32Array(new SharedArrayBuffer(4 * (RING.LENGTHS + RING.SLOTS)));
      const slots = new Uint8Array(new SharedArrayBuffer(RING.SLOTS * RING.SLOT_LENGTH));
      worker.onmessage = (): void => resolve({ worker, state, slots });
      worker.onerror = (event: ErrorEvent): void => {
        event.preventDefault();
        worker.terminate();
        resolve(undefined);
      };
      worker.postMessage({ state, slots });
    } catch {
      // A runtime without workers, or without shared memory.
      resolve(undefined);
    }
  });
}

/** A worker that sleeps does not hear that it is to end: it has to be woken. */
function endThread({ worker, state }: Thread): void {
  Atomics.store(state, RING.ENDED, 1);
  Atomics.add(state, RING.FILLED, 1);
  Atomics.notify(state, RING.FILLED);
  worker.terminate();
}

/** What the thread does. It is sent there as text, so it can use nothing from around it. */
function serve(ring: typeof RING): void {
  const scope = globalThis as unknown as {
    onmessage: (event: MessageEvent<Omit<Thread, "worker">>) => void;
    postMessage: (message: unknown) => void;
    process: { getBuiltinModule: (name: "node:crypto") => typeof import("node:crypto") };
  };
  const { createHash } = scope.process.getBuiltinModule("node:crypto");
  scope.onmessage = ({ data: { state, slots } }): void => {
    scope.postMessage("ready");
    let hash = createHash("sha256");
    for (let emptied = 0;; emptied++) {
      // What wakes it may be old: the notice of a slot that it has emptied already.
      while (Atomics.load(state, ring.FILLED) === emptied) {
        Atomics.wait(state, ring.FILLED, emptied);
      }
      if (Atomics.load(state, ring.ENDED)) return;
      const slot = emptied % ring.SLOTS;
      const at = slot * ring.SLOT_LENGTH;
      const length = state[ring.LENGTHS + slot] ?? 0;
      if (length === ring.DIGEST) {
        slots.set(hash.digest(), at);
        hash = createHash("sha256");
      } else hash.update(slots.subarray(at, at + length));
      Atomics.store(state, ring.EMPTIED, emptied + 1);
      if (Atomics.exchange(state, ring.WAITING, 0)) scope.postMessage("emptied");
    }
  };
}
