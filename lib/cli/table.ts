import { printable } from "../errors.ts";
import type { Style } from "./style.ts";
import { pad, widthOf, wrap } from "./text.ts";

/** What a table shows. */
export interface TableContent {
  /** Is above both columns. */
  readonly title: string;
  /** Names and values; at least one. */
  readonly rows: readonly Row[];
  /** Is above the list. */
  readonly heading: string;
  /** The lines of the list, each a list of cells. The last of several cells may be shortened. */
  readonly list: readonly (readonly string[])[];
}

/** A name and a value. */
export interface Row {
  readonly name: string;
  readonly value: string;
  /** Whether the value may be shortened in its middle. */
  readonly isKey?: boolean;
  /** How the value looks. */
  readonly style?: Style | undefined;
}

/** The least width of the column of values. If there is less, each value is below its name. */
const LEAST_VALUES = 22;

/** No terminal is narrower. */
const LEAST_COLUMNS = 20;

/**
 * Draws a table of names and values with a title, and a list below.
 *
 * @param content What it shows. Control characters are replaced.
 * @param columns The most columns of a line. Default: any number.
 * @param paint Gives a text a style.
 */
export function drawTable(
  content: TableContent,
  columns = Infinity,
  paint: (style: Style, text: string) => string = (_, text) => text,
): string {
  const title = ofOneLine(content.title);
  const heading = ofOneLine(content.heading);
  const rows = content.rows.map((row) => ({ ...row, value: ofOneLine(row.value) }));
  const names = widest(rows.map(({ name }) => name));
  const most = Math.max(columns, LEAST_COLUMNS) - "║ ".length - " ║".length;
  const list = toColumns(content.list.map((cells) => cells.map(ofOneLine)), most);
  const beside = most - names - " ║ ".length;
  const inTwo = beside >= Math.min(LEAST_VALUES, widest(rows.map(({ value }) => value)));

  const room = inTwo ? beside : most - INDENT.length;
  const shown = rows.map((row) => row.isKey ? { ...row, value: shorten(row.value, room) } : row);
  const values = Math.min(room, widest(shown.map(({ value }) => value)));
  const aside = inTwo ? names + " ║ ".length : INDENT.length;
  const both = Math.max(aside + values, names, Math.min(most, widest([title, heading, ...list])));
  const bar = paint("dim", "║");
  const rule = (start: string, joint: string, end: string): string =>
    paint(
      "dim",
      inTwo
        ? start + "═".repeat(names + 2) + joint + "═".repeat(both - names - 1) + end
        : start + "═".repeat(both + 2) + end,
    );
  const styled = (style: Style | undefined, text: string): string =>
    style ? paint(style, text) : text;
  const over = (text: string, align: "left" | "centre", style?: Style): string[] =>
    wrap(text, both).map((line) => `${bar} ${styled(style, pad(line, both, align))} ${bar}`);
  const row = ({ name, value, style }: Row): string =>
    inTwo
      ? wrap(value, both - aside).map((line, at) =>
        `${bar} ${pad(at === 0 ? name : "", names, "left")} ${bar} ` +
        `${styled(style, pad(line, both - aside, "right"))} ${bar}`
      ).join("\n")
      : [
        ...over(name, "left"),
        ...wrap(value, both - aside).flatMap((line) => over(INDENT + line, "left", style)),
      ].join("\n");
  return [
    rule("╔", "═", "╗"),
    ...over(title, "centre", "bold"),
    rule("╠", "╦", "╣"),
    shown.map(row).join(`\n${rule("╠", "╬", "╣")}\n`),
    rule("╠", "╩", "╣"),
    ...over(heading, "centre", "bold"),
    rule("╠", "═", "╣"),
    // An empty list takes a line too.
    ...(list.length > 0 ? list : [""]).flatMap((text) => over(text, "left")),
    rule("╚", "═", "╝"),
  ].join("\n");
}

/** Aligns the cells of lines in columns. The last cell takes the room that the others leave. */
function toColumns(list: readonly (readonly string[])[], room: number): string[] {
  const widths: number[] = [];
  for (const cells of list) {
    cells.slice(0, -1).forEach((cell, at) => widths[at] = Math.max(widths[at] ?? 0, widthOf(cell)));
  }
  const left = room - widths.reduce((sum, width) => sum + width + GAP.length, 0);
  return list.map((cells) =>
    cells.map((cell, at) =>
      at < cells.length - 1
        ? pad(cell, widths[at] ?? 0, at === 0 ? "left" : "right")
        : cells.length > 1 && left >= LEAST_KEY
        ? shorten(cell, left)
        : cell
    ).join(GAP)
  );
}

/** Between two cells. */
const GAP = "  ";

/** The least characters that a shortened key has. */
const LEAST_KEY = 11;

/** The indent of a value that is below its name. */
const INDENT = "  ";

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map(widthOf));
}

/** The most characters of a shortened key, as in wasmCloud's document on provider archives. */
const SHORT_KEY = { head: 28, tail: 13 };

/** Replaces the middle of a key that does not fit with dots. */
export function shorten(key: string, room: number): string {
  if (key.length <= room) return key;
  const left = Math.min(room - "...".length, SHORT_KEY.head + SHORT_KEY.tail);
  const tail = Math.floor(left * SHORT_KEY.tail / (SHORT_KEY.head + SHORT_KEY.tail));
  return `${key.slice(0, left - tail)}...${key.slice(key.length - tail)}`;
}

/** Replaces line feeds, which could imitate lines of the table, and tabs, whose width is unknown. */
function ofOneLine(text: string): string {
  return printable(text).replace(/[\n\t]/g, "\ufffd");
}
