import { Command } from "npm:commander@15.1.0";
import { remove } from "../remove.ts";
import { print, printJson } from "./io.ts";
import { collect, examples } from "./options.ts";
import { addResigningOptions, resign, type ResigningFlags } from "./signing.ts";

interface RemoveFlags extends ResigningFlags {
  readonly arch: string[];
  readonly allowEmpty?: boolean;
}

/** Builds `par remove`. */
export function removeCommand(signal: AbortSignal): Command {
  const command = new Command("remove")
    .description("take binaries out of an archive, and sign it anew")
    .argument("<archive>", "the archive's path")
    .requiredOption("-a, --arch <target>", "the target to take out; repeatable", collect)
    .option("--allow-empty", "take out the last target too");
  return addResigningOptions(command)
    .addHelpText(
      "after",
      examples(
        "par remove fakepay.par.gz -a x86_64-windows",
        "par remove fakepay.par -a arm-linux -a x86_64-macos -o json",
      ),
    )
    .action((archive: string, flags: RemoveFlags) => run(archive, flags, signal));
}

async function run(archive: string, flags: RemoveFlags, signal: AbortSignal): Promise<void> {
  const { arch: targets, allowEmpty } = flags;
  await resign(
    flags,
    { archive, title: "Removing", signal },
    (options) => remove(archive, { ...options, targets, allowEmpty }),
  );
  if (flags.output === "json") return await printJson({ file: archive, success: true });
  for (const target of targets) {
    await print(`Successfully removed ${target} from archive ${archive}`);
  }
}
