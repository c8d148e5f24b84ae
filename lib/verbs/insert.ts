/**
 * Adds binaries to an archive.
 *
 * @module
 */

import { requireList, requireOptions, requireText } from "./arguments.ts";
import { type BinaryInput, type BinaryOptions, openBinaries, type OpenBinary } from "./binary.ts";
import type { MeasuredContent } from "../archive/pack.ts";
import { countOf, ParError } from "../errors.ts";
import { stat } from "../system/files.ts";
import { type Resigning, rewriteArchive, type RewriteResult } from "./rewrite.ts";

/** Settings of {@linkcode insert}. */
export interface InsertOptions extends Resigning, BinaryOptions {
  /** The binaries to add, one for each target. They replace the archive's binaries of these targets. */
  readonly binaries: readonly BinaryInput[];
}

/**
 * Adds or replaces binaries of an archive, and signs it again with a new token id.
 *
 * The other claims, the WIT package, the compression and the identity stay. The archive is verified
 * first, and replaced in one step. If another insert is running, this one waits for it.
 *
 * @param archive The archive's path.
 * @param options The binaries, and the keys that sign.
 * @returns The claims, the token and the targets.
 * @throws {ParError} Of the category `untrusted` if the archive is refused, of the category `usage` for
 * a wrong option, else of the category `failed`; `ERR_KEY_MISMATCH` for other keys than before, and
 * `ERR_BINARY_FORMAT` if a file of an unknown format would replace a binary.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { create } from "./create.ts";
 * import { KeyPair } from "../signing/nkey.ts";
 *
 * const destination = await Deno.makeTempFile();
 * const issuer = await KeyPair.generate("account");
 * const subject = await KeyPair.generate("service");
 * const named = { name: "Fake Payments", vendor: "wasmCloud" };
 * await create({ ...named, issuer, subject, binaries: [], destination });
 * const binaries = [{ source: new Uint8Array(1000), target: "aarch64-linux" }];
 * const { targets } = await insert(destination, { issuer, subject, binaries });
 * assert.deepEqual(targets, ["aarch64-linux"]);
 * await Deno.remove(destination);
 * ```
 */
export async function insert(archive: string, options: InsertOptions): Promise<RewriteResult> {
  requireText(archive, "the archive's path");
  requireList(requireOptions(options).binaries, "the binaries");
  await stat(archive);
  // Before the archive is locked, because reading a pipe may take long.
  using added = await openBinaries(options.binaries, options, options.signal);
  return await rewriteArchive(archive, options, ({ contents }) => {
    for (const binary of added.list) {
      const before = contents.get(binary.target);
      if (before) replace(before, binary, options);
      contents.set(binary.target, binary.content);
    }
  });
}

/** Notes that a binary is replaced, and refuses to replace it with a file of an unknown format. */
function replace(
  before: MeasuredContent,
  { name, target, content, executable }: OpenBinary,
  { forceTarget, onNote }: BinaryOptions,
): void {
  if (before.sha256 === content.sha256) {
    onNote?.(`${target} did not change: it is the same binary of ${describe(content)}`);
    return;
  }
  if (!executable && !forceTarget) {
    throw new ParError(
      "ERR_BINARY_FORMAT",
      `Cannot replace the binary for ${target} with ${name}: it is not an ELF, Mach-O or PE file; ` +
        "give the file that was built, or force it",
    );
  }
  onNote?.(`${target} was ${describe(before)}, and is now ${describe(content)}`);
}

function describe({ size, sha256 }: MeasuredContent): string {
  return `${countOf(size, "byte")} with the SHA-256 ${sha256.slice(0, 12).toLowerCase()}…`;
}
