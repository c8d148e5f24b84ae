/**
 * Taking binaries out to files, after they were verified.
 *
 * @module
 */

import { readArchive, type ReadOptions, type VerifiedArchive } from "./archive/reader.ts";
import { ParError } from "./errors.ts";
import { type FileSink, writeFile } from "./files.ts";
import { type ArchiveInput, toSource } from "./inspect.ts";
import { targetNotFound } from "./remove.ts";
import { parseTarget, type Target } from "./target.ts";

/** Settings of {@linkcode extract}. */
export interface ExtractOptions extends ReadOptions {
  /** For each target to extract, the path of the file to write. */
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Extracts binaries, executable for everyone.
 *
 * The whole archive is verified, in one pass. A file has its name only after that.
 *
 * @param archive A file's path, a stream, bytes, or another source.
 * @param options Which targets, and where to; limits, time and signal.
 * @returns What was verified.
 * @throws {ParError} Any code of the category `untrusted`; `ERR_TARGET_INVALID`,
 * `ERR_TARGET_NOT_FOUND`, `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_FILE_UNWRITABLE`,
 * `ERR_ABORTED`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { create } from "./create.ts";
 * import { KeyPair } from "./nkey.ts";
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
): Promise<VerifiedArchive> {
  const source = toSource(archive);
  const outputs = Object.entries(options.outputs)
    .map(([target, path]) => [parseTarget(target), path] as const);
  return await withSinks(outputs, options.signal, async (sinks) => {
    const verified = await readArchive(source.open(), options, (entry) => {
      const sink = entry.kind === "binary" ? sinks.get(entry.target) : undefined;
      return sink && ((chunk): Promise<void> => sink.write(chunk));
    });
    for (const target of sinks.keys()) {
      const found = verified.binaries.some((binary) => binary.target === target);
      if (!found) throw targetNotFound(target, source.name, verified.binaries);
    }
    return verified;
  });
}

/** Opens all files before the one pass over the archive, and names them after it. */
async function withSinks<T>(
  outputs: readonly (readonly [Target, string])[],
  signal: AbortSignal | undefined,
  work: (sinks: ReadonlyMap<Target, FileSink>) => Promise<T>,
  sinks: ReadonlyMap<Target, FileSink> = new Map(),
): Promise<T> {
  const [first, ...rest] = outputs;
  if (!first) return await work(sinks);
  const [target, path] = first;
  if (rest.some(([, other]) => other === path)) {
    throw new ParError("ERR_OPTION_INVALID", `Cannot extract two targets to one file, ${path}`);
  }
  return await writeFile(
    path,
    (sink) => withSinks(rest, signal, work, new Map([...sinks, [target, sink]])),
    { mode: 0o755, signal },
  );
}
