/**
 * Reads files in chunks, and writes them so that a crash leaves either the old file or the new one.
 *
 * @module
 */

import { throwIfAborted, untilAborted } from "../bytes/abort.ts";
import { concat } from "../bytes/chunks.ts";
import { hex } from "../bytes/hex.ts";
import { readAhead } from "../bytes/read_ahead.ts";
import { ParError, quote } from "../errors.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { Bytes } from "../bytes/chunks.ts";
import {
  createNameless,
  type Input,
  isDescriptor,
  lookAt,
  openForWriting,
  type OpenOutput,
  readPipe,
  STDOUT,
} from "./pipe.ts";

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
    open: () => readChunks(path, {}, check, signal),
    range: (start, length) => readChunks(path, { start, length }, check, signal),
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

/**
 * Reads a file in chunks.
 *
 * @param path The file's path.
 * @param part Which part of it. Default: all.
 * @throws {ParError} `ERR_FILE_NOT_FOUND` or `ERR_FILE_UNREADABLE`.
 */
export function readFile(path: string, part: FilePart = {}): Bytes {
  return readChunks(path, part, () => {});
}

/** A part of a file. */
export interface FilePart {
  /** Offset of the first byte. */
  readonly start?: number;
  /** The most bytes to read. */
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
 * Reads a small file into memory.
 *
 * @param path The file's path.
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
 * @param path The path of the file or the pipe.
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
 * Gives the system's information about a regular file.
 *
 * @param path The file's path.
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

/** What {@linkcode writeFile} throws if the file must be a new one and exists. */
export class FileTaken extends Error {}

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
    await kept.seek(0, Deno.SeekMode.Start);
    for await (const chunk of readAhead(async (buffer) => await kept.read(buffer) ?? 0)) {
      await write(chunk);
    }
    return result;
  }
  const mode = options.mode ??
    (typeof destination.mode !== "number" ? undefined : destination.mode & 0o777);
  const temporary = await openTemporary(path, destination, { ...options, mode });
  using file = temporary.file;
  const sink: FileSink = {
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
  };
  try {
    if (options.exclusive && await exists(destination.path)) throw new FileTaken();
    const result = await produce(sink);
    throwIfAborted(options.signal);
    await attempt(path, async () => {
      await sync(file, path, options);
      await publish(temporary, path, destination.path, options);
      await syncDirectory(destination.path);
    });
    return result;
  } catch (cause) {
    if (!temporary.kept) await Deno.remove(temporary.path).catch(() => {});
    throw cause;
  }
}

/** A file that is being written. */
interface Temporary {
  readonly file: Deno.FsFile;
  readonly path: string;
  readonly locked: boolean;
  /** Whether it is complete and the only copy, because the destination could not be written. */
  kept?: boolean;
}

/** Gives the file its name. */
async function publish(
  temporary: Temporary,
  path: string,
  destination: string,
  options: WriteFileOptions,
): Promise<void> {
  // Another writer that keeps no lock either may have stored its file meanwhile.
  if (options.exclusive && !temporary.locked && await link(temporary.path, destination)) {
    return await Deno.remove(temporary.path);
  }
  try {
    await Deno.rename(temporary.path, destination);
  } catch (cause) {
    // A mount point, such as a file that a container has from outside, cannot be replaced.
    if (codeOf(cause) !== "EBUSY") throw cause;
    temporary.kept = true;
    await overwrite(temporary, path, destination);
    options.onWarning?.(
      `${quote(path)} is a mount point, so it was overwritten and not replaced in one step`,
    );
    await Deno.remove(temporary.path);
  }
}

/** Links a file to a new name. Returns false if the file system has no links. */
async function link(from: string, to: string): Promise<boolean> {
  try {
    await Deno.link(from, to);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) throw new FileTaken();
    return false;
  }
}

/** Copies a complete file over another. */
async function overwrite(
  { file, path: source }: Temporary,
  path: string,
  to: string,
): Promise<void> {
  try {
    using target = await Deno.open(to, { write: true });
    await file.seek(0, Deno.SeekMode.Start);
    const buffer = new Uint8Array(COPY_LENGTH);
    let length = 0;
    for (let count; (count = await file.read(buffer) ?? 0) > 0; length += count) {
      await writeAll(target, buffer.subarray(0, count));
    }
    await target.truncate(length);
    await sync(target, path, {});
  } catch (cause) {
    throw new ParError(
      "ERR_FILE_UNWRITABLE",
      `Cannot overwrite ${quote(path)}, which is a mount point: ${reason(cause)}; it may be ` +
        `incomplete now, and the complete file is ${quote(source)}`,
      cause,
    );
  }
}

