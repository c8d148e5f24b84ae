/// <reference lib="dom" />
/**
 * Saves one binary of an archive that was verified.
 *
 * @module
 */

import { EntryCursor } from "../../lib/archive/cursor.ts";
import { keep } from "../../lib/bytes/chunks.ts";
import { createSha256, toClaimsHash } from "../../lib/bytes/digest.ts";
import { ParError } from "../../lib/errors.ts";
import type { ArchiveSource } from "../../lib/bytes/source.ts";
import { paced, type SaveEvent, toRefusal, type WantedBinary } from "./protocol.ts";

/** How many bytes are collected before they are handed to the browser, which may put them on disk. */
const PART_LENGTH = 4 * 1024 * 1024;

/**
 * Saves a binary. Checks its hash again, because the archive may have changed since it was verified.
 * Reports a failure as an event, and leaves no file behind then.
 *
 * @param source The archive.
 * @param binary Which binary, and where to.
 * @param tell Is called with each step.
 */
export async function saveBinary(
  source: ArchiveSource,
  binary: WantedBinary,
  tell: (event: SaveEvent) => void,
): Promise<void> {
  try {
    const sink = await openSink(binary);
    try {
      await copy(source, binary, sink, tell);
    } catch (error) {
      await sink.abort();
      throw error;
    }
    const blob = await sink.close();
    tell({ kind: "saved", ...(blob && { blob }) });
  } catch (error) {
    tell({ kind: "failed", refusal: toRefusal(error) });
  }
}

async function copy(
  source: ArchiveSource,
  binary: WantedBinary,
  sink: Sink,
  tell: (event: SaveEvent) => void,
): Promise<void> {
  const hash = await createSha256();
  const tellProgress = paced((done) => tell({ kind: "saving", done }));
  let done = 0;
  await using cursor = new EntryCursor(source);
  for await (const chunk of cursor.open(binary.entry)) {
    await hash.update(chunk);
    await sink.write(keep(chunk));
    done += chunk.length;
    tellProgress(done);
  }
  if (toClaimsHash(await hash.digest()) !== binary.sha256) {
    throw new ParError(
      "ERR_FILE_CHANGED",
      `Cannot save ${binary.entry}: the archive was changed since it was verified; inspect it again`,
    );
  }
}

/** Where the bytes of a binary go. The file or blob exists after `close`. */
interface Sink {
  write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): Promise<Blob | undefined>;
  abort(): Promise<void>;
}

async function openSink({ file }: WantedBinary): Promise<Sink> {
  if (!file) return new BlobSink();
  const stream = await file.createWritable();
  return {
    write: (chunk) => stream.write(chunk),
    close: () => stream.close().then(() => undefined),
    abort: () => stream.abort(),
  };
}

/** Collects bytes in blobs. A browser may keep them on disk, so this thread needs little memory. */
class BlobSink implements Sink {
  readonly #parts: Blob[] = [];
  readonly #gathered = new Uint8Array(PART_LENGTH);
  #length = 0;

  write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + PART_LENGTH - this.#length);
      this.#gathered.set(part, this.#length);
      this.#length += part.length;
      at += part.length;
      if (this.#length === PART_LENGTH) this.#hand();
    }
    return Promise.resolve();
  }

  close(): Promise<Blob> {
    this.#hand();
    return Promise.resolve(new Blob(this.#parts, { type: "application/octet-stream" }));
  }

  abort(): Promise<void> {
    return Promise.resolve();
  }

  #hand(): void {
    this.#parts.push(new Blob([this.#gathered.subarray(0, this.#length)]));
    this.#length = 0;
  }
}
