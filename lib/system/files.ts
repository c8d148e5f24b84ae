/**
 * Files: read in chunks, and written so that a crash leaves the old one or the new one.
 *
 * @module
 */

import { throwIfAborted, untilAborted } from "../bytes/abort.ts";
import { concat } from "../bytes/chunks.ts";
import { readAhead } from "../bytes/read_ahead.ts";
import { ParError, quote } from "../errors.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { type Input, isDescriptor, lookAt, openPipe, readPipe } from "./pipe.ts";

/**
 * Makes a source of a file. One of a pipe can be opened once.
 *
 * @param path The file's path.
 * @param signal Ends the waiting for a pipe.
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
    open: () => readChunks(path, {}, check, signal),
    range: (start, length) => readChunks(path, { start, length }, check, signal),
    async size() {
      const { pipe, info } = await look(path);
      return pipe ? undefined : info?.size;
    },
  };
}

/** Looks at the state of a file that was just opened; a pipe has none. */
type Check = (info: Deno.FileInfo | undefined) => void;

/** Tells one state of a file from the next, without reading it. */
export function identityOf({ dev, ino, size, mtime }: Deno.FileInfo): string {
  return [dev, ino, size, mtime?.getTime()].join(" ");
}

/** The error for a file that is not the one it was. */
export function fileChanged(path: string): ParError {
  return new ParError(
    "ERR_FILE_CHANGED",
    `Cannot go on with ${quote(path)}: another program changed it meanwhile; try again`,
  );
}

function readTwice(path: string): ParError {
  return unreadable(path, "it is a pipe, which was read already; save it to a file first");
}

/**
 * Reads a file in chunks.
 *
 * @param path The file's path.
 * @param part Which part of it.
 * @throws {ParError} `ERR_FILE_NOT_FOUND` or `ERR_FILE_UNREADABLE`.
 */
export function readFile(path: string, part: FilePart = {}): Bytes {
  return readChunks(path, part, () => {});
}

/** A part of a file. */
export interface FilePart {
  /** Offset of the first byte. */
  readonly start?: number;
  /** Bytes to read at most. */
  readonly length?: number;
}

async function* readChunks(
  path: string,
  { start = 0, length }: FilePart,
  check: Check,
  signal?: AbortSignal,
): Bytes {
  const { pipe } = await look(path);
  try {
    if (pipe) {
      check(undefined);
      if (start > 0) throw readTwice(path);
      return yield* readPipe(path, signal);
    }
    using file = await Deno.open(path);
    check(await file.stat());
    if (start > 0) await file.seek(start, Deno.SeekMode.Start);
    yield* readAhead(async (buffer) => await file.read(buffer) ?? 0, length);
  } catch (cause) {
    throw cause instanceof ParError ? cause : readError(path, cause);
  }
}

/**
 * Reads a small file whole.
 *
 * @param path The file's path.
 * @param limit The most bytes it may have.
 * @throws {ParError} `ERR_FILE_NOT_FOUND`, or `ERR_FILE_UNREADABLE`, also for a larger file, and for
 * what is no file.
 */
export async function readSmallFile(path: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  await stat(path);
  return await readSmallInput(path, limit);
}

/**
 * Reads a small file whole, or what a pipe gives, such as `<(pass show issuer)`.
 *
 * @param path The path, as a person gave it.
 * @param limit The most bytes it may have.
 * @param signal Ends the waiting for a pipe.
 * @throws {ParError} As {@linkcode readSmallFile}, and `ERR_ABORTED`.
 */
export async function readSmallInput(
  path: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of readChunks(path, { length: limit + 1 }, () => {}, signal)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limit) {
      throw unreadable(path, `it has more than ${limit} bytes; is it the right file?`);
    }
  }
  return concat(chunks);
}

/**
 * Looks a file up that is to be there again and again: no pipe.
 *
 * @param path The file's path.
 * @throws {ParError} `ERR_FILE_NOT_FOUND`, or `ERR_FILE_UNREADABLE`, also for what is no file.
 */
export async function stat(path: string): Promise<Deno.FileInfo> {
  const { info } = await look(path);
  if (info?.isFile) return info;
  throw unreadable(path, "it is a pipe, and this takes a file");
}

