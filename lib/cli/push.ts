import { push } from "../verbs/push.ts";
import { formatReference, parseReference } from "../registry/reference.ts";
import { print, printJson } from "./io.ts";
import { MAX_SIZE, OUTPUT, parseLimits, parseSize } from "./options.ts";
import { withProgress } from "./progress.ts";
import { parseAnnotations, readConfig, registryOptions } from "./registry.ts";
import { REGISTRY_FLAGS, type RegistryFlags } from "./registry_flags.ts";
import type { Verb } from "./verb.ts";

interface PushFlags extends RegistryFlags {
  readonly config?: string;
  readonly annotation?: string[];
  readonly monolithicPush?: boolean;
  readonly chunkSize?: string;
  readonly maxSize?: string;
  readonly output: "text" | "json";
}

/** `par push`. */
export const PUSH: Verb = {
  name: "push",
  description: "verify an archive and push it to a registry",
  arguments: [
    { name: "<reference>", description: "where to: host/repository:tag" },
    { name: "<archive>", description: "the archive's path" },
  ],
  flags: [
    { flags: "-c, --config <file>", description: "the configuration blob (default: {})" },
    {
      flags: "-a, --annotation <key=value>",
      description: "what the manifest says; repeatable",
      repeatable: true,
    },
    { flags: "--monolithic-push", description: "send the archive in one request" },
    { flags: "--chunk-size <size>", description: "the most one request sends (default: 4M)" },
    ...REGISTRY_FLAGS,
    MAX_SIZE,
    OUTPUT,
  ],
  examples: [
    "par push registry.example/payments/fakepay:1.0 fakepay.par.gz",
    "par push --insecure localhost:5000/fakepay:1.0 fakepay.par.gz -a org.example.build=42",
  ],
  run: ([reference = "", archive = ""], flags: PushFlags, { signal }) =>
    run(reference, archive, flags, signal),
};

async function run(
  to: string,
  archive: string,
  flags: PushFlags,
  signal: AbortSignal,
): Promise<void> {
  const { config, annotation, chunkSize, monolithicPush } = flags;
  const reference = parseReference(to, { allowLatest: flags.allowLatest ?? false });
  const options = {
    ...await registryOptions(flags, signal),
    annotations: parseAnnotations(annotation ?? []),
    config: config === undefined ? undefined : await readConfig(config, signal),
    chunkSize: chunkSize === undefined ? undefined : parseSize(chunkSize, "--chunk-size"),
    monolithic: monolithicPush,
    limits: parseLimits(flags),
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
