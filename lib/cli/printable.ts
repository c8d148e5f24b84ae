/**
 * Takes out of somebody's text what would move the cursor, colour the terminal or turn the reading
 * direction; line feeds stay.
 *
 * @param text What an archive or a registry says.
 */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- these are what is to be replaced
  return text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
