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
import type { RegistrySourceOptions } from "../registry/pull.ts";
import type { Reference } from "../registry/reference.ts";
import type { PULLING } from "./flags.ts";
import { note } from "./io.ts";
import { withProgress } from "./progress.ts";
import type { Values } from "./verb.ts";

/** An archive to read, and what to do when it was. */
export interface Input extends Disposable {
  /** The archive. */
  readonly source: ArchiveSource;
  /** Where it is. */
  readonly place: Place;
}

/** What an archive's argument names: a file, or an archive in a registry or a layout. */
export type Place =
  | { readonly path: string }
  | { readonly reference: Reference; readonly options: RegistrySourceOptions };

/**
 * Finds out what an archive's argument names: an existing file first, else a reference if it has the
 * form of one. `oci://`, `oci:` and `oci-archive:` make it a reference.
 *
 * @param name What the command line says.
 * @param flags How to reach a registry.
 * @param signal Stops the work.
 */
export async function findPlace(
  name: string,
  flags: Values<typeof PULLING>,
  signal: AbortSignal,
): Promise<Place> {
  // Most archives are files, and starting up should not pay for what registries take.
  const isOci = /^oci(-archive)?:/i.test(name);
  if (!isOci && await isThere(name)) return { path: name };
  const { isLayout, isReference, parseDigest, parseReference, quoteReference } = await import(
    "../registry/reference.ts"
  );
  if (!isReference(name)) return { path: name };
  const [{ pullOptions, referenceOptions }, { parseReferenceWithTags }] = await Promise.all([
    import("./registry.ts"),
    import("../registry/tags.ts"),
  ]);
  // A layout is on this machine: it takes neither the network nor the environment.
  if (isLayout(name)) {
    const digest = flags.digest === undefined ? undefined : parseDigest(flags.digest);
    return { reference: parseReference(name), options: { digest, signal } };
  }
  const options = await pullOptions(flags, signal).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new ParError(
      "ERR_REGISTRY_UNREACHABLE",
      `Cannot read ${quoteReference(name)}: there is no such file, and this par may not use a ` +
        "registry; the tasks that begin with par:remote: may",
      cause,
    );
  });
  const reference = await parseReferenceWithTags(name, { ...options, ...referenceOptions(flags) });
  return { reference, options };
}

/**
 * Opens what an archive's argument names, as {@linkcode findPlace} finds it.
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
  const place = await findPlace(name, flags, signal);
  if ("path" in place) return await local(place.path, repeatedly, signal);
  const { registrySource } = await import("../registry/pull.ts");
  const source = registrySource(place.reference, place.options);
  return { source, place, [Symbol.dispose]: (): void => source.close() };
}

/** A folder may have the name of a repository. */
async function isThere(name: string): Promise<boolean> {
  return await lookAt(name).then(({ info }) => info?.isDirectory !== true, () => false);
}

async function local(path: string, repeatedly: boolean, signal: AbortSignal): Promise<Input> {
  const place = { path };
  if (!repeatedly) {
    return { source: fileSource(path, signal), place, [Symbol.dispose]: (): void => {} };
  }
  const source = await openRepeatable(path, signal);
  return { source, place, [Symbol.dispose]: (): void => source[Symbol.dispose]() };
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
