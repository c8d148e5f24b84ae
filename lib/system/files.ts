/**
 * Reads files in chunks, and writes them so that a crash leaves either the old file or the new one.
 *
 * @module
 */

import { throwIfAborted, untilAborted } from "../bytes/abort.ts";
import { type Bytes, concat, keep } from "../bytes/chunks.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import { ParError, quote } from "../errors.ts";
import {
  createNameless,
  type Input,
  isDescriptor,
  lookAt,
  openForWriting,
  readPipe,
  STDOUT,
} from "./pipe.ts";
import {
  FileTaken,
  folderOf,
  lastSeparator,
  readOpen,
  reason,
  TemporaryFile,
  writeAll,
  writeError,
} from "./temporary.ts";

/**
 * Makes a source of a file. The source of a pipe can be opened once.
 *
 * @param path The file's path.
 * @param signal Stops the wait for a pipe.
 * @returns The source.
 */
export function fileSource(path: string, signal?: AbortSignal): ArchiveSource {
  let first: string | undefined;
  const check: Check = (info) => {
    const now = info ? identityOf(info) : "a pipe";
    if (!info && first !== undefined) throw readTwice(path);
    first ??= now;
    if (first !== now) throw fileChanged(path);
  };
  return {
    name: path,
    open: () => readFile(path, { signal }, check),
    range: (start, length) => readFile(path, { start, length, signal }, check),
    async size() {
      const { pipe, info } = await look(path);
      return pipe ? undefined : info?.size;
    },
  };
}

/** Checks a file right after it was opened. For a pipe, it receives `undefined`. */
type Check = (info: Deno.FileInfo | undefined) => void;

/** A text that changes when the file is replaced or written to. */
export function identityOf({ dev, ino, size, mtime }: Deno.FileInfo): string {
  return [dev, ino, size, mtime?.getTime()].join(" ");
}

/** The error for a file that changed during the work. */
export function fileChanged(path: string): ParError {
  return new ParError(
    "ERR_FILE_CHANGED",
    `Cannot continue with ${quote(path)}: another program changed it; try again`,
  );
}

function readTwice(path: string): ParError {
  return unreadable(path, "it is a pipe and was already read; save it to a file first");
}

/** Settings of {@linkcode readFile}. */
export interface ReadFileOptions {
  /** Offset of the first byte. */
  readonly start?: number;
  /** The most bytes to read. */
  readonly length?: number;
  /** Stops the wait for a pipe. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a file, or a part of it, in chunks.
 *
 * @throws {ParError} `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE` or `ERR_ABORTED`.
 */
export async function* readFile(
  path: string,
  { start = 0, length, signal }: ReadFileOptions = {},
  check?: Check,
): Bytes {
  const { pipe } = await look(path);
  try {
    if (pipe) {
      check?.(undefined);
      if (start > 0) throw readTwice(path);
      return yield* readPipe(path, signal);
    }
    using file = await Deno.open(path);
    check?.(await file.stat());
    yield* readOpen(file, start, length);
  } catch (cause) {
    throw cause instanceof ParError ? cause : readError(path, cause);
  }
}

/**
 * Reads a small file into memory.
 *
 * @param limit The most bytes it may have.
 * @throws {ParError} `ERR_FILE_NOT_FOUND`, or `ERR_FILE_UNREADABLE`, also if the file is larger or is
 * not a regular file.
 */
export async function readSmallFile(path: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  await stat(path);
  return await readSmallInput(path, limit);
}

/**
 * Reads a small file or a pipe, such as `<(pass show issuer)`, into memory.
 *
 * @param limit The most bytes it may have.
 * @param signal Stops the wait for a pipe.
 * @throws {ParError} As {@linkcode readSmallFile}, and `ERR_ABORTED`.
 */
export async function readSmallInput(
  path: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of readFile(path, { length: limit + 1, signal })) {
    chunks.push(keep(chunk));
    length += chunk.length;
    if (length > limit) {
      throw unreadable(path, `it has more than ${limit} bytes; is it the right file?`);
    }
  }
  return concat(chunks);
}

/**
 * Gives the system's information about a regular file.
 *
 * @throws {ParError} `ERR_FILE_NOT_FOUND`, or `ERR_FILE_UNREADABLE`, also if it is not a regular file.
 */
export async function stat(path: string): Promise<Deno.FileInfo> {
  const { info } = await look(path);
  if (info?.isFile) return info;
  throw unreadable(path, "it is a pipe; give a file");
}

/** Gives what was read, or `undefined` if it was `ERR_FILE_NOT_FOUND`. */
export async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (cause) {
    if (cause instanceof ParError && cause.code === "ERR_FILE_NOT_FOUND") return undefined;
    throw cause;
  }
}

/**
 * Finds out what is at a path.
 *
 * @throws {ParError} `ERR_FILE_NOT_FOUND`, or `ERR_FILE_UNREADABLE`, also for a directory, a socket or
 * a device.
 */
export async function look(path: string): Promise<Input> {
  const input = await lookAt(path).catch((cause) => {
    throw readError(path, cause);
  });
  if (input.refusal !== undefined) throw unreadable(path, input.refusal);
  return input;
}

/**
 * Makes a folder, and those above it, unless it is there.
 *
 * @param path Its path.
 * @param mode The permissions of what is made; what the system gives if left out.
 * @throws {ParError} `ERR_FILE_UNWRITABLE`.
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, ...(mode !== undefined && { mode }) });
  } catch (cause) {
    throw new ParError(
      "ERR_FILE_UNWRITABLE",
      `Cannot make the folder ${quote(path)}: ${reason(cause)}`,
      cause,
    );
  }
}

/** Receives the bytes of a new file. */
export interface FileSink {
  /** Appends bytes. */
  write(chunk: Uint8Array): Promise<void>;
  /** Overwrites bytes that were written before. A pipe does not have it. */
  readonly patch?: (offset: number, bytes: Uint8Array) => Promise<void>;
}

