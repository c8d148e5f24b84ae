import { remove } from "../verbs/remove.ts";
import { print, printJson } from "./io.ts";
import { resign, RESIGNING_FLAGS, type ResigningFlags } from "./signing.ts";
import type { Verb } from "./verb.ts";

interface RemoveFlags extends ResigningFlags {
  readonly arch: string[];
  readonly allowEmpty?: boolean;
}

/** `par remove`. */
export const REMOVE: Verb = {
  name: "remove",
  description: "take binaries out of an archive, and sign it anew",
  arguments: [{ name: "<archive>", description: "the archive's path" }],
  flags: [
    {
      flags: "-a, --arch <target>",
      description: "the target to take out; repeatable",
      required: true,
      repeatable: true,
    },
    { flags: "--allow-empty", description: "take out the last target too" },
    ...RESIGNING_FLAGS,
  ],
  examples: [
    "par remove fakepay.par.gz -a x86_64-windows",
    "par remove fakepay.par -a arm-linux -a x86_64-macos -o json",
  ],
  run: ([archive = ""], flags: RemoveFlags, { signal }) => run(archive, flags, signal),
};

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
