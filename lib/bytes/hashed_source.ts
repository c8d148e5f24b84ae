/**
 * Sources that compute the digest of what is read from them. This module is browser compatible.
 *
 * @module
 */

import type { Bytes } from "./chunks.ts";
import { createSha256 } from "./digest.ts";
import { hex } from "./hex.ts";
import type { ArchiveSource } from "./source.ts";

/** What was read of a source. */
export interface Hashed {
  /** `sha256:` and 64 lower-case hexadecimal digits. */
  readonly digest: string;
  /** Its length in bytes. */
  readonly size: number;
}

/** A source with the digest of the same bytes that somebody else reads from it. */
export interface HashedSource extends ArchiveSource {
  /** Gives the digest. It reads the source if nobody has read it to its end. */
  hashed(): Promise<Hashed>;
}

/**
 * Makes a source that computes the digest of another one while that is read. One that does so by itself
 * stays as it is.
 *
 * @param source The source.
 */
export function hashSource(source: ArchiveSource | HashedSource): HashedSource {
  if ("hashed" in source) return source;
  const { name, remote } = source;
  let result: Hashed | undefined;
  const open = async function* (): Bytes {
    const hash = await createSha256();
    let size = 0;
    for await (const chunk of source.open()) {
      await hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
    result = { digest: `sha256:${hex(await hash.digest())}`, size };
  };
  return {
    name,
    open,
    ...(remote !== undefined && { remote }),
    ...(source.size && { size: () => source.size?.() ?? Promise.resolve(undefined) }),
    async hashed() {
      if (!result) { for await (const _ of open()) { /* computes the digest */ } }
      return result as unknown as Hashed;
    },
  };
}
