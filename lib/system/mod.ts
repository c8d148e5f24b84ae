/**
 * Files, and the key directory. Each file in the directory holds one seed, and only its owner can read
 * it.
 *
 * Start with {@linkcode findKey}, which finds a key or generates one. {@linkcode listKeys} reads all
 * keys, {@linkcode findKeyOf} finds the key pair of a public key, and {@linkcode storeKey} writes a new
 * file. {@linkcode fileSource} reads an archive's file in parts.
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
export { fileSource } from "./files.ts";
