/// <reference lib="dom" />
import { binaryEntry, WIT_ENTRY } from "../../lib/archive/entries.ts";
import type { HashedEntry } from "../../lib/archive/reader.ts";
import { download } from "./dom.ts";
import { startJob } from "./jobs.ts";
import type { Origin } from "./protocol.ts";

/** A binary of this many bytes or more is written straight to its file, if the browser can do that. */
const LARGE = 64 * 1024 * 1024;

interface FilePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
}

/**
 * Saves an entry of an archive that was verified, unless the person changes their mind.
 *
 * @param origin The archive.
 * @param entry The entry.
 * @param archive The archive's name, or its address: the file is named after it.
 * @param onProgress Is called with the number of bytes that were read.
 * @throws {Error} With a message for the person.
 */
export async function saveEntry(
  origin: Origin,
  entry: HashedEntry,
  archive: string,
  onProgress: (done: number) => void,
): Promise<void> {
  const entryName = entry.target === undefined ? WIT_ENTRY : binaryEntry(entry.target);
  const name = fileNameFor(archive, entryName);
  const picker = globalThis as FilePicker;
  let file: FileSystemFileHandle | undefined;
  if (entry.size >= LARGE && picker.showSaveFilePicker) {
    try {
      file = await picker.showSaveFilePicker({ suggestedName: name });
    } catch {
      return;
    }
  }
  const binary = {
    entry: entryName,
    size: entry.size,
    sha256: entry.sha256,
    ...(file && { file }),
  };
  const ended = Promise.withResolvers<Blob | undefined>();
  startJob({ kind: "save", origin, binary }, (event) => {
    if (event.kind === "saving") onProgress(event.done);
    else if (event.kind === "saved") ended.resolve(event.blob);
    else ended.reject(new Error(event.refusal.message));
  });
  const blob = await ended.promise;
  if (blob) download(blob, name);
}

/**
 * Names the file for a binary: after the archive and the target.
 *
 * @param archive The archive's name, or its address.
 * @param entry The entry's name.
 */
export function fileNameFor(archive: string, entry: string): string {
  const last = archive.split(/[?#]/)[0]?.split("/").pop() ?? "";
  const stem = last.replace(/\.gz$/i, "").replace(/\.par$/i, "");
  return stem === "" ? entry : `${stem}.${entry}`;
}
