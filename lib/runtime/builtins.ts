/**
 * The native built-ins of Deno and Node, taken where they are present: a browser has none of them,
 * and a static import would keep the module from loading there.
 *
 * @module
 */

interface Builtins {
  "node:crypto": typeof import("node:crypto");
  "node:zlib": typeof import("node:zlib");
}

/**
 * Gives a native built-in module.
 *
 * @param name Its specifier.
 * @returns The module, or `undefined` where the runtime has none.
 */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown };
  };
  return process?.getBuiltinModule?.(name) as Builtins[Name] | undefined;
}

/**
 * Whether {@linkcode builtin} has something to give. In Deno even to look at `process` loads all that
 * Node's modules stand on, which takes as long as starting up; this does not.
 */
export function hasBuiltins(): boolean {
  return "Deno" in globalThis || builtin("node:zlib") !== undefined;
}

/**
 * Whether the runtime's `DecompressionStream` refuses what follows a gzip member, as the standard asks
 * for (Compression Streams, "Decompress and enqueue a chunk"). Those of Node 20 and 22 join members,
 * and that of Node 20 takes zeros behind one.
 */
export function refusesTrailingData(): boolean {
  return "Deno" in globalThis || !hasBuiltins();
}
