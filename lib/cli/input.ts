/**
 * The archive a verb reads, as the command line names it.
 *
 * @module
 */

import { fileSource } from "../files.ts";
import { type ArchiveSource, streamSource } from "../source.ts";
import { withProgress } from "./progress.ts";

/** How help describes the archive of a verb that only reads. */
export const ARCHIVE_ARGUMENT = "the archive's path, or - for standard input";

/**
 * Opens what an archive's argument names.
 *
 * @param name A file's path, or `-` for standard input.
 */
export function openInput(name: string): ArchiveSource {
  return name === "-" ? streamSource(Deno.stdin.readable, "standard input") : fileSource(name);
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