/** Settings of {@linkcode writeFile}. */
export interface WriteFileOptions {
  /** Permission bits of the file. Default: those of the file it replaces, or of any new file. */
  readonly mode?: number | undefined;
  /** Whether a pipe gets its first byte only when all were produced without an error. */
  readonly whole?: boolean | undefined;
  /** Stops the work and removes what was written. */
  readonly signal?: AbortSignal | undefined;
  /** Fails with {@linkcode FileTaken} if the file exists when it is to get its name. */
  readonly exclusive?: boolean | undefined;
  /** Receives a sentence for each promise that the file system does not let us keep. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * Writes a file. The file gets its name only when it is complete.
 *
 * The bytes go to a temporary file beside the destination. It is flushed to disk and then renamed to the
 * destination. This process locks it, so two writers of one destination take turns: `produce` runs while
 * the lock is held, and reads what the writer before it wrote. If a process is killed, the next writer
 * uses its temporary file.
 *
 * Some file systems keep no locks, no permissions or no order of writes, and a destination may be a
 * mount point, which cannot be renamed to. Then the file is written nevertheless, and `onWarning` is
 * told what is less safe.
 *
 * A destination that is a pipe or a device is written to directly.
 *
 * @param path The destination.
 * @param produce Writes the content. If it throws, the destination stays as it was.
 * @param options Mode and signal.
 * @returns What `produce` returned.
 * @throws {ParError} `ERR_FILE_UNWRITABLE`, `ERR_ABORTED`. Errors of `produce` are passed on.
 */
export async function writeFile<T>(
  path: string,
  produce: (sink: FileSink) => Promise<T>,
  options: WriteFileOptions = {},
): Promise<T> {
  throwIfAborted(options.signal);
  const destination = await resolveDestination(path);
  if (destination.device) {
    using output = await attempt(path, () => openForWriting(path, options.signal));
    const write = (chunk: Uint8Array): Promise<void> =>
      attempt(path, () => untilAborted(writeAll(output, chunk), options.signal));
    if (!options.whole) return await produce({ write });
    using kept = await attempt(path, createNameless);
    const result = await produce({
      write: (chunk) => attempt(path, () => writeAll(kept, chunk)),
    });
    for await (const chunk of readOpen(kept)) await write(chunk);
    return result;
  }
  const { signal, exclusive, onWarning } = options;
  using temporary = await TemporaryFile.open({
    given: path,
    path: destination.path,
    exists: destination.mode !== undefined,
    mode: options.mode ??
      (typeof destination.mode !== "number" ? undefined : destination.mode & 0o777),
    exclusive,
    signal,
    onWarning,
  });
  try {
    if (exclusive && await exists(destination.path)) throw new FileTaken();
    const result = await produce({
      write(chunk) {
        throwIfAborted(signal);
        return attempt(path, () => temporary.write(chunk));
      },
      patch: (offset, bytes) => attempt(path, () => temporary.patch(offset, bytes)),
    });
    throwIfAborted(signal);
    await attempt(path, () => temporary.publish());
    return result;
  } catch (cause) {
    await temporary.discard();
    throw cause;
  }
}

/** Follows symbolic links, so that the file is replaced and not the link. */
async function resolveDestination(
  path: string,
): Promise<{ path: string; device: boolean; mode?: number | null }> {
  if (path === STDOUT) return { path, device: true };
  try {
    const info = await Deno.stat(path);
    if (info.isDirectory) {
      throw new ParError(
        "ERR_FILE_UNWRITABLE",
        `Cannot write ${quote(path)}: it is a directory; give the name of a file`,
      );
    }
    return { path: await Deno.realPath(path), device: !info.isFile, mode: info.mode };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return { path, device: false };
    throw cause instanceof ParError ? cause : writeError(path, cause);
  }
}

/**
 * Checks a destination before long work starts.
 *
 * @throws {ParError} `ERR_FILE_UNWRITABLE` if it is a directory or if its folder does not exist.
 */
export async function checkDestination(path: string): Promise<void> {
  const destination = await resolveDestination(path);
  if (destination.device) return;
  await attempt(path, () => Deno.stat(folderOf(destination.path)));
}

/** Resolves symbolic links in a path, so that two paths can be compared. The file need not exist. */
export async function resolvePath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch {
    const at = lastSeparator(path);
    const folder = await Deno.realPath(folderOf(path)).catch(() => undefined);
    return folder === undefined ? path : `${folder}/${path.slice(at + 1)}`;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof ParError || cause instanceof FileTaken ? cause : writeError(path, cause);
  }
}

/** The error for a file that cannot be read, with the system's message. */
function readError(path: string, cause: unknown): ParError {
  if (cause instanceof Deno.errors.NotFound) {
    return new ParError(
      "ERR_FILE_NOT_FOUND",
      `Cannot read ${quote(path)}: there is no such file`,
      cause,
    );
  }
  if (cause instanceof Deno.errors.NotCapable && isDescriptor(path)) {
    const advice =
      "it is not a pipe, and Deno opens no other descriptors; give the file by its name";
    return unreadable(path, advice, cause);
  }
  return unreadable(path, reason(cause), cause);
}

function unreadable(path: string, reason: string, cause?: unknown): ParError {
  return new ParError("ERR_FILE_UNREADABLE", `Cannot read ${quote(path)}: ${reason}`, cause);
}
