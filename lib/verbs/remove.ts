/**
 * Taking binaries out of an archive.
 *
 * @module
 */

import { requireList, requireOptions } from "./arguments.ts";
import { ParError, quote } from "../errors.ts";
import { type Resigning, rewriteArchive, type RewriteResult } from "./rewrite.ts";
import { parseTarget, type Target } from "../target/target.ts";

/** Settings of {@linkcode remove}. */
export interface RemoveOptions extends Resigning {
  /** The targets to take out. */
  readonly targets: readonly string[];
  /** Whether the last one may go too. */
  readonly allowEmpty?: boolean | undefined;
}

/**
 * Takes targets out of an archive, and signs it anew under a new token id.
 *
 * @param archive The archive's path.
 * @param options What to take out, and who signs.
 * @returns The claims, the token, the targets that are left.
 * @throws {ParError} Any code of the category `untrusted`; `ERR_TARGET_INVALID`,
 * `ERR_TARGET_NOT_FOUND`, `ERR_TARGET_LAST`, `ERR_KEY_MISMATCH`, `ERR_FILE_CHANGED`,
 * `ERR_FILE_NOT_FOUND`, `ERR_FILE_UNREADABLE`, `ERR_FILE_UNWRITABLE`, `ERR_ABORTED`.
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
 * const binaries = ["x86_64-linux", "x86_64-macos"].map((target) => ({
 *   source: new Uint8Array(1000),
 *   target,
 * }));
 * const named = { name: "Fake Payments", vendor: "wasmCloud" };
 * await create({ ...named, issuer, subject, binaries, destination });
 * const { targets } = await remove(destination, { issuer, subject, targets: ["x86_64-macos"] });
 * assert.deepEqual(targets, ["x86_64-linux"]);
 * await Deno.remove(destination);
 * ```
 */
export async function remove(archive: string, options: RemoveOptions): Promise<RewriteResult> {
  requireList(requireOptions(options).targets, "the targets");
  return await rewriteArchive(archive, options, ({ contents, archive: { binaries } }) => {
    for (const target of options.targets) {
      if (contents.delete(parseTarget(target))) continue;
      throw targetNotFound(target, archive, binaries.map((binary) => binary.target));
    }
    const left = binaries.some(({ target }) => contents.has(target));
    if (!left && !options.allowEmpty) {
      throw new ParError(
        "ERR_TARGET_LAST",
        `Cannot leave ${quote(archive)} without any binary, unless that is allowed`,
      );
    }
  });
}

/** The error for a target that an archive does not have, with those it has. */
export function targetNotFound(
  target: string,
  archive: string,
  targets: readonly Target[],
): ParError {
  return new ParError(
    "ERR_TARGET_NOT_FOUND",
    `Cannot find ${target} in ${quote(archive)}: its targets are ${targets.join(", ") || "none"}`,
  );
}
