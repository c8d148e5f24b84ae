/**
 * Downloading a blob. If the connection breaks, the download continues by range.
 *
 * @module
 */

import { hashSource } from "../bytes/hashed_source.ts";
import { streamSource } from "../bytes/source.ts";
import { ParError } from "../errors.ts";
import type { Bytes } from "../bytes/chunks.ts";
import type { RegistryClient } from "./client.ts";
import type { Descriptor } from "./descriptor.ts";
import { Backoff, TransientError } from "./retry.ts";

/**
 * The first request for a layer asks for this many bytes. They hold the token of nearly every
 * archive, so reading the token alone stays cheap.
 */
export const FIRST_REQUEST: number = 32 * 1024;

/**
 * Downloads a part of a blob. It does not check the bytes: only the whole blob has a digest.
 *
 * @param client The registry.
 * @param blob The blob.
 * @param start Offset of the first byte.
 * @param end Offset after the last byte, at most the blob's size.
 * @param onReceived Is told how many bytes arrived, including bytes outside of the part.
 * @throws {ParError} Category `failed`, or `ERR_REGISTRY_DIGEST` if the registry's blob has another
 * size.
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
  while (at < end) {
    let until = Math.min(end, at + client.window);
    try {
      const { answer, start: first, end: last, total } = await client.getBlob(
        blob.digest,
        at === 0 && until === blob.size ? undefined : [at, until],
      );
      try {
        if (total !== undefined && total !== blob.size) throw wrongSize(client, blob, total);
        // A registry without ranges sends the whole blob, and some send less than was requested.
        until = last === Infinity ? end : last;
        const toEnd = until === blob.size;
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
          if (at === until && !toEnd) break;
        }
      } finally {
        await answer.discard();
      }
      if (at < until) {
        throw new TransientError(`the registry sent ${at} of ${blob.size} bytes and no more`);
      }
    } catch (failure) {
      // Everything has arrived, so a connection that breaks afterwards does no harm.
      if (at === end && failure instanceof TransientError) return;
      backoff.reached(at - start);
      await backoff.wait(failure);
    }
  }
}

/**
 * Passes on the bytes of a blob and checks them against its descriptor.
 *
 * @param bytes All bytes of the blob.
 * @param blob The blob's descriptor.
 * @param task What is tried, to follow "Cannot ".
 * @throws {ParError} `ERR_REGISTRY_DIGEST`, after the last byte, if digest or size differ.
 */
export async function* checkBlob(
  bytes: Bytes,
  blob: Pick<Descriptor, "digest" | "size">,
  task: string,
): Bytes {
  const hashed = hashSource(streamSource(bytes, blob.digest));
  yield* hashed.open();
  const { digest, size } = await hashed.hashed();
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
    `Cannot ${client.task}: the registry sends ${size ?? "more"} bytes for a blob that has ` +
      `${blob.size} bytes according to the manifest`,
  );
}
