/**
 * The cache: blobs by their digest, so that a moved tag or a planted file is never taken for what
 * was asked for.
 *
 * @module
 */

import { throwIfAborted } from "../bytes/abort.ts";
import { type FileSink, readFile, writeFile } from "../system/files.ts";
import { type Bytes, keep } from "../bytes/chunks.ts";
import { checkBlob, type Descriptor, FIRST_REQUEST } from "./download.ts";

/**
 * Tells where the user's cache folder is.
 *
 * @param env Reads an environment variable; it is asked for `XDG_CACHE_HOME` and `HOME`, on Windows
 * for `LOCALAPPDATA`.
 * @returns The folder for this toolkit, which need not exist; `undefined` where none is known.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const env: Record<string, string> = { XDG_CACHE_HOME: "/cache", LOCALAPPDATA: "/cache" };
 * assert.equal(cacheFolder((name) => env[name]), "/cache/wasmcloud-par");
 * ```
 */
export function cacheFolder(
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string | undefined {
  const base = Deno.build.os === "windows" ? env("LOCALAPPDATA") : xdgCache(env);
  return base && `${base}/wasmcloud-par`;
}

/** Blobs that were received before. */
export class BlobCache {
  readonly #folder: string;

  /**
   * Names the cache's place; nothing is read or made yet.
   *
   * @param folder Its folder, such as {@linkcode cacheFolder} names.
   */
  constructor(folder: string) {
    this.#folder = `${folder}/blobs/sha256`;
  }

  /**
   * Finds a blob, and reads it whole to see that it is that one.
   *
   * @param blob What names it.
   * @param signal Stops the reading.
   * @returns The path of its file, or `undefined` where the cache does not have it.
   */
  async find(blob: Descriptor, signal?: AbortSignal): Promise<string | undefined> {
    const path = this.#path(blob);
    try {
      for await (const _ of checkBlob(readFile(path), blob, "use a cached blob")) {
        throwIfAborted(signal);
      }
      return path;
    } catch {
      throwIfAborted(signal);
      // Missing, damaged or unreadable: it is received anew, and put in the place of this one.
      return undefined;
    }
  }

  /**
   * Passes a blob's bytes on and keeps them, once all have come and were found right. Where the
   * cache cannot be written, they pass all the same; and where only the beginning is read, the
   * cache is left alone.
   *
   * @param blob What names it.
   * @param receive Receives it, and fails at the end where it is not the blob.
   * @param signal Stops the work.
   */
  async *keep(
    blob: Descriptor,
    receive: () => Bytes,
    signal?: AbortSignal,
  ): Bytes {
    const bytes = receive()[Symbol.asyncIterator]();
    const beginning: Uint8Array[] = [];
    let length = 0;
    try {
      while (length < FIRST_REQUEST) {
        const { done, value } = await bytes.next();
        if (done) break;
        beginning.push(keep(value));
        length += value.length;
        yield value;
      }
      yield* this.#keepRest(
        blob,
        beginning,
        length,
        { [Symbol.asyncIterator]: () => bytes },
        signal,
      );
    } finally {
      await bytes.return?.();
    }
  }

  async *#keepRest(
    blob: Descriptor,
    beginning: readonly Uint8Array[],
    length: number,
    rest: Bytes,
    signal: AbortSignal | undefined,
  ): Bytes {
    const path = this.#path(blob);
    await Deno.mkdir(this.#folder, { recursive: true, mode: 0o700 }).catch(() => {});
    const opened = Promise.withResolvers<FileSink | undefined>();
    const ended = Promise.withResolvers<void>();
    ended.promise.catch(() => {}); // nobody waits for it where no file was made
    const written = writeFile(path, async (sink) => {
      opened.resolve(sink);
      await ended.promise;
    }, { mode: 0o600 }).catch(() => opened.resolve(undefined));
    let sink = await opened.promise;
    const write = async (chunk: Uint8Array): Promise<void> => {
      await sink?.write(chunk).catch(() => sink = undefined);
    };
    let complete = false;
    try {
      // Another process may have received it while this one waited for its turn.
      const found = sink && await this.find(blob, signal);
      if (found === undefined) { for (const chunk of beginning) await write(chunk); }
      const source = found === undefined ? rest : readFile(found, { start: length });
      for await (const chunk of source) {
        throwIfAborted(signal);
        if (found === undefined) await write(chunk);
        yield chunk;
      }
      complete = found === undefined && sink !== undefined;
    } finally {
      // Where another process kept it, its file stays.
      if (complete) ended.resolve();
      else ended.reject(new Error("nothing to keep"));
      await written;
    }
  }

  #path({ digest }: Descriptor): string {
    return `${this.#folder}/${digest.slice("sha256:".length)}`;
  }
}

function xdgCache(env: (name: string) => string | undefined): string | undefined {
  const folder = env("XDG_CACHE_HOME");
  // XDG base directory specification: a relative path counts as none.
  if (folder?.startsWith("/")) return folder;
  const home = env("HOME");
  if (!home) return undefined;
  return Deno.build.os === "darwin" ? `${home}/Library/Caches` : `${home}/.cache`;
}
