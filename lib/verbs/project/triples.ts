/**
 * What is to be built, as Rust and as wasmCloud name it.
 *
 * @module
 */

import { ParError } from "../../errors.ts";
import { isKnownTarget, isTargetName, type Target, targetFromTriple } from "../../target/target.ts";

/** A target to build for. */
export interface Wanted {
  /** What hosts look for. */
  readonly target: Target;
  /** The Rust triples that give it, the preferred one first. */
  readonly triples: readonly string[];
}

/** The targets that providers are usually published for. */
export const USUAL_TARGETS: readonly string[] = [
  ...["x86_64-linux", "aarch64-linux", "arm-linux"],
  ...["x86_64-macos", "aarch64-macos", "x86_64-windows"],
];

/** The triples of the targets whose name does not follow from their own. */
const ARM = ["armv7-unknown-linux-gnueabihf", "armv7-unknown-linux-musleabihf"];
const TRIPLES: Readonly<Record<string, readonly string[]>> = {
  "arm-linux": ARM,
  "armv7-linux": ARM,
  "x86-linux": ["i686-unknown-linux-gnu", "i686-unknown-linux-musl"],
  "x86-windows": ["i686-pc-windows-gnu", "i686-pc-windows-msvc"],
  "riscv64-linux": ["riscv64gc-unknown-linux-gnu", "riscv64gc-unknown-linux-musl"],
  "powerpc64-linux": ["powerpc64le-unknown-linux-gnu"],
  "mips64-linux": ["mips64-unknown-linux-gnuabi64"],
  "mips64el-linux": ["mips64el-unknown-linux-gnuabi64"],
};

/** What a system's triples end in; Windows' own tools build the second. */
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
export function parseWanted(text: string, host: string | undefined): Wanted {
  const fromTriple = targetFromTriple(text);
  if (isTargetName(text) && isKnownTarget(text)) {
    return { target: text, triples: triplesOf(text, host) };
  }
  if (fromTriple) return { target: fromTriple, triples: [text] };
  throw new ParError(
    "ERR_TARGET_INVALID",
    `Cannot build for ${JSON.stringify(text)}: no host looks for it; give a target such as ` +
      "aarch64-linux, or a Rust triple such as aarch64-unknown-linux-gnu",
  );
}

function triplesOf(target: Target, host: string | undefined): readonly string[] {
  const dash = target.indexOf("-");
  const [arch, system] = [target.slice(0, dash), target.slice(dash + 1)];
  const triples = TRIPLES[target] ?? (SYSTEMS[system] ?? []).map((rest) => `${arch}-${rest}`);
  if (host && targetFromTriple(host) === target) return [host, ...triples.filter((t) => t !== host)];
  return system === "windows" && host?.endsWith("-msvc") ? triples.toReversed() : triples;
}

/**
 * Refuses to build one target twice.
 *
 * @throws {ParError} `ERR_TARGET_DUPLICATE`.
 */
export function requireDistinct(wanted: readonly Wanted[]): void {
  for (const [at, { target, triples }] of wanted.entries()) {
    const before = wanted.slice(0, at).find((each) => each.target === target);
    if (!before) continue;
    throw new ParError(
      "ERR_TARGET_DUPLICATE",
      `Cannot build ${target} twice, for ${before.triples[0]} and for ${triples[0]}: an archive ` +
        "holds one binary for each target; leave one out",
    );
  }
}
