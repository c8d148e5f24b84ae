import { push } from "../verbs/push.ts";
import { formatReference } from "../registry/reference.ts";
import { printDone } from "./io.ts";
import { withProgress } from "./progress.ts";
import { parseAnnotations, readConfig, referenceOptions, registryOptions } from "./registry.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type PushFlags = Values<typeof VERBS.push.flags>;

/** Runs `par push`. */
export async function run(
  this: Context,
  flags: PushFlags,
  to: string,
  archive: string,
): Promise<void> {
  const { signal } = this;
  const { config, annotation, chunkSize, monolithicPush, tag } = flags;
  const options = {
    ...await registryOptions(flags, signal),
    ...referenceOptions(flags),
    tags: tag,
    annotations: parseAnnotations(annotation ?? []),
    config: config === undefined ? undefined : await readConfig(config, signal),
    chunkSize,
    monolithic: monolithicPush,
    limits: { maxSize: flags.maxSize },
  };
  const pushed = await withProgress(
    "Pushing",
    (onProgress) => push(archive, to, { ...options, onProgress }),
  );
  const name = formatReference(pushed.reference);
  const { digest, layerDigest, size, tags, unchanged } = pushed;
  const more = tags.slice(1).map((tag) => `, ${tag}`).join("");
  await printDone(
    flags.output,
    { reference: name, tags, digest, layer_digest: layerDigest, size, unchanged },
    `${unchanged ? "Already there:" : "Successfully pushed"} ${archive} ${
      unchanged ? "is" : "to"
    } ${name}${more}\ndigest: ${digest}`,
  );
}
