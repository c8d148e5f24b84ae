import { ParError } from "../errors.ts";
import type { Bytes } from "./chunks.ts";

const NOTHING = new Uint8Array(0);

/**
 * Reads a stream by lengths instead of chunks. `await using` closes the stream. This module is browser
 * compatible.
 */
export class ByteReader implements AsyncDisposable {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #current: Uint8Array = NOTHING;
  #received = 0;

  constructor(source: Bytes) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Bytes taken so far. */
  get position(): number {
    return this.#received - this.#current.length;
  }

  /** Takes the next chunk, at most `limit` bytes of it; `undefined` at the end. */
  async readSome(limit = Infinity): Promise<Uint8Array | undefined> {
    if (!await this.#fill()) return undefined;
    const chunk = this.#current.subarray(0, limit);
    this.#current = this.#current.subarray(chunk.length);
    return chunk;
  }

  /** Takes exactly `length` bytes. Fails with `ERR_ARCHIVE_TRUNCATED` if there are fewer. */
  async read(length: number): Promise<Uint8Array> {
    if (this.#current.length >= length) {
      const bytes = this.#current.subarray(0, length);
      this.#current = this.#current.subarray(length);
      return bytes;
    }
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const chunk = await this.readSome(length - at);
      if (!chunk) throw truncated(this.position);
      bytes.set(chunk, at);
      at += chunk.length;
    }
    return bytes;
  }

  /** Passes on exactly `length` bytes. Fails with `ERR_ARCHIVE_TRUNCATED` if there are fewer. */
  async *take(length: number): AsyncGenerator<Uint8Array> {
    while (length > 0) {
      const chunk = await this.readSome(length);
      if (!chunk) throw truncated(this.position);
      length -= chunk.length;
      yield chunk;
    }
  }

  /** Passes on the rest. */
  async *rest(): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.readSome(); chunk; chunk = await this.readSome()) yield chunk;
  }

  /** Puts back the last bytes that were taken, to read them again. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const joined = new Uint8Array(bytes.length + this.#current.length);
    joined.set(bytes);
    joined.set(this.#current, bytes.length);
    this.#current = joined;
  }

  /** Looks at the next bytes without taking them. Gives fewer if the stream ends before. */
  async peek(length: number): Promise<Uint8Array> {
    while (this.#current.length < length) {
      // The chunk is borrowed, and the next one is about to be asked for.
      const before = new Uint8Array(this.#current);
      this.#current = NOTHING;
      const more = await this.#fill();
      this.unread(before);
      if (!more) break;
    }
    return this.#current.subarray(0, length);
  }

  /** Stops reading, and closes the source. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#current = NOTHING;
    await this.#chunks.return?.();
  }

  async #fill(): Promise<boolean> {
    while (this.#current.length === 0) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      this.#current = next.value;
      this.#received += next.value.length;
    }
    return true;
  }
}

function truncated(position: number): ParError {
  return new ParError(
    "ERR_ARCHIVE_TRUNCATED",
    `Cannot read the archive to its end: it stops after ${position} bytes; get a complete copy`,
  );
}
