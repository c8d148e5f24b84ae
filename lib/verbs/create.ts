/**
 * Makes archives.
 *
 * @module
 */

import { requireDate, requireKeys, requireList, requireOptions, requireText } from "./arguments.ts";
import { type BinaryInput, type BinaryOptions, openBinaries } from "./binary.ts";
import { WIT_ENTRY } from "../archive/entries.ts";
import type { Claims } from "../signing/claims.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { toStream } from "../bytes/streams.ts";
import { ParError, quote } from "../errors.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import { checkDestination, resolvePath, writeFile } from "../system/files.ts";
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

/** Settings of {@linkcode createStream}. */
export interface CreateStreamOptions extends ProviderDescription, Signing, BinaryOptions {
  /** The binaries, one for each target. An archive without binaries is for inserting them later. */
  readonly binaries: readonly BinaryInput[];
  /** Whether to compress with gzip. */
  readonly compress?: boolean | undefined;
  /** The compression level from 1 to 9. Default: 9. */
  readonly compressLevel?: number | undefined;
  /** How many threads compress. Default: one for each core. The bytes do not depend on it. */
  readonly jobs?: number | undefined;
  /** The provider's WIT package, wasm-encoded. */
  readonly wit?: Uint8Array<ArrayBuffer> | undefined;
  /** Stops the work. A destination file is left as it was. */
  readonly signal?: AbortSignal | undefined;
  /** Receives the progress of the writing. */
  readonly onProgress?: WriteProgress | undefined;
}

/** Settings of {@linkcode create}. */
export interface CreateOptions extends CreateStreamOptions {
  /** The path of the file to write. */
  readonly destination: string;
}

/** The result of {@linkcode create}. */
export interface CreateResult {
  /** The claims that were signed. */
  readonly claims: Claims;
  /** The signed token. */
  readonly token: string;
  /** The targets in the archive, sorted. */
  readonly targets: readonly Target[];
}

/** The result of {@linkcode createStream}. */
export interface CreatedStream extends CreateResult {
  /** The archive's bytes. Read or cancel it, so that temporary copies of pipes are deleted. */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/**
 * Makes a signed archive in a file. The file gets its name only when it is complete.
 *
 * Each binary is read twice, in chunks: to hash it and to write it. Bytes that come from a pipe are kept
 * in a temporary file in between.
 *
 * @param options The contents, the keys that sign, and the destination.
 * @returns The claims, the token and the targets.
 * @throws {ParError} Of the category `usage` for a wrong option, else of the category `failed`;
 * `ERR_FILE_CHANGED` if a binary changes between the two readings.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { KeyPair } from "../signing/nkey.ts";
 *
 * const destination = await Deno.makeTempFile();
 * const { targets } = await create({
 *   name: "Fake Payments",
 *   vendor: "wasmCloud",
 *   issuer: await KeyPair.generate("account"),
 *   subject: await KeyPair.generate("service"),
 *   binaries: [{ source: new Uint8Array(1000), target: "x86_64-linux" }],
 *   destination,
 * });
 * assert.deepEqual(targets, ["x86_64-linux"]);
 * await Deno.remove(destination);
 * ```
 */
export async function create(options: CreateOptions): Promise<CreateResult> {
  const { destination, signal } = requireOptions(options);
  requireText(destination, "the destination");
  // Reading the binaries may take long, or wait for a pipe.
  await checkDestination(destination);
  await requireOtherFile(destination, options);
  using contents = await openContents(options);
  return await writeFile(destination, async (sink) => {
    const packed = await contents.pack({ patch: sink.patch });
    for await (const chunk of packed.bytes) await sink.write(chunk);
    return toResult(packed);
  }, { signal, onWarning: options.onWarning });
}

/**
 * Makes a signed archive as a stream, without a file. A compressed archive has no index then, because the
 * index is written last, to the front.
 *
 * @param options The contents, and the keys that sign.
 * @returns The claims, the token, the targets, and the stream.
 * @throws {ParError} As {@linkcode create}. The stream fails with `ERR_FILE_CHANGED` if a binary changed
 * since it was hashed, and with `ERR_ABORTED`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { inspect } from "./inspect.ts";
 * import { KeyPair } from "../signing/nkey.ts";
 *
 * const { stream, targets } = await createStream({
 *   name: "Fake Payments",
 *   vendor: "wasmCloud",
 *   issuer: await KeyPair.generate("account"),
 *   subject: await KeyPair.generate("service"),
 *   binaries: [{ source: new Uint8Array(1000), target: "x86_64-linux" }],
 * });
 * assert.deepEqual((await inspect(stream)).binaries.map(({ target }) => target), targets);
 * ```
 */
export async function createStream(options: CreateStreamOptions): Promise<CreatedStream> {
  const contents = await openContents(requireOptions(options));
  try {
    const packed = await contents.pack({});
    return {
      ...toResult(packed),
      stream: toStream(passOn(packed.bytes, contents, options.signal)),
    };
  } catch (error) {
    contents[Symbol.dispose]();
    throw error;
  }
}

async function* passOn(
  bytes: Bytes,
  contents: Contents,
  signal: AbortSignal | undefined,
): Bytes {
  using _ = contents;
  for await (const chunk of bytes) {
    throwIfAborted(signal);
    yield chunk;
  }
}

/** Throws if the archive would replace one of its binaries. */
async function requireOtherFile(
  destination: string,
  { binaries }: Pick<CreateOptions, "binaries">,
): Promise<void> {
  requireList(binaries, "the binaries");
  // Standard input and output may be the same terminal.
  if (isDescriptor(destination)) return;
  const path = await resolvePath(destination);
  for (const { source } of binaries) {
    if (typeof source !== "string" || await resolvePath(source) !== path) continue;
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot write the archive to ${quote(destination)}: that is the binary; give another ` +
        "destination",
    );
  }
}

/** Everything that goes into the archive, read once. */
interface Contents extends Disposable {
  pack(target: Pick<Compression, "patch">): Promise<PackedArchive>;
}

async function openContents(options: CreateStreamOptions): Promise<Contents> {
  requireText(options.name, "the provider's name");
  requireText(options.vendor, "the vendor");
  requireKeys(options);
  requireList(options.binaries, "the binaries");
  requireDate(options.notBefore, "the beginning of validity");
  requireDate(options.expires, "the end of validity");
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
 * Gives the path of an archive, as `wash par create` chooses it.
 *
 * @param binary The first binary's path. Its stem is the default name of the archive.
 * @param destination The path that the user gave.
 * @param compress Whether the archive is compressed.
 * @returns The path. It ends in `.gz` if the archive is compressed.
 * @throws {ParError} `ERR_OPTION_INVALID` if no destination is given and the binary has no name.
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
      "Cannot choose a name for the archive, because no binary has one: give its destination",
    );
  }
  const path = destination ?? `${stem}.par`;
  return compress && !path.endsWith(".gz") && !isDescriptor(path) ? `${path}.gz` : path;
}

/**
 * Gives the name of the provider's own key in the key directory.
 *
 * @param binary The first binary's path.
 * @param archive The archive's path.
 * @returns The stem of the first path that is not a pipe, or `undefined` if both are pipes.
 */
export function keyStem(binary: string | undefined, archive: string): string | undefined {
  const path = [binary, archive].find((path) => path !== undefined && !isDescriptor(path));
  return path === undefined ? undefined : fileStem(path);
}

/** A path's file name without its last extension. */
export function fileStem(path: string): string {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(0, dot) : name;
}
