/**
 * Inputs that are read more than once: files as they are, and pipes by way of a temporary file.
 *
 * @module
 */

import { readAhead } from "../bytes/read_ahead.ts";
import { ParError, quote } from "../errors.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { fileSource, look, writeAll } from "./files.ts";

/** An input that can be read again and again, until it is disposed of. */
export interface RepeatableSource extends ArchiveSource, Disposable {}

/**
 * Opens an input that is to be read more than once. What a pipe gives is kept in a temporary file
 * that has no name, so that nobody else can open it, and that is gone when the process is.
 *
 * @param path The input's path.
 * @param signal Ends the waiting for a pipe.
 * @returns The input.
 * @throws {ParError} `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_FILE_UNWRITABLE` where there is
 * no room for a temporary file, `ERR_ABORTED`.
 */
export async function openRepeatable(
  path: string,
  signal?: AbortSignal,
): Promise<RepeatableSource> {
  const { pipe } = await look(path);
  if (pipe) return await spool(path, fileSource(path, signal).open());
  return { ...fileSource(path), [Symbol.dispose]: (): void => {} };
}

async function spool(name: string, bytes: Bytes): Promise<RepeatableSource> {
  const file = await createNameless(name);
  let size = 0;
  try {
    for await (const chunk of bytes) {
      await writeAll(file, chunk).catch((cause) => {
        throw cannotKeep(name, cause);
      });
      size += chunk.length;
    }
  } catch (error) {
    file.close();
    throw error;
  }
  // All readings share one position in the file.
  let turn: Promise<unknown> = Promise.resolve();
  const readAt = (buffer: Uint8Array, position: number): Promise<number> => {
    const reading = turn.then(async () => {
      await file.seek(position, Deno.SeekMode.Start);
      return await file.read(buffer) ?? 0;
    });
    turn = reading.catch(() => {});
    return reading;
  };
  const range = (start: number, length: number): Bytes =>
    readAhead(async (buffer) => {
      const count = await readAt(buffer, start);
      start += count;
      return count;
    }, length);
  return {
    name,
    open: () => range(0, size),
    range,
    size: () => Promise.resolve(size),
    [Symbol.dispose]: (): void => file.close(),
  };
}

async function createNameless(name: string): Promise<Deno.FsFile> {
  try {
    const path = await Deno.makeTempFile({ prefix: "par-" });
    try {
      return await Deno.open(path, { read: true, write: true });
    } finally {
      await Deno.remove(path);
    }
  } catch (cause) {
    throw cannotKeep(name, cause);
  }
}

function cannotKeep(name: string, cause: unknown): ParError {
  if (cause instanceof Deno.errors.NotCapable) {
    return new ParError(
      "ERR_FILE_UNREADABLE",
      `Cannot read ${
        quote(name)
      } more than once, as this takes: it is a pipe, and a copy of it may ` +
        "not be written; save it to a file first",
      cause,
    );
  }
  return new ParError(
    "ERR_FILE_UNWRITABLE",
    `Cannot keep what ${quote(name)} gives in a temporary file: ${
      cause instanceof Error ? cause.message : cause
    }; save it to a file first, or choose another folder (TMPDIR)`,
    cause,
  );
}
