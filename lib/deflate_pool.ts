/**
 * Deflate on all cores. `node:zlib` does its asynchronous work on one thread in Deno; Web Workers run
 * side by side.
 *
 * @module
 */

import { builtin } from "./runtime.ts";
import { tidy } from "./tidy.ts";
import { startWorker } from "./worker.ts";

/** A block to deflate. */
export interface Block {
  /** Its bytes; not to be changed before the result is there. */
  readonly bytes: Uint8Array;
  /** The bytes before them, at most 32 KiB, which matches may reach back to. */
  readonly window: Uint8Array;
}

/** Deflates blocks, several at a time. */
export interface DeflatePool extends Disposable {
  /** How many blocks to hand in before the first result is awaited, so that no thread rests. */
  readonly depth: number;
  /**
   * Deflates a block up to a byte boundary, as an unfinished stream (RFC 1951): a sync flush ends it.
   */
  deflate(block: Block): Promise<Uint8Array>;
}

/** One block in work, and two at hand for while this thread has one of its own. */
const WORKER_LOAD = 3;

/**
 * Makes a pool.
 *
 * A runtime without workers, and a worker that fails, cost time and change nothing else: the blocks
 * are deflated on this thread then, to the same bytes.
 *
 * @param level Deflate's effort, 1 to 9.
 * @param jobs How many threads deflate, this one among them.
 */
export function createDeflatePool(level: number, jobs: number): DeflatePool {
  const zlib = builtin("node:zlib");
  if (!zlib) throw new TypeError("There is no node:zlib here");
  const deflateHere = createDeflate(zlib, level);
  const workers = startWorkers(level, jobs - 1, deflateHere);
  return {
    // As many again as the workers hold: this thread has a block of its own meanwhile, and the first
    // result is the only one that is waited for.
    depth: 2 * WORKER_LOAD * workers.length,
    async deflate(block) {
      const [idlest] = workers.toSorted((a, b) => a.load - b.load);
      if (!idlest || idlest.load >= WORKER_LOAD) return await deflateHere(block);
      return await idlest.deflate(block);
    },
    [Symbol.dispose]: () => workers.forEach((worker) => worker.close()),
  };
}

type Deflate = (block: Block) => Promise<Uint8Array>;

interface Task {
  readonly block: Block;
  readonly resolve: (deflated: Uint8Array | Promise<Uint8Array>) => void;
}

/** A worker, what it was asked for and has not answered, and who stands in for it. */
class DeflateWorker {
  readonly #worker: Worker;
  readonly #substitute: Deflate;
  readonly #tasks: Task[] = [];

  constructor(script: string, substitute: Deflate) {
    this.#substitute = substitute;
    this.#worker = startWorker(script);
    this.#worker.onmessage = ({ data }: MessageEvent<Uint8Array | undefined>): void => {
      if (data) this.#tasks.shift()?.resolve(data);
      else this.#fail();
    };
    this.#worker.onmessageerror = (): void => this.#fail();
    this.#worker.onerror = (event: ErrorEvent): void => {
      event.preventDefault();
      this.#fail();
    };
  }

  /** How many blocks wait for it. */
  get load(): number {
    return this.#tasks.length;
  }

  deflate(block: Block): Promise<Uint8Array> {
    return new Promise((resolve) => {
      this.#tasks.push({ block, resolve });
      // Copied and not transferred: should the worker fail, the block is needed here.
      this.#worker.postMessage(block);
    });
  }

  close(): void {
    this.#worker.terminate();
  }

  #fail(): void {
    this.close();
    this.deflate = this.#substitute;
    for (const { block, resolve } of this.#tasks.splice(0)) resolve(this.#substitute(block));
  }
}

function startWorkers(level: number, count: number, substitute: Deflate): DeflateWorker[] {
  const workers: DeflateWorker[] = [];
  const script = `(${serve})(${createDeflate}, ${level}, ${tidy});`;
  try {
    while (workers.length < count) workers.push(new DeflateWorker(script, substitute));
  } catch {
    // A runtime without workers, or without enough of them.
  }
  return workers;
}

/** What a worker does. It is sent there as text, so it can use nothing from around it. */
function serve(create: typeof createDeflate, level: number, cleanUp: typeof tidy): void {
  const scope = globalThis as unknown as {
    onmessage: (event: MessageEvent<Block>) => void;
    postMessage: (message: unknown, transfer?: readonly unknown[]) => void;
    process: { getBuiltinModule: (name: "node:zlib") => typeof import("node:zlib") };
  };
  const deflate = create(scope.process.getBuiltinModule("node:zlib"), level);
  let count = 0;
  let turn = Promise.resolve();
  scope.onmessage = ({ data }): void => {
    turn = turn.then(async () => {
      try {
        const deflated = await deflate(data);
        scope.postMessage(deflated, [deflated.buffer]);
        if (count++ % 4 === 0) cleanUp();
      } catch {
        scope.postMessage(undefined);
      }
    });
  };
}

/**
 * Makes a function that deflates blocks. It is sent to workers as text, as {@linkcode serve} is.
 *
 * The window goes through the same stream as the block, and what it deflates to is dropped. As a
 * dictionary, which zlib takes too, Deno would keep it in memory for long. A stream that is reset
 * instead of a new one would remember the block before, and the bytes depend on who deflated that.
 */
function createDeflate(zlib: typeof import("node:zlib"), level: number): Deflate {
  return async ({ bytes, window }) => {
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
    if (window.length > 0) await run(window);
    const parts = await run(bytes);
    stream.destroy();
    const deflated = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      deflated.set(part, at);
      at += part.length;
    }
    return deflated;
  };
}
