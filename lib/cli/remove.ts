import { Command } from "npm:commander@15.1.0";
import { remove } from "../remove.ts";
import { print, printJson } from "./io.ts";
import { addResigningOptions, findResigningKeys, type ResigningFlags } from "./signing.ts";
import { collect, outputOption, parseLimits, sizeOption, sourceDateEpoch } from "./options.ts";

interface RemoveFlags extends ResigningFlags {
  readonly arch: string[];
  readonly allowEmpty?: boolean;
  readonly maxSize?: string;
  readonly output: "text" | "json";
}

/** Builds `par remove`. */
export function removeCommand(signal: AbortSignal): Command {
  const command = new Command("remove")
    .description("take binaries out of an archive, and sign it anew")
    .argument("<archive>", "the archive's path")
    .requiredOption("-a, --arch <target>", "the target to take out; repeatable", collect)
    .option("--allow-empty", "take out the last target too");
  return addResigningOptions(command)
    .addOption(sizeOption())
    .addOption(outputOption())
    .action((archive: string, flags: RemoveFlags) => run(archive, flags, signal));
}

async function run(archive: string, flags: RemoveFlags, signal: AbortSignal): Promise<void> {
  const limits = parseLimits(flags);
  await remove(archive, {
    ...await findResigningKeys(archive, flags, { limits, signal }),
    targets: flags.arch,
    allowEmpty: flags.allowEmpty,
    sourceDateEpoch: sourceDateEpoch(),
    limits,
    signal,
  });
  if (flags.output === "json") return await printJson({ file: archive, success: true });
  for (const target of flags.arch) {
    await print(`Successfully removed ${target} from archive ${archive}`);
  }
}
