import { claimedTargets } from "../signing/claims.ts";
import { countOf, ParError } from "../errors.ts";
import { extract } from "../verbs/extract.ts";
import { inspectClaims } from "../verbs/inspect.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import { hostTarget, type Target } from "../target/target.ts";
import { makeFolder } from "../system/files.ts";
import { STDOUT } from "../system/pipe.ts";
import { openInput, sayTraffic } from "./input.ts";
import { printDone, warn } from "./io.ts";
import { withProgress } from "./progress.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type ExtractFlags = Values<typeof VERBS.extract.flags>;

/** Runs `par extract`. */
export async function run(this: Context, flags: ExtractFlags, archive: string): Promise<void> {
  const { signal } = this;
  const options = { limits: { maxSize: flags.maxSize }, signal };
  using input = await openInput(archive, flags, signal, true);
  const { source } = input;
  const targets = flags.all ? await allTargets(source, options) : askedTargets(flags);
  const { folder, outputs } = await chooseOutputs(targets, flags.output);
  const isNew = folder !== undefined && !await isDirectory(folder);
  if (isNew) await makeFolder(folder);
  try {
    await withProgress(
      "Extracting",
      (onProgress) => extract(source, { ...options, outputs, onProgress, onWarning: warn }),
      await source.size?.(),
    );
  } catch (error) {
    if (isNew) await Deno.remove(folder).catch(() => {});
    throw error;
  }
  await sayTraffic(input);
  if (flags.output === STDOUT) return;
  const files = Object.entries(outputs).map(([target, file]) => ({ target, file }));
  const lines = files.map(({ target, file }) => `Successfully extracted ${target} to ${file}`);
  await printDone(flags.format, { files }, lines.join("\n"));
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

/** One target goes to a file of any name. Several go to a folder, in files named after the targets. */
async function chooseOutputs(
  targets: readonly Target[],
  output = "",
): Promise<{ folder?: string; outputs: Record<string, string> }> {
  const [target, ...others] = targets;
  const one = target !== undefined && others.length === 0;
  const isFolder = output === "" || /[/\\]$/.test(output) || await isDirectory(output);
  if (one && !isFolder) return { outputs: { [target]: output } };
  if (output === STDOUT) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot write ${countOf(targets.length, "target")} to standard output: name one (--arch)`,
    );
  }
  const folder = output.replace(/([^/\\])$/, "$1/");
  return {
    ...(folder && { folder }),
    outputs: Object.fromEntries(targets.map((target) => [target, `${folder}${target}.bin`])),
  };
}

async function isDirectory(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isDirectory, () => false);
}
