import { ParError } from "../errors.ts";
import { insert } from "../verbs/insert.ts";
import { note, print, printJson, warn } from "./io.ts";
import {
  BINARY_FLAGS,
  type BinaryFlags,
  COMPRESSION_FLAGS,
  type CompressionFlags,
  pairBinaries,
  parseCompression,
} from "./options.ts";
import { resign, RESIGNING_FLAGS, type ResigningFlags } from "./signing.ts";
import type { Verb } from "./verb.ts";

type InsertFlags = ResigningFlags & BinaryFlags & CompressionFlags;

/** `par insert`. */
export const INSERT: Verb = {
  name: "insert",
  description: "add binaries to an archive, or replace them, and sign it anew",
  arguments: [{ name: "<archive>", description: "the archive's path" }],
  flags: [...BINARY_FLAGS, ...COMPRESSION_FLAGS, ...RESIGNING_FLAGS],
  examples: [
    "par insert fakepay.par.gz -a aarch64-linux -b build/libfakepay_provider.so",
    "par insert fakepay.par.gz -b x86_64-windows=fakepay.dll -i ci/issuer.nk -s ci/provider.nk",
  ],
  run: ([archive = ""], flags: InsertFlags, { signal }) => run(archive, flags, signal),
};

async function run(archive: string, flags: InsertFlags, signal: AbortSignal): Promise<void> {
  const binaries = pairBinaries(flags.binary, flags.arch);
  const first = binaries[0];
  if (!first) throw new ParError("ERR_USAGE", "Cannot insert nothing: name a binary (--binary)");
  const context = { archive, binary: first.source, title: "Inserting", signal };
  await resign(flags, context, (options) =>
    insert(archive, {
      ...options,
      ...parseCompression(flags),
      binaries,
      forceTarget: flags.forceArch,
      onWarning: warn,
      onNote: note,
    }));
  if (flags.output === "json") return await printJson({ file: archive, success: true });
  for (const { source } of binaries) {
    await print(`Successfully inserted ${source} into archive ${archive}`);
  }
}
