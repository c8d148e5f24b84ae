/**
 * Targets: the architecture and operating system that a host looks for, and the targets that a
 * binary's header names.
 *
 * Start with {@linkcode readExecutable} for a binary, or {@linkcode parseTarget} for a name.
 *
 * This module is browser compatible.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(targetFromTriple("aarch64-apple-darwin"), "aarch64-macos");
 * assert.equal(readExecutable(new Uint8Array(64)), undefined);
 * ```
 *
 * @module
 */

export {
  hostTarget,
  isKnownTarget,
  parseTarget,
  type Target,
  targetFromTriple,
  usualTarget,
} from "./target.ts";
export {
  type Executable,
  EXECUTABLE_HEADER_LENGTH,
  type ExecutableFormat,
  type Machine,
  readExecutable,
  runsOn,
} from "./executable.ts";
