/** The SGR codes of ECMA-48 that begin and end each style. */
const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
} as const;

/** A style of text. */
export type Style = keyof typeof STYLES;

/** An output stream, which may be a terminal. */
type Output = { isTerminal(): boolean };

/** The width of a terminal that does not tell its width. */
const USUAL_COLUMNS = 80;

/**
 * Gives the width of the terminal that a text goes to.
 *
 * @param output Where the text goes.
 * @returns `undefined` if that is no terminal.
 */
export function columns(output: Output = Deno.stdout): number | undefined {
  if (!output.isTerminal()) return undefined;
  return Deno.consoleSize().columns || USUAL_COLUMNS;
}

/**
 * Colours a text if it goes to a terminal and NO_COLOR is not set. If FORCE_COLOR is set, it decides.
 *
 * @param output Where the text goes.
 * @param style How it looks.
 * @param text The text.
 */
export function paint(output: Output, style: Style, text: string): string {
  const [begin, end] = STYLES[style];
  return wantsColour(output) ? `\x1b[${begin}m${text}\x1b[${end}m` : text;
}

function wantsColour(output: Output): boolean {
  const force = Deno.env.get("FORCE_COLOR");
  if (force) return force !== "0" && force !== "false";
  return output.isTerminal() && !Deno.env.get("NO_COLOR");
}
