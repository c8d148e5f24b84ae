/**
 * Altered archives, and the judge of what a reader makes of them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { create, createStream, inspectClaims, ParError } from "../../mod.ts";
import { collect } from "../_bytes.ts";
import { temporaryFolder } from "../_tools.ts";
import { type Contents, once, readContents, signers } from "./_fixtures.ts";

const BLOCK = 512;

/** Masks to alter a byte with: its lowest bit, a letter's case, its highest bit, all bits. */
export const FEW_MASKS = [0x01, 0x20, 0x80, 0xff] as const;

/** Each bit alone, and all of them. */
export const ALL_MASKS = [1, 2, 4, 8, 16, 32, 64, 128, 255] as const;

const TINY: Readonly<Record<string, Blob>> = {
  "aarch64-linux": new Blob(["the first of the binaries"]),
  "x86_64-linux": new Blob(["the other one"]),
};

/** Makes an archive of two targets, tiny unless others are given, the same at every call. */
export async function sampleArchive(
  compress: boolean,
  to: "file" | "stream" = "file",
  binaries: Readonly<Record<string, Blob>> = TINY,
): Promise<Uint8Array<ArrayBuffer>> {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.par`;
  const options = {
    ...await signers(),
    name: "Fake Payments",
    vendor: "wasmCloud",
    capid: "examples:payments",
    sourceDateEpoch: 1_700_000_000,
    binaries: Object.entries(binaries).map(([target, source]) => ({ target, source })),
    compress,
  };
  if (to === "stream") return await collect((await createStream(options)).stream);
  await create({ ...options, destination: path });
  return await Deno.readFile(path);
}

/** Lets the reader judge altered archives, and judges the reader. */
export class Judge {
  /** How many altered archives were read. */
  tried = 0;
  /** How many of them were refused. */
  refused = 0;
  readonly #original: Uint8Array;
  readonly #contents: Contents;
  #current = "";

  private constructor(original: Uint8Array, contents: Contents) {
    this.#original = original;
    this.#contents = contents;
  }

  /** Begins with the archive in order. */
  static async of(original: Uint8Array): Promise<Judge> {
    return new Judge(original, await readContents(original));
  }

  /**
   * Reads an altered archive: it must be refused as untrustworthy, or be read as what the original
   * is. Anything else fails the test.
   *
   * @param what What was done to it.
   * @param altered Its bytes.
   * @param claimsOfOthers Whether it may hold the whole, signed claims of another archive.
   */
  async try(
    what: string,
    altered: Uint8Array<ArrayBuffer>,
    claimsOfOthers = false,
  ): Promise<void> {
    if (Buffer.compare(altered, this.#original) === 0) return;
    this.#current = what;
    this.tried++;
    const read = await readContents(altered).catch((error) => this.#refusal(error));
    if (read) this.#isOriginal(read);
    else this.refused++;
    if (claimsOfOthers || this.tried % 5 > 0) return;
    const source = { name: what, open: () => once(altered) };
    const claims = await inspectClaims(source).catch((error) => this.#refusal(error));
    if (claims) assert.deepEqual(claims.claims, this.#contents.claims, what);
    // What its claims alone are refused for, the whole is refused for too.
    if (!claims) assert.equal(read, undefined, what);
  }

  /** Does many tries, and fails should they never end. */
  async within(seconds: number, tries: () => Promise<void>): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`it never ends: ${this.#current}`)),
      seconds * 1000,
    );
    try {
      await Promise.race([tries(), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #isOriginal({ claims, bytes }: Contents): void {
    assert.deepEqual(claims, this.#contents.claims, this.#current);
    assert.deepEqual(bytes, this.#contents.bytes, this.#current);
  }

  #refusal(error: unknown): undefined {
    assert(error instanceof ParError, `${this.#current}: ${error}`);
    assert.equal(error.category, "untrusted", `${this.#current}: ${error}`);
    return undefined;
  }
}

/** Every byte altered with each mask, one at a time. */
export function* flips(
  original: Uint8Array,
  masks: readonly number[],
): Generator<[what: string, altered: Uint8Array<ArrayBuffer>]> {
  for (let at = 0; at < original.length; at++) {
    for (const mask of masks) {
      const altered = original.slice();
      altered[at] = (original[at] as number) ^ mask;
      yield [`byte ${at} xor ${mask}`, altered];
    }
  }
}

/** Every prefix left out, every byte left out or doubled, and bytes added at both ends. */
export function* cuts(
  original: Uint8Array,
): Generator<[what: string, altered: Uint8Array<ArrayBuffer>]> {
  const join = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> =>
    new Uint8Array(Buffer.concat(parts));
  for (let at = 0; at < original.length; at++) {
    const [before, behind] = [original.subarray(0, at), original.subarray(at)];
    if (at > 0) yield [`without the first ${at} bytes`, behind.slice()];
    // Which one of several equal bytes in a row it is makes no difference.
    if (original[at] === original[at + 1]) continue;
    yield [`without byte ${at}`, join(before, behind.subarray(1))];
    yield [`byte ${at} doubled`, join(before, behind.subarray(0, 1), behind)];
  }
  for (const added of [[0], [1], [0x1f, 0x8b], new Uint8Array(BLOCK), original]) {
    yield [`with ${added.length} bytes behind it`, join(original, Uint8Array.from(added))];
    yield [`with ${added.length} bytes before it`, join(Uint8Array.from(added), original)];
  }
}

/** Every byte of every tar header altered, and the header's checksum put right again. */
export function* headers(
  tar: Uint8Array,
  masks: readonly number[],
): Generator<[what: string, altered: Uint8Array<ArrayBuffer>]> {
  for (let header = 0; header < tar.length; header += BLOCK) {
    // The magic tells headers from contents.
    if (tar[header + 257] !== 0x75 || tar[header + 258] !== 0x73) continue;
    for (let at = header; at < header + BLOCK; at++) {
      for (const mask of masks) {
        const altered = tar.slice();
        altered[at] = (tar[at] as number) ^ mask;
        const block = altered.subarray(header, header + BLOCK);
        block.fill(0x20, 148, 156);
        const sum = block.reduce((total, byte) => total + byte, 0);
        block.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
        yield [`header at ${header}, byte ${at - header} xor ${mask}`, altered];
      }
    }
  }
}

/** The blocks of a tar stream: each left out, doubled anywhere, and swapped with each other. */
export function* blocks(
  tar: Uint8Array,
): Generator<[what: string, altered: Uint8Array<ArrayBuffer>]> {
  const all = Array.from(
    { length: tar.length / BLOCK },
    (_, i) => tar.subarray(i * BLOCK, (i + 1) * BLOCK),
  );
  const join = (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> =>
    new Uint8Array(Buffer.concat(parts));
  for (const [i, block] of all.entries()) {
    yield [`without block ${i}`, join(all.toSpliced(i, 1))];
    for (const [j, other] of all.entries()) {
      yield [`block ${i} again before block ${j}`, join(all.toSpliced(j, 0, block))];
      yield [`block ${i} in place of block ${j}`, join(all.with(j, block))];
      if (i < j) yield [`blocks ${i} and ${j} swapped`, join(all.with(i, other).with(j, block))];
    }
  }
}

/** All sequences of entries up to a length, the end marker behind them. */
export function* sequences(
  entries: readonly Uint8Array[],
  length: number,
): Generator<[order: readonly number[], altered: Uint8Array<ArrayBuffer>]> {
  const orders: number[][] = [[]];
  for (const order of orders) {
    const parts = order.map((i) => entries[i] as Uint8Array);
    yield [order, new Uint8Array(Buffer.concat([...parts, new Uint8Array(2 * BLOCK)]))];
    if (order.length < length) { for (const i of entries.keys()) orders.push([...order, i]); }
  }
}

/** Cuts a tar stream into its entries. */
export function entriesIn(tar: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let at = 0; tar[at] !== 0;) {
    const size = parseInt(new TextDecoder().decode(tar.subarray(at + 124, at + 135)), 8);
    const end = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    entries.push(tar.subarray(at, end));
    at = end;
  }
  return entries;
}
