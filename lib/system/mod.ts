/**
 * The key directory: files that hold one seed each, readable by their owner alone.
 *
 * Start with {@linkcode findKey}, which finds a key or makes one. {@linkcode listKeys} reads them all,
 * {@linkcode findKeyOf} finds the key pair of a public key, {@linkcode storeKey} writes a new file.
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
  type KeyLookup,
  listKeys,
  type PreparedKey,
  prepareKey,
  type StoredKey,
  storeKey,
} from "./keystore.ts";
