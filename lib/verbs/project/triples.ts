/**
 * Targets to build for, as Rust and as wasmCloud name them.
 *
 * @module
 */

import { ParError, quote } from "../../errors.ts";
import { isKnownTarget, isTargetName, type Target, targetFromTriple } from "../../target/target.ts";

/** A target to build for. */
export interface BuildTarget {
  /** What hosts look for. */
  readonly target: Target;
  /** The Rust triples that build for it, the preferred one first. */
  readonly triples: readonly string[];
}

/** The targets that providers are usually published for. */
export const USUAL_TARGETS: readonly string[] = [
  ...["x86_64-linux", "aarch64-linux", "arm-linux"],
  ...["x86_64-macos", "aarch64-macos", "x86_64-windows"],
];

const ARM_TRIPLES = ["armv7-unknown-linux-gnueabihf", "armv7-unknown-linux-musleabihf"];

/** The triples of targets whose architecture Rust's triples spell differently. */
const TRIPLES: Readonly<Record<string, readonly string[]>> = {
  "arm-linux": ARM_TRIPLES,
  "armv7-linux": ARM_TRIPLES,
  "x86-linux": ["i686-unknown-linux-gnu", "i686-unknown-linux-musl"],
  "x86-windows": ["i686-pc-windows-gnu", "i686-pc-windows-msvc"],
  "riscv64-linux": ["riscv64gc-unknown-linux-gnu", "riscv64gc-unknown-linux-musl"],
  "powerpc64-linux": ["powerpc64le-unknown-linux-gnu"],
  "mips64-linux": ["mips64-unknown-linux-gnuabi64"],
  "mips64el-linux": ["mips64el-unknown-linux-gnuabi64"],
};

/** What follows the architecture in the triples of a system. */
const SYSTEMS: Readonly<Record<string, readonly string[]>> = {
  linux: ["unknown-linux-gnu", "unknown-linux-musl"],
  macos: ["apple-darwin"],
  ios: ["apple-ios"],
  windows: ["pc-windows-gnu", "pc-windows-msvc"],
  freebsd: ["unknown-freebsd"],
  android: ["linux-android"],
};

/**
 * Reads the name of a target.
 *
 * @param text A Rust triple, or a wasmCloud target.
 * @param host This machine's triple, which is preferred where it fits.
 * @throws {ParError} `ERR_TARGET_INVALID`.
 */
export function parseBuildTarget(text: string, host?: string): BuildTarget {
  if (isTargetName(text) && isKnownTarget(text)) {
    return { target: text, triples: triplesOf(text, host) };
  }
  // A misspelt x86-64-linux would be read as a triple of x86 otherwise.
  const target = /^\w+-[a-z]+-/i.test(text) ? targetFromTriple(text) : undefined;
  if (target) return { target, triples: [text] };
  throw new ParError(
    "ERR_TARGET_INVALID",
    `Cannot build for ${quote(text)}: no host looks for it; give a target such as ` +
      "aarch64-linux, or a Rust triple such as aarch64-unknown-linux-gnu",
  );
}

function triplesOf(target: Target, host: string | undefined): readonly string[] {
  const dash = target.indexOf("-");
  const [arch, system] = [target.slice(0, dash), target.slice(dash + 1)];
  const triples = TRIPLES[target] ?? (SYSTEMS[system] ?? []).map((rest) => `${arch}-${rest}`);
  if (host && targetFromTriple(host) === target) {
    return [
      host,
      ...triples.filter((t) => t !== host),
    ];
  }
  // On Windows, the linker of Visual Studio is the usual one.
  return host?.endsWith("-msvc") && system === "windows" ? triples.toReversed() : triples;
}

/**
 * Refuses to build for one target twice.
 *
 * @throws {ParError} `ERR_TARGET_DUPLICATE`.
 */
export function requireDistinct(targets: readonly BuildTarget[]): void {
  for (const [at, { target, triples }] of targets.entries()) {
    const before = targets.slice(0, at).find((each) => each.target === target);
    if (!before) continue;
    throw new ParError(
      "ERR_TARGET_DUPLICATE",
      `Cannot build for ${target} twice, as ${before.triples[0]} and as ${
        triples[0]
      }: an archive ` +
        "holds one binary for each target; leave one out",
    );
  }
}
