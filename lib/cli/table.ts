import { printable } from "../errors.ts";

/** What a table shows. */
export interface TableContent {
  /** Stands over both columns. */
  readonly title: string;
  /** Names and values. */
  readonly rows: readonly (readonly [string, string])[];
  /** Stands over the list. */
  readonly heading: string;
  /** One line each. */
  readonly list: readonly string[];
}

/** Draws a table of names and values with a title, and a list below. */
export async function drawTable(content: TableContent): Promise<string> {
  const { title, rows, heading, list } = content;
  const shown = {
    title: ofOneLine(title),
    rows: rows.map(([name, value]) => [name, ofOneLine(value)] as const),
    heading: ofOneLine(heading),
    list: list.map(ofOneLine),
  };
  return drawPlainTable(shown) ?? (await import("./any_table.ts")).drawAnyTable(shown);
}

/**
 * Draws a table whose every character is one column wide, and whose columns have room for what goes
 * over both; to load what draws any takes longer than to start up.
 *
 * @returns The table, or `undefined` where it is another one.
 */
export function drawPlainTable({ title, rows, heading, list }: TableContent): string | undefined {
  const over = [title, heading, ...list];
  if (![...over, ...rows.flat()].every((text) => /^[\x20-\x7e]+$/.test(text))) return undefined;
  const left = Math.max(...rows.map(([name]) => name.length));
  const right = Math.max(...rows.map(([, value]) => value.length));
  const both = left + right + 3;
  if (rows.length === 0 || over.some((text) => text.length > both)) return undefined;
  const line = (start: string, joint: string, end: string): string =>
    start + "═".repeat(left + 2) + joint + "═".repeat(right + 2) + end;
  const centred = (text: string): string =>
    `║ ${text.padStart(text.length + Math.floor((both - text.length) / 2)).padEnd(both)} ║`;
  return [
    line("╔", "═", "╗"),
    centred(title),
    line("╠", "╦", "╣"),
    rows.map(([name, value]) => `║ ${name.padEnd(left)} ║ ${value.padStart(right)} ║`)
      .join(`\n${line("╠", "╬", "╣")}\n`),
    line("╠", "╩", "╣"),
    centred(heading),
    line("╠", "═", "╣"),
    // A list of nothing takes a line too.
    ...(list.length > 0 ? list : [""]).map((text) => `║ ${text.padEnd(both)} ║`),
    line("╚", "═", "╝"),
  ].join("\n");
}

/** A line feed in somebody's text would draw lines that look like the table's own. */
function ofOneLine(text: string): string {
  return printable(text).replace(/[\n\t]/g, "\ufffd");
}
