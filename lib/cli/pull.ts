import { pull } from "../verbs/pull.ts";
import { STDOUT } from "../system/pipe.ts";
import { note, printDone } from "./io.ts";
import { withProgress } from "./progress.ts";
import { pullOptions, referenceOptions } from "./registry.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type Flags = Values<typeof VERBS.pull.flags>;

/** Runs `par pull`. */
export async function run(this: Context, flags: Flags, from: string): Promise<void> {
  const { signal } = this;
  const options = {
    ...await pullOptions(flags, signal),
    ...referenceOptions(flags),
    destination: flags.destination,
    withAttachments: flags.withAttachments,
    limits: { maxSize: flags.maxSize },
  };
  const { path, digest, size, bundles } = await withProgress(
    "Pulling",
    (onProgress) => pull(from, { ...options, onProgress }),
  );
  if (path === STDOUT) return;
  await printDone(
    flags.output,
    { file: path, digest, size, ...(flags.withAttachments && { bundles }) },
    [
      `Successfully pulled ${path}`,
      `digest: ${digest}`,
      ...bundles.map((each) => `bundle: ${each}`),
    ]
      .join("\n"),
  );
  if (flags.withAttachments && bundles.length === 0) note("no bundle is attached to it.");
}
