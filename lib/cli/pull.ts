import { pull } from "../verbs/pull.ts";
import { STDOUT } from "../system/pipe.ts";
import { printDone } from "./io.ts";
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
    limits: { maxSize: flags.maxSize },
  };
  const { path, digest, size } = await withProgress(
    "Pulling",
    (onProgress) => pull(from, { ...options, onProgress }),
  );
  if (path === STDOUT) return;
  await printDone(
    flags.output,
    { file: path, digest, size },
    `Successfully pulled ${path}\ndigest: ${digest}`,
  );
}
