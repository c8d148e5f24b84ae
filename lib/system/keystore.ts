/**
 * Key files: one seed each, readable by their owner alone.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { readSmallFile, readSmallInput, writeFile } from "./files.ts";
import { KeyPair, type KeyRole, type PublicKey } from "../signing/nkey.ts";

/** No seed file is longer, however much white space an editor left in it. */
const MAX_SEED_FILE = 4096;

/** Which key is looked for, and where. */
export interface KeyLookup {
  /** What the key is for. */
  readonly role: KeyRole;
  /** What messages call it: `issuer`, `subject`. */
  readonly title: string;
  /**
   * The path of a seed file, or of a pipe that gives a seed, or a seed itself; the key directory is
   * searched where left out.
   */
  readonly given?: string | undefined;
  /** The key directory. */
  readonly directory: string;
  /** The key file's name without `_<role>.nk`. */
  readonly name: string;
  /** Whether a missing key is an error instead of made. */
  readonly disableKeygen?: boolean | undefined;
  /** Is told the path before a key is made there. */
  readonly onGenerate?: ((path: string) => void) | undefined;
  /** Ends the waiting for a pipe. */
  readonly signal?: AbortSignal | undefined;
}

/** A key to sign with, which may not be in the key directory yet. */
export interface PreparedKey {
  /** The key that was found, or a new one. */
  readonly pair: KeyPair;
  /**
   * Puts a new key into the key directory; of a key that was found there is nothing left to do.
   *
   * @returns The key to sign with, which is another one where another process has stored one first.
   * @throws {ParError} `ERR_FILE_UNWRITABLE`, and what reading that other one throws.
   */
  readonly store: () => Promise<KeyPair>;
}

/**
 * Finds a key pair as {@linkcode findKey} does, and does not store a new one before it is asked to:
 * so that what is refused leaves no key behind.
 *
 * @param lookup Which key, and where.
 * @returns The pair, and how to keep it.
 * @throws {ParError} As {@linkcode findKey}, for what can be told without storing a key.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const directory = await Deno.makeTempDir();
 * const lookup = { role: "account", title: "issuer", directory, name: "kevin" } as const;
 * const { pair, store } = await prepareKey(lookup);
 * assert.deepEqual(await listKeys(directory), []);
 * assert.equal((await store()).publicKey, pair.publicKey);
 * assert.equal((await listKeys(directory)).length, 1);
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export async function prepareKey(lookup: KeyLookup): Promise<PreparedKey> {
  const { given, directory, name, role, disableKeygen, onGenerate, signal } = lookup;
  if (given !== undefined) return found(await readGivenKey(given, lookup, signal));
  const path = keyPath(directory, name, role);
  const kept = await readKeyIfPresent(path, lookup);
  if (kept) return found(kept);
  if (disableKeygen) {
    throw new ParError(
      "ERR_KEY_NOT_FOUND",
      `No keypair found in ${path}, please ensure key exists or supply one as a flag`,
    );
  }
  const pair = await KeyPair.generate(role);
  const store = async (): Promise<KeyPair> => {
    onGenerate?.(path);
    await storeKey(path, pair);
    // Another process may have been first: its key is the one both use.
    return await readKey(path, lookup);
  };
  return { pair, store };
}

function found(pair: KeyPair): PreparedKey {
  return { pair, store: () => Promise.resolve(pair) };
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
  const { store } = await prepareKey(lookup);
  return await store();
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
  await makeDirectory(parentOf(path));
  const taken = new Error("another process stored a key first");
  try {
    // Writers of one file take turns, so that of two runs at once one makes the key.
    await writeFile(path, async (sink) => {
      if (await exists(path)) throw taken;
      await sink.write(new TextEncoder().encode(pair.seed()));
    }, { mode: 0o600 });
    return true;
  } catch (error) {
    if (error === taken) return false;
    throw error;
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new ParError(
      "ERR_FILE_UNWRITABLE",
      `Cannot make the key directory ${quote(path)}: ${(cause as Error).message}`,
      cause,
    );
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"), 0)) || ".";
}

/** A key file and the pair in it. */
export interface StoredKey {
  /** The file's name without `.nk`. */
  readonly name: string;
  /** The pair. */
  readonly pair: KeyPair;
}

/**
 * Reads every key file of a directory.
 *
 * @param directory The key directory; one that is missing holds no keys.
 * @param onUnreadable Is told of each file that holds no seed.
 * @returns The keys, sorted by name.
 * @throws {ParError} `ERR_FILE_UNREADABLE`.
 */
export async function listKeys(
  directory: string,
  onUnreadable?: (error: ParError) => void,
): Promise<StoredKey[]> {
  const keys: StoredKey[] = [];
  for (const name of await keyFileNames(directory)) {
    try {
      keys.push({ name, pair: await readKey(`${directory}/${name}.nk`, { title: "key" }) });
    } catch (error) {
      if (!(error instanceof ParError)) throw error;
      onUnreadable?.(error);
    }
  }
  return keys;
}

async function keyFileNames(directory: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(directory)) {
      if (entry.name.endsWith(".nk")) names.push(entry.name.slice(0, -".nk".length));
    }
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw new ParError(
      "ERR_FILE_UNREADABLE",
      `Cannot list the keys in ${quote(directory)}: ${(cause as Error).message}`,
      cause,
    );
  }
  return names.sort();
}

/**
 * Finds the pair of a public key, whatever its file is called.
 *
 * @param directory The key directory.
 * @param publicKey The public half.
 * @returns The pair, or `undefined` where no file holds it.
 */
export async function findKeyOf(
  directory: string,
  publicKey: PublicKey,
): Promise<KeyPair | undefined> {
  const keys = await listKeys(directory);
  return keys.find(({ pair }) => pair.publicKey === publicKey)?.pair;
}

/** What a key file should hold, and what messages call it. */
export interface KeyDescription {
  /** The role it must have; any where left out. */
  readonly role?: KeyRole | undefined;
  /** What messages call it. */
  readonly title: string;
}

/** Reads a seed file of the key directory. */
export async function readKey(path: string, description: KeyDescription): Promise<KeyPair> {
  return await toPair(await readSmallFile(path, MAX_SEED_FILE), path, description);
}

function toPair(
  bytes: Uint8Array,
  path: string,
  { role, title }: KeyDescription,
): Promise<KeyPair> {
  return KeyPair.fromSeed(
    new TextDecoder().decode(bytes),
    role,
    `the ${title} seed file ${quote(path)}`,
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

/**
 * Reads the key that a flag gives: a path to a seed file, or to a pipe, or the seed itself.
 *
 * @param given What the flag says.
 * @param description What the key should be.
 * @param signal Ends the waiting for a pipe.
 */
export async function readGivenKey(
  given: string,
  description: KeyDescription,
  signal?: AbortSignal,
): Promise<KeyPair> {
  const { role, title } = description;
  if (!looksLikeSeed(given)) {
    return await toPair(await readSmallInput(given, MAX_SEED_FILE, signal), given, description);
  }
  // A file may have such a name, unlikely as it is.
  const file = await readKeyIfPresent(given, description).catch(() => undefined);
  return file ?? await KeyPair.fromSeed(given, role, `the seed given as ${title}`);
}

/** Generous, so that a mistyped seed is not taken for a path and shown in an error. */
function looksLikeSeed(text: string): boolean {
  return /^[A-Z0-9]{30,}$/i.test(text.replaceAll(/[\s"'-]/g, ""));
}
