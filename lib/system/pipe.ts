/**
 * Inputs that are not regular files: pipes, and inputs that cannot be read, such as directories. A pipe
 * can be read once, and reading it may wait forever.
 *
 * @module
 */

import { untilAborted } from "../bytes/abort.ts";
import type { Bytes } from "../bytes/chunks.ts";

/** No system gives more bytes of a pipe at a time. */
const CHUNK_LENGTH = 64 * 1024;

/** The path that stands for standard input on every system. */
export const STDIN = "/dev/stdin";

/** The path that stands for standard output on every system. */
export const STDOUT = "/dev/stdout";

/** Descriptors that a shell passes. On some systems, opening one again continues where it was. */
const DESCRIPTOR = /^\/(dev\/std(in|out)|(dev|proc\/self)\/fd\/[0-9]+)$/;

/** Standard input. Opening it needs all permissions in Deno, and `Deno.stdin` needs none. */
const STANDARD_INPUT = /^\/(dev\/stdin|(dev|proc\/self)\/fd\/0)$/;

/** Whether a path is a descriptor that a shell passed, such as `/dev/fd/63`. */
export function isDescriptor(path: string): boolean {
  return DESCRIPTOR.test(path);
}

/** What is at a path. */
export interface Input {
  /** Whether it can only be read once and from its beginning. */
  readonly pipe: boolean;
  /** The system's information about it. Standard input has none. */
  readonly info?: Deno.FileInfo;
  /** Why it cannot be read. */
  readonly refusal?: string;
}

/**
 * Finds out what is at a path.
 *
 * @throws {Error} The system's error if nothing is there or the path cannot be followed.
 */
export async function lookAt(path: string): Promise<Input> {
  if (STANDARD_INPUT.test(path)) return await lookAtStandardInput();
  const info = await Deno.stat(path);
  const pipe = info.isFifo === true || isDescriptor(path);
  const refusal = info.isDirectory
    ? "it is a directory"
    : info.isSocket
    ? "it is a socket"
    : info.isCharDevice || info.isBlockDevice
    ? "it is a device"
    : undefined;
  return { pipe, info, ...(refusal !== undefined && { refusal }) };
}

async function lookAtStandardInput(): Promise<Input> {
  const { fstatSync } = await import("node:fs");
  const info = fstatSync(0);
  const refusal = Deno.stdin.isTerminal()
    ? "it is a terminal; redirect a file or a pipe to it"
    : info.isDirectory()
    ? "it is a directory"
    : info.isCharacterDevice() || info.isBlockDevice()
    ? "it is a device"
    : undefined;
  return { pipe: true, ...(refusal !== undefined && { refusal }) };
}

/**
 * Reads a pipe to its end. The signal stops the wait for the writer.
 *
 * @throws {ParError} `ERR_ABORTED`. Errors of the system are passed on.
 */
export async function* readPipe(path: string, signal: AbortSignal | undefined): Bytes {
  using pipe = await openForReading(path, signal);
  while (true) {
    const buffer = new Uint8Array(CHUNK_LENGTH);
    const count = await untilAborted(pipe.read(buffer), signal) ?? 0;
    if (count === 0) return;
    yield buffer.subarray(0, count);
  }
}

interface OpenPipe extends Disposable {
  read(buffer: Uint8Array): Promise<number | null>;
}

async function openForReading(path: string, signal: AbortSignal | undefined): Promise<OpenPipe> {
  if (!STANDARD_INPUT.test(path)) return await openPipe(path, { read: true }, signal);
  return { read: (buffer) => Deno.stdin.read(buffer), [Symbol.dispose]: (): void => {} };
}

/**
 * Opens a pipe or a device for writing. For standard output, Deno needs no permission. The signal stops
 * the wait for the reader.
 *
 * @throws {ParError} `ERR_ABORTED`. Errors of the system are passed on.
 */
export async function openForWriting(
  path: string,
  signal: AbortSignal | undefined,
): Promise<OpenOutput> {
  if (path !== STDOUT) return await openPipe(path, { write: true }, signal);
  if (Deno.stdout.isTerminal()) {
    throw new Error("it is a terminal; redirect it to a file or a pipe");
  }
  return { write: (bytes) => Deno.stdout.write(bytes), [Symbol.dispose]: (): void => {} };
}

/** Something open that bytes can be written to. */
export interface OpenOutput extends Disposable {
  write(bytes: Uint8Array): Promise<number>;
}

/** Makes a temporary file that no other process can open, and that ends with this process. */
export async function createNameless(): Promise<Deno.FsFile> {
  const path = await Deno.makeTempFile({ prefix: "par-" });
  try {
    return await Deno.open(path, { read: true, write: true });
  } finally {
    await Deno.remove(path);
  }
}

/**
 * Opens a pipe. This waits until another process opens its other end, or for the signal.
 *
 * @throws {ParError} `ERR_ABORTED`. Errors of the system are passed on.
 */
async function openPipe(
  path: string,
  options: Deno.OpenOptions,
  signal: AbortSignal | undefined,
): Promise<Deno.FsFile> {
  const opening = Deno.open(path, options);
  try {
    return await untilAborted(opening, signal);
  } catch (cause) {
    opening.then((file) => file.close(), () => {});
    throw cause;
  }
}
