/**
 * Everything that the library's entry points export, in one place.
 *
 * @module
 */

export * from "../mod.ts";
export * from "../lib/archive/mod.ts";
export { ERROR_CODES, type ErrorCategory, type ErrorCodeInfo } from "../lib/errors.ts";
export * from "../lib/registry/mod.ts";
export * from "../lib/signing/mod.ts";
export * from "../lib/system/mod.ts";
export * from "../lib/target/mod.ts";
export * from "../lib/verbs/attestations.ts";
export * from "../lib/verbs/wit.ts";
