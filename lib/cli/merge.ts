import type { ArchiveSource } from "../bytes/source.ts";
import { openRepeatable } from "../system/spool.ts";
import { merge } from "../verbs/merge.ts";
import { print, printJson } from "./io.ts";
import { COMPRESSION_FLAGS, type CompressionFlags, parseCompression } from "./options.ts";
import { resign, RESIGNING_FLAGS, type ResigningFlags } from "./signing.ts";
import type { Verb } from "./verb.ts";

interface MergeFlags extends ResigningFlags, CompressionFlags {
  readonly destination: string;
  readonly compress?: boolean;
}

/** `par merge`. */
export const MERGE: Verb = {
  name: "merge",
  description: "bring archives of one provider, made on different machines, into one",
  arguments: [{ name: "<archives...>", description: "the archives' paths" }],
  flags: [
    { flags: "--destination <path>", description: "the merged archive's path", required: true },
    {
      flags: "--compress",
      description: "compress with gzip (default: as the first archive is)",
    },
    ...COMPRESSION_FLAGS,
    ...RESIGNING_FLAGS,
  ],
  examples: [
    "par merge --destination fakepay.par.gz linux.par.gz macos.par.gz",
    "par merge --destination all.par.gz --compress build/parts/*.par",
  ],
  run: (archives, flags: MergeFlags, { signal }) => run(archives, flags, signal),
};

async function run(
  archives: readonly string[],
  flags: MergeFlags,
  signal: AbortSignal,
): Promise<void> {
  const { destination, compress } = flags;
  using opened = new DisposableStack();
  const sources: ArchiveSource[] = [];
  for (const archive of archives) sources.push(opened.use(await openRepeatable(archive, signal)));
  await resign(
    flags,
    { archive: sources[0] ?? "", title: "Merging", signal },
    (options) => merge(sources, { ...options, ...parseCompression(flags), destination, compress }),
  );
  if (flags.output === "json") await printJson({ file: destination, success: true });
  else await print(`Successfully merged ${archives.length} archives into ${destination}`);
}
