/**
 * Takes seeds out of a text. Nothing here puts one into a message on purpose; this is for the seed
 * that a person put where it does not belong, such as behind a mistyped flag.
 *
 * @param text What is about to be shown.
 * @returns The text, each run of characters that could be a seed replaced.
 */
export function redact(text: string): string {
  return text.replace(/(?<![A-Z0-9])S[A-Z][A-Z2-7]{30,}/gi, "[a seed, not shown]");
}
