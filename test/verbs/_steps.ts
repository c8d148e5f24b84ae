/**
 * Looks on while a process works with files, step by step.
 *
 * @module
 */

const STEPS: readonly (readonly [object, readonly string[]])[] = [
  [Deno, ["open", "rename", "remove", "chmod"]],
  [Deno.FsFile.prototype, ["write", "truncate", "sync", "seek", "lock", "close"]],
];

/** Calls back before each step, until it is disposed of. */
export function watchSteps(onStep: (step: number) => void): Disposable {
  const restore: (() => void)[] = [];
  let step = 0;
  for (const [owner, names] of STEPS) {
    const methods = owner as Record<string, (...args: unknown[]) => unknown>;
    for (const name of names) {
      const method = methods[name];
      if (!method) throw new Error(`there is no ${name} to watch`);
      methods[name] = function (this: unknown, ...args: unknown[]): unknown {
        onStep(++step);
        return method.apply(this, args);
      };
      restore.push(() => methods[name] = method);
    }
  }
  return { [Symbol.dispose]: () => restore.forEach((undo) => undo()) };
}
