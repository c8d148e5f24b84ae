/**
 * Key files. Each holds one seed, and only its owner can read it.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";
import { readSmallFile, readSmallInput, stat, writeFile } from "./files.ts";
import { FileTaken, folderOf, othersRead } from "./temporary.ts";
import { KeyPair, type KeyRole, type PublicKey } from "../signing/nkey.ts";

/** The most bytes of a seed file. A seed has 58; the rest is for white space that editors add. */
const MAX_SEED_FILE = 4096;

/** The most bytes of a file's name on the usual file systems. */
const MAX_NAME = 255;

/** The path of a key directory, or of several. */
export type KeyDirectory = string | readonly string[];

/** Which key to find, and where. */
export interface KeyLookup {
  /** The role that the key must have. */
  readonly role: KeyRole;
  /** Its name in messages: `issuer` or `subject`. */
  readonly title: string;
  /**
   * A seed, or the path of a seed file or of a pipe that a seed comes from. Without it, the key is
   * looked for in the key directory.
   */
  readonly given?: string | undefined;
  /** The key directory. Of several, all are searched, and a new key goes into the first. */
  readonly directory: KeyDirectory;
  /** The name of the key file in the key directory, without `_<role>.nk`. */
  readonly name: string;
  /** Makes a missing key an error. Without it, a missing key is generated. */
  readonly disableKeygen?: boolean | undefined;
  /** Is called with the path of the key file before a new key is stored there. */
  readonly onGenerate?: ((path: string) => void) | undefined;
  /** Receives a sentence for each key file that others can read, and other warnings. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Stops the wait for a pipe. */
  readonly signal?: AbortSignal | undefined;
}

/** A key to sign with. It may not be in the key directory yet. */
export interface PreparedKey {
  /** The pair that was found, or a new one. */
  readonly pair: KeyPair;
  /** The path of its file in the key directory. Absent for a key that was given. */
  readonly path?: string;
  /** Whether the pair is new. */
  readonly isNew: boolean;
  /**
   * Stores a new key in the key directory. For a key that was found, it does nothing.
   *
   * @returns The pair to sign with. It is not the pair above if another process stored a key of the
   * same name first.
   * @throws {ParError} Of the category `failed`.
   */
  readonly store: () => Promise<KeyPair>;
}

/**
 * Finds or generates a key pair like {@linkcode findKey}, but leaves it to the caller when to store
 * a new one. So a command that fails leaves no new key behind.
 *
 * @param lookup Which key to find, and where.
 * @returns The pair, and a function that stores it.
 * @throws {ParError} As {@linkcode findKey} does, except for errors of storing.
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
  const { given, directory, name, role, disableKeygen, onGenerate, onWarning, signal } = lookup;
  if (given !== undefined) return found(await readGivenKey(given, lookup, signal));
  if (new TextEncoder().encode(keyPath("", name, role)).length > MAX_NAME) {
    throw new ParError(
      "ERR_KEY_NOT_FOUND",
      `Cannot look for the ${lookup.title} key: no file can have a name as long as that of ` +
        `${quote(name)}; give the key`,
    );
  }
  const paths = toList(directory).map((each) => keyPath(each, name, role));
  const kept = await readKept(paths, lookup);
  if (kept) {
    if (othersRead((await stat(kept.path)).mode ?? 0)) {
      onWarning?.(`other users can read ${quote(kept.path)}`);
    }
    return found(kept.pair, kept.path);
  }
  const [path = "", ...others] = paths;
  if (disableKeygen) {
    // These are the words of `wash`, for scripts that look for them.
    throw new ParError(
      "ERR_KEY_NOT_FOUND",
      `No keypair found in ${path}, please ensure key exists or supply one as a flag` +
        (others.length > 0 ? `; it is not in ${others.join(" or ")} either` : ""),
    );
  }
  const pair = await KeyPair.generate(role);
  const store = async (): Promise<KeyPair> => {
    onGenerate?.(path);
    await storeKey(path, pair, { onWarning });
    // If another process stored a key first, both use that one.
    return await readKey(path, lookup);
  };
  return { pair, path, isNew: true, store };
}

/** Reads a key that is in one of several files. Two files with different keys are an error. */
async function readKept(
  paths: readonly string[],
  description: KeyDescription,
): Promise<{ readonly path: string; readonly pair: KeyPair } | undefined> {
  let kept: { path: string; pair: KeyPair } | undefined;
  for (const path of paths) {
    const pair = await readKeyIfPresent(path, description);
    if (pair && kept && pair.publicKey !== kept.pair.publicKey) {
      throw new ParError(
        "ERR_KEY_AMBIGUOUS",
        `Cannot choose the ${description.title} key: ${quote(kept.path)} holds that of ` +
          `${kept.pair.publicKey}, and ${quote(path)} that of ${pair.publicKey}; name the key or ` +
          "its directory",
      );
    }
    if (pair) kept ??= { path, pair };
  }
  return kept;
}

function toList(directory: KeyDirectory): readonly string[] {
  return typeof directory === "string" ? [directory] : directory;
}

function found(pair: KeyPair, path?: string): PreparedKey {
  const store = (): Promise<KeyPair> => Promise.resolve(pair);
  return { pair, isNew: false, store, ...(path !== undefined && { path }) };
}

