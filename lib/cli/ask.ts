/**
 * Asks the user at the terminal.
 *
 * @module
 */

import { throwIfAborted, untilAborted } from "../bytes/abort.ts";

/** The bytes that keys send in raw mode. */
const KEYS = { interrupt: 3, end: 4, backspace: 8, lineFeed: 10, return: 13, delete: 127 };

/**
 * Asks for a line. Question and answer are on standard error and standard input, so that a result on
 * standard output stays alone.
 *
 * @param question What to ask, with the space behind it.
 * @param hidden Whether the answer is secret, and not shown while it is typed.
 * @param signal Stops the wait.
 * @returns The line, without its end.
 * @throws {ParError} `ERR_ABORTED`.
 */
export async function ask(
  question: string,
  hidden: boolean,
  signal: AbortSignal,
): Promise<string> {
  // This comes before the question, so that a quick answer is not shown either. On Windows, raw mode
  // cannot leave the signals to the terminal.
  if (hidden) Deno.stdin.setRaw(true, { cbreak: Deno.build.os !== "windows" });
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(question));
    return await readLine(signal);
  } finally {
    if (hidden) {
      Deno.stdin.setRaw(false);
      Deno.stderr.writeSync(Uint8Array.of(KEYS.lineFeed));
    }
  }
}

async function readLine(signal: AbortSignal): Promise<string> {
  const typed: number[] = [];
  const buffer = new Uint8Array(1);
  while (await untilAborted(Deno.stdin.read(buffer), signal)) {
    const [byte = KEYS.end] = buffer;
    if (byte === KEYS.lineFeed || byte === KEYS.return || byte === KEYS.end) break;
    if (byte === KEYS.interrupt) throwIfAborted(AbortSignal.abort());
    if (byte === KEYS.backspace || byte === KEYS.delete) {
      // A character is a byte, and bytes that continue it (RFC 3629, section 3).
      while (((typed.pop() ?? 0) & 0xc0) === 0x80);
    } else typed.push(byte);
  }
  return new TextDecoder().decode(Uint8Array.from(typed));
}
