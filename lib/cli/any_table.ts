/**
 * Tables of any text, also of characters that are two columns wide or none.
 *
 * @module
 */

import Table from "npm:cli-table3@0.6.5";
import type { TableContent } from "./table.ts";

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

/** Draws a table as `drawTable` does. */
export function drawAnyTable({ title, rows, heading, list }: TableContent): string {
  const wide = (content: string, hAlign: "center" | "left"): WideCell => (
    { content, colSpan: 2, hAlign } as WideCell
  );
  const table = new Table({ chars: LINES, style: { head: [], border: [] } });
  table.push([wide(title, "center")]);
  for (const [name, value] of rows) table.push([name, { content: value, hAlign: "right" }]);
  table.push([wide(heading, "center")], [wide(list.join("\n"), "left")]);
  return table.toString();
}

/** The package's type knows no alignment here; the package does. */
type WideCell = { content: string; colSpan: number };
