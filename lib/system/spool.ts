/**
 * Inputs that can be read more than once. A pipe is copied to a temporary file first.
 *
 * @module
 */

import { readAhead } from "../bytes/read_ahead.ts";
import { ParError, quote } from "../errors.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { fileSource, look } from "./files.ts";
import { createNameless } from "./pipe.ts";
import { reason, writeAll } from "./temporary.ts";

/** An input that can be read more than once until it is disposed of. */
export interface RepeatableSource extends ArchiveSource, Disposable {}

/**
 * Opens an input to read it more than once. The bytes of a pipe are kept in a temporary file without a
 * name: no other process can open it, and the system deletes it when this process ends. The signal stops
 * the wait for a pipe.
 *
 * @throws {ParError} Of the category `failed`; `ERR_FILE_UNWRITABLE` if the temporary file cannot be
 * written.
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
  const file = await createNameless().catch((cause) => {
    throw cannotKeep(name, cause);
  });
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
  // All reads share the position in the file, so they take turns.
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

function cannotKeep(name: string, cause: unknown): ParError {
  if (cause instanceof Deno.errors.NotCapable) {
    return new ParError(
      "ERR_FILE_UNREADABLE",
      `Cannot read ${quote(name)} more than once: it is a pipe, and Deno does not allow to write ` +
        "a temporary copy; save it to a file first",
      cause,
    );
  }
  return new ParError(
    "ERR_FILE_UNWRITABLE",
    `Cannot copy the pipe ${quote(name)} to a temporary file: ${
      reason(cause)
    }; save it to a file ` +
      "first, or choose another folder for temporary files (TMPDIR)",
    cause,
  );
}
