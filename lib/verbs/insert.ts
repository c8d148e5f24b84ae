/**
 * Adding binaries to an archive.
 *
 * @module
 */

import { requireList, requireOptions, requireText } from "./arguments.ts";
import { type BinaryInput, type BinaryOptions, openBinaries, type OpenBinary } from "./binary.ts";
import type { MeasuredContent } from "../archive/pack.ts";
import { ParError } from "../errors.ts";
import { stat } from "../system/files.ts";
import { type Resigning, rewriteArchive, type RewriteResult } from "./rewrite.ts";

/** Settings of {@linkcode insert}. */
export interface InsertOptions extends Resigning, BinaryOptions {
  /** The binaries to add, one for each target; those of targets it has are replaced. */
  readonly binaries: readonly BinaryInput[];
}

/**
 * Adds targets to an archive, or replaces them, and signs it anew under a new token id.
 *
 * The other claims, the WIT package, the compression and the identity stay. The archive is verified
 * first, and replaced in one step; of two inserts at once, the second waits for the first.
 *
 * @param archive The archive's path.
 * @param options What to add, and who signs.
 * @returns The claims, the token, the targets.
 * @throws {ParError} Any code of the category `untrusted`; `ERR_KEY_MISMATCH`, `ERR_FILE_CHANGED`,
 * `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_FILE_UNWRITABLE`, `ERR_TARGET_INVALID`,
 * `ERR_TARGET_MISMATCH`, `ERR_TARGET_UNKNOWN`, `ERR_TARGET_DUPLICATE`, `ERR_BINARY_EMPTY`,
 * `ERR_BINARY_FORMAT`, `ERR_BINARY_TOO_LARGE`, `ERR_ABORTED`.
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
  // Nobody else should have to wait for what may be a pipe.
  using added = await openBinaries(options.binaries, options, options.signal);
  return await rewriteArchive(archive, options, ({ contents }) => {
    for (const binary of added.list) {
      const before = contents.get(binary.target);
      if (before) replace(before, binary, options);
      contents.set(binary.target, binary.content);
    }
  });
}

/** Says what takes the place of what, unless that is no binary. */
function replace(
  before: MeasuredContent,
  { name, target, content, executable }: OpenBinary,
  { forceTarget, onNote }: BinaryOptions,
): void {
  if (before.sha256 === content.sha256) {
    onNote?.(`${target} is the binary that was there before, ${describe(content)}`);
    return;
  }
  if (!executable && !forceTarget) {
    throw new ParError(
      "ERR_BINARY_FORMAT",
      `Cannot put ${name} in the place of the binary for ${target}: it is neither ELF, Mach-O nor ` +
        "PE; give what was built, or force it",
    );
  }
  onNote?.(`${target} was ${describe(before)}, and is now ${describe(content)}`);
}

function describe({ size, sha256 }: MeasuredContent): string {
  return `${size} bytes with the SHA-256 ${sha256.slice(0, 12).toLowerCase()}…`;
}
