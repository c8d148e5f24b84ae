/**
 * Lines that say how checks came out.
 *
 * @module
 */

import { printable } from "../errors.ts";
import { print } from "./io.ts";
import { columns, paint, type Style } from "./style.ts";

/** How a check came out. */
export type Outcome = "ok" | "warning" | "FAILED";

/** A check, and what was found. */
export interface CheckLine {
  /** What was checked. */
  readonly name: string;
  readonly outcome: Outcome;
  /** What was found, as a sentence. */
  readonly message: string;
}

const STYLES = { ok: "green", warning: "yellow", FAILED: "red" } as const satisfies Record<
  Outcome,
  Style
>;

/**
 * Prints a line for each check, and a last one. On a terminal, longer messages continue below their
 * beginning.
 *
 * @param checks The checks.
 * @param verdict What follows from all of them.
 */
export async function printChecks(
  checks: readonly CheckLine[],
  verdict: readonly string[],
): Promise<void> {
  const longest = (texts: readonly string[]): number =>
    Math.max(...texts.map(({ length }) => length));
  const outcomes = longest(["FAILED", ...checks.map(({ outcome }) => outcome)]) + 2;
  const indent = outcomes + longest(checks.map(({ name }) => name)) + 2;
  const room = columns();
  const { wrap } = room === undefined ? { wrap: undefined } : await import("./text.ts");
  const lines = checks.map(({ name, outcome, message }) => {
    const text = printable(message);
    const lines = wrap ? wrap(text, Math.max((room ?? 0) - indent, 20)) : [text];
    return paint(Deno.stdout, STYLES[outcome], outcome) + " ".repeat(outcomes - outcome.length) +
      name.padEnd(indent - outcomes) + lines.join(`\n${" ".repeat(indent)}`);
  });
  lines.push(...verdict.map((line) => wrap ? wrap(line, room ?? 0).join("\n") : line));
  if (lines.length > 0) await print(lines.join("\n"));
}
