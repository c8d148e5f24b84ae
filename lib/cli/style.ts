/** How a text may look: SGR codes of ECMA-48 that begin and end it. */
const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
} as const;

/** How a text may look. */
export type Style = keyof typeof STYLES;

/** A stream a person may look at. */
type Output = { isTerminal(): boolean };

/** Where a terminal does not say how wide it is. */
const USUAL_COLUMNS = 80;

/**
 * How many columns the terminal has that a text goes to.
 *
 * @param output Where the text goes.
 * @returns `undefined` if that is no terminal.
 */
export function columns(output: Output = Deno.stdout): number | undefined {
  if (!output.isTerminal()) return undefined;
  return Deno.consoleSize().columns || USUAL_COLUMNS;
}

/**
 * Colours a text where that is wanted: on a terminal, unless NO_COLOR is set; FORCE_COLOR decides
 * for any stream.
 *
 * @param output Where the text goes.
 * @param style How it looks.
 * @param text The text.
 */
export function paint(output: Output, style: Style, text: string): string {
  const [begin, end] = STYLES[style];
  return wantsColour(output) ? `\x1b[${begin}m${text}\x1b[${end}m` : text;
}

/** Whether a text may be coloured on its way there. */
function wantsColour(output: Output): boolean {
  const force = Deno.env.get("FORCE_COLOR");
  if (force) return force !== "0" && force !== "false";
  return output.isTerminal() && !Deno.env.get("NO_COLOR");
}
