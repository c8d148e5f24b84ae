/**
 * Printing: results go to standard output, everything else to standard error.
 *
 * @module
 */

import { ParError, quote, redact } from "../errors.ts";
import { isDescriptor } from "../system/pipe.ts";
import { columns, paint } from "./style.ts";

const encoder = new TextEncoder();

/** Matches seeds only, and no text that resembles one: a result may have any text. */
const SEED = /S[ACMNOUVX][A-Z2-7]{56}/g;

/** Writes a result, whole, to standard output. */
export async function print(text: string): Promise<void> {
  await printSecret(text.replace(SEED, redact));
}

/** Writes a result that may be a seed, because the user asked for it. */
export async function printSecret(text: string): Promise<void> {
  const bytes = encoder.encode(text.endsWith("\n") ? text : `${text}\n`);
  try {
    for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
  } catch (cause) {
    // The reader, such as `head`, has what it wants.
    if (cause instanceof Deno.errors.BrokenPipe) throw cause;
    throw new ParError(
      "ERR_FILE_UNWRITABLE",
      `Cannot write to standard output: ${(cause as Error).message}`,
      cause,
    );
  }
}

/**
 * Writes a result as one JSON object to standard output.
 *
 * @param value The object.
 * @param archive The archive that it is about, if there are several. The object then names it, and is
 * one line long.
 */
export async function printJson(value: object, archive?: string): Promise<void> {
  await print(archive === undefined ? toJson(value, 2) : toJson({ archive, ...value }));
}

/** Writes JSON, with escapes for characters that control a terminal. */
function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(
    /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Breaks a line to the width of a terminal; see {@linkcode fitToTerminal}. */
let fit = (line: string): string => line;

/** Makes messages fit the width of the terminal, if standard error is one. */
export async function fitToTerminal(): Promise<void> {
  if (!Deno.stderr.isTerminal()) return;
  const { widthOf, wrap } = await import("./text.ts");
  const indent = "  ";
  fit = (line) => {
    const room = columns(Deno.stderr) ?? Infinity;
    if (widthOf(line) <= room) return line;
    return wrap(line, room - indent.length, false).join(`\n${indent}`);
  };
}

let quiet = false;

/** Prints no notes and no messages of success from now on: `--quiet`. */
export function beQuiet(): void {
  quiet = true;
}

/** Whether `--quiet` was given. */
export function isQuiet(): boolean {
  return quiet;
}

/**
 * Prints that a verb succeeded.
 *
 * @param format The value of `--output`.
 * @param result The members of the JSON, beside `success`.
 * @param text The text for people. `--quiet` leaves it out.
 */
export async function printDone(
  format: "text" | "json",
  result: object,
  text: string,
): Promise<void> {
  if (format === "json") await printJson({ ...result, success: true });
  else if (!quiet) {
    await print(Deno.stdout.isTerminal() ? text.split("\n").map(fit).join("\n") : text);
  }
}

/** Writes a message to standard error. If that fails, the work goes on without it. */
export function say(text: string): void {
  const lines = redact(text).split("\n").map((line) => fit(line));
  const bytes = encoder.encode(`${lines.join("\n")}\n`);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  } catch {
    // There is no other place for the message.
  }
}

/** Says what a user may not expect. `--quiet` leaves it out. */
export function note(text: string): void {
  if (!quiet) say(`Note: ${text}`);
}

/**
 * Warns if an archive's name does not say whether it is compressed. Readers do not look at the name,
 * but people do.
 *
 * @param path The archive's path.
 */
export function warnOfName(path: string, compressed: boolean): void {
  if (isDescriptor(path) || path.endsWith(".gz") === compressed) return;
  warn(
    `${quote(path)} ${compressed ? "is" : "is not"} compressed, and its name ` +
      `${compressed ? "does not end" : "ends"} in .gz (see --compress)`,
  );
}

/** The warnings that were printed. */
const warned = new Set<string>();

/** Warns of something unusual that is accepted. Each warning is printed once. */
export function warn(text: string): void {
  if (warned.has(text)) return;
  warned.add(text);
  say(`${paint(Deno.stderr, "yellow", "Warning:")} ${text}`);
}
