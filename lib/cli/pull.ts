import { pull } from "../verbs/pull.ts";
import { STDOUT } from "../system/pipe.ts";
import { note, printDone, printJson } from "./io.ts";
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
  if (flags.output === "json") {
    return await printJson({
      file: path,
      digest,
      size,
      ...(flags.withAttachments && { bundles }),
      success: true,
    });
  }
  await printDone(`Successfully pulled ${path}\ndigest: ${digest}`);
  for (const bundle of bundles) await printDone(`bundle: ${bundle}`);
  if (flags.withAttachments && bundles.length === 0) note("no bundle is attached to it.");
}
