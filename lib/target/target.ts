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
  "aarch64",
  "arm64ec",
  "loongarch64",
  "m68k",
  "mips",
  "mipsel",
  "mips32r6",
  "mips64",
  "mips64el",
  "mips64r6",
  "powerpc",
  "powerpc64",
  "riscv32",
  "riscv64",
  "s390x",
  "sparc64",
];

const SYSTEMS = [
  "linux",
  "android",
  "macos",
  "ios",
  "tvos",
  "visionos",
  "watchos",
  "windows",
  "dragonfly",
  "freebsd",
  "illumos",
  "netbsd",
  "openbsd",
  "solaris",
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
  const [architecture = "", system = ""] = cutAtDash(target);
  return isKnownArchitecture(architecture) && isKnownSystem(system);
}

/** Whether a text is the name of an architecture, as hosts spell it. */
export function isKnownArchitecture(name: string): boolean {
  return ARCHITECTURES.includes(name);
}

/** Whether a text is the name of an operating system, as hosts spell it. */
export function isKnownSystem(name: string): boolean {
  return SYSTEMS.includes(name);
}

/**
 * Splits a target into its two names. The system's is the one that hosts use, also where the target
 * says `darwin` for `macos`.
 *
 * @param target A target.
 */
export function splitTarget(target: Target): { architecture: string; system: string } {
  const [architecture = "", system = ""] = cutAtDash(target);
  return { architecture, system: systemName(system) };
}

function cutAtDash(text: string): [string, string] {
  const dash = text.indexOf("-");
  return dash < 0 ? [text, ""] : [text.slice(0, dash), text.slice(dash + 1)];
}

/**
 * Names the target that hosts look for, for a target that people call by other names.
 *
 * @param target A target, such as `armv7-linux` or `x86_64-darwin`.
 * @returns The target of hosts, or `undefined` where none is known for it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.equal(usualTarget(parseTarget("armv7-linux")), "arm-linux");
 * assert.equal(usualTarget(parseTarget("arm-linux")), "arm-linux");
 * assert.equal(usualTarget(parseTarget("x86_64-testrunner")), undefined);
 * ```
 */
export function usualTarget(target: Target): Target | undefined {
  const { architecture, system } = splitTarget(target);
  const usual = `${architectureName(architecture)}-${system}`;
  return isTargetName(usual) && isKnownTarget(usual) ? usual : undefined;
}

/** What people and programs call systems that Rust calls otherwise. */
const SYSTEM_NAMES: Readonly<Record<string, string>> = {
  darwin: "macos",
  osx: "macos",
  sunos: "solaris",
  win32: "windows",
};

function systemName(name: string): string {
  return Object.hasOwn(SYSTEM_NAMES, name) ? SYSTEM_NAMES[name] as string : name;
}

/** What people and programs call architectures that Rust calls otherwise. */
const ARCHITECTURE_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^(x64|amd64)$/, "x86_64"],
  [/^(i[3-6]86|ia32)$/, "x86"],
  [/^(arm|thumb)(v\d.*)?$/, "arm"],
  [/^arm64(e|_32)?$/, "aarch64"],
  [/^loong64$/, "loongarch64"],
  [/^mipsisa32r6/, "mips32r6"],
  [/^mipsisa64r6/, "mips64r6"],
  [/^(powerpc64le|ppc64|ppc64le)$/, "powerpc64"],
  [/^riscv32.*$/, "riscv32"],
  [/^riscv64.*$/, "riscv64"],
  [/^sparcv9$/, "sparc64"],
];

function architectureName(name: string): string {
  return ARCHITECTURE_NAMES.find(([pattern]) => pattern.test(name))?.[1] ?? name;
}

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
  return parseTarget(`${architectureName(process.arch)}-${systemName(process.platform)}`);
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
  // Android's triples leave the vendor out, and call it an environment of Linux.
  const system = rest.some((part) => /^android/.test(part))
    ? "android"
    : rest.map(systemName).find(isKnownSystem);
  const target = `${architectureName(cpu)}-${system}`;
  return isTargetName(target) && isKnownTarget(target) ? target : undefined;
}
