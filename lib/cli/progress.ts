/**
 * A progress bar on standard error, for people who wait.
 *
 * @module
 */

import { isQuiet } from "./io.ts";
import { columns } from "./style.ts";

/** How long something takes before a bar appears, in milliseconds. */
const PATIENCE = 500;

/** The least time between two drawings, in milliseconds. Faster drawing flickers. */
const INTERVAL = 100;

/** The length of a bar, in columns. */
const [LEAST_BAR, LONGEST_BAR] = [6, 40];

const CLEAR_LINE = "\r\x1b[2K";

/** Takes how many bytes are done, and how many there are. */
type Update = (done: number, total?: number) => void;

/**
 * Writes the line of a progress bar.
 *
 * @param title What is done.
 * @param done Bytes that are done.
 * @param total All bytes, if that is known.
 * @param seconds How long it took so far.
 * @param columns How many columns the line may have.
 */
export function progressLine(
  title: string,
  done: number,
  total: number | undefined,
  seconds: number,
  columns: number,
): string {
  const rate = done / Math.max(seconds, 0.001);
  const bytes = [toSize(done), `${toSize(rate)}/s`];
  if (!total) return `${title} ${bytes.join(", ")}`.slice(0, columns);
  const share = Math.min(done / total, 1);
  const left = Math.ceil(Math.max(total - done, 0) / Math.max(rate, 1));
  const texts = [`${Math.floor(share * 100)} %`, ...bytes, `${left} s left`];
  // The least important text goes first if there is no room.
  for (;;) {
    const text = texts.join(", ");
    const room = Math.min(columns - title.length - text.length - 2, LONGEST_BAR);
    if (room >= LEAST_BAR) {
      const filled = Math.round(share * room);
      return `${title} ${"█".repeat(filled)}${"░".repeat(room - filled)} ${text}`;
    }
    if (texts.length === 1) return `${title} ${text}`.slice(0, columns);
    texts.pop();
  }
}

/**
 * Shows a progress bar if the work takes long, and removes it at the end. It shows none if standard
 * error is not a terminal.
 *
 * @param title What is done.
 * @param work Does the work, and calls its argument with the progress.
 * @param total All bytes, if that is known already.
 */
export async function withProgress<T>(
  title: string,
  work: (update: Update) => Promise<T>,
  total?: number,
): Promise<T> {
  const isWanted = Deno.stderr.isTerminal() && !isQuiet();
  let began: number | undefined;
  let drawn = 0;
  const update: Update = (done, of) => {
    if (!isWanted) return;
    total ??= of;
    const now = performance.now();
    began ??= now;
    if (now - began < PATIENCE || now - drawn < INTERVAL) return;
    drawn = now;
    // In the last column, some terminals begin a new line.
    const room = (columns(Deno.stderr) ?? 0) - 1;
    write(CLEAR_LINE + progressLine(title, done, total, (now - began) / 1000, room));
  };
  try {
    return await work(update);
  } finally {
    if (drawn > 0) write(CLEAR_LINE);
  }
}

/**
 * Shows a progress bar while binaries are hashed, and another one after that.
 *
 * @param title What is done after that.
 * @param work Does both, and calls the functions that it gets with the progress.
 */
export async function withHashing<T>(
  title: string,
  work: (updates: Record<"onHash" | "onProgress", Update>) => Promise<T>,
): Promise<T> {
  return await withProgress(
    "Hashing",
    (onHash) => withProgress(title, (onProgress) => work({ onHash, onProgress })),
  );
}

/** Writes a count of bytes for people, in units of 1024. */
export function toSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${unit === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
