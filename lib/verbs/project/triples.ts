/**
 * Targets to build for, as wasmCloud targets and as Rust triples.
 *
 * @module
 */

import { ParError, quote } from "../../errors.ts";
import {
  isKnownTarget,
  isTargetName,
  splitTarget,
  type Target,
  targetFromTriple,
} from "../../target/target.ts";

/** A target to build for. */
export interface BuildTarget {
  /** The target that hosts look for. */
  readonly target: Target;
  /** The Rust triples that build for it. The first is preferred. */
  readonly triples: readonly string[];
}

/** The targets that providers are usually published for. */
export const USUAL_TARGETS: readonly string[] = [
  ...["x86_64-linux", "aarch64-linux", "arm-linux"],
  ...["x86_64-macos", "aarch64-macos", "x86_64-windows"],
];

const ARM_TRIPLES = ["armv7-unknown-linux-gnueabihf", "armv7-unknown-linux-musleabihf"];

/** The triples of targets whose architecture has another name in triples. */
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

/** For each system, the part of its triples after the architecture. */
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
 * @param host This machine's triple, which is preferred if it fits.
 * @throws {ParError} `ERR_TARGET_INVALID`.
 */
export function parseBuildTarget(text: string, host?: string): BuildTarget {
  if (isTargetName(text) && isKnownTarget(text)) {
    return { target: text, triples: triplesOf(text, host) };
  }
  // Otherwise the misspelt x86-64-linux would be read as a triple of x86.
  const target = /^\w+-[a-z]+-/i.test(text) ? targetFromTriple(text) : undefined;
  if (target) return { target, triples: [text] };
  throw new ParError(
    "ERR_TARGET_INVALID",
    `Cannot build for ${quote(text)}: no host looks for it; give a target such as ` +
      "aarch64-linux, or a Rust triple such as aarch64-unknown-linux-gnu",
  );
}

function triplesOf(target: Target, host: string | undefined): readonly string[] {
  const { architecture, system } = splitTarget(target);
  const triples = TRIPLES[target] ??
    (SYSTEMS[system] ?? []).map((rest) => `${architecture}-${rest}`);
  if (host && targetFromTriple(host) === target) return [...new Set([host, ...triples])];
  // On Windows, Visual Studio's linker is usual.
  return host?.endsWith("-msvc") && system === "windows" ? triples.toReversed() : triples;
}

/**
 * Checks that no target appears twice.
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
