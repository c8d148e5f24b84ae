/**
 * The symbols of explicit resource management (ECMAScript 2026), where a browser does not have them
 * yet: the core's classes are keyed by them. To be imported before the core.
 *
 * @module
 */

for (const name of ["dispose", "asyncDispose"]) {
  if (name in Symbol) continue;
  Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
}
