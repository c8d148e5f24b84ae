import { pull } from "../verbs/pull.ts";
import { parseReference } from "../registry/reference.ts";
import { print, printJson } from "./io.ts";
import { parseLimits } from "./options.ts";
import { withProgress } from "./progress.ts";
import { pullOptions } from "./registry.ts";
import type { Context, Values } from "./verb.ts";
import type { PULL } from "./verbs.ts";

type Flags = Values<typeof PULL.flags>;

/** Runs `par pull`. */
export async function run(this: Context, flags: Flags, from: string): Promise<void> {
  const { signal } = this;
  const reference = parseReference(from, { allowLatest: flags.allowLatest });
  const options = {
    ...await pullOptions(flags, signal),
    destination: flags.destination,
    limits: parseLimits(flags),
  };
  const { path, digest, size } = await withProgress(
    "Pulling",
    (onProgress) => pull(reference, { ...options, onProgress }),
  );
  if (flags.output === "json") return await printJson({ file: path, digest, size, success: true });
  await print(`Successfully pulled ${path}\ndigest: ${digest}`);
}