/**
 * Finds a key pair. It takes the given key. Without one, it takes the key in the key directory.
 * Without that, it generates a key and stores it there.
 *
 * @param lookup Which key to find, and where.
 * @returns The pair.
 * @throws {ParError} Of the category `failed`. If the key is missing and must not be generated, the
 * code is `ERR_KEY_NOT_FOUND`. If two key directories have different keys of the name, it is
 * `ERR_KEY_AMBIGUOUS`.
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

/** Gives the path of a key file, `<directory>/<name>_<role>.nk`. */
export function keyPath(directory: string, name: string, role: KeyRole): string {
  return keyFile(directory, `${name}_${role}`);
}

function keyFile(directory: string, name: string): string {
  const separator = directory === "" || /[/\\]$/.test(directory) ? "" : "/";
  return `${directory}${separator}${name}.nk`;
}

/**
 * Stores a key in a new file. A file that exists already is not changed.
 *
 * @param path The path of the file. A missing folder is created.
 * @param pair The key.
 * @param options Who receives warnings.
 * @returns Whether this call created the file.
 * @throws {ParError} `ERR_FILE_UNWRITABLE` if the file or its folder cannot be created.
 */
export async function storeKey(
  path: string,
  pair: KeyPair,
  options: Pick<KeyLookup, "onWarning"> = {},
): Promise<boolean> {
  await makeDirectory(folderOf(path));
  const seed = new TextEncoder().encode(pair.seed());
  try {
    await writeFile(path, (sink) => sink.write(seed), { ...options, mode: 0o600, exclusive: true });
    return true;
  } catch (error) {
    if (error instanceof FileTaken) return false;
    throw error;
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new ParError(
      "ERR_FILE_UNWRITABLE",
      `Cannot create the key directory ${quote(path)}: ${(cause as Error).message}`,
      cause,
    );
  }
}

/** A key file that was read. */
export interface StoredKey {
  /** The name of the file without `.nk`. */
  readonly name: string;
  /** The path of the file. */
  readonly path: string;
  /** The pair that belongs to the seed in it. */
  readonly pair: KeyPair;
}

/**
 * Reads every key file of a directory.
 *
 * @param directory The key directory, or several. Each may be missing; then it has no keys.
 * @param onUnreadable Is called with the error of each file that cannot be read or holds no seed.
 * @returns The keys, sorted by name in each directory.
 * @throws {ParError} `ERR_FILE_UNREADABLE` if a directory cannot be listed.
 */
export async function listKeys(
  directory: KeyDirectory,
  onUnreadable?: (error: ParError) => void,
): Promise<StoredKey[]> {
  const keys: StoredKey[] = [];
  for (const each of toList(directory)) {
    for (const name of await keyFileNames(each)) {
      const path = keyFile(each, name);
      try {
        keys.push({ name, path, pair: await readKey(path, { title: "key" }) });
      } catch (error) {
        if (!(error instanceof ParError)) throw error;
        onUnreadable?.(error);
      }
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
 * Finds the pair of a public key in the key directory. The name of its file does not matter.
 *
 * @param directory The key directory, or several.
 * @param publicKey The public key.
 * @returns The pair, or `undefined` if no key file holds its seed.
 * @throws {ParError} `ERR_FILE_UNREADABLE` if a directory cannot be listed.
 */
export async function findKeyOf(
  directory: KeyDirectory,
  publicKey: PublicKey,
): Promise<KeyPair | undefined> {
  const keys = await listKeys(directory);
  return keys.find(({ pair }) => pair.publicKey === publicKey)?.pair;
}

/**
 * Reads the key of a file's name, with or without `.nk`.
 *
 * @throws {ParError} Of the category `failed`: `ERR_FILE_NOT_FOUND` if no directory has the file,
 * `ERR_KEY_AMBIGUOUS` if two have different keys of the name.
 */
export async function readNamedKey(directory: KeyDirectory, name: string): Promise<KeyPair> {
  const paths = toList(directory).map((each) => keyFile(each, name.replace(/\.nk$/, "")));
  const description = { title: "key" };
  const kept = await readKept(paths, description);
  return kept?.pair ?? await readKey(paths[0] ?? "", description);
}

/** Which key a file should hold. */
export interface KeyDescription {
  /** The role that the key must have. Without it, any role is accepted. */
  readonly role?: KeyRole | undefined;
  /** Its name in messages. */
  readonly title: string;
}

/**
 * Reads a seed file of the key directory.
 *
 * @throws {ParError} Of the category `failed`. A missing file has the code `ERR_FILE_NOT_FOUND`.
 */
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

/** Reads a key that the user gave: a seed, or the path of a seed file or of a pipe that one comes from. */
async function readGivenKey(
  given: string,
  description: KeyDescription,
  signal?: AbortSignal,
): Promise<KeyPair> {
  const { role, title } = description;
  if (!looksLikeSeed(given)) {
    return await toPair(await readSmallInput(given, MAX_SEED_FILE, signal), given, description);
  }
  // A file could have a name that looks like a seed.
  const file = await readKeyIfPresent(given, description).catch(() => undefined);
  return file ?? await KeyPair.fromSeed(given, role, `the seed given as ${title}`);
}

/** Also true for mistyped seeds: error messages show paths, and must not show a seed. */
function looksLikeSeed(text: string): boolean {
  return /^[A-Z0-9]{30,}$/i.test(text.replaceAll(/[\s"'-]/g, ""));
}
