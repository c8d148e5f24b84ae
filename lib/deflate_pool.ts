/**
 * Deflate on all cores. `node:zlib` does its asynchronous work on one thread in Deno; Web Workers run
 * side by side.
 *
 * @module
 */

import { builtin } from "./runtime.ts";

/** Deflate looks back at most so far (RFC 1951, section 2). */
export const WINDOW_LENGTH = 32 * 1024;

/**
 * A block to deflate, in memory that is used over and over: what is left to the garbage collector
 * piles up in each thread by the dozens of megabytes.
 */
export interface Slab {
  /** The window, the block behind it; once it is deflated, that. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many bytes of window there are: what stood before the block, where matches reach back to. */
  readonly windowLength: number;
  /** How many bytes the block has. */
  readonly length: number;
}

/** Deflates blocks, several at a time. */
export interface DeflatePool extends Disposable {
  /** How many blocks to hand in before the first result is awaited, so that no thread rests. */
  readonly depth: number;

  /**
   * Deflates a block up to a byte boundary, as an unfinished stream (RFC 1951): a sync flush ends it.
   *
   * @param slab The block. Its memory is not to be touched until the result is there.
   * @returns The same memory, the deflated bytes at its front.
   */
  deflate(slab: Slab): Promise<DeflatedSlab>;
}

/** A block that was deflated. */
export interface DeflatedSlab {
  /** The memory that came with the block. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How many bytes it takes now. */
  readonly length: number;
}

/**
 * Makes a pool. A runtime without workers costs time and changes nothing else: the blocks are
 * deflated on this thread then, to the same bytes.
 *
 * @param level Deflate's effort, 1 to 9.
 * @param jobs How many threads deflate, this one among them.
 */
export function createDeflatePool(level: number, jobs: number): DeflatePool {
  const threads = startThreads(level, jobs - 1);
  const deflateHere = async (slab: Slab): Promise<DeflatedSlab> => {
    const zlib = builtin("node:zlib");
    if (!zlib) throw new TypeError("There is no node:zlib here");
    return { bytes: slab.bytes, length: await deflateSlab(zlib, level, slab) };
  };
  return {
    depth: WORKER_LOAD * threads.length,
    async deflate(slab) {
      const [idlest] = threads.toSorted((a, b) => a.load - b.load);
      if (!idlest || idlest.load >= WORKER_LOAD) return await deflateHere(slab);
      return await idlest.deflate(slab);
    },
    [Symbol.dispose]: () => threads.forEach((thread) => thread.close()),
  };
}

/** One block in work, and one at hand for when it is done. */
const WORKER_LOAD = 2;

/** A worker, and what it was asked for and has not answered. */
class Thread {
  readonly #worker: Worker;
  readonly #tasks: PromiseWithResolvers<DeflatedSlab>[] = [];
  #ready = false;

  constructor(url: string) {
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<DeflatedSlab | "ready" | undefined>): void => {
      if (data === "ready") this.#ready = true;
      else if (data) this.#tasks.shift()?.resolve(data);
      else this.#fail(new Error("A worker could not deflate"));
    };
    this.#worker.onmessageerror = ({ data }): void => this.#fail(data);
    this.#worker.onerror = (event: ErrorEvent): void => {
      event.preventDefault();
      this.#fail(event.error ?? new Error(event.message));
    };
  }

  /** How many blocks wait for it; too many where it has not started, or failed to. */
  get load(): number {
    return this.#ready ? this.#tasks.length : Infinity;
  }

  deflate(slab: Slab): Promise<DeflatedSlab> {
    const task = Promise.withResolvers<DeflatedSlab>();
    this.#tasks.push(task);
    this.#worker.postMessage(slab, [slab.bytes.buffer]);
    return task.promise;
  }

  close(): void {
    this.#worker.terminate();
  }

  #fail(error: unknown): void {
    this.#ready = false;
    this.close();
    for (const task of this.#tasks.splice(0)) task.reject(error);
  }
}

function startThreads(level: number, count: number): Thread[] {
  const threads: Thread[] = [];
  // To load a file takes a permission that the caller may not have, and whose refusal would leave
  // its trace on the terminal. The functions' own text takes none.
  const script = `(${serve})(${deflateSlab}, ${level});`;
  const url = `data:text/javascript,${encodeURIComponent(script)}`;
  try {
    while (threads.length < count) threads.push(new Thread(url));
  } catch {
    // A runtime without workers, or without enough of them: the rest is done without.
  }
  return threads;
}

/** What a worker does. It is sent there as text, so it can use nothing from around it. */
function serve(deflate: typeof deflateSlab, level: number): void {
  const scope = globalThis as unknown as {
    onmessage: (event: MessageEvent<Slab>) => void;
    postMessage: (message: unknown, transfer?: readonly unknown[]) => void;
    process: { getBuiltinModule: (name: "node:zlib") => typeof import("node:zlib") };
  };
  const zlib = scope.process.getBuiltinModule("node:zlib");
  let turn = Promise.resolve();
  scope.onmessage = ({ data }): void => {
    turn = turn.then(async () => {
      try {
        const { bytes } = data;
        scope.postMessage({ bytes, length: await deflate(zlib, level, data) }, [bytes.buffer]);
      } catch {
        scope.postMessage(undefined);
      }
    });
  };
  scope.postMessage("ready");
}

/**
 * Deflates a block, primed with the window before it, and puts the outcome to the front of its
 * memory. It is sent to workers as text, as {@linkcode serve} is.
 *
 * The window goes through the same stream as the block, and what it deflates to is dropped. As a
 * dictionary, which zlib takes too, Deno would keep it in memory for long. A stream that is reset
 * instead of a new one would remember the block before, and the bytes depend on who deflated that.
 *
 * @returns How many bytes the block deflates to.
 */
async function deflateSlab(
  zlib: typeof import("node:zlib"),
  level: number,
  { bytes, windowLength, length }: Slab,
): Promise<number> {
  const stream = zlib.createDeflateRaw({ level });
  let failure: unknown;
  let wake = (): void => {};
  stream.on("readable", () => wake());
  stream.on("error", (error) => {
    failure = error;
    wake();
  });
  const run = async (input: Uint8Array): Promise<Uint8Array[]> => {
    const parts: Uint8Array[] = [];
    let done = false;
    stream.write(input);
    stream.flush(zlib.constants.Z_SYNC_FLUSH, () => {
      done = true;
      wake();
    });
    while (true) {
      const part: Uint8Array | null = stream.read();
      if (part) parts.push(part);
      else if (failure) throw failure;
      else if (done) return parts;
      else await new Promise<void>((resolve) => wake = resolve);
    }
  };
  if (windowLength > 0) await run(bytes.subarray(0, windowLength));
  let at = 0;
  for (const part of await run(bytes.subarray(windowLength, windowLength + length))) {
    bytes.set(part, at);
    at += part.length;
  }
  stream.destroy();
  return at;
}
