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

/** Deflates several blocks at a time. */
export interface DeflatePool extends Disposable {
  /** How many blocks to hand in before reading the first result, so that every thread has work. */
  readonly depth: number;
  /** Gives memory for one block. Fill it and hand it in. */
  allocate(): Uint8Array;
  /**
   * Deflates a block as an unfinished stream (RFC 1951). A sync flush ends it at a byte boundary.
   *
   * @param block The memory that `allocate` gave, or its first part. The pool owns it from now on.
   * @returns The deflated bytes. The work starts at once.
   */
  deflate(block: Uint8Array): Bytes;
}

/** Each worker has one block in work and one waiting. */
const WORKER_LOAD = 2;

/** A thread tidies its memory after so many blocks. */
const TIDY_INTERVAL = 8;

/** The most bytes that a block may grow by. Deflate adds less to data that it cannot compress. */
const GROWTH = 4 * 1024;

/** The length of the chunks that the pool gives out, in bytes. */
const PIECE_LENGTH = 64 * 1024;

/** Settings of {@linkcode createDeflatePool}. */
export interface DeflatePoolOptions {
  /** Deflate's effort, 1 to 9. */
  readonly level: number;
  /** How many threads deflate. With 1 it is this thread; with more, this thread only reads and writes. */
  readonly jobs: number;
  /** The largest block, in bytes. */
  readonly blockLength: number;
}

/**
 * Makes a pool.
 *
 * Where the runtime has no workers, or a worker fails, this thread deflates the blocks to the same
 * bytes, only more slowly.
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
  // All threads share this memory, because a message would copy each block twice. The result goes
  // behind the block: if a worker fails, this thread needs the block again.
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
        // A worker that failed may still write to the block.
        if (!idlest || deflated.buffer === block.buffer) memory.push(block.buffer);
        giveBack(deflated, outputLength);
        if (++count % TIDY_INTERVAL === 0) tidy();
      }();
    },
    [Symbol.dispose]: () => workers.forEach((worker) => worker.close()),
  };
}

/** Copies the bytes, so that no caller sees memory that threads share. */
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

/** Where a worker put the result in the memory of a block. */
interface Place {
  readonly offset: number;
  readonly length: number;
}

interface Task {
  readonly block: Uint8Array;
  readonly resolve: (deflated: Promise<Uint8Array> | Uint8Array) => void;
}

/** A worker, its open tasks, and the function that replaces it if it fails. */
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
    // This runtime has no workers, or not enough of them.
  }
  return workers;
}

/** The worker's program. It is sent as text, so it can use nothing from outside itself. */
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
  // Room for the whole result: one buffer, whose memory can be given back.
  const chunkSize = outputLength;
  const finishFlush = zlib.constants.Z_SYNC_FLUSH;
  return (block) => zlib.deflateRawSync(block, { level, finishFlush, chunkSize });
}
