/**
 * Uploading a blob. After a failure, the upload continues where the registry says that it stopped.
 *
 * @module
 */

import { ByteReader } from "../bytes/byte_reader.ts";
import { ParError, quote } from "../errors.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import type { Bytes } from "../bytes/chunks.ts";
import { RefusedError } from "./answer.ts";
import type { RegistryClient, UploadSession } from "./client.ts";
import { Backoff, retry, TransientError } from "./retry.ts";
import type { Content } from "./transport.ts";

/** Some registries refuse larger chunks, and few ask for larger ones. */
export const DEFAULT_CHUNK_SIZE: number = 4 * 1024 * 1024;

/** The fewest bytes that a chunk may be limited to. */
export const MIN_CHUNK_SIZE: number = 64 * 1024;

/** A blob to send. */
export interface Upload {
  /** Its digest. */
  readonly digest: string;
  /** Its length in bytes. */
  readonly size: number;
  /** Its bytes, which may be read several times. */
  readonly source: Pick<ArchiveSource, "name" | "open" | "range">;
}

/** Settings of {@linkcode uploadBlob}. */
export interface UploadOptions {
  /** The most bytes that one request sends, unless the registry refuses that. */
  readonly chunkSize: number;
  /** Is told how many bytes have been sent. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Uploads a blob, unless the registry has it.
 *
 * @param client The registry.
 * @param upload The blob.
 * @param options How large the chunks may be.
 * @returns Whether the blob was sent.
 * @throws {ParError} Category `failed`, or `ERR_REGISTRY_DIGEST` if the registry computed another
 * digest.
 */
export async function uploadBlob(
  client: RegistryClient,
  upload: Upload,
  options: UploadOptions,
): Promise<boolean> {
  const { digest, size } = upload;
  if (await retry(() => client.headBlob(digest), client.backoff)) return false;
  const backoff = new Backoff(client.backoff);
  const requests = new RequestSize(client, options.chunkSize);
  let session: UploadSession | undefined;
  const note = (reached: UploadSession): void => {
    session = reached;
    requests.chunked = true;
    requests.accepted();
    backoff.reached(reached.offset);
  };
  for (let broken = false;; broken = true) {
    let resumed = false;
    try {
      if (broken) {
        // The lost answer may have been the last one.
        if (await client.headBlob(digest)) break;
        session &&= requests.single ? undefined : await client.getUpload(session);
        if (session && session.offset > size) session = undefined;
        resumed = session !== undefined;
        if (session) backoff.reached(session.offset);
      }
      session ??= await client.postUpload();
      const computed = await send(client, upload, session, requests, options.onProgress, note);
      requests.accepted();
      if (computed === undefined || computed === digest) break;
      throw new ParError(
        "ERR_REGISTRY_DIGEST",
        `Cannot ${client.task}: the registry computed the digest ${computed} for the blob ` +
          `${digest}; push it again`,
      );
    } catch (failure) {
      if (failure instanceof RefusedError && requests.adapt(failure, upload, session)) continue;
      const lost = resumed && isRefusal(failure) || requests.chunked && isLost(failure);
      if (lost) session = undefined;
      await backoff.wait(
        lost ? new TransientError(failure.message.replace(`Cannot ${client.task}: `, "")) : failure,
      );
    }
  }
  options.onProgress?.(size, size);
  return true;
}

/** With these statuses registries refuse a chunk because they accept no chunks at all. */
const CHUNK_REFUSALS: readonly number[] = [404, 405, 416, 501];
const TOO_LARGE = 413;

/** How many bytes one request sends. It changes if the registry, or a proxy before it, refuses. */
class RequestSize {
  /** The most bytes of one request. */
  limit: number;
  /** Whether the registry refused chunks, so that a blob must go in one request. */
  single = false;
  /** Whether a chunk was accepted. */
  chunked = false;
  readonly #client: RegistryClient;
  #refused: number | undefined;

