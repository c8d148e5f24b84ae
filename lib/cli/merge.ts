import { Command } from "npm:commander@15.1.0";
import { merge } from "../merge.ts";
import { print, printJson } from "./io.ts";
import {
  addCompressionOptions,
  type CompressionFlags,
  examples,
  parseCompression,
} from "./options.ts";
import { addResigningOptions, resign, type ResigningFlags } from "./signing.ts";

interface MergeFlags extends ResigningFlags, CompressionFlags {
  readonly destination: string;
  readonly compress?: boolean;
}

/** Builds `par merge`. */
export function mergeCommand(signal: AbortSignal): Command {
  const command = new Command("merge")
    .description("bring archives of one provider, made on different machines, into one")
    .argument("<archives...>", "the archives' paths")
    .requiredOption("--destination <path>", "the merged archive's path")
    .option("--compress", "compress with gzip (default: as the first archive is)");
  return addResigningOptions(addCompressionOptions(command))
    .addHelpText(
      "after",
      examples(
        "par merge --destination fakepay.par.gz linux.par.gz macos.par.gz",
        "par merge --destination all.par.gz --compress build/parts/*.par",
      ),
    )
    .action((archives: string[], flags: MergeFlags) => run(archives, flags, signal));
}

async function run(archives: string[], flags: MergeFlags, signal: AbortSignal): Promise<void> {
  const { destination, compress } = flags;
  await resign(
    flags,
    { archive: archives[0] ?? "", title: "Merging", signal },
    (options) => merge(archives, { ...options, ...parseCompression(flags), destination, compress }),
  );
  if (flags.output === "json") await printJson({ file: destination, success: true });
  else await print(`Successfully merged ${archives.length} archives into ${destination}`);
}
