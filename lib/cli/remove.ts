import { remove } from "../verbs/remove.ts";
import { printDone, printJson } from "./io.ts";
import { resign } from "./signing.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type RemoveFlags = Values<typeof VERBS.remove.flags>;

/** Runs `par remove`. */
export async function run(this: Context, flags: RemoveFlags, archive: string): Promise<void> {
  const { signal } = this;
  const { arch: targets, allowEmpty } = flags;
  await resign(
    flags,
    { archive, title: "Removing", signal },
    (options) => remove(archive, { ...options, targets, allowEmpty }),
  );
  if (flags.output === "json") return await printJson({ file: archive, success: true });
  for (const target of targets) {
    await printDone(`Successfully removed ${target} from archive ${archive}`);
  }
}
