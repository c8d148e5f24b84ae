/**
 * Receiving a blob, and going on by range where it broke off.
 *
 * @module
 */

import { createSha256 } from "../bytes/digest.ts";
import { ParError } from "../errors.ts";
import { hex } from "../bytes/hex.ts";
import type { Bytes } from "../bytes/chunks.ts";
import type { RegistryClient } from "./client.ts";
import { Backoff, TransientError } from "./retry.ts";

/** What names a blob: its digest, and how long it is. */
export interface Descriptor {
  /** What kind of content it is. */
  readonly mediaType: string;
  /** `sha256:` and 64 lower-case hexadecimal digits. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * Bytes of a layer that are asked for alone, before the rest: enough for the token of nearly every
 * archive, and little where the token is all that is wanted.
 */
export const FIRST_REQUEST: number = 32 * 1024;

/** So much progress wipes out the failures before it; less would let a bad line go on for ever. */
const PROGRESS = 1024 * 1024;

/**
 * Receives a part of a blob. Its bytes are not checked: only the whole has a digest.
 *
 * @param client The registry.
 * @param blob The blob.
 * @param start Offset of the first byte.
 * @param end Offset after the last byte, at most the blob's size.
 * @param onReceived Hears of bytes that came, those that are of no use among them.
 * @throws {ParError} `ERR_REGISTRY_DIGEST` where the registry's blob has another size, and every
 * code of a registry.
 */
export async function* downloadBlob(
  client: RegistryClient,
  blob: Descriptor,
  start: number,
  end: number,
  onReceived: (count: number) => void,
): Bytes {
  const backoff = new Backoff(client.backoff);
  let at = start;
  let settled = start;
  while (at < end) {
    let until = Math.min(end, at + client.window);
    try {
      const { answer, start: first, total } = await client.getBlob(
        blob.digest,
        at === 0 && until === blob.size ? undefined : [at, until],
      );
      try {
        if (total !== undefined && total !== blob.size) throw wrongSize(client, blob, total);
        // A registry that knows no ranges begins at the beginning, and goes on to the end.
        if (answer.status === 200) until = end;
        const last = until === blob.size;
        let position = first;
        for await (const chunk of answer.body()) {
          onReceived(chunk.length);
          const useful = chunk.subarray(Math.max(0, at - position), until - position);
          position += chunk.length;
          if (useful.length > 0) {
            at += useful.length;
            yield useful;
          }
          if (position > blob.size) throw wrongSize(client, blob, undefined);
          if (at === until && !last) break;
        }
      } finally {
        await answer.discard();
      }
      if (at < until) {
        throw new TransientError(`the registry sent ${at} of ${blob.size} bytes and no more`);
      }
    } catch (failure) {
      // All is here, whatever became of the connection after that.
      if (at === end && failure instanceof TransientError) return;
      if (at - settled >= PROGRESS) {
        settled = at;
        backoff.reset();
      }
      await backoff.wait(failure);
    }
  }
}

/**
 * Passes on bytes and checks them against what names them.
 *
 * @param bytes All bytes of the blob.
 * @param blob What names it.
 * @param task What is tried, to follow "Cannot ".
 * @throws {ParError} `ERR_REGISTRY_DIGEST` at the end, where they are others.
 */
export async function* checkBlob(bytes: Bytes, blob: Descriptor, task: string): Bytes {
  const hash = await createSha256();
  let size = 0;
  for await (const chunk of bytes) {
    await hash.update(chunk);
    size += chunk.length;
    yield chunk;
  }
  const digest = `sha256:${hex(await hash.digest())}`;
  if (digest !== blob.digest || size !== blob.size) {
    throw new ParError(
      "ERR_REGISTRY_DIGEST",
      `Cannot ${task}: its ${size} bytes have the digest ${digest}, and the manifest says ` +
        `${blob.size} bytes and ${blob.digest}; do not use them`,
    );
  }
}

function wrongSize(client: RegistryClient, blob: Descriptor, size: number | undefined): ParError {
  return new ParError(
    "ERR_REGISTRY_DIGEST",
    `Cannot ${client.task}: the registry sends ${size ?? "more"} bytes for a blob which the ` +
      `manifest says has ${blob.size}`,
  );
}
