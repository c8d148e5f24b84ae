import { printable as withoutControls } from "./printable.ts";
import Table from "npm:cli-table3@0.6.5";

/** The lines of the field's document: double, with a joint only where columns begin or end. */
const LINES = {
  "top": "═",
  "top-mid": "╦",
  "top-left": "╔",
  "top-right": "╗",
  "bottom": "═",
  "bottom-mid": "╩",
  "bottom-left": "╚",
  "bottom-right": "╝",
  "left": "║",
  "left-mid": "╠",
  "mid": "═",
  "mid-mid": "╬",
  "right": "║",
  "right-mid": "╣",
  "middle": "║",
};

/**
 * Draws a table of names and values with a title, and a list below.
 *
 * @param title Stands over both columns.
 * @param rows Names and values.
 * @param heading Stands over the list.
 * @param list One line each.
 */
export function drawTable(
  title: string,
  rows: readonly (readonly [string, string])[],
  heading: string,
  list: readonly string[],
): string {
  const wide = (
    content: string,
    hAlign: "center" | "left",
  ): { content: string; colSpan: number } => (
    { content: printable(content), colSpan: 2, hAlign } as { content: string; colSpan: number }
  );
  const table = new Table({ chars: LINES, style: { head: [], border: [] } });
  table.push([wide(title, "center")]);
  for (const [name, value] of rows) {
    table.push([name, { content: printable(value), hAlign: "right" }]);
  }
  table.push([wide(heading, "center")], [{
    ...wide("", "left"),
    content: list.map(printable).join("\n"),
  }]);
  return table.toString();
}

/** A line feed in somebody's text would draw lines that look like the table's own. */
function printable(text: string): string {
  return withoutControls(text).replaceAll("\n", "\ufffd");
}
