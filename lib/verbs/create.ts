/**
 * Making an archive.
 *
 * @module
 */

import { type BinaryInput, type BinaryOptions, openBinaries } from "./binary.ts";
import { WIT_ENTRY } from "../archive/entries.ts";
import type { Claims } from "../signing/claims.ts";
import { keep } from "../bytes/chunks.ts";
import { ParError } from "../errors.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import { checkDestination, writeFile } from "../system/files.ts";
import { isDescriptor } from "../system/pipe.ts";
import {
  type Compression,
  type MeasuredContent,
  measureWit,
  type PackedArchive,
  type ProviderDescription,
  signContents,
  type Signing,
  statedClaims,
  type WriteProgress,
} from "../archive/pack.ts";
import { blobSource } from "../bytes/source.ts";
import type { Target } from "../target/target.ts";

/** Settings of {@linkcode create}. */
export interface CreateOptions extends ProviderDescription, Signing, BinaryOptions {
  /** The binaries, one for each target; none makes an archive to insert into later. */
  readonly binaries: readonly BinaryInput[];
  /** A file's path, or a stream to write to. */
  readonly destination: string | WritableStream<Uint8Array>;
  /** Whether to compress with gzip. */
  readonly compress?: boolean | undefined;
  /** Deflate's effort from 1 to 9; 9 where left out. */
  readonly compressLevel?: number | undefined;
  /** How many threads compress; the bytes do not depend on it. As many as cores where left out. */
  readonly jobs?: number | undefined;
  /** The provider's WIT package, wasm-encoded. */
  readonly wit?: Uint8Array<ArrayBuffer> | undefined;
  /** Stops the work; a destination file is left as it was. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how many bytes of the binaries are written, and of how many. */
  readonly onProgress?: WriteProgress | undefined;
}

/** What {@linkcode create} made. */
export interface CreateResult {
  /** The claims that were signed. */
  readonly claims: Claims;
  /** The signed token. */
  readonly token: string;
  /** The targets in the archive, sorted. */
  readonly targets: readonly Target[];
}

/**
 * Makes a signed archive.
 *
 * Each binary is streamed twice, and none is held in memory; what a pipe gives is kept in a
 * temporary file meanwhile. A destination file has its name only once it is whole.
 *
 * @param options What to put in, who signs, where it goes.
 * @returns The claims, the token, the targets.
 * @throws {ParError} `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_FILE_UNWRITABLE`,
 * `ERR_FILE_CHANGED`, `ERR_TARGET_INVALID`, `ERR_TARGET_MISMATCH`, `ERR_TARGET_UNKNOWN`,
 * `ERR_TARGET_DUPLICATE`, `ERR_BINARY_EMPTY`, `ERR_BINARY_TOO_LARGE`, `ERR_OPTION_INVALID`,
 * `ERR_KEY_ROLE`, `ERR_ABORTED`.
 *
 * @example An archive from bytes at hand to a stream
 * ```ts
 * import assert from "node:assert/strict";
 * import { inspect } from "./inspect.ts";
 * import { KeyPair } from "../signing/nkey.ts";
 *
 * const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
 * const created = create({
 *   name: "Fake Payments",
 *   vendor: "wasmCloud",
 *   issuer: await KeyPair.generate("account"),
 *   subject: await KeyPair.generate("service"),
 *   binaries: [{ source: new Uint8Array(1000), target: "x86_64-linux" }],
 *   destination: writable,
 * });
 * const archive = await inspect(readable);
 * assert.deepEqual((await created).targets, ["x86_64-linux"]);
 * assert.equal(archive.claims.wascap.name, "Fake Payments");
 * ```
 */
export async function create(options: CreateOptions): Promise<CreateResult> {
  const { destination, signal } = options;
  if (typeof destination !== "string") return await createStream(options, destination);
  // Before binaries are read, which may take long, or wait for a pipe.
  await checkDestination(destination);
  using contents = await openContents(options);
  return await writeFile(destination, async (sink) => {
    const packed = await contents.pack({ patch: sink.patch });
    for await (const chunk of packed.bytes) await sink.write(chunk);
    return toResult(packed);
  }, { signal });
}

async function createStream(
  options: CreateOptions,
  destination: WritableStream<Uint8Array>,
): Promise<CreateResult> {
  const writer = destination.getWriter();
  try {
    using contents = await openContents(options);
    const packed = await contents.pack({});
    for await (const chunk of packed.bytes) {
      throwIfAborted(options.signal);
      await writer.write(keep(chunk));
    }
    await writer.close();
    return toResult(packed);
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}

/** Everything that goes into the archive, read once. */
interface Contents extends Disposable {
  pack(target: Pick<Compression, "patch">): Promise<PackedArchive>;
}

async function openContents(options: CreateOptions): Promise<Contents> {
  const stated = statedClaims(options);
  const { wit } = options;
  const measured = wit && await measureWit(blobSource(wit, "the WIT package"));
  const binaries = await openBinaries(options.binaries, options, options.signal);
  const contents = new Map<string, MeasuredContent>(
    binaries.list.map(({ target, content }) => [target, content]),
  );
  if (measured) contents.set(WIT_ENTRY, measured);
  return {
    pack: (target) => signContents({ ...options, ...stated, contents, ...target }),
    [Symbol.dispose]: () => binaries[Symbol.dispose](),
  };
}

function toResult({ claims, token, targets }: PackedArchive): CreateResult {
  return { claims, token, targets };
}

/**
 * Gives the path of an archive as `wash par create` chose it.
 *
 * @param binary The first binary's path, whose stem names the archive by default.
 * @param destination The path asked for.
 * @param compress Whether the archive is compressed.
 * @returns The path, ending in `.gz` where it is compressed.
 * @throws {ParError} `ERR_OPTION_INVALID` where neither path is given.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(archivePath("target/libfake.so", undefined, true), "libfake.par.gz");
 * assert.equal(archivePath("target/libfake.so", "out.par", true), "out.par.gz");
 * ```
 */
export function archivePath(
  binary: string | undefined,
  destination: string | undefined,
  compress: boolean,
): string {
  const stem = binary === undefined || isDescriptor(binary) ? undefined : fileStem(binary);
  if (destination === undefined && stem === undefined) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      "Cannot name an archive without a binary that has a name: give its destination",
    );
  }
  const path = destination ?? `${stem}.par`;
  return compress && !path.endsWith(".gz") ? `${path}.gz` : path;
}

/**
 * Gives the name that the provider's own key is looked for under.
 *
 * @param binary The first binary's path.
 * @param archive The archive's path.
 * @returns The stem of the one that has a name, and `undefined` where both are pipes.
 */
export function keyStem(binary: string | undefined, archive: string): string | undefined {
  const path = [binary, archive].find((path) =>
    path !== undefined && path !== "-" && !isDescriptor(path)
  );
  return path === undefined ? undefined : fileStem(path);
}

/** A path's file name without its last extension. */
export function fileStem(path: string): string {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(0, dot) : name;
}