  constructor(client: RegistryClient, limit: number) {
    this.#client = client;
    this.limit = limit;
  }

  /** Takes note of a request that was accepted, and tells which size worked after a refusal. */
  accepted(): void {
    if (this.#refused === undefined) return;
    this.#client.note(
      `${this.#client.host} refuses requests of ${this.#refused} bytes (413); ` +
        `requests of at most ${this.limit} bytes work`,
    );
    this.#refused = undefined;
  }

  /**
   * Takes a refusal and chooses another size.
   *
   * @returns Whether the upload can go on with it.
   */
  adapt(
    { status, method }: RefusedError,
    { size }: Upload,
    session: UploadSession | undefined,
  ): boolean {
    if (status === TOO_LARGE && (method === "PATCH" || method === "PUT")) {
      const sent = Math.min(size, Math.max(this.limit, session?.minimum ?? 0));
      const next = 2 ** Math.ceil(Math.log2(sent) - 1);
      if (this.single || next < Math.max(MIN_CHUNK_SIZE, session?.minimum ?? 0)) return false;
      this.#refused ??= sent;
      this.limit = next;
      return true;
    }
    if (method !== "PATCH" || this.single || this.chunked) return false;
    if (CHUNK_REFUSALS.includes(status)) {
      this.#client.note(
        `${this.#client.host} refuses an upload in chunks (${status}); sending it in one request`,
      );
      this.single = true;
      this.limit = Infinity;
      return true;
    }
    return false;
  }
}

/** A resumed upload may be refused because of the bytes that arrived before the failure. */
function isRefusal(failure: unknown): failure is ParError {
  return failure instanceof ParError && (
    failure.code === "ERR_REGISTRY_NOT_FOUND" || failure.code === "ERR_REGISTRY_REFUSED" ||
    failure.code === "ERR_REGISTRY_DIGEST"
  );
}

/** If chunks were accepted before, a refused one means that the registry lost the upload. */
function isLost(failure: unknown): failure is RefusedError {
  return failure instanceof RefusedError && failure.method === "PATCH" &&
    (failure.status === 404 || failure.status === 416);
}

/** Sends the bytes from the session's offset on, and ends the upload. */
async function send(
  client: RegistryClient,
  upload: Upload,
  begun: UploadSession,
  requests: RequestSize,
  onProgress: UploadOptions["onProgress"],
  reached: (session: UploadSession) => void,
): Promise<string | undefined> {
  const { digest, size, source } = upload;
  const part = (start: number, end: number): Content => ({
    size: end - start,
    open: () => readPart(source, start, end, onProgress && ((done) => onProgress(done, size))),
  });
  const limit = Math.max(requests.limit, begun.minimum);
  if (begun.offset === 0 && size <= limit) {
    return await client.putUpload(begun, digest, part(0, size));
  }
  let session = begun;
  while (session.offset < size) {
    const { offset } = session;
    session = await client.patchUpload(session, part(offset, Math.min(size, offset + limit)));
    reached(session);
  }
  return await client.putUpload(session, digest);
}

/**
 * Reads a part of a source, and fails if the source is shorter. Of one that can only be read from its
 * beginning, what stands before the part is passed over.
 */
async function* readPart(
  source: Upload["source"],
  start: number,
  end: number,
  onProgress: ((done: number) => void) | undefined,
): Bytes {
  const reader = new ByteReader(source.range?.(start, end - start) ?? source.open());
  try {
    for (let at = source.range ? start : 0; at < end;) {
      const chunk = await reader.readSome((at < start ? start : end) - at);
      if (!chunk) {
        throw new ParError(
          "ERR_FILE_CHANGED",
          `Cannot push ${quote(source.name)}: it became shorter while it was read; push it again`,
        );
      }
      at += chunk.length;
      if (at <= start) continue;
      yield chunk;
      onProgress?.(at);
    }
  } finally {
    await reader.close();
  }
}