/**
 * Looks at what there is to read.
 *
 * @throws {ParError} `ERR_FILE_NOT_FOUND`, or `ERR_FILE_UNREADABLE` for a directory, a socket, a
 * device.
 */
export async function look(path: string): Promise<Input> {
  const input = await lookAt(path).catch((cause) => {
    throw readError(path, cause);
  });
  if (input.refusal !== undefined) throw unreadable(path, input.refusal);
  return input;
}

/** Where the bytes of a new file go. */
export interface FileSink {
  /** Appends bytes. */
  write(chunk: Uint8Array): Promise<void>;
  /** Replaces bytes written before, where the destination is a file and not a pipe. */
  readonly patch?: (offset: number, bytes: Uint8Array) => Promise<void>;
}

/** Settings of {@linkcode writeFile}. */
export interface WriteFileOptions {
  /** Permission bits of the file; those of the file it replaces, or of any new file, where left out. */
  readonly mode?: number | undefined;
  /** Stops the work, and takes what it wrote away. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a file that has its name only once it is whole.
 *
 * The bytes go to a temporary file beside the destination, locked for as long as this process
 * lives, are flushed to disk, and take the destination's name in one step. Two writers of one
 * destination take turns: `produce` runs while the lock is held, so what it reads there is what the
 * writer before it left. What a killed process left behind is taken over by the next writer.
 *
 * A destination that is a pipe or a device is written to directly.
 *
 * @param path The destination.
 * @param produce Writes the content. When it throws, the destination is left as it was.
 * @param options Mode and signal.
 * @throws {ParError} `ERR_FILE_UNWRITABLE`, `ERR_ABORTED`, and whatever `produce` throws.
 */
export async function writeFile<T>(
  path: string,
  produce: (sink: FileSink) => Promise<T>,
  options: WriteFileOptions = {},
): Promise<T> {
  throwIfAborted(options.signal);
  const destination = await resolveDestination(path);
  if (destination.device) {
    using file = await attempt(path, () => openPipe(path, { write: true }, options.signal));
    return await produce({
      write: (chunk) => attempt(path, () => untilAborted(writeAll(file, chunk), options.signal)),
    });
  }
  const temporary = temporaryPath(destination.path);
  const mode = options.mode ??
    (typeof destination.mode !== "number" ? undefined : destination.mode & 0o777);
  using file = await attempt(path, () => openTemporary(temporary, { ...options, mode }));
  try {
    const result = await produce({
      write(chunk) {
        throwIfAborted(options.signal);
        return attempt(path, () => writeAll(file, chunk));
      },
      patch(offset, bytes) {
        return attempt(path, async () => {
          await file.seek(offset, Deno.SeekMode.Start);
          await writeAll(file, bytes);
          await file.seek(0, Deno.SeekMode.End);
        });
      },
    });
    throwIfAborted(options.signal);
    await attempt(path, async () => {
      await file.sync();
      await Deno.rename(temporary, destination.path);
      await syncDirectory(destination.path);
    });
    return result;
  } catch (cause) {
    await Deno.remove(temporary).catch(() => {});
    throw cause;
  }
}

interface Destination {
  readonly path: string;
  readonly device: boolean;
  /** The mode of the file that is there. */
  readonly mode?: number | null;
}

/** Follows links, so that the file they lead to is replaced and not the link. */
async function resolveDestination(path: string): Promise<Destination> {
  try {
    const info = await Deno.stat(path);
    if (info.isDirectory) {
      throw new ParError(
        "ERR_FILE_UNWRITABLE",
        `Cannot write ${quote(path)}: it is a directory; give a file's name`,
      );
    }
    return { path: await Deno.realPath(path), device: !info.isFile, mode: info.mode };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return { path, device: false };
    throw cause instanceof ParError ? cause : writeError(path, cause);
  }
}

/**
 * Fails where a file cannot be written for a reason that shows beforehand, so that nobody works, or
 * waits, for nothing.
 *
 * @param path The destination.
 * @throws {ParError} `ERR_FILE_UNWRITABLE` for a directory, and for a folder that is missing.
 */
export async function checkDestination(path: string): Promise<void> {
  const destination = await resolveDestination(path);
  const folder = destination.path.slice(0, lastSeparator(destination.path) + 1);
  await attempt(path, () => Deno.stat(folder || "."));
}

/**
 * Gives the one spelling of a path by which two can be compared.
 *
 * @param path A path, of a file that need not exist.
 */
export async function resolvePath(path: string): Promise<string> {
  try {
    return await Deno.realPath(path);
  } catch {
    const at = lastSeparator(path);
    const folder = await Deno.realPath(path.slice(0, at + 1) || ".").catch(() => undefined);
    return folder === undefined ? path : `${folder}/${path.slice(at + 1)}`;
  }
}

/** One name for each destination: its lock keeps writers apart, and no leftovers pile up. */
function temporaryPath(path: string): string {
  const at = lastSeparator(path);
  return `${path.slice(0, at + 1)}.${path.slice(at + 1)}.part`;
}

function lastSeparator(path: string): number {
  const backslash = Deno.build.os === "windows" ? path.lastIndexOf("\\") : -1;
  return Math.max(path.lastIndexOf("/"), backslash);
}

async function openTemporary(path: string, options: WriteFileOptions): Promise<Deno.FsFile> {
  const { mode, signal } = options;
  while (true) {
    const file = await Deno.open(path, {
      read: true,
      write: true,
      create: true,
      ...(mode !== undefined && { mode }),
    });
    try {
      await lock(file, signal);
      const [opened, named] = await Promise.all([
        file.stat(),
        Deno.lstat(path).catch(() => undefined),
      ]);
      // The writer before may have given this file its final name while we waited for the lock.
      if (named?.ino === opened.ino && named.dev === opened.dev) {
        // A second name, laid here by somebody else, would have us overwrite the file it is for.
        if ((opened.nlink ?? 1) > 1) throw inTheWay(path);
        if (signal?.aborted) await Deno.remove(path);
        throwIfAborted(signal);
        await file.truncate(0);
        if (mode !== undefined && Deno.build.os !== "windows") await Deno.chmod(path, mode);
        return file;
      }
      if (named?.isSymlink) throw inTheWay(path);
      file.close();
    } catch (cause) {
      file.close();
      throw cause;
    }
  }
}

/** Waits for the writer before, unless the user has had enough of waiting. */
async function lock(file: Deno.FsFile, signal: AbortSignal | undefined): Promise<void> {
  // Older releases of Deno have no way to try.
  if (await file.tryLock?.(true)) return;
  await untilAborted(file.lock(true), signal);
}

function inTheWay(path: string): Error {
  return new Error(`${quote(path)} is in the way and no file of ours; remove it`);
}

/** Writes all of the bytes, in as many steps as the system takes. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Without this, a power cut after the rename may still bring the old file back, or none. */
async function syncDirectory(path: string): Promise<void> {
  const at = path.lastIndexOf("/");
  try {
    using directory = await Deno.open(at < 0 ? "." : path.slice(0, at + 1));
    await directory.sync();
  } catch {
    // Not every system opens directories; the rename itself has happened.
  }
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof ParError ? cause : writeError(path, cause);
  }
}

/** The error for a file that cannot be read, with what the system says. */
export function readError(path: string, cause: unknown): ParError {
  if (cause instanceof Deno.errors.NotFound) {
    return new ParError(
      "ERR_FILE_NOT_FOUND",
      `Cannot read ${quote(path)}: there is no such file`,
      cause,
    );
  }
  if (cause instanceof Deno.errors.NotCapable && isDescriptor(path)) {
    const advice = "it is no pipe, and Deno opens no other descriptors; give the file by its name";
    return unreadable(path, advice, cause);
  }
  return unreadable(path, reason(cause), cause);
}

function unreadable(path: string, reason: string, cause?: unknown): ParError {
  return new ParError("ERR_FILE_UNREADABLE", `Cannot read ${quote(path)}: ${reason}`, cause);
}

function writeError(path: string, cause: unknown): ParError {
  return new ParError(
    "ERR_FILE_UNWRITABLE",
    cause instanceof Deno.errors.NotFound
      ? `Cannot write ${quote(path)}: its folder does not exist; create it first`
      : `Cannot write ${quote(path)}: ${reason(cause)}`,
    cause,
  );
}

/** What the system said, without the path that Deno adds and the message has already. */
function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replace(/^(.*?\(os error \d+\)).*$/s, "$1");
}
