/**
 * Deflate on all cores. `node:zlib` does its asynchronous work on one thread in Deno; Web Workers run
 * side by side.
 *
 * @module
 */

import { buffersInTurn } from "../bytes/chunks.ts";
import { giveBack, tidy } from "../runtime/memory.ts";
import { builtin } from "../runtime/builtins.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { startWorker } from "../runtime/worker.ts";

/** Deflates blocks, several at a time. */
export interface DeflatePool extends Disposable {
  /** How many blocks to hand in before the first result is read, so that no thread rests. */
  readonly depth: number;
  /** Gives memory for one block, to be filled and handed in. */
  allocate(): Uint8Array;
  /**
   * Deflates a block up to a byte boundary, as an unfinished stream (RFC 1951): a sync flush ends it.
   *
   * @param block What `allocate` gave, or its first part; it is not to be used any more.
   * @returns The deflated bytes. The work begins at once.
   */
  deflate(block: Uint8Array): Bytes;
}

/** One block in work, and one at hand. */
const WORKER_LOAD = 2;

/** How many blocks a thread may be done with before it is time to clean up what is left of them. */
const TIDY_INTERVAL = 8;

/** How many bytes a block may grow by: deflate adds less to what it cannot make smaller. */
const GROWTH = 4 * 1024;

/** The most bytes of a chunk that is given out. */
const PIECE_LENGTH = 64 * 1024;

/** Settings of {@linkcode createDeflatePool}. */
export interface DeflatePoolOptions {
  /** Deflate's effort, 1 to 9. */
  readonly level: number;
  /** How many threads deflate: this one alone, or so many others, and it is free to read and write. */
  readonly jobs: number;
  /** The most bytes of a block. */
  readonly blockLength: number;
}

/**
 * Makes a pool.
 *
 * A runtime without workers, and a worker that fails, cost time and change nothing else: the blocks
 * are deflated on this thread then, to the same bytes.
 *
 * @param options Effort, threads, memory.
 */
export function createDeflatePool(options: DeflatePoolOptions): DeflatePool {
  const { level, jobs, blockLength } = options;
  const zlib = builtin("node:zlib");
  if (!zlib) throw new TypeError("There is no node:zlib here");
  const outputLength = blockLength + GROWTH;
  const deflate = createDeflate(zlib, level, outputLength);
  const deflateHere: Deflate = (block) => new Promise((resolve) => resolve(deflate(block)));
  const allocatePiece = buffersInTurn(PIECE_LENGTH);
  const settings = [level, outputLength, TIDY_INTERVAL];
  const workers = startWorkers(jobs > 1 ? jobs : 0, deflateHere, settings);
  // Seen by all threads: to send each block as a message would copy it twice, into new memory. What
  // a block is deflated to stands behind it, since it is needed once more where a worker fails.
  const newMemory = (): ArrayBufferLike =>
    workers.length > 0
      ? new SharedArrayBuffer(blockLength + outputLength)
      : new ArrayBuffer(blockLength);
  const memory: ArrayBufferLike[] = [];
  let count = 0;
  return {
    depth: WORKER_LOAD * workers.length,
    allocate() {
      return new Uint8Array(memory.pop() ?? newMemory(), 0, blockLength);
    },
    deflate(block) {
      const [idlest] = workers.toSorted((a, b) => a.load - b.load);
      const result = idlest ? idlest.deflate(block) : deflateHere(block);
      return async function* (): Bytes {
        const deflated = await result;
        yield* pieces(deflated, allocatePiece);
        // A worker that failed may still have its hands on the block.
        if (!idlest || deflated.buffer === block.buffer) memory.push(block.buffer);
        giveBack(deflated, outputLength);
        if (++count % TIDY_INTERVAL === 0) tidy();
      }();
    },
    [Symbol.dispose]: () => workers.forEach((worker) => worker.close()),
  };
}

/** Copies, since nobody outside shall see memory that threads share. */
function* pieces(
  bytes: Uint8Array,
  allocate: ReturnType<typeof buffersInTurn>,
): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_LENGTH) {
    const part = bytes.subarray(at, at + PIECE_LENGTH);
    const piece = allocate(part.length);
    piece.set(part);
    yield piece;
  }
}

type Deflate = (block: Uint8Array) => Promise<Uint8Array>;

/** Where in the memory of a block a worker has put what it is deflated to. */
interface Place {
  readonly offset: number;
  readonly length: number;
}

interface Task {
  readonly block: Uint8Array;
  readonly resolve: (deflated: Promise<Uint8Array> | Uint8Array) => void;
}

/** A worker, what it was asked for and has not answered, and who stands in for it. */
class DeflateWorker {
  readonly #worker: Worker;
  readonly #substitute: Deflate;
  readonly #tasks: Task[] = [];

  constructor(script: string, substitute: Deflate) {
    this.#substitute = substitute;
    this.#worker = startWorker(script);
    this.#worker.onmessage = ({ data }: MessageEvent<Place | undefined>): void => {
      if (!data) return this.#fail();
      const task = this.#tasks.shift();
      task?.resolve(new Uint8Array(task.block.buffer, data.offset, data.length));
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

  deflate(block: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve) => {
      this.#tasks.push({ block, resolve });
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

function startWorkers(
  count: number,
  substitute: Deflate,
  settings: readonly number[],
): DeflateWorker[] {
  const workers: DeflateWorker[] = [];
  const script = `(${serve})(${createDeflate}, ${settings}, ${giveBack}, ${tidy});`;
  try {
    while (workers.length < count) workers.push(new DeflateWorker(script, substitute));
  } catch {
    // A runtime without workers, or without enough of them.
  }
  return workers;
}

/** What a worker does. It is sent there as text, so it can use nothing from around it. */
function serve(
  create: typeof createDeflate,
  level: number,
  outputLength: number,
  tidyInterval: number,
  free: typeof giveBack,
  cleanUp: typeof tidy,
): void {
  const scope = globalThis as unknown as {
    onmessage: (event: MessageEvent<Uint8Array>) => void;
    postMessage: (message: unknown) => void;
    process: { getBuiltinModule: (name: "node:zlib") => typeof import("node:zlib") };
  };
  const zlib = scope.process.getBuiltinModule("node:zlib");
  const deflate = create(zlib, level, outputLength);
  let count = 0;
  scope.onmessage = ({ data }): void => {
    try {
      const deflated = deflate(data);
      const offset = data.buffer.byteLength - outputLength;
      new Uint8Array(data.buffer, offset).set(deflated);
      scope.postMessage({ offset, length: deflated.length });
      free(deflated, outputLength);
    } catch {
      scope.postMessage(undefined);
    }
    if (++count % tidyInterval === 0) cleanUp();
  };
}

/** Makes a function that deflates blocks. It is sent to workers as text, as {@linkcode serve} is. */
function createDeflate(
  zlib: typeof import("node:zlib"),
  level: number,
  outputLength: number,
): (block: Uint8Array) => Uint8Array {
  // Room for all that comes out, so that it is one buffer, whose memory can be given back.
  const chunkSize = outputLength;
  const finishFlush = zlib.constants.Z_SYNC_FLUSH;
  return (block) => zlib.deflateRawSync(block, { level, finishFlush, chunkSize });
}
