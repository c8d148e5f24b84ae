/**
 * The native modules of Deno and Node, where they are present. A browser has none of them, and a static
 * import would keep a module from loading there.
 *
 * @module
 */

interface Builtins {
  "node:crypto": typeof import("node:crypto");
  "node:zlib": typeof import("node:zlib");
}

/** Gives a native module, or `undefined` if the runtime does not have it. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown };
  };
  return process?.getBuiltinModule?.(name) as Builtins[Name] | undefined;
}

/**
 * Whether the runtime has native modules. In Deno 2.9.6 even reading `process` loads the base of all
 * Node modules, which takes as long as starting up. This function does not read it.
 */
export function hasBuiltins(): boolean {
  return "Deno" in globalThis || builtin("node:zlib") !== undefined;
}

/**
 * Whether the runtime's `DecompressionStream` refuses anything that follows a gzip member, as the
 * standard requires (Compression Streams, "Decompress and enqueue a chunk"). In Node 20 and 22 it joins
 * members, and in Node 20 it accepts zeros behind a member.
 */
export function refusesTrailingData(): boolean {
  return "Deno" in globalThis || !hasBuiltins();
}
