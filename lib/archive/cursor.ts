/**
 * Reads entries of an archive by name. This module is browser compatible.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { type OpenOptions, type OpenTar, openTar } from "./open.ts";
import { readTar, type TarEntry } from "./tar_reader.ts";

/**
 * Reads entries of one archive in any order.
 *
 * In the archive's own order this takes one pass; each step back starts a new one. Nothing is verified
 * here: the caller must compare the bytes with their signed hash.
 */
export class EntryCursor implements AsyncDisposable {
  readonly #source: ArchiveSource;
  readonly #options: OpenOptions;
  #open: OpenTar | undefined;
  #entries: AsyncGenerator<TarEntry> | undefined;

  /** The options are those with which the archive was verified. */
  constructor(source: ArchiveSource, options: OpenOptions = {}) {
    this.#source = source;
    this.#options = options;
  }

  /**
   * Reads an entry. Read it to its end before you ask for the next one.
   *
   * @throws {ParError} `ERR_FILE_CHANGED` if the archive no longer has the entry.
   */
  async *open(name: string): Bytes {
    for (const fresh of [this.#entries === undefined, true]) {
      if (fresh) await this.#begin();
      for (
        let next = await this.#entries?.next();
        next?.value;
        next = await this.#entries?.next()
      ) {
        if (next.value.name !== name) continue;
        yield* next.value.bytes;
        return;
      }
    }
    throw new ParError(
      "ERR_FILE_CHANGED",
      `Cannot find ${name} in ${quote(this.#source.name)} any more: it was changed`,
    );
  }

  /** Closes the archive. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open?.[Symbol.asyncDispose]();
  }

  async #begin(): Promise<void> {
    await this.#open?.[Symbol.asyncDispose]();
    this.#open = await openTar(this.#source.open(), this.#options);
    this.#entries = readTar(this.#open.tar, this.#options.limits ?? {});
  }
}
