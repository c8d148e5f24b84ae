import { countOf } from "../errors.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import { STDOUT } from "../system/pipe.ts";
import { openRepeatable } from "../system/spool.ts";
import { merge } from "../verbs/merge.ts";
import { printDone, warnOfName } from "./io.ts";
import { resign } from "./signing.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type MergeFlags = Values<typeof VERBS.merge.flags>;

/** Runs `par merge`. */
export async function run(
  this: Context,
  flags: MergeFlags,
  ...archives: string[]
): Promise<void> {
  const { signal } = this;
  const { compressLevel, destination, jobs } = flags;
  // Where it is not asked for, the result is as the first archive is.
  const compress = flags.compress || undefined;
  using opened = new DisposableStack();
  const sources: ArchiveSource[] = [];
  for (const archive of archives) sources.push(opened.use(await openRepeatable(archive, signal)));
  const { compressed } = await resign(
    flags,
    { archive: sources[0] ?? "", title: "Merging", signal },
    (options) => merge(sources, { ...options, destination, compress, compressLevel, jobs }),
  );
  if (destination === STDOUT) return;
  warnOfName(destination, compressed);
  await printDone(
    flags.output,
    { file: destination },
    `Successfully merged ${countOf(archives.length, "archive")} into ${destination}`,
  );
}
