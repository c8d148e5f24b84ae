import { remove } from "../verbs/remove.ts";
import { printDone } from "./io.ts";
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
  const lines = targets.map((target) => `Successfully removed ${target} from archive ${archive}`);
  await printDone(flags.output, { file: archive }, lines.join("\n"));
}
