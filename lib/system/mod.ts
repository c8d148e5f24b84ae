/**
 * The key directory. Each file in it holds one seed, and only its owner can read it.
 *
 * Start with {@linkcode findKey}, which finds a key or generates one. {@linkcode listKeys} reads all
 * keys, {@linkcode findKeyOf} finds the key pair of a public key, and {@linkcode storeKey} writes a new
 * file.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const directory = await Deno.makeTempDir();
 * const key = await findKey({ role: "account", title: "issuer", directory, name: "kevin" });
 * assert.deepEqual((await listKeys(directory)).map(({ pair }) => pair.publicKey), [key.publicKey]);
 * await Deno.remove(directory, { recursive: true });
 * ```
 *
 * @module
 */

export {
  findKey,
  findKeyOf,
  type KeyDirectory,
  type KeyLookup,
  listKeys,
  type PreparedKey,
  prepareKey,
  type StoredKey,
  storeKey,
} from "./keystore.ts";
