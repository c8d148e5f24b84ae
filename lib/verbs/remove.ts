/**
 * Removes binaries from an archive.
 *
 * @module
 */

import { requireList, requireOptions } from "./arguments.ts";
import { ParError, quote } from "../errors.ts";
import { type Resigning, rewriteArchive, type RewriteResult } from "./rewrite.ts";
import { parseTarget, type Target } from "../target/target.ts";

/** Settings of {@linkcode remove}. */
export interface RemoveOptions extends Resigning {
  /** The targets to remove. */
  readonly targets: readonly string[];
  /** Whether the last binary may be removed too. */
  readonly allowEmpty?: boolean | undefined;
}

/**
 * Removes binaries from an archive, and signs it again with a new token id.
 *
 * @param archive The archive's path.
 * @param options The targets to remove, and the keys that sign.
 * @returns The claims, the token and the remaining targets.
 * @throws {ParError} Of the category `untrusted` if the archive is refused, of the category `usage` for
 * a wrong option, else of the category `failed`; `ERR_TARGET_LAST` if no binary would remain, and
 * `ERR_KEY_MISMATCH` for other keys than before.
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
        `Cannot remove the last binary of ${quote(archive)}: keep one, or allow an empty archive`,
      );
    }
  });
}

/** The error for a target that an archive does not have. It lists the targets that it has. */
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
