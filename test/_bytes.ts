/**
 * Bytes and streams of bytes as tests need them.
 *
 * @module
 */

/** Joins bytes and texts (as UTF-8) into one array. */
export function concat(...parts: readonly (Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  return join(parts.map((part) => typeof part === "string" ? encoder.encode(part) : part));
}

function join(arrays: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    joined.set(array, at);
    at += array.length;
  }
  return joined;
}

/** Reads a stream to its end. */
export async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const chunk of bytes) parts.push(chunk.slice());
  // There may be more of them than a call takes arguments.
  return join(parts);
}

/**
 * Cuts bytes into chunks whose lengths repeat in turn; a length of 0 gives an empty chunk. A chunk is
 * overwritten when the next one is asked for: whoever keeps one without a copy is found out.
 */
export async function* chunked(
  bytes: Uint8Array,
  ...lengths: readonly number[]
): AsyncGenerator<Uint8Array> {
  const turns = lengths.some((length) => length > 0) ? lengths : [bytes.length || 1];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = turns[turn % turns.length] as number;
    const chunk = bytes.slice(at, at + length);
    yield chunk;
    chunk.fill(0xee);
    at += length;
  }
}

/** Makes bytes that do not compress and are the same at every call (xorshift). */
export function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}

/** Counts what is read of a stream, and whether the reader told it that it had enough. */
export function watched(
  bytes: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> & { read: number; closed: boolean } {
  const state = {
    read: 0,
    closed: false,
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
      try {
        for await (const chunk of bytes) {
          state.read += chunk.length;
          yield chunk;
        }
      } finally {
        state.closed = true;
      }
    },
  };
  return state;
}
