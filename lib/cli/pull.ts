import { Command } from "npm:commander@15.1.0";
import { pull } from "../pull.ts";
import { parseReference } from "../registry/reference.ts";
import { print, printJson } from "./io.ts";
import { examples, outputOption, parseLimits, sizeOption } from "./options.ts";
import { withProgress } from "./progress.ts";
import { pullOptions } from "./registry.ts";
import { addPullOptions, type PullFlags } from "./registry_flags.ts";

interface Flags extends PullFlags {
  readonly destination?: string;
  readonly maxSize?: string;
  readonly output: "text" | "json";
}

/** Builds `par pull`. */
export function pullCommand(signal: AbortSignal): Command {
  const command = new Command("pull")
    .description("pull an archive from a registry and verify it")
    .argument("<reference>", "where it is: host/repository:tag, or @digest")
    .option("--destination <path>", "the file to write (default: <repository>.par or .par.gz)");
  return addPullOptions(command)
    .addOption(sizeOption())
    .addOption(outputOption())
    .addHelpText(
      "after",
      examples(
        "par pull registry.example/payments/fakepay:1.0",
        "par pull --insecure localhost:5000/fakepay:1.0 --destination fakepay.par.gz",
      ),
    )
    .action((reference: string, flags: Flags) => run(reference, flags, signal));
}

async function run(from: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const reference = parseReference(from, { allowLatest: flags.allowLatest ?? false });
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
