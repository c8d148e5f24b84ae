import assert from "node:assert/strict";
import { drawTable } from "../../lib/cli/table.ts";

Deno.test("drawTable() draws double lines with joints where columns begin and end", () => {
  assert.equal(
    drawTable("Title", [["A", "1"], ["Bcd", "234"]], "Heading", ["x", "y"]),
    `\
╔═══════════╗
║   Title   ║
╠═════╦═════╣
║ A   ║   1 ║
╠═════╬═════╣
║ Bcd ║ 234 ║
╠═════╩═════╣
║  Heading  ║
╠═══════════╣
║ x         ║
║ y         ║
╚═══════════╝`,
  );
});

Deno.test("drawTable() keeps its frame straight around texts of any width", () => {
  const title = "支払い 💸 é — ﷺ";
  const lines = drawTable(title, [["Name", "ö"]], "A heading", [
    "a list longer than all that is above it",
  ]).split("\n");
  assert(lines.every((line) => /^[╔╠║╚].*[╗╣║╝]$/.test(line)));
  assert.equal(lines[0]?.length, lines.at(-1)?.length);
});

Deno.test("drawTable() has room for a title longer than its columns", () => {
  const title = "A title that is longer than both of the columns together";
  const lines = drawTable(title, [["A", "1"]], "H", ["x"]).split("\n");
  assert.match(lines[1] ?? "", new RegExp(title));
  assert.equal(new Set(lines.map((line) => line.length)).size, 1);
});

Deno.test("drawTable() shows control characters as what they are not", () => {
  const drawn = drawTable("a\u001b[31mb", [["Name", "c\u009bd"]], "H", ["e\u202ef"]);
  for (const text of ["a\ufffd[31mb", "c\ufffdd", "e\ufffdf"]) assert(drawn.includes(text), drawn);
});
