import { Command } from "npm:commander@15.1.0";
import { fileSource } from "../files.ts";
import { push } from "../push.ts";
import { formatReference, parseReference } from "../registry/reference.ts";
import { print, printJson } from "./io.ts";
import { collect, examples, outputOption, parseLimits, parseSize, sizeOption } from "./options.ts";
import { withProgress } from "./progress.ts";
import { parseAnnotations, readConfig, registryOptions } from "./registry.ts";
import { addRegistryOptions, type RegistryFlags } from "./registry_flags.ts";

interface PushFlags extends RegistryFlags {
  readonly config?: string;
  readonly annotation?: string[];
  readonly monolithicPush?: boolean;
  readonly chunkSize?: string;
  readonly maxSize?: string;
  readonly output: "text" | "json";
}

/** Builds `par push`. */
export function pushCommand(signal: AbortSignal): Command {
  const command = new Command("push")
    .description("verify an archive and push it to a registry")
    .argument("<reference>", "where to: host/repository:tag")
    .argument("<archive>", "the archive's path")
    .option("-c, --config <file>", "the configuration blob (default: {})")
    .option("-a, --annotation <key=value>", "what the manifest says; repeatable", collect)
    .option("--monolithic-push", "send the archive in one request")
    .option("--chunk-size <size>", "the most one request sends (default: 4M)");
  return addRegistryOptions(command)
    .addOption(sizeOption())
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        "par push registry.example/payments/fakepay:1.0 fakepay.par.gz",
        "par push --insecure localhost:5000/fakepay:1.0 fakepay.par.gz -a org.example.build=42",
      ),
    )
    .action((reference: string, archive: string, flags: PushFlags) =>
      run(reference, archive, flags, signal)
    );
}

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
    config: config === undefined ? undefined : await readConfig(config),
    chunkSize: chunkSize === undefined ? undefined : parseSize(chunkSize, "--chunk-size"),
    monolithic: monolithicPush,
    limits: parseLimits(flags),
  };
  const pushed = await withProgress(
    "Pushing",
    (onProgress) => push(fileSource(archive), reference, { ...options, onProgress }),
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
