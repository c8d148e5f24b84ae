import { push } from "../verbs/push.ts";
import { formatReference, parseReference } from "../registry/reference.ts";
import { print, printJson } from "./io.ts";
import { withProgress } from "./progress.ts";
import { parseAnnotations, readConfig, registryOptions } from "./registry.ts";
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
  const { config, annotation, chunkSize, monolithicPush } = flags;
  const reference = parseReference(to, { allowLatest: flags.allowLatest });
  const options = {
    ...await registryOptions(flags, signal),
    annotations: parseAnnotations(annotation ?? []),
    config: config === undefined ? undefined : await readConfig(config, signal),
    chunkSize,
    monolithic: monolithicPush,
    limits: { maxSize: flags.maxSize },
  };
  const pushed = await withProgress(
    "Pushing",
    (onProgress) => push(archive, reference, { ...options, onProgress }),
  );
  const name = formatReference(pushed.reference);
  if (flags.output === "json") {
    const { digest, layerDigest, size } = pushed;
    return await printJson({
      reference: name,
      digest,
      layer_digest: layerDigest,
      size,
      success: true,
    });
  }
  await print(`Successfully pushed ${archive} to ${name}\ndigest: ${pushed.digest}`);
}
