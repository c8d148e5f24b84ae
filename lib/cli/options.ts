/**
 * Parses the values of flags.
 *
 * @module
 */

import type { BinaryInput } from "../verbs/binary.ts";
import { ParError, quote } from "../errors.ts";
import { isTargetName } from "../target/target.ts";

/**
 * Pairs each `--arch` with a `--binary`, in order. A binary may have its own target, as `ARCH=PATH`.
 *
 * @throws {ParError} `ERR_USAGE` if the counts differ.
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

/** Takes `TARGET=PATH` apart; anything else is a path. */
export function splitBinary(text: string): { source: string; target?: string } {
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
 * @returns Seconds since the epoch, or `undefined` if it is not set.
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
