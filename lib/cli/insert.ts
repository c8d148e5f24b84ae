import { insert } from "../verbs/insert.ts";
import { note, printDone } from "./io.ts";
import { pairBinaries } from "./options.ts";
import { resign } from "./signing.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type InsertFlags = Values<typeof VERBS.insert.flags>;

/** Runs `par insert`. */
export async function run(this: Context, flags: InsertFlags, archive: string): Promise<void> {
  const { signal } = this;
  const binaries = pairBinaries(flags.binary, flags.arch);
  const context = { archive, binary: binaries[0]?.source, title: "Inserting", signal };
  await resign(flags, context, (options) =>
    insert(archive, {
      ...options,
      compressLevel: flags.compressLevel,
      jobs: flags.jobs,
      binaries,
      forceTarget: flags.forceArch,
      onNote: note,
    }));
  const lines = binaries.map(({ source }) =>
    `Successfully inserted ${source} into archive ${archive}`
  );
  await printDone(flags.output, { file: archive }, lines.join("\n"));
}
