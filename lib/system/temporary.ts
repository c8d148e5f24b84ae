/**
 * The temporary file that a new file's bytes go to before it gets its name.
 *
 * @module
 */

import { throwIfAborted, untilAborted } from "../bytes/abort.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { hex } from "../bytes/hex.ts";
import { readAhead } from "../bytes/read_ahead.ts";
import { ParError, quote } from "../errors.ts";
import type { OpenOutput } from "./pipe.ts";

/** Where a file is to go, and how. */
export interface Destination {
  /** The path that the caller gave. Messages show it. */
  readonly given: string;
  /** The same path without symbolic links. */
  readonly path: string;
  /** Whether a file is there. */
  readonly exists: boolean;
  /** Permission bits of the file. Default: those of any new file. */
  readonly mode: number | undefined;
  /** Whether the file must be a new one. */
  readonly exclusive: boolean | undefined;
  /** Stops the wait for another writer. */
  readonly signal: AbortSignal | undefined;
  /** Receives a sentence for each promise that the file system does not let us keep. */
  readonly onWarning: ((message: string) => void) | undefined;
}

/** What is thrown if the file must be a new one and exists. */
export class FileTaken extends Error {}

/** A file that is being written, beside its destination. */
export class TemporaryFile implements Disposable {
  readonly #to: Destination;
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #locked: boolean;
  /** Whether it is complete and the only copy, because the destination could not be written. */
  #kept = false;

  private constructor(to: Destination, file: Deno.FsFile, path: string, locked: boolean) {
    this.#to = to;
    this.#file = file;
    this.#path = path;
    this.#locked = locked;
  }

  /**
   * Opens the temporary file of a destination. Each destination has one, so that its writers share a
   * lock and leftovers are reused.
   *
   * @throws {ParError} `ERR_FILE_UNWRITABLE` or `ERR_ABORTED`.
   */
  static async open(to: Destination): Promise<TemporaryFile> {
    const at = lastSeparator(to.path) + 1;
    const [folder, name] = [to.path.slice(0, at), to.path.slice(at)];
    const openAs = (name: string): Promise<TemporaryFile> =>
      TemporaryFile.#openShared(to, `${folder}.${name}.part`);
    try {
      return await openAs(name).catch(async (cause) => {
        // The destination's own name is not too long: looking for it has shown that.
        if (codeOf(cause) !== "ENAMETOOLONG") throw cause;
        return await openAs(`par-${await shorten(name)}`);
      });
    } catch (cause) {
      throw cause instanceof ParError ? cause : explain(to, cause);
    }
  }

