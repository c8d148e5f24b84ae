/**
 * Finds what differs between two archives.
 *
 * @module
 */

import { readArchive, type ReadOptions } from "../archive/reader.ts";
import { createSha256, toClaimsHash } from "../bytes/digest.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { inFile, ParError } from "../errors.ts";
import { sorted } from "../signing/json.ts";
import { ANY_TIME } from "../signing/token.ts";
import { type ArchiveInput, toSource } from "./inspect.ts";

/** Settings of {@linkcode diff}. */
export interface DiffOptions extends Pick<ReadOptions, "limits" | "signal"> {
  /** Receives how many bytes of both archives were read. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

/** One thing that differs. */
export interface Difference {
  /**
   * What it is: a claim such as `claims.wascap.ver`, a binary such as `targets.x86_64-linux`, the
   * package `wit`, or `container.compressed`, `container.size` or `container.sha256`.
   */
  readonly path: string;
  /** What the first archive has. Absent if it has nothing there. */
  readonly before?: unknown;
  /** What the second archive has. Absent if it has nothing there. */
  readonly after?: unknown;
}

/**
 * Verifies two archives and finds what differs between them: claims, targets and their hashes, and the
 * container. Archives that are not valid now are compared too.
 *
 * @param before The first archive: a file's path, a stream, bytes, or another source.
 * @param after The second archive.
 * @param options Limits and signal.
 * @returns The differences. There are none only if the archives are equal byte for byte.
 * @throws {ParError} Of the category `untrusted` if an archive is refused, of the category `failed` if
 * it cannot be read.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(diff(new Uint8Array(2048), new Uint8Array(2048)), {
 *   code: "ERR_CLAIMS_MISSING",
 * });
 * ```
 */
export async function diff(
  before: ArchiveInput,
  after: ArchiveInput,
  options: DiffOptions = {},
): Promise<Difference[]> {
  let read = 0;
  const onRead = (bytes: number): void => options.onProgress?.(read += bytes);
  const old = await readFacts(before, options, onRead);
  const now = await readFacts(after, options, onRead);
  const areaOf = (path: string): number => AREAS.indexOf(path.replace(/\..*/s, ""));
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort((a, b) => areaOf(a) - areaOf(b))
    .filter((path) => canonical(old.get(path)) !== canonical(now.get(path)))
    .map((path) => ({
      path,
      ...(old.has(path) && { before: old.get(path) }),
      ...(now.has(path) && { after: now.get(path) }),
    }));
}

/** What paths begin with, in order. */
const AREAS = ["claims", "targets", "wit", "container"];

/** Everything that can differ, by its path. */
type Facts = Map<string, unknown>;

async function readFacts(
  input: ArchiveInput,
  { limits, signal }: DiffOptions,
  onRead: (bytes: number) => void,
): Promise<Facts> {
  const source = toSource(input, signal);
  const hash = await createSha256();
  async function* hashed(bytes: Bytes): Bytes {
    for await (const chunk of bytes) {
      await hash.update(chunk);
      onRead(chunk.length);
      yield chunk;
    }
  }
  const { claims, binaries, wit, compressed, size } = await readArchive(hashed(source.open()), {
    limits,
    signal,
    ...ANY_TIME,
  }).catch((error) => {
    // Bytes have no name that would help.
    const isNamed = error instanceof ParError && source.name !== "the archive";
    throw isNamed ? inFile(error, source.name) : error;
  });
  const { wascap: { target_hashes: _, ...wascap }, ...others } = claims;
  return new Map<string, unknown>([
    ...facts("claims", others),
    ...facts("claims.wascap", wascap),
    ...binaries.map(({ target, size, sha256 }): [string, unknown] => [
      `targets.${target}`,
      { size, sha256 },
    ]),
    ...(wit ? [["wit", wit] as const] : []),
    ["container.compressed", compressed],
    ["container.size", size],
    ["container.sha256", toClaimsHash(await hash.digest())],
  ]);
}

function facts(path: string, members: object): [string, unknown][] {
  return Object.entries(members).filter(([, value]) => value !== undefined)
    .map(([name, value]) => [`${path}.${name}`, value]);
}

/** The order of an object's members has no meaning. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(sorted(value));
}
