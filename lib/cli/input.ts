/**
 * The archive a verb reads, as the command line names it.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { fileSource } from "../system/files.ts";
import { lookAt } from "../system/pipe.ts";
import { openRepeatable } from "../system/spool.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { PULLING } from "./flags.ts";
import { note } from "./io.ts";
import { withProgress } from "./progress.ts";
import type { Values } from "./verb.ts";

/** An archive to read, and what to do when it was. */
export interface Input extends Disposable {
  /** The archive. */
  readonly source: ArchiveSource;
}

/**
 * Opens what an archive's argument names: an existing file first, else a reference if it has the form
 * of one. `oci://`, `oci:` and `oci-archive:` make it a reference.
 *
 * @param name What the command line says.
 * @param flags How to reach a registry.
 * @param signal Stops the reading, and the waiting for a pipe.
 * @param repeatedly Whether it will be read more than once.
 */
export async function openInput(
  name: string,
  flags: Values<typeof PULLING>,
  signal: AbortSignal,
  repeatedly = false,
): Promise<Input> {
  // Most archives are files, and starting up should not pay for what registries take.
  const isOci = /^oci(-archive)?:/i.test(name);
  if (!isOci && await isThere(name)) return await local(name, repeatedly, signal);
  const { isLayout, isReference, parseDigest, parseReference, quoteReference } = await import(
    "../registry/reference.ts"
  );
  if (!await isReference(name)) return await local(name, repeatedly, signal);
  const [{ pullOptions, referenceOptions }, { registrySource }, { parseReferenceWithTags }] =
    await Promise.all([
      import("./registry.ts"),
      import("../registry/pull.ts"),
      import("../registry/tags.ts"),
    ]);
  // A layout is on this machine: it takes neither the network nor the environment.
  if (isLayout(name)) {
    const digest = flags.digest === undefined ? undefined : parseDigest(flags.digest);
    const source = registrySource(parseReference(name), { digest, signal });
    return { source, [Symbol.dispose]: (): void => source.close() };
  }
  const options = await pullOptions(flags, signal).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new ParError(
      "ERR_REGISTRY_UNREACHABLE",
      `Cannot read ${quoteReference(name)}: there is no such file, and this par may not use a ` +
        "registry; the tasks par:remote:inspect, :verify, :extract and :diff may",
      cause,
    );
  });
  const reference = await parseReferenceWithTags(name, { ...options, ...referenceOptions(flags) });
  const source = registrySource(reference, options);
  return {
    source,
    [Symbol.dispose]: (): void => source.close(),
  };
}

/** A folder may have the name of a repository. */
async function isThere(name: string): Promise<boolean> {
  return await lookAt(name).then(({ info }) => info?.isDirectory !== true, () => false);
}

async function local(name: string, repeatedly: boolean, signal: AbortSignal): Promise<Input> {
  if (!repeatedly) return { source: fileSource(name, signal), [Symbol.dispose]: (): void => {} };
  const source = await openRepeatable(name, signal);
  return { source, [Symbol.dispose]: (): void => source[Symbol.dispose]() };
}

/** Says how much came over the network, where anything did. */
export async function sayTraffic({ source }: Input): Promise<void> {
  if (!source.remote || !("bytesRead" in source)) return;
  note(`${source.bytesRead} of the layer's ${await source.size?.()} bytes were fetched.`);
}

/**
 * Shows a progress bar for as long as reading a source takes.
 *
 * @param title What is done.
 * @param source What is read.
 * @param work Reads it, and tells how far it is.
 */
export async function withReadProgress<T>(
  title: string,
  source: ArchiveSource,
  work: (onProgress: (bytes: number) => void) => Promise<T>,
): Promise<T> {
  return await withProgress(title, work, await source.size?.());
}
