/**
 * Inspecting an archive, told step by step.
 *
 * @module
 */

import { hashKey } from "../../lib/archive/entries.ts";
import { type EntryConsumer, readArchive } from "../../lib/archive/reader.ts";
import { EXECUTABLE_HEADER_LENGTH, readExecutable, runsOn } from "../../lib/target/executable.ts";
import type { ArchiveSource } from "../../lib/bytes/source.ts";
import type { Target } from "../../lib/target/target.ts";
import type { InspectionEvent } from "./protocol.ts";
import { toRefusal } from "./refusal.ts";
import { ANY_TIME } from "../../lib/signing/token.ts";
import { findStatedToken, judgeToken } from "./stated_token.ts";

/** Milliseconds between two tellings of progress: as often as an eye can follow. */
const PROGRESS_INTERVAL = 60;

/**
 * Inspects an archive. A failure is told as an event; no error is thrown.
 *
 * The validity window is judged beside the rest, so that of an expired archive, too, a person learns
 * whether it is whole.
 *
 * @param source The archive.
 * @param tell Is told each step.
 */
export async function inspectArchive(
  source: ArchiveSource,
  tell: (event: InspectionEvent) => void,
): Promise<void> {
  let current: string | undefined;
  let claimsFirst = false;
  let read = 0;
  try {
    const stated = await findStatedToken(source);
    const size = await source.size?.();
    if (size !== undefined) tell({ kind: "size", size });
    if (stated) {
      claimsFirst = stated.first;
      tell({ kind: "token", report: await judgeToken(stated.token) });
    }
    const progress = new Progress(tell);
    const consume: EntryConsumer = (entry, size) => {
      // The reader has held each entry before this one against the claims, if it had them.
      if (claimsFirst && current !== undefined) tell({ kind: "matched", key: current });
      const key = current = hashKey(entry);
      tell({ kind: "entry", key, size });
      const head = new Head(size);
      return entry.kind === "wit"
        ? (chunk): void => progress.add(key, chunk.length)
        : (chunk): void => {
          progress.add(key, chunk.length);
          if (head.add(chunk)) tell(describeHeader(entry.target, head.bytes));
        };
    };
    const archive = await readArchive(
      source.open(),
      { ...ANY_TIME, onProgress: (bytes) => progress.read(read = bytes) },
      consume,
    );
    tell({ kind: "done", archive, report: await judgeToken(archive.token) });
  } catch (error) {
    const refusal = toRefusal(error);
    const blamed = refusal.code === "ERR_HASH_MISMATCH" && claimsFirst;
    tell({
      kind: "failed",
      refusal,
      read,
      ...(blamed && current !== undefined && { key: current }),
    });
  }
}

function describeHeader(target: Target, head: Uint8Array): InspectionEvent {
  const executable = readExecutable(head);
  return executable
    ? {
      kind: "header",
      key: target,
      header: `${executable.format} for ${executable.machine}`,
      fits: runsOn(executable, target),
    }
    : { kind: "header", key: target, header: "neither ELF, Mach-O nor PE" };
}

/** Tells progress, and not too often. */
class Progress {
  readonly #tell: (event: InspectionEvent) => void;
  #key: string | undefined;
  #done = 0;
  #told = 0;

  constructor(tell: (event: InspectionEvent) => void) {
    this.#tell = tell;
  }

  read(bytes: number): void {
    const now = performance.now();
    if (now - this.#told < PROGRESS_INTERVAL) return;
    this.#told = now;
    const entry = this.#key === undefined ? {} : { key: this.#key, done: this.#done };
    this.#tell({ kind: "progress", read: bytes, ...entry });
  }

  add(key: string, length: number): void {
    if (key !== this.#key) {
      this.#key = key;
      this.#done = 0;
    }
    this.#done += length;
  }
}

/** Keeps the front of a binary that passes, as much as its header can take. */
class Head {
  readonly #bytes: Uint8Array;
  #length = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(Math.min(size, EXECUTABLE_HEADER_LENGTH));
  }

  /** Takes bytes; true once, when there are enough. */
  add(chunk: Uint8Array): boolean {
    if (this.#length === this.#bytes.length) return false;
    const part = chunk.subarray(0, this.#bytes.length - this.#length);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
    return this.#length === this.#bytes.length;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }
}
