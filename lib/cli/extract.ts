import { claimedTargets } from "../signing/claims.ts";
import { countOf, ParError, quote } from "../errors.ts";
import { extract } from "../verbs/extract.ts";
import { inspectClaims } from "../verbs/inspect.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import { hostTarget, type Target } from "../target/target.ts";
import { openInput, sayTraffic, withReadProgress } from "./input.ts";
import { printDone, printJson, warn } from "./io.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type ExtractFlags = Values<typeof VERBS.extract.flags>;

/** Runs `par extract`. */
export async function run(this: Context, flags: ExtractFlags, archive: string): Promise<void> {
  const { signal } = this;
  const options = { limits: { maxSize: flags.maxSize }, signal };
  using input = await openInput(archive, flags, signal, true);
  const { source } = input;
  const outputs = await chooseOutputs(
    flags.all ? await allTargets(source, options) : askedTargets(flags),
    flags.output,
  );
  await withReadProgress(
    "Extracting",
    source,
    (onProgress) => extract(source, { ...options, outputs, onProgress, onWarning: warn }),
  );
  await sayTraffic(input);
  if (flags.format === "json") {
    const files = Object.entries(outputs).map(([target, file]) => ({ target, file }));
    return await printJson({ files, success: true });
  }
  for (const [target, file] of Object.entries(outputs)) {
    await printDone(`Successfully extracted ${target} to ${file}`);
  }
}

async function allTargets(
  archive: ArchiveSource,
  options: Parameters<typeof inspectClaims>[1],
): Promise<Target[]> {
  const { claims } = await inspectClaims(archive, options);
  return claimedTargets(claims);
}

function askedTargets({ arch }: ExtractFlags): readonly Target[] {
  if (arch) return arch;
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
      `Cannot extract ${countOf(targets.length, "target")} to ${
        quote(output ?? "")
      }: give a folder`,
    );
  }
  return { [target]: output as string };
}

async function isDirectory(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isDirectory, () => false);
}
