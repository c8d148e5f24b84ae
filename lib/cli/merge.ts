import { merge } from "../verbs/merge.ts";
import { print, printJson } from "./io.ts";
import { parseCompression } from "./options.ts";
import { resign } from "./signing.ts";
import type { Context, Values } from "./verb.ts";
import type { MERGE } from "./verbs.ts";

type MergeFlags = Values<typeof MERGE.flags>;

/** Runs `par merge`. */
export async function run(
  this: Context,
  flags: MergeFlags,
  ...archives: string[]
): Promise<void> {
  const { signal } = this;
  const { destination, compress } = flags;
  await resign(
    flags,
    { archive: archives[0] ?? "", title: "Merging", signal },
    (options) => merge(archives, { ...options, ...parseCompression(flags), destination, compress }),
  );
  if (flags.output === "json") await printJson({ file: destination, success: true });
  else await print(`Successfully merged ${archives.length} archives into ${destination}`);
}