/** How much is copied at a time. */
const COPY_LENGTH = 256 * 1024;

/** Flushes a file to the disk, as far as its file system can. */
async function sync(file: Deno.FsFile, path: string, options: WriteFileOptions): Promise<void> {
  try {
    await file.sync();
  } catch (cause) {
    // Every other error says that the bytes are lost.
    if (!isUnsupported(cause)) throw cause;
    const folder = quote(folderOf(path));
    options.onWarning?.(
      `the file system of ${folder} does not tell when a file is on the disk; a power failure soon ` +
        "after this may lose it",
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

interface Destination {
  readonly path: string;
  readonly device: boolean;
  /** The mode of the existing file. */
  readonly mode?: number | null;
}

/** Follows symbolic links, so that the file is replaced and not the link. */
async function resolveDestination(path: string): Promise<Destination> {
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
 * @param path The destination.
 * @throws {ParError} `ERR_FILE_UNWRITABLE` if it is a directory or if its folder does not exist.
 */
export async function checkDestination(path: string): Promise<void> {
  const destination = await resolveDestination(path);
  if (destination.device) return;
  await attempt(path, () => Deno.stat(folderOf(destination.path)));
}

/**
 * Resolves symbolic links in a path, so that two paths can be compared.
 *
 * @param path A path. The file need not exist.
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

/**
 * Each destination has one temporary file, so that its writers share a lock and leftovers are reused.
 *
 * @param short Whether the destination's own name leaves no room for more in a name.
 */
async function temporaryPath(path: string, short: boolean): Promise<string> {
  const at = lastSeparator(path) + 1;
  const name = path.slice(at);
  return `${path.slice(0, at)}.${short ? `par-${await shorten(name)}` : name}.part`;
}

/** Sixteen characters that no other name in the folder has. */
async function shorten(name: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  return hex(new Uint8Array(digest)).slice(0, 16);
}

/** The folder that a path is in. */
function folderOf(path: string): string {
  return path.slice(0, lastSeparator(path) + 1) || ".";
}

function lastSeparator(path: string): number {
  const backslash = Deno.build.os === "windows" ? path.lastIndexOf("\\") : -1;
  return Math.max(path.lastIndexOf("/"), backslash);
}

async function openTemporary(
  path: string,
  destination: Destination,
  options: WriteFileOptions,
): Promise<Temporary> {
  const openAs = async (short: boolean): Promise<Temporary> =>
    await openShared(path, await temporaryPath(destination.path, short), options);
  try {
    return await openAs(false).catch((cause) => {
      // The destination's own name is not too long: looking for it has shown that.
      if (codeOf(cause) !== "ENAMETOOLONG") throw cause;
      return openAs(true);
    });
  } catch (cause) {
    throw cause instanceof ParError ? cause : explain(path, destination, cause);
  }
}

/** Says what a folder is needed for, where the file itself may well be writable. */
function explain(path: string, destination: Destination, cause: unknown): ParError {
  const error = writeError(path, cause);
  if (destination.mode === undefined) return error;
  if (!/^(EACCES|EPERM|EROFS)$/.test(codeOf(cause) ?? "")) return error;
  return new ParError(
    "ERR_FILE_UNWRITABLE",
    `${error.message}; it is first written under another name beside it, so the folder ` +
      `${quote(folderOf(destination.path))} must be writable`,
    cause,
  );
}

/** Opens the temporary file that all writers of a destination share, and locks it. */
async function openShared(
  destination: string,
  path: string,
  options: WriteFileOptions,
): Promise<Temporary> {
  const { mode, signal, onWarning } = options;
  while (true) {
    const file = await open(path, mode, { create: true });
    try {
      if (!await lock(file, signal)) {
        file.close();
        break;
      }
      const [opened, named] = await Promise.all([
        file.stat(),
        Deno.lstat(path).catch(() => undefined),
      ]);
      // While we waited for the lock, the writer before may have renamed this file.
      if (named?.ino === opened.ino && named.dev === opened.dev) {
        // Somebody may have put a hard link here. Writing would overwrite the other file.
        if ((opened.nlink ?? 1) > 1) throw inTheWay(path);
        if (signal?.aborted) await Deno.remove(path);
        throwIfAborted(signal);
        await file.truncate(0);
        await restrict(file, path, mode, destination, onWarning);
        return { file, path, locked: true };
      }
      if (named?.isSymlink) throw inTheWay(path);
      file.close();
    } catch (cause) {
      file.close();
      throw cause;
    }
  }
  return await openOwn(destination, path, options);
}

/** Without locks, two writers must not share a file. */
async function openOwn(
  destination: string,
  shared: string,
  { mode, onWarning }: WriteFileOptions,
): Promise<Temporary> {
  // It was made to be locked, unless somebody else writes it.
  if ((await Deno.lstat(shared)).size === 0) await Deno.remove(shared);
  const folder = shared.slice(0, lastSeparator(shared) + 1);
  const path = `${folder}.par-${crypto.randomUUID()}.part`;
  const file = await open(path, mode, { createNew: true });
  try {
    const named = quote(folderOf(destination));
    onWarning?.(
      `the file system of ${named} keeps no locks; if two programs write one file there at the same ` +
        "time, the work of one is lost",
    );
    await restrict(file, path, mode, destination, onWarning);
  } catch (cause) {
    file.close();
    throw cause;
  }
  return { file, path, locked: false };
}

async function open(
  path: string,
  mode: number | undefined,
  options: Deno.OpenOptions,
): Promise<Deno.FsFile> {
  const modes = mode === undefined ? {} : { mode };
  return await Deno.open(path, { read: true, write: true, ...options, ...modes });
}

/** Sets the mode of a file, and tells if others can read it nevertheless. */
async function restrict(
  file: Deno.FsFile,
  path: string,
  mode: number | undefined,
  destination: string,
  onWarning: WriteFileOptions["onWarning"],
): Promise<void> {
  if (mode === undefined || Deno.build.os === "windows") return;
  // Some file systems refuse to, and others say yes and change nothing.
  await Deno.chmod(path, mode).catch(() => {});
  const { mode: actual } = await file.stat();
  if (othersRead((actual ?? 0) & ~mode)) {
    onWarning?.(
      `other users can read ${quote(destination)}: its file system does not keep permissions`,
    );
  }
}

/** Whether a mode lets others than the owner read. */
export function othersRead(mode: number): boolean {
  return (mode & 0o044) !== 0;
}

/** Waits for the writer before, or for the signal. Returns false if the file system has no locks. */
async function lock(file: Deno.FsFile, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    // Older releases of Deno have no `tryLock`.
    if (await file.tryLock?.(true)) return true;
    await untilAborted(file.lock(true), signal);
    return true;
  } catch (cause) {
    if (cause instanceof ParError) throw cause;
    return false;
  }
}

/** The name of the system's error. Deno knows the names of most. */
function codeOf(cause: unknown): string | undefined {
  return (cause as { code?: string }).code;
}

/** Whether a file system does not have what it was asked for. */
function isUnsupported(cause: unknown): boolean {
  return /^(EINVAL|ENOSYS|ENOTSUP|EOPNOTSUPP)$/.test(codeOf(cause) ?? "") ||
    cause instanceof Deno.errors.NotSupported ||
    /Function not implemented|Incorrect function/.test((cause as Error).message);
}

function inTheWay(path: string): Error {
  return new Error(`the temporary file ${quote(path)} is a link; remove it`);
}

/** Writes all bytes. One system call may write only some of them. */
export async function writeAll(file: Pick<OpenOutput, "write">, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Without this, a power failure after the rename may bring back the old file, or leave none. */
async function syncDirectory(path: string): Promise<void> {
  const at = path.lastIndexOf("/");
  try {
    using directory = await Deno.open(at < 0 ? "." : path.slice(0, at + 1));
    await directory.sync();
  } catch {
    // Not every system can open directories. The rename itself has succeeded.
  }
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof ParError || cause instanceof FileTaken ? cause : writeError(path, cause);
  }
}

/** The error for a file that cannot be read, with the system's message. */
export function readError(path: string, cause: unknown): ParError {
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

function writeError(path: string, cause: unknown): ParError {
  return new ParError(
    "ERR_FILE_UNWRITABLE",
    cause instanceof Deno.errors.NotFound
      ? `Cannot write ${quote(path)}: its folder does not exist; create it first`
      : `Cannot write ${quote(path)}: ${reason(cause)}`,
    cause,
  );
}

/** The system's message. Deno adds the path to it, which our message already has. */
function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replace(/^(.*?\(os error \d+\)).*$/s, "$1");
}
