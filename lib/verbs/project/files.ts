/**
 * Looks for the files and folders of projects.
 *
 * @module
 */

import { dirname, resolve } from "node:path";

/** Whether there is a file at a path. */
export async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}

/** Whether there is a folder at a path. */
export async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}

/** Those of the paths at which there is a file. */
export async function existingFiles(paths: readonly string[]): Promise<string[]> {
  const isThere = await Promise.all(paths.map(isFile));
  return paths.filter((_, at) => isThere[at]);
}

/** The names of what is in a folder, sorted. There are none if it cannot be read. */
export async function namesIn(folder: string): Promise<string[]> {
  const names = Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return (await names.catch(() => [])).sort();
}

/** A folder and the folders above it. */
export function* foldersUp(folder: string): Generator<string> {
  for (let at = resolve(folder);; at = dirname(at)) {
    yield at;
    if (dirname(at) === at) return;
  }
}
