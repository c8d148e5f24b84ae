import { copy } from "../verbs/copy.ts";
import { formatReference, parseReference } from "../registry/reference.ts";
import { parseReferenceWithTags } from "../registry/tags.ts";
import { printDone } from "./io.ts";
import { withProgress } from "./progress.ts";
import { pullOptions, referenceOptions } from "./registry.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type Flags = Values<typeof VERBS.copy.flags>;

/** Runs `par copy`. */
export async function run(this: Context, flags: Flags, from: string, to: string): Promise<void> {
  const { signal } = this;
  const references = referenceOptions(flags);
  const target = parseReference(to, { ...references, hostRequired: true });
  // The password of one registry must not go to the other one.
  const givenFor = "registry" in target ? target.registry : undefined;
  const connection = { ...flags, insecure: flags.fromInsecure };
  const options = { ...await pullOptions(connection, signal, givenFor), ...references };
  const source = await parseReferenceWithTags(from, options);
  const { digest, size, referrers } = await withProgress(
    "Copying",
    (onProgress) =>
      copy(source, target, {
        ...options,
        limits: { maxSize: flags.maxSize },
        to: { insecure: flags.toInsecure, onProgress },
      }),
  );
  const [read, written] = [formatReference(source), formatReference(target)];
  const signatures = referrers.length > 0
    ? `\nreferrers, such as signatures: ${referrers.length}`
    : "";
  await printDone(
    flags.output,
    { from: read, reference: written, digest, size, referrers },
    `Successfully copied ${read} to ${written}${signatures}\ndigest: ${digest}`,
  );
}
