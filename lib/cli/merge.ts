import { Command } from "npm:commander@15.1.0";
import { merge } from "../merge.ts";
import { print, printJson } from "./io.ts";
import { addResigningOptions, findResigningKeys, type ResigningFlags } from "./signing.ts";
import { outputOption, parseLimits, sizeOption, sourceDateEpoch } from "./options.ts";

interface MergeFlags extends ResigningFlags {
  readonly destination: string;
  readonly compress?: boolean;
  readonly maxSize?: string;
  readonly output: "text" | "json";
}

/** Builds `par merge`. */
export function mergeCommand(signal: AbortSignal): Command {
  const command = new Command("merge")
    .description("bring archives of one provider, made on different machines, into one")
    .argument("<archives...>", "the archives' paths")
    .requiredOption("--destination <path>", "the merged archive's path")
    .option("--compress", "compress with gzip, level 9 (default: as the first archive is)");
  return addResigningOptions(command)
    .addOption(sizeOption())
    .addOption(outputOption())
    .action((archives: string[], flags: MergeFlags) => run(archives, flags, signal));
}

async function run(archives: string[], flags: MergeFlags, signal: AbortSignal): Promise<void> {
  const limits = parseLimits(flags);
  const [first = ""] = archives;
  await merge(archives, {
    ...await findResigningKeys(first, flags, { limits, signal }),
    destination: flags.destination,
    compress: flags.compress,
    sourceDateEpoch: sourceDateEpoch(),
    limits,
    signal,
  });
  if (flags.output === "json") await printJson({ file: flags.destination, success: true });
  else await print(`Successfully merged ${archives.length} archives into ${flags.destination}`);
}
