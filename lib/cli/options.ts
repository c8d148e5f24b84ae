/**
 * Flags that several verbs share, and how their texts become values.
 *
 * @module
 */

import type { Limits } from "../archive/limits.ts";
import type { BinaryInput } from "../verbs/binary.ts";
import { ParError, quote } from "../errors.ts";
import { isTargetName } from "../target/target.ts";
import type { Flag } from "./verb.ts";

/** `-o/--output`: how results are printed. */
export const OUTPUT: Flag = {
  flags: "-o, --output <format>",
  description: "how to print the result",
  choices: ["text", "json"],
  default: "text",
};

/** The values of {@linkcode BINARY_FLAGS}. */
export interface BinaryFlags {
  readonly arch?: string[];
  readonly binary?: string[];
  readonly forceArch?: boolean;
}

/** The flags that name binaries and their targets. */
export const BINARY_FLAGS: readonly Flag[] = [
  {
    flags: "-a, --arch <target>",
    description: "the target of a binary, in the order of --binary (default: what its header says)",
    repeatable: true,
  },
  {
    flags: "-b, --binary <path>",
    description: "a binary, or TARGET=PATH; repeatable",
    repeatable: true,
  },
  {
    flags: "--force-arch",
    description: "take a binary for its target though its header contradicts",
  },
];

/** The values of {@linkcode COMPRESSION_FLAGS}. */
export interface CompressionFlags {
  readonly compressLevel?: string;
  readonly jobs?: string;
}

/** The flags that say how hard to compress, and on how many cores. */
export const COMPRESSION_FLAGS: readonly Flag[] = [
  { flags: "--compress-level <1-9>", description: "how hard to compress (default: 9)" },
  {
    flags: "--jobs <number>",
    description: "threads that compress; the bytes stay the same (default: cores)",
  },
];

/** Reads what {@linkcode COMPRESSION_FLAGS} say. */
export function parseCompression(
  { compressLevel, jobs }: CompressionFlags,
): { compressLevel: number | undefined; jobs: number | undefined } {
  return {
    compressLevel: compressLevel === undefined
      ? undefined
      : parseInteger(compressLevel, "--compress-level"),
    jobs: jobs === undefined ? undefined : parseInteger(jobs, "--jobs"),
  };
}

/** `--max-size`: how much an archive may unpack to. */
export const MAX_SIZE: Flag = {
  flags: "--max-size <size>",
  description: "the most an archive may unpack to (default: 8G)",
};

/** Reads the limits that {@linkcode MAX_SIZE} sets. */
export function parseLimits(flags: { readonly maxSize?: string }): Limits {
  const { maxSize } = flags;
  return maxSize === undefined ? {} : { maxSize: parseSize(maxSize, "--max-size") };
}

/**
 * Pairs `--arch` with `--binary`, in order; a binary may carry its own as `ARCH=PATH`.
 *
 * @throws {ParError} `ERR_USAGE` where the counts leave a pairing open.
 */
export function pairBinaries(
  binaries: readonly string[] = [],
  archs: readonly string[] = [],
): (BinaryInput & { readonly source: string })[] {
  const split = binaries.map(splitBinary);
  const open = split.filter((binary) => binary.target === undefined);
  if (archs.length > 0 && archs.length !== open.length) {
    throw new ParError(
      "ERR_USAGE",
      `Cannot pair ${archs.length} --arch with ${open.length} --binary: give one for each, or ` +
        "write --binary ARCH=PATH",
    );
  }
  const rest = [...archs];
  return split.map((binary) => ({ ...binary, target: binary.target ?? rest.shift() }));
}

function splitBinary(text: string): { source: string; target?: string } {
  const equals = text.indexOf("=");
  const target = text.slice(0, Math.max(equals, 0));
  // A path may hold an equals sign too; a target has a dash and no slash.
  if (!isTargetName(target) || !target.includes("-")) return { source: text };
  return { target, source: text.slice(equals + 1) };
}

/**
 * Reads a whole number.
 *
 * @throws {ParError} `ERR_OPTION_INVALID` for anything else.
 */
export function parseInteger(text: string, flag: string): number {
  const value = Number(text);
  if (!/^[+-]?[0-9]+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot use ${quote(text)} for ${flag}: give a whole number`,
    );
  }
  return value;
}

/**
 * Reads a number of days.
 *
 * @returns Seconds.
 * @throws {ParError} `ERR_OPTION_INVALID` for anything but a positive number.
 */
export function parseDays(text: string, flag: string): number {
  const days = Number(text);
  if (!/^[0-9]+(\.[0-9]+)?$/.test(text) || days > 36500) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot use ${quote(text)} for ${flag}: give a number of days, at most 36500`,
    );
  }
  return Math.round(days * 86400);
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

/**
 * Reads a size.
 *
 * @param text Bytes, or a number with a unit of 1024: `500M`, `2GiB`.
 * @returns Bytes.
 * @throws {ParError} `ERR_OPTION_INVALID` for anything else.
 */
export function parseSize(text: string, flag: string): number {
  const [, number, unit = ""] = /^([0-9]+)([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  const size = Number(number) * (UNITS[unit.toLowerCase()] ?? NaN);
  if (!Number.isSafeInteger(size)) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot use ${quote(text)} for ${flag}: give bytes, or a size such as 500M or 2G`,
    );
  }
  return size;
}

/**
 * Reads SOURCE_DATE_EPOCH, which asks for reproducible output.
 *
 * @returns Seconds since the epoch, or `undefined` where it is not set.
 * @throws {ParError} `ERR_OPTION_INVALID` for anything but a whole number.
 */
export function sourceDateEpoch(): number | undefined {
  const text = Deno.env.get("SOURCE_DATE_EPOCH");
  if (!text) return undefined;
  const seconds = parseInteger(text, "SOURCE_DATE_EPOCH");
  if (seconds >= 0) return seconds;
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot use ${text} for SOURCE_DATE_EPOCH: it counts the seconds since 1970`,
  );
}
