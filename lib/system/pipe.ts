/**
 * Inputs that are no files on a disk: pipes, which give their bytes once, and perhaps never; and what
 * cannot be read at all.
 *
 * @module
 */

import { untilAborted } from "../bytes/abort.ts";
import type { Bytes } from "../bytes/chunks.ts";

/** No system gives more of a pipe at a time. */
const CHUNK_LENGTH = 64 * 1024;

/** Names of what the shell hands over. Some systems go on reading there at each opening. */
const DESCRIPTOR = /^\/(dev\/stdin|(dev|proc\/self)\/fd\/[0-9]+)$/;

/** Standard input: Deno opens it only for who may do everything, and reads it for everybody. */
const STANDARD_INPUT = /^\/(dev\/stdin|(dev|proc\/self)\/fd\/0)$/;

/**
 * Whether a path is one that the shell made up, such as `/dev/fd/63`, and not a name.
 *
 * @param path A file's path.
 */
export function isDescriptor(path: string): boolean {
  return DESCRIPTOR.test(path);
}

/** What a path leads to. */
export interface Input {
  /** Whether it can be read once and from its beginning only. */
  readonly pipe: boolean;
  /** What the system says of it; absent for standard input. */
  readonly info?: Deno.FileInfo;
  /** Why it cannot be read, to follow the path. */
  readonly refusal?: string;
}

/**
 * Looks at what a path leads to.
 *
 * @param path A file's path.
 * @throws What the system says where there is nothing, or no way to it.
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
    ? "it is a terminal; send a file or a pipe there"
    : info.isDirectory()
    ? "it is a directory"
    : info.isCharacterDevice() || info.isBlockDevice()
    ? "it is a device"
    : undefined;
  return { pipe: true, ...(refusal !== undefined && { refusal }) };
}

/**
 * Reads a pipe to its end.
 *
 * @param path Its path.
 * @param signal Ends the waiting for who writes into it.
 * @throws {ParError} `ERR_ABORTED`, and what the system says.
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
 * Opens a pipe, which takes until somebody opens its other end.
 *
 * @param path Its path.
 * @param options Whether to read or to write.
 * @param signal Ends the waiting.
 * @throws {ParError} `ERR_ABORTED`, and what the system says.
 */
export async function openPipe(
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
