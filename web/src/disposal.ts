/**
 * Defines the symbols of explicit resource management (ECMAScript 2026) in browsers that lack them.
 * The classes of `lib/` use these symbols, so import this module first.
 *
 * @module
 */

for (const name of ["dispose", "asyncDispose"]) {
  if (name in Symbol) continue;
  Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
}
