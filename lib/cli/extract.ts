import { claimedTargets } from "../signing/claims.ts";
import { ParError } from "../errors.ts";
import { extract } from "../verbs/extract.ts";
import { inspectClaims } from "../verbs/inspect.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import { hostTarget, parseTarget, type Target } from "../target/target.ts";
import { openInput, sayTraffic, withReadProgress } from "./input.ts";
import { print, printJson } from "./io.ts";
import { MAX_SIZE, OUTPUT, parseLimits } from "./options.ts";
import { PULL_FLAGS, type PullFlags } from "./registry_flags.ts";
import type { Verb } from "./verb.ts";

interface ExtractFlags extends PullFlags {
  readonly arch?: string[];
  readonly all?: boolean;
  readonly output?: string;
  readonly format: "text" | "json";
  readonly maxSize?: string;
}

/** `par extract`. */
export const EXTRACT: Verb = {
  name: "extract",
  description: "verify an archive and take binaries out of it",
  arguments: [
    { name: "<archive>", description: "a path, or a reference (host/repository:tag)" },
  ],
  flags: [
    {
      flags: "-a, --arch <target>",
      description: "the target; repeatable (default: this machine's)",
      repeatable: true,
    },
    { flags: "--all", description: "every target" },
    {
      flags: "--output <path>",
      description: "the file to write, or a folder (default: <target>.bin here)",
    },
    ...PULL_FLAGS,
    MAX_SIZE,
    { ...OUTPUT, flags: "-o, --format <format>" },
  ],
  examples: [
    "par extract fakepay.par.gz --output libfakepay_provider.so",
    "par extract fakepay.par.gz --all --output build/",
  ],
  run: ([archive = ""], flags: ExtractFlags, { signal }) => run(archive, flags, signal),
};

async function run(archive: string, flags: ExtractFlags, signal: AbortSignal): Promise<void> {
  const options = { limits: parseLimits(flags), signal };
  using input = await openInput(archive, flags, signal, true);
  const { source } = input;
  const outputs = await chooseOutputs(
    flags.all ? await allTargets(source, options) : askedTargets(flags),
    flags.output,
  );
  await withReadProgress(
    "Extracting",
    source,
    (onProgress) => extract(source, { ...options, outputs, onProgress }),
  );
  await sayTraffic(input);
  if (flags.format === "json") {
    const files = Object.entries(outputs).map(([target, file]) => ({ target, file }));
    return await printJson({ files, success: true });
  }
  for (const [target, file] of Object.entries(outputs)) {
    await print(`Successfully extracted ${target} to ${file}`);
  }
}

async function allTargets(
  archive: ArchiveSource,
  options: Parameters<typeof inspectClaims>[1],
): Promise<Target[]> {
  const { claims } = await inspectClaims(archive, options);
  return claimedTargets(claims);
}

function askedTargets({ arch }: ExtractFlags): Target[] {
  if (arch) return arch.map(parseTarget);
  const host = hostTarget();
  if (host) return [host];
  throw new ParError("ERR_USAGE", "Cannot tell this machine's target: name one (--arch)");
}

/** One target goes to a file of any name, several go to a folder under their own. */
async function chooseOutputs(
  targets: readonly Target[],
  output: string | undefined,
): Promise<Record<string, string>> {
  const folder = output === undefined
    ? ""
    : /[/\\]$/.test(output)
    ? output
    : await isDirectory(output)
    ? `${output}/`
    : undefined;
  if (folder !== undefined) {
    return Object.fromEntries(targets.map((target) => [target, `${folder}${target}.bin`]));
  }
  const [target, ...others] = targets;
  if (!target || others.length > 0) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot extract ${targets.length} targets to ${JSON.stringify(output)}: give a folder`,
    );
  }
  return { [target]: output as string };
}

async function isDirectory(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isDirectory, () => false);
}
