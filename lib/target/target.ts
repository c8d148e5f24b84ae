/**
 * Targets: the pair of CPU architecture and operating system that a provider's binary is for, such
 * as `x86_64-linux`. This module is browser compatible.
 *
 * @module
 */

import { ParError } from "../errors.ts";

/**
 * A checked target name, `<arch>-<os>` as Rust's `std::env::consts::{ARCH, OS}` spell the two.
 *
 * A string like any other when it is printed; only {@linkcode parseTarget} makes one.
 */
export type Target = string & { readonly "~checked": "target" };

const ARCHITECTURES = [
  "x86",
  "x86_64",
  "arm",
  "armv7",
  "aarch64",
  "mips",
  "mipsel",
  "mips64",
  "mips64el",
  "powerpc64",
  "riscv64",
  "s390x",
];

const SYSTEMS = [
  "linux",
  "macos",
  "windows",
  "ios",
  "freebsd",
  "android",
];

/** Every target that hosts are known to look for. */
export const KNOWN_TARGETS: readonly string[] = ARCHITECTURES.flatMap((architecture) =>
  SYSTEMS.map((system) => `${architecture}-${system}`)
);

/** `<target>.bin` fits the 100 bytes of a tar header's name field. */
const MAX_LENGTH = 96;

/** Names that readers of other implementations take for something else than a binary. */
const RESERVED: ReadonlySet<string> = new Set(["claims", "world", "world.wasm"]);

/**
 * Checks that a text can name a target.
 *
 * Readers in the field accept any name, so an unusual pair is no error here; ask
 * {@linkcode isKnownTarget} to warn about one.
 *
 * @param text Letters, digits, `_`, `-`, `.` and `+`, beginning with a letter or digit, at most 96.
 * @returns The same text, typed.
 * @throws {ParError} `ERR_TARGET_INVALID` when an archive entry cannot have this name.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(parseTarget("aarch64-linux"), "aarch64-linux");
 * assert.throws(() => parseTarget("../x86_64-linux"), { code: "ERR_TARGET_INVALID" });
 * ```
 */
export function parseTarget(text: string): Target {
  if (!isTargetName(text)) {
    throw new ParError(
      "ERR_TARGET_INVALID",
      `Cannot use ${JSON.stringify(text)} as a target: ` +
        "give an architecture and an operating system, such as x86_64-linux",
    );
  }
  return text;
}

/** Whether a text can name a target: the rule of {@linkcode parseTarget} as a predicate. */
export function isTargetName(text: string): text is Target {
  return text.length <= MAX_LENGTH && /^[A-Za-z0-9][A-Za-z0-9_.+-]*$/.test(text) &&
    !RESERVED.has(text);
}

/**
 * Tells whether hosts are known to look for this target.
 *
 * @param target A target.
 * @returns False where the architecture or the system is none of the usual names.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert(isKnownTarget(parseTarget("x86_64-linux")));
 * assert(!isKnownTarget(parseTarget("x86_64-testrunner")));
 * ```
 */
export function isKnownTarget(target: Target): boolean {
  return KNOWN_TARGETS.includes(target);
}

/** How `process.platform` and `Deno.build.os` spell systems that Rust spells otherwise. */
const SYSTEM_NAMES: Readonly<Record<string, string>> = { darwin: "macos", win32: "windows" };

/** How `process.arch` spells architectures that Rust spells otherwise. */
const ARCHITECTURE_NAMES: Readonly<Record<string, string>> = {
  x64: "x86_64",
  ia32: "x86",
  arm64: "aarch64",
  ppc64: "powerpc64",
};

/**
 * Names the target of the machine this runs on.
 *
 * @returns The target, or `undefined` where the runtime does not say (a browser).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.match(hostTarget() ?? "", /^[a-z0-9_]+-[a-z]+$/);
 * ```
 */
export function hostTarget(): Target | undefined {
  // Deno and Node both carry `process`; a browser has neither.
  const { process } = globalThis as { process?: { arch?: string; platform?: string } };
  if (!process?.arch || !process.platform) return undefined;
  const arch = ARCHITECTURE_NAMES[process.arch] ?? process.arch;
  const system = SYSTEM_NAMES[process.platform] ?? process.platform;
  return parseTarget(`${arch}-${system}`);
}

/**
 * Names the target that a Rust target triple builds for.
 *
 * @param triple A triple as `rustc --print target-list` prints it.
 * @returns The target, or `undefined` for a triple that no host looks for.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(targetFromTriple("armv7-unknown-linux-gnueabihf"), "arm-linux");
 * assert.equal(targetFromTriple("aarch64-apple-darwin"), "aarch64-macos");
 * assert.equal(targetFromTriple("wasm32-wasip1"), undefined);
 * ```
 */
export function targetFromTriple(triple: string): Target | undefined {
  const [cpu = "", ...rest] = triple.split("-");
  // Android's triples leave the vendor out.
  const system = rest.find((part) => /^(linux|darwin|ios|windows|freebsd|android)/.test(part));
  const os = rest.some((part) => part.startsWith("android"))
    ? "android"
    : system === "darwin"
    ? "macos"
    : system;
  const arch = /^i[3-6]86$/.test(cpu)
    ? "x86"
    : /^arm64e?$/.test(cpu)
    ? "aarch64"
    : /^(arm|thumb)(v\d|$)/.test(cpu)
    ? "arm"
    : cpu.replace(/^riscv64.*/, "riscv64").replace(/^powerpc64le$/, "powerpc64");
  const target = `${arch}-${os}`;
  return isTargetName(target) && isKnownTarget(target) ? target : undefined;
}
