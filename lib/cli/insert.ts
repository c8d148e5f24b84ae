import { Command } from "npm:commander@15.1.0";
import { insert } from "../insert.ts";
import { print, printJson, warn } from "./io.ts";
import { addResigningOptions, findResigningKeys, type ResigningFlags } from "./signing.ts";
import {
  addBinaryOptions,
  type BinaryFlags,
  outputOption,
  pairBinaries,
  parseLimits,
  sizeOption,
  sourceDateEpoch,
} from "./options.ts";
import { ParError } from "../errors.ts";

interface InsertFlags extends ResigningFlags, BinaryFlags {
  readonly maxSize?: string;
  readonly output: "text" | "json";
}

/** Builds `par insert`. */
export function insertCommand(signal: AbortSignal): Command {
  const command = new Command("insert")
    .description("add binaries to an archive, or replace them, and sign it anew")
    .argument("<archive>", "the archive's path");
  return addResigningOptions(addBinaryOptions(command))
    .addOption(sizeOption())
    .addOption(outputOption())
    .action((archive: string, flags: InsertFlags) => run(archive, flags, signal));
}

async function run(archive: string, flags: InsertFlags, signal: AbortSignal): Promise<void> {
  const binaries = pairBinaries(flags.binary, flags.arch);
  const first = binaries[0];
  if (!first) {
    throw new ParError("ERR_USAGE", "Cannot insert nothing: name a binary (--binary)");
  }
  const limits = parseLimits(flags);
  await insert(archive, {
    ...await findResigningKeys(archive, flags, { limits, signal }, first.source),
    binaries,
    forceTarget: flags.forceArch,
    onWarning: warn,
    sourceDateEpoch: sourceDateEpoch(),
    limits,
    signal,
  });
  if (flags.output === "json") return await printJson({ file: archive, success: true });
  for (const { source } of binaries) {
    await print(`Successfully inserted ${source} into archive ${archive}`);
  }
}
