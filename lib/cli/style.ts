/** The colours a message may have: SGR codes of ECMA-48. */
const COLOURS = { red: 31, green: 32, yellow: 33 } as const;

/** A stream a person may look at. */
type Output = { isTerminal(): boolean };

/**
 * Colours a text where that is wanted: on a terminal, unless NO_COLOR is set; FORCE_COLOR decides
 * for any stream.
 *
 * @param output Where the text goes.
 * @param colour The colour.
 * @param text The text.
 */
export function paint(output: Output, colour: keyof typeof COLOURS, text: string): string {
  return wantsColour(output) ? `\x1b[${COLOURS[colour]}m${text}\x1b[39m` : text;
}

/** Whether a text may be coloured on its way there. */
export function wantsColour(output: Output): boolean {
  const force = Deno.env.get("FORCE_COLOR");
  if (force) return force !== "0" && force !== "false";
  return output.isTerminal() && !Deno.env.get("NO_COLOR");
}
