/**
 * The archives a verb reads, as the command line names them.
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
import { ExitStatus } from "./exit_status.ts";
import { note } from "./io.ts";
import type { Context, Values } from "./verb.ts";

/** An archive to read. Dispose of it after reading. */
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
  // Most archives are files, and their start should not pay for registries.
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
  // A layout is on this machine, and needs neither the network nor the environment.
  if (isLayout(name)) {
    const digest = flags.digest === undefined ? undefined : parseDigest(flags.digest);
    return { reference: parseReference(name), options: { digest, signal } };
  }
  const options = await pullOptions(flags, signal).catch((cause) => {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    throw new ParError(
      "ERR_REGISTRY_UNREACHABLE",
      `Cannot read ${quoteReference(name)}: there is no such file, and Deno does not allow ` +
        "registries",
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
  if ("path" in place) {
    const kept = repeatedly ? await openRepeatable(place.path, signal) : undefined;
    const source = kept ?? fileSource(place.path, signal);
    return { source, place, [Symbol.dispose]: (): void => kept?.[Symbol.dispose]() };
  }
  const { registrySource } = await import("../registry/pull.ts");
  const source = registrySource(place.reference, place.options);
  return { source, place, [Symbol.dispose]: (): void => source.close() };
}

/** Whether there is such a file. A folder does not count: it may have the name of a repository. */
async function isThere(name: string): Promise<boolean> {
  return await lookAt(name).then(({ info }) => info?.isDirectory !== true, () => false);
}

/** Says how many bytes came over the network, if any did. */
export async function sayTraffic({ source }: Input): Promise<void> {
  if (!source.remote || !("bytesRead" in source)) return;
  note(`${source.bytesRead} of the layer's ${await source.size?.()} bytes were fetched.`);
}

/**
 * Does a verb's work for each archive. After a bad archive, it goes on with the next one.
 *
 * @param context Reports what is wrong with an archive.
 * @param archives The archives, as they were typed.
 * @param work Does the work. It gets the archive's name a second time if there are several, so that
 * it can print which one is meant.
 * @throws {ExitStatus} The highest exit status, if there are several archives and one is bad.
 * @throws {ParError} What `work` throws, if there is one archive.
 */
export async function forEachArchive(
  context: Context,
  archives: readonly string[],
  work: (archive: string, label: string | undefined) => Promise<void>,
): Promise<void> {
  if (archives.length === 1) return await work(archives[0] as string, undefined);
  let worst = 0;
  for (const archive of archives) {
    try {
      await work(archive, archive);
    } catch (error) {
      if (error instanceof ExitStatus) worst = Math.max(worst, error.status);
      else if (!(error instanceof ParError) || context.signal.aborted) throw error;
      else worst = Math.max(worst, await context.report(error, archive));
    }
  }
  if (worst > 0) throw new ExitStatus(worst);
}
