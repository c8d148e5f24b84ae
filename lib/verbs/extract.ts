/**
 * Taking binaries out to files, after they were verified.
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
import { type ArchiveInput, openSource } from "./inspect.ts";
import { targetNotFound } from "./remove.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import { parseTarget, type Target } from "../target/target.ts";

/** Settings of {@linkcode extract}. */
export interface ExtractOptions extends ReadOptions {
  /** For each target to extract, the path of the file to write. */
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Extracts binaries, executable for everyone.
 *
 * If the archive has an index and its source knows ranges, or if it is a plain archive in a registry,
 * only the token and the targets' bytes are read and verified; otherwise the whole archive is, once. A file has its name only after its
 * bytes had the signed hash.
 *
 * @param archive A file's path, a stream, bytes, or another source.
 * @param options Which targets, and where to; limits, time and signal.
 * @returns The token and its claims.
 * @throws {ParError} Any code of the category `untrusted`; `ERR_TARGET_INVALID`,
 * `ERR_TARGET_NOT_FOUND`, `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_FILE_UNWRITABLE`,
 * `ERR_ABORTED`.
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
  const outputs = await arrange(
    Object.entries(options.outputs).map(([target, path]) => [parseTarget(target), path]),
  );
  const ranged = await openRanged(source, options);
  if (!ranged) return await extractInOnePass(source, outputs, options);
  for (const [target] of outputs) requireTarget(target, source, ranged.claims);
  await withSinks(outputs, options.signal, async (sinks) => {
    for (const [target, sink] of sinks) await copyEntry(ranged, target, sink);
  });
  const { claims, token, compressed } = ranged;
  return { claims, token, compressed };
}

/** Reads one entry alone, and holds it against the hash that the verified claims state. */
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
  options: ReadOptions,
): Promise<VerifiedClaims> {
  return await withSinks(outputs, options.signal, async (sinks) => {
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

/** Puts the outputs into one order for everybody: files locked crosswise would wait for ever. */
async function arrange(outputs: readonly Output[]): Promise<Output[]> {
  const byPath = new Map<string, Output>();
  for (const output of outputs) {
    const path = await resolvePath(output[1]);
    if (byPath.has(path)) {
      throw new ParError(
        "ERR_OPTION_INVALID",
        `Cannot extract two targets to one file, ${quote(path)}`,
      );
    }
    byPath.set(path, output);
  }
  return [...byPath].sort(([a], [b]) => a < b ? -1 : 1).map(([, output]) => output);
}

/** A target, and the file its binary goes to. */
type Output = readonly [Target, string];

/** A library or a program, for whoever wants to run it. */
const MODE = 0o755;

/** Opens all files before the one pass over the archive, and names them after it. */
async function withSinks<T>(
  outputs: readonly Output[],
  signal: AbortSignal | undefined,
  work: (sinks: ReadonlyMap<Target, FileSink>) => Promise<T>,
  sinks: ReadonlyMap<Target, FileSink> = new Map(),
): Promise<T> {
  const [first, ...rest] = outputs;
  if (!first) return await work(sinks);
  const [target, path] = first;
  return await writeFile(
    path,
    (sink) => withSinks(rest, signal, work, new Map([...sinks, [target, sink]])),
    { mode: MODE, signal },
  );
}
