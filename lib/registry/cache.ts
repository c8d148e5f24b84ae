/**
 * The cache: blobs by their digest. A tag that moved, or a file that somebody else put there, is
 * never mistaken for the blob that was asked for.
 *
 * @module
 */

import { ByteReader } from "../bytes/byte_reader.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import { type FileSink, readFile, writeFile } from "../system/files.ts";
import { type Bytes, concat, keep } from "../bytes/chunks.ts";
import type { Descriptor } from "./descriptor.ts";
import { checkBlob, FIRST_REQUEST } from "./download.ts";

/**
 * Tells where the user's cache folder is.
 *
 * @param env Reads an environment variable; it is asked for `XDG_CACHE_HOME` and `HOME`, on Windows
 * for `LOCALAPPDATA`.
 * @returns The folder for this toolkit, which may not exist yet; `undefined` if no folder is known.
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

/** Blobs that were downloaded before. */
export class BlobCache {
  readonly #folder: string;

  /**
   * Makes a cache. Nothing is read or written yet.
   *
   * @param folder Its folder, such as {@linkcode cacheFolder} gives.
   */
  constructor(folder: string) {
    this.#folder = `${folder}/blobs/sha256`;
  }

  /**
   * Finds a blob. It reads all of it to check its digest.
   *
   * @param blob The blob's descriptor.
   * @param signal Stops the reading.
   * @returns The path of its file, or `undefined` if the cache does not have the blob.
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
      // Missing, damaged or unreadable: the blob is downloaded again and replaces this file.
      return undefined;
    }
  }

  /**
   * Passes a blob's bytes on and stores them once all have arrived and have the right digest. If the
   * cache cannot be written, the bytes are passed on all the same. If only the first bytes are read,
   * nothing is stored.
   *
   * @param blob The blob's descriptor.
   * @param receive Downloads the blob, and fails at the end if its digest is another.
   * @param signal Stops the work.
   */
  async *keep(
    blob: Descriptor,
    receive: () => Bytes,
    signal?: AbortSignal,
  ): Bytes {
    const reader = new ByteReader(receive());
    const beginning: Uint8Array[] = [];
    try {
      while (reader.position < FIRST_REQUEST) {
        const chunk = await reader.readSome();
        if (!chunk) break;
        beginning.push(keep(chunk));
        yield chunk;
      }
      yield* this.#keepRest(blob, concat(beginning), reader.rest(), signal);
    } finally {
      await reader.close();
    }
  }

  async *#keepRest(
    blob: Descriptor,
    beginning: Uint8Array,
    rest: Bytes,
    signal: AbortSignal | undefined,
  ): Bytes {
    const path = this.#path(blob);
    await Deno.mkdir(this.#folder, { recursive: true, mode: 0o700 }).catch(() => {});
    const opened = Promise.withResolvers<FileSink | undefined>();
    const ended = Promise.withResolvers<void>();
    ended.promise.catch(() => {}); // nobody waits for it if no file was opened
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
      // Another process may have downloaded it while this one waited for the lock.
      const found = sink && await this.find(blob, signal);
      if (found === undefined) await write(beginning);
      const source = found === undefined ? rest : readFile(found, { start: beginning.length });
      for await (const chunk of source) {
        throwIfAborted(signal);
        if (found === undefined) await write(chunk);
        yield chunk;
      }
      complete = found === undefined && sink !== undefined;
    } finally {
      // If another process stored the blob, its file stays.
      if (complete) ended.resolve();
      else ended.reject(new Error("nothing to store"));
      await written;
    }
  }

  #path({ digest }: Descriptor): string {
    return `${this.#folder}/${digest.slice("sha256:".length)}`;
  }
}

function xdgCache(env: (name: string) => string | undefined): string | undefined {
  const folder = env("XDG_CACHE_HOME");
  // XDG base directory specification: a relative path is ignored.
  if (folder?.startsWith("/")) return folder;
  const home = env("HOME");
  if (!home) return undefined;
  return Deno.build.os === "darwin" ? `${home}/Library/Caches` : `${home}/.cache`;
}
