import { pull } from "../verbs/pull.ts";
import { parseReference } from "../registry/reference.ts";
import { print, printJson } from "./io.ts";
import { MAX_SIZE, OUTPUT, parseLimits } from "./options.ts";
import { withProgress } from "./progress.ts";
import { pullOptions } from "./registry.ts";
import { PULL_FLAGS, type PullFlags } from "./registry_flags.ts";
import type { Verb } from "./verb.ts";

interface Flags extends PullFlags {
  readonly destination?: string;
  readonly maxSize?: string;
  readonly output: "text" | "json";
}

/** `par pull`. */
export const PULL: Verb = {
  name: "pull",
  description: "pull an archive from a registry and verify it",
  arguments: [
    { name: "<reference>", description: "where it is: host/repository:tag, or @digest" },
  ],
  flags: [
    {
      flags: "--destination <path>",
      description: "the file to write (default: <repository>.par or .par.gz)",
    },
    ...PULL_FLAGS,
    MAX_SIZE,
    OUTPUT,
  ],
  examples: [
    "par pull registry.example/payments/fakepay:1.0",
    "par pull --insecure localhost:5000/fakepay:1.0 --destination fakepay.par.gz",
  ],
  run: ([reference = ""], flags: Flags, { signal }) => run(reference, flags, signal),
};

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
