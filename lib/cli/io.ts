/**
 * What a command says: results on standard output, everything else on standard error.
 *
 * @module
 */

import { ParError, quote, redact } from "../errors.ts";
import { isDescriptor } from "../system/pipe.ts";
import { columns, paint } from "./style.ts";

const encoder = new TextEncoder();

/** A seed as it is written, and nothing that only resembles one: a result may hold any text. */
const SEED = /S[ACMNOUVX][A-Z2-7]{56}/g;

/** Writes a result, whole, to standard output. */
export async function print(text: string): Promise<void> {
  await printSecret(text.replace(SEED, redact));
}

/** Writes a result that may be a seed, because that was asked for. */
export async function printSecret(text: string): Promise<void> {
  const bytes = encoder.encode(text.endsWith("\n") ? text : `${text}\n`);
  try {
    for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
  } catch (cause) {
    // Whoever read it has seen enough.
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
 * @param archive Which of several archives it is about. Then it is one line long, and names the archive.
 */
export async function printJson(value: object, archive?: string): Promise<void> {
  await print(archive === undefined ? toJson(value, 2) : toJson({ archive, ...value }));
}

/** JSON in which what would steer a terminal is escaped too. */
function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(
    /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Breaks a line to the width of a terminal; see {@linkcode fitToTerminal}. */
let fit = (line: string): string => line;

/** Lets messages for people fit the terminal that they go to, if it is one. */
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

/** Leaves out from now on what nobody has to know: `--quiet`. */
export function beQuiet(): void {
  quiet = true;
}

/** Whether `--quiet` was given. */
export function isQuiet(): boolean {
  return quiet;
}

/**
 * Says that a verb has done what it was asked to do.
 *
 * @param format How `--output` wants it.
 * @param result What programs are told, beside that it succeeded.
 * @param text What people are told, unless they want it quiet.
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

/** Writes a message for people to standard error, if it can be written: the work goes on without. */
export function say(text: string): void {
  const lines = redact(text).split("\n").map((line) => fit(line));
  const bytes = encoder.encode(`${lines.join("\n")}\n`);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
  } catch {
    // There is no other place to say so.
  }
}

/** Says what one may not expect. */
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

/** What {@linkcode warn} has said. */
const warned = new Set<string>();

/** Says what is unusual and yet accepted, once. */
export function warn(text: string): void {
  if (warned.has(text)) return;
  warned.add(text);
  say(`${paint(Deno.stderr, "yellow", "Warning:")} ${text}`);
}