  /** Opens the file that all writers of a destination share, and locks it. */
  static async #openShared(to: Destination, path: string): Promise<TemporaryFile> {
    const { signal } = to;
    while (true) {
      const file = await open(path, to, { create: true });
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
          await restrict(file, path, to);
          return new TemporaryFile(to, file, path, true);
        }
        if (named?.isSymlink) throw inTheWay(path);
        file.close();
      } catch (cause) {
        file.close();
        throw cause;
      }
    }
    return await TemporaryFile.#openOwn(to, path);
  }

  /** Without locks, two writers must not share a file. */
  static async #openOwn(to: Destination, shared: string): Promise<TemporaryFile> {
    // It was made to be locked, unless somebody else writes it.
    if ((await Deno.lstat(shared)).size === 0) await Deno.remove(shared);
    const folder = shared.slice(0, lastSeparator(shared) + 1);
    const path = `${folder}.par-${crypto.randomUUID()}.part`;
    const file = await open(path, to, { createNew: true });
    try {
      to.onWarning?.(
        `the file system of ${quote(folderOf(to.given))} keeps no locks; if two programs write ` +
          "one file there at the same time, the work of one is lost",
      );
      await restrict(file, path, to);
    } catch (cause) {
      file.close();
      throw cause;
    }
    return new TemporaryFile(to, file, path, false);
  }

  /** Appends bytes. */
  async write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.#file, bytes);
  }

  /** Overwrites bytes that were written before. */
  async patch(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#file.seek(offset, Deno.SeekMode.Start);
    await writeAll(this.#file, bytes);
    await this.#file.seek(0, Deno.SeekMode.End);
  }

  /** Gives the file its name, so that a power failure at any time leaves the old file or the new one. */
  async publish(): Promise<void> {
    const { path, onWarning } = this.#to;
    await sync(this.#file, this.#to.given, onWarning);
    await this.#rename();
    await syncDirectory(path);
  }

  async #rename(): Promise<void> {
    const { given, path, exclusive, onWarning } = this.#to;
    // Another writer that keeps no lock either may have stored its file meanwhile.
    if (exclusive && !this.#locked && await link(this.#path, path)) {
      return await Deno.remove(this.#path);
    }
    try {
      await Deno.rename(this.#path, path);
    } catch (cause) {
      // A mount point, such as a file that a container has from outside, cannot be replaced.
      if (codeOf(cause) !== "EBUSY") throw cause;
      this.#kept = true;
      await this.#overwrite();
      onWarning?.(
        `${quote(given)} is a mount point, so it was overwritten and not replaced in one step`,
      );
      await Deno.remove(this.#path);
    }
  }

  /** Copies the complete file over the destination. */
  async #overwrite(): Promise<void> {
    const { given, path } = this.#to;
    try {
      using target = await Deno.open(path, { write: true });
      for await (const chunk of readOpen(this.#file)) await writeAll(target, chunk);
      await target.truncate((await this.#file.stat()).size);
      await sync(target, given);
    } catch (cause) {
      throw new ParError(
        "ERR_FILE_UNWRITABLE",
        `Cannot overwrite ${quote(given)}, which is a mount point: ${reason(cause)}; it may be ` +
          `incomplete now, and the complete file is ${quote(this.#path)}`,
        cause,
      );
    }
  }

  /** Removes the file, unless it is the only copy. */
  async discard(): Promise<void> {
    if (!this.#kept) await Deno.remove(this.#path).catch(() => {});
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Says what a folder is needed for, where the file itself may well be writable. */
function explain({ given, path, exists }: Destination, cause: unknown): ParError {
  const error = writeError(given, cause);
  if (!exists || !/^(EACCES|EPERM|EROFS)$/.test(codeOf(cause) ?? "")) return error;
  return new ParError(
    "ERR_FILE_UNWRITABLE",
    `${error.message}; it is first written under another name beside it, so the folder ` +
      `${quote(folderOf(path))} must be writable`,
    cause,
  );
}

async function open(
  path: string,
  { mode }: Destination,
  options: Deno.OpenOptions,
): Promise<Deno.FsFile> {
  const modes = mode === undefined ? {} : { mode };
  return await Deno.open(path, { read: true, write: true, ...options, ...modes });
}

/** Sets the mode of a file, and tells if others can read it nevertheless. */
async function restrict(
  file: Deno.FsFile,
  path: string,
  { given, mode, onWarning }: Destination,
): Promise<void> {
  if (mode === undefined || Deno.build.os === "windows") return;
  // Some file systems refuse to, and others say yes and change nothing.
  await Deno.chmod(path, mode).catch(() => {});
  const { mode: actual } = await file.stat();
  if (othersRead((actual ?? 0) & ~mode)) {
    onWarning?.(`other users can read ${quote(given)}: its file system does not keep permissions`);
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

/** Flushes a file to the disk, as far as its file system can. */
async function sync(
  file: Deno.FsFile,
  path: string,
  onWarning?: Destination["onWarning"],
): Promise<void> {
  try {
    await file.sync();
  } catch (cause) {
    // Every other error says that the bytes are lost.
    if (!isUnsupported(cause)) throw cause;
    const folder = quote(folderOf(path));
    onWarning?.(
      `the file system of ${folder} does not tell when a file is on the disk; a power failure soon ` +
        "after this may lose it",
    );
  }
}

/** Without this, a power failure after the rename may bring back the old file, or leave none. */
async function syncDirectory(path: string): Promise<void> {
  try {
    using directory = await Deno.open(folderOf(path));
    await directory.sync();
  } catch {
    // Not every system can open directories. The rename itself has succeeded.
  }
}

/** Sixteen characters that no other name in the folder has. */
async function shorten(name: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  return hex(new Uint8Array(digest)).slice(0, 16);
}

/** The folder that a path is in. */
export function folderOf(path: string): string {
  return path.slice(0, lastSeparator(path) + 1) || ".";
}

/** The place of the last separator in a path, or -1. */
export function lastSeparator(path: string): number {
  const backslash = Deno.build.os === "windows" ? path.lastIndexOf("\\") : -1;
  return Math.max(path.lastIndexOf("/"), backslash);
}

/** Writes all bytes. One system call may write only some of them. */
export async function writeAll(file: Pick<OpenOutput, "write">, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Reads an open file from an offset on. */
export async function* readOpen(file: Deno.FsFile, start = 0, length?: number): Bytes {
  await file.seek(start, Deno.SeekMode.Start);
  yield* readAhead(async (buffer) => await file.read(buffer) ?? 0, length);
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

/** The error for a file that cannot be written, with the system's message. */
export function writeError(path: string, cause: unknown): ParError {
  return new ParError(
    "ERR_FILE_UNWRITABLE",
    cause instanceof Deno.errors.NotFound
      ? `Cannot write ${quote(path)}: its folder does not exist; create it first`
      : `Cannot write ${quote(path)}: ${reason(cause)}`,
    cause,
  );
}

/** The system's message. Deno adds the path to it, which our message already has. */
export function reason(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.replace(/^(.*?\(os error \d+\)).*$/s, "$1");
}
