/**
 * Key files: one seed each, readable by their owner alone.
 *
 * @module
 */

import { ParError } from "./errors.ts";
import { quote, readSmallFile } from "./files.ts";
import { KeyPair, type KeyRole } from "./nkey.ts";

/** No seed file is longer, however much white space an editor left in it. */
const MAX_SEED_FILE = 4096;

/** Which key is looked for, and where. */
export interface KeyLookup {
  /** What the key is for. */
  readonly role: KeyRole;
  /** What messages call it: `issuer`, `subject`. */
  readonly title: string;
  /** A seed file's path, or a seed itself; the key directory is searched where left out. */
  readonly given?: string | undefined;
  /** The key directory. */
  readonly directory: string;
  /** The key file's name without `_<role>.nk`. */
  readonly name: string;
  /** Whether a missing key is an error instead of made. */
  readonly disableKeygen?: boolean | undefined;
  /** Is told the path before a key is made there. */
  readonly onGenerate?: ((path: string) => void) | undefined;
}

/**
 * Finds a key pair: the given one, else the key directory's, else a new one that is put there.
 *
 * @param lookup Which key, and where.
 * @returns The pair.
 * @throws {ParError} `ERR_KEY_NOT_FOUND`, `ERR_KEY_INVALID`, `ERR_KEY_CHECKSUM`, `ERR_KEY_ROLE`,
 * `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_FILE_UNWRITABLE`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const directory = await Deno.makeTempDir();
 * const lookup = { role: "account", title: "issuer", directory, name: "kevin" } as const;
 * const made = await findKey(lookup);
 * const found = await findKey({ ...lookup, disableKeygen: true });
 * assert.equal(found.publicKey, made.publicKey);
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export async function findKey(lookup: KeyLookup): Promise<KeyPair> {
  if (lookup.given !== undefined) return await readGivenKey(lookup.given, lookup);
  const path = keyPath(lookup.directory, lookup.name, lookup.role);
  const found = await readKeyIfPresent(path, lookup);
  if (found) return found;
  if (lookup.disableKeygen) {
    throw new ParError(
      "ERR_KEY_NOT_FOUND",
      `No keypair found in ${path}, please ensure key exists or supply one as a flag`,
    );
  }
  lookup.onGenerate?.(path);
  await storeKey(path, await KeyPair.generate(lookup.role));
  // Another process may have been first: its key is the one both use.
  return await readKey(path, lookup);
}

/** The path of a key file. */
export function keyPath(directory: string, name: string, role: KeyRole): string {
  const separator = directory === "" || /[/\\]$/.test(directory) ? "" : "/";
  return `${directory}${separator}${name}_${role}.nk`;
}

/**
 * Puts a key into a new file, and leaves a file that is there already as it is.
 *
 * @param path The file's path; its folder is made where it is missing.
 * @param pair The key.
 * @returns Whether this call made the file.
 * @throws {ParError} `ERR_FILE_UNWRITABLE`.
 */
export async function storeKey(path: string, pair: KeyPair): Promise<boolean> {
  const directory = path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"), 0)) ||
    ".";
  const temporary = `${path}.${crypto.randomUUID()}.part`;
  try {
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(temporary, pair.seed(), { createNew: true, mode: 0o600 });
    // A link is made in one step and never over another file: no reader sees half a seed, and of
    // two writers one wins.
    await Deno.link(temporary, path);
    return true;
  } catch (cause) {
    if (cause instanceof Deno.errors.AlreadyExists) return false;
    throw new ParError(
      "ERR_FILE_UNWRITABLE",
      `Cannot put a new key into ${quote(path)}: ${cause instanceof Error ? cause.message : cause}`,
      cause,
    );
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
}

type KeyDescription = Pick<KeyLookup, "role" | "title">;

/** Reads a seed file. */
export async function readKey(path: string, { role, title }: KeyDescription): Promise<KeyPair> {
  const bytes = await readSmallFile(path, MAX_SEED_FILE);
  return await KeyPair.fromSeed(
    new TextDecoder().decode(bytes),
    role,
    `the ${title}'s seed file ${quote(path)}`,
  );
}

async function readKeyIfPresent(
  path: string,
  description: KeyDescription,
): Promise<KeyPair | undefined> {
  try {
    return await readKey(path, description);
  } catch (error) {
    if (error instanceof ParError && error.code === "ERR_FILE_NOT_FOUND") return undefined;
    throw error;
  }
}

async function readGivenKey(given: string, description: KeyDescription): Promise<KeyPair> {
  const { role, title } = description;
  if (!looksLikeSeed(given)) return await readKey(given, description);
  // A file may have such a name, unlikely as it is.
  const file = await readKeyIfPresent(given, description).catch(() => undefined);
  return file ?? await KeyPair.fromSeed(given, role, `the seed given as ${title}`);
}

/** Generous, so that a mistyped seed is not taken for a path and shown in an error. */
function looksLikeSeed(text: string): boolean {
  return /^\s*S[A-Z0-9]{30,}\s*$/i.test(text);
}
