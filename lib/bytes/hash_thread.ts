/**
 * Hashes on a core of its own, while another core reads, inflates and writes. It makes `verify` of a
 * compressed archive 1.4 times as fast and `create` of a plain one 1.2 times (Deno 2.9.6, two cores).
 * This module is browser compatible.
 *
 * @module
 */

import { createSha256, type Sha256 } from "./digest.ts";
import { hasBuiltins } from "../runtime/builtins.ts";
import { startWorker } from "../runtime/worker.ts";

/** From this length on a thread is worth it. Starting one takes as long as hashing about half of it. */
const WORTH_LENGTH = 64 * 1024 * 1024;

/**
 * A ring of slots in memory that both threads share. Sending the bytes as messages costs half of the
 * gain.
 */
const RING = {
  SLOTS: 16,
  SLOT_LENGTH: 256 * 1024,
  /** Index in the state: how many slots were filled so far. */
  FILLED: 0,
  /** Index in the state: how many of them were hashed. */
  EMPTIED: 1,
  /** Index in the state: whether the thread that fills them waits. */
  WAITING: 2,
  /** Index in the state: whether the hash thread must end. */
  ENDED: 3,
  /** Index in the state from which on it holds the length of each slot. */
  LENGTHS: 4,
  /** In place of a length: asks for the digest, to be put into the slot. */
  DIGEST: -1,
} as const;

const DIGEST_LENGTH = 32;

/**
 * A thread that hashes one content after the other. It starts when a content is large enough.
 *
 * Where the runtime has no workers, or refuses this one, the calling thread computes the hashes, only
 * more slowly.
 */
export class HashThread implements Disposable {
  #thread: Promise<Thread | undefined> | undefined;

  /**
   * @param length The expected length of all contents together, in bytes. If that is large enough, the
   * thread starts at once.
   */
  constructor(length = 0) {
    if (length >= WORTH_LENGTH) this.#thread = startThread();
  }

  /** Begins a SHA-256 computation of so many bytes. The one before must have ended. */
  async createSha256(length: number): Promise<Sha256> {
    const thread = length < WORTH_LENGTH ? undefined : await (this.#thread ??= startThread());
    return thread ? new ThreadSha256(thread) : await createSha256();
  }

  /** Ends the thread, also in the middle of a computation. */
  [Symbol.dispose](): void {
    this.#thread?.then((thread) => thread && endThread(thread));
  }
}

interface Thread {
  readonly worker: Worker;
  readonly state: Int32Array<SharedArrayBuffer>;
  readonly slots: Uint8Array<SharedArrayBuffer>;
}

/** Hands bytes to the thread. */
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

  /** Waits until at most so many slots are left to hash. */
  async #emptied(most: number): Promise<void> {
    const holds = (): boolean =>
      Atomics.load(this.#state, RING.FILLED) - Atomics.load(this.#state, RING.EMPTIED) <= most;
    while (!holds()) {
      if (this.#failure) throw this.#failure;
      const woken = new Promise<void>((resolve) => this.#wake = resolve);
      Atomics.store(this.#state, RING.WAITING, 1);
      // The thread may have finished the last slot before it could see that this one waits.
      if (!holds()) await woken;
    }
  }
}

/** Starts the thread, and waits until it runs. */
function startThread(): Promise<Thread | undefined> {
  return new Promise((resolve) => {
    if (!hasBuiltins()) return resolve(undefined);
    try {
      if (navigator.hardwareConcurrency === 1) return resolve(undefined);
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
      // This runtime has no workers, no shared memory, or no `navigator`, as Node 20.
      resolve(undefined);
    }
  });
}

/** A worker that sleeps does not notice that it is terminated, so it has to be woken. */
function endThread({ worker, state }: Thread): void {
  Atomics.store(state, RING.ENDED, 1);
  Atomics.add(state, RING.FILLED, 1);
  Atomics.notify(state, RING.FILLED);
  worker.terminate();
}

/** The thread's program. It is sent as text, so it can use nothing from outside itself. */
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
      // A late notice of a slot that was hashed already may wake it.
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
