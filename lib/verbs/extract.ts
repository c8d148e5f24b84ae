/**
 * Extracts binaries to files, and verifies them.
 *
 * @module
 */

import { requireOptions } from "./arguments.ts";
import { binaryEntry } from "../archive/entries.ts";
import {
  checkHash,
  readArchive,
  type ReadOptions,
  type VerifiedClaims,
} from "../archive/reader.ts";
import { openRanged, type RangedArchive } from "../archive/segment.ts";
import { claimedTargets, type Claims } from "../signing/claims.ts";
import { createSha256, toClaimsHash } from "../bytes/digest.ts";
import { ParError, quote } from "../errors.ts";
import { type FileSink, resolvePath, writeFile } from "../system/files.ts";
import { isDescriptor } from "../system/pipe.ts";
import { type ArchiveInput, openSource } from "./inspect.ts";
import { targetNotFound } from "./remove.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import { parseTarget, type Target } from "../target/target.ts";

/** Settings of {@linkcode extract}. */
export interface ExtractOptions extends ReadOptions {
  /** For each target to extract, the path of the file to write. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Receives warnings, each a sentence. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/**
 * Extracts binaries. Everyone may execute the files.
 *
 * If the archive has an index and its source can read ranges, or if it is a plain archive in a registry,
 * only the token and the targets' bytes are read. Otherwise the whole archive is read once. A file gets
 * its name only after its hash was compared with the signed one.
 *
 * @param archive A file's path, a stream, bytes, or another source.
 * @param options The targets and their files; limits, time and signal.
 * @returns The token and its claims.
 * @throws {ParError} Of the category `untrusted` if the archive is refused, of the category `usage` for
 * a wrong option, else of the category `failed`; `ERR_TARGET_NOT_FOUND` if the archive does not have a
 * target.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { create } from "./create.ts";
 * import { KeyPair } from "../signing/nkey.ts";
 *
 * const folder = await Deno.makeTempDir();
 * await create({
 *   name: "Fake Payments",
 *   vendor: "wasmCloud",
 *   issuer: await KeyPair.generate("account"),
 *   subject: await KeyPair.generate("service"),
 *   binaries: [{ source: new TextEncoder().encode("library"), target: "x86_64-linux" }],
 *   destination: `${folder}/fake.par`,
 * });
 * await extract(`${folder}/fake.par`, { outputs: { "x86_64-linux": `${folder}/libfake.so` } });
 * assert.equal(await Deno.readTextFile(`${folder}/libfake.so`), "library");
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function extract(
  archive: ArchiveInput,
  options: ExtractOptions,
): Promise<VerifiedClaims> {
  const { signal } = requireOptions(options);
  using opened = await openSource(archive, signal);
  const { source } = opened;
  const named = Object.entries(requireOptions(options.outputs, "the outputs"));
  const outputs = await arrange(
    named.map(([target, path]) => [parseTarget(target), path]),
    source,
  );
  const ranged = await openRanged(source, options);
  if (!ranged) return await extractInOnePass(source, outputs, options);
  for (const [target] of outputs) requireTarget(target, source, ranged.claims);
  await withSinks(outputs, options, async (sinks) => {
    for (const [target, sink] of sinks) await copyEntry(ranged, target, sink);
  });
  const { claims, token, compressed } = ranged;
  return { claims, token, compressed };
}

/** Copies one entry, and compares its hash with the verified claims. */
async function copyEntry(
  { claims, readEntry }: RangedArchive,
  target: Target,
  sink: FileSink,
): Promise<void> {
  const hash = await createSha256();
  for await (const chunk of readEntry(binaryEntry(target))) {
    await hash.update(chunk);
    await sink.write(chunk);
  }
  checkHash(target, toClaimsHash(await hash.digest()), claims);
}

async function extractInOnePass(
  source: ArchiveSource,
  outputs: readonly Output[],
  options: ExtractOptions,
): Promise<VerifiedClaims> {
  return await withSinks(outputs, options, async (sinks) => {
    const { claims, token, compressed } = await readArchive(source.open(), options, (entry) => {
      const sink = entry.kind === "binary" ? sinks.get(entry.target) : undefined;
      return sink && ((chunk): Promise<void> => sink.write(chunk));
    });
    for (const target of sinks.keys()) requireTarget(target, source, claims);
    return { claims, token, compressed };
  });
}

function requireTarget(target: Target, source: ArchiveSource, claims: Claims): void {
  const targets = claimedTargets(claims);
  if (!targets.includes(target)) throw targetNotFound(target, source.name, targets);
}

/** Sorts the outputs by path. All processes lock files in this order, so there is no deadlock. */
async function arrange(
  outputs: readonly Output[],
  { name }: ArchiveSource,
): Promise<Output[]> {
  const archive = isDescriptor(name) ? undefined : await resolvePath(name);
  const byPath = new Map<string, Output>();
  for (const output of outputs) {
    const path = await resolvePath(output[1]);
    if (path === archive) {
      throw new ParError(
        "ERR_OPTION_INVALID",
        `Cannot extract ${output[0]} to ${quote(path)}: that is the archive; give another file`,
      );
    }
    if (byPath.has(path)) {
      throw new ParError(
        "ERR_OPTION_INVALID",
        `Cannot extract two targets to ${quote(path)}: give each its own file`,
      );
    }
    byPath.set(path, output);
  }
  return [...byPath].sort(([a], [b]) => a < b ? -1 : 1).map(([, output]) => output);
}

/** A target, and the path of the file for its binary. */
type Output = readonly [Target, string];

/** Everyone may read and execute the file. */
const MODE = 0o755;

/** Opens a file for each output, does the work, and then gives the files their names. */
async function withSinks<T>(
  outputs: readonly Output[],
  options: Pick<ExtractOptions, "signal" | "onWarning">,
  work: (sinks: ReadonlyMap<Target, FileSink>) => Promise<T>,
  sinks: ReadonlyMap<Target, FileSink> = new Map(),
): Promise<T> {
  const [first, ...rest] = outputs;
  if (!first) return await work(sinks);
  const [target, path] = first;
  return await writeFile(
    path,
    (sink) => withSinks(rest, options, work, new Map([...sinks, [target, sink]])),
    { mode: MODE, signal: options.signal, whole: true, onWarning: options.onWarning },
  );
}
