/**
 * Targets: the CPU architecture and operating system that a provider's binary is for, such as
 * `x86_64-linux`. This module is browser compatible.
 *
 * @module
 */

import { ParError, quote } from "../errors.ts";

/**
 * A checked target name, `<arch>-<os>` as Rust's `std::env::consts::{ARCH, OS}` spell them.
 *
 * It is a plain string. The type says that {@linkcode parseTarget} has checked it.
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

/** Names of other entries. Other implementations do not read an entry of such a name as a binary. */
const RESERVED: ReadonlySet<string> = new Set(["claims", "world", "world.wasm"]);

/**
 * Checks that a text can be the name of a target.
 *
 * Hosts accept any name, so an unusual name is not an error. To warn about one, use
 * {@linkcode isKnownTarget}.
 *
 * @param text At most 96 letters, digits, `_`, `-`, `.` and `+`. It begins with a letter or a digit.
 * @returns The same text, typed.
 * @throws {ParError} `ERR_TARGET_INVALID` if an archive entry cannot have this name.
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
      `Cannot use ${quote(text)} as a target: ` +
        "give an architecture and an operating system, such as x86_64-linux",
    );
  }
  return text;
}

/** Whether {@linkcode parseTarget} accepts a text. */
export function isTargetName(text: string): text is Target {
  return text.length <= MAX_LENGTH && /^[A-Za-z0-9][A-Za-z0-9_.+-]*$/.test(text) &&
    !RESERVED.has(text);
}

/**
 * Tells whether hosts are known to look for a target.
 *
 * @param target A target.
 * @returns False if the architecture or the system is not a known name.
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

/** Whether a text is the name of an architecture as hosts spell it. */
export function isKnownArchitecture(name: string): boolean {
  return ARCHITECTURES.includes(name);
}

/** Whether a text is the name of an operating system as hosts spell it. */
export function isKnownSystem(name: string): boolean {
  return SYSTEMS.includes(name);
}

/**
 * Splits a target into architecture and system. The system is spelled as hosts spell it, so `darwin`
 * becomes `macos`.
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
 * Gives the target that hosts look for, for a target with other names of the architecture or system.
 *
 * @param target A target, such as `armv7-linux` or `x86_64-darwin`.
 * @returns The target that hosts look for, or `undefined` if none is known.
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

/** Other names of systems, and the name that Rust uses. */
const SYSTEM_NAMES: Readonly<Record<string, string>> = {
  darwin: "macos",
  mac: "macos",
  macosx: "macos",
  osx: "macos",
  sunos: "solaris",
  win: "windows",
  win32: "windows",
  win64: "windows",
};

/** `uname` and others begin a system's name with a capital. */
function systemName(name: string): string {
  const plain = name.toLowerCase();
  if (Object.hasOwn(SYSTEM_NAMES, plain)) return SYSTEM_NAMES[plain] as string;
  return isKnownSystem(plain) ? plain : name;
}

/** Other names of architectures, and the name that Rust uses. */
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
 * Gives the target of this machine.
 *
 * @returns The target, or `undefined` if the runtime does not name its machine, as in a browser.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * assert.match(hostTarget() ?? "", /^[a-z0-9_]+-[a-z]+$/);
 * ```
 */
export function hostTarget(): Target | undefined {
  // Deno and Node have `process`, and a browser does not.
  const { process } = globalThis as { process?: { arch?: string; platform?: string } };
  if (!process?.arch || !process.platform) return undefined;
  return parseTarget(`${architectureName(process.arch)}-${systemName(process.platform)}`);
}

/**
 * Gives the target that a Rust target triple builds for.
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
  // Android's triples have no vendor, and name Android as the environment of Linux.
  const system = rest.some((part) => /^android/.test(part))
    ? "android"
    : rest.map(systemName).find(isKnownSystem);
  const target = `${architectureName(cpu)}-${system}`;
  return isTargetName(target) && isKnownTarget(target) ? target : undefined;
}
