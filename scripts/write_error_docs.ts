/**
 * Writes `docs/errors.md` from the codes in `lib/errors.ts`.
 *
 * @module
 */

import { ERROR_CODES, type ErrorCategory } from "../lib/errors.ts";

/** For each category, the heading of its section and the sentence below it. */
const CATEGORIES: Readonly<Record<ErrorCategory, readonly [string, string]>> = {
  usage: [
    "Wrong usage: exit status 2",
    "The call itself is wrong, and no archive was written.",
  ],
  failed: [
    "Failed: exit status 1",
    "The call is right, but the work could not be done. An archive that existed before is unchanged.",
  ],
  untrusted: [
    "Not to be trusted: exit status 3",
    "The archive must not be used. Trying again does not help. Another copy or another archive may.",
  ],
};

/** The page's text. */
export function errorDocs(): string {
  const sections = Object.entries(CATEGORIES).map(([category, [heading, text]]) => {
    const rows = Object.entries(ERROR_CODES)
      .filter(([, info]) => info.category === category)
      .map(([code, { meaning }]) => [`\`${code}\``, meaning] as const);
    return `## ${heading}\n\n${text}\n\n${table([["Code", "Meaning"], ...rows])}`;
  });
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

const INTRODUCTION = `# Error codes

Every failure that a user can cause has a code that does not change from version to version. The
command prints it in brackets after the message, and as \`error.code\` with \`-o json\`. In the library
it is the \`code\` of a \`ParError\`, whose \`category\` is one of the three below.

\`--verbose\` also prints the causes of a failure. An exit status of 130 means that a signal stopped
the command, and 141 that the reader of its output closed the pipe.

This page is written by \`scripts/write_error_docs.ts\`.
`;

/** Writes a table in the layout of `deno fmt`. */
function table(rows: readonly (readonly [string, string])[]): string {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |\n`;
  const [head = ["", ""], ...body] = rows;
  return line(head) + line(widths.map((width) => "-".repeat(width))) + body.map(line).join("");
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("../docs/errors.md", import.meta.url), errorDocs());
}
