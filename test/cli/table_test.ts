import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { drawAnyTable } from "../../lib/cli/any_table.ts";
import { drawPlainTable, drawTable } from "../../lib/cli/table.ts";

Deno.test("drawTable() draws double lines with joints where columns begin and end", async () => {
  assert.equal(
    await drawTable({
      title: "Title",
      rows: [["A", "1"], ["Bcd", "234"]],
      heading: "Heading",
      list: ["x", "y"],
    }),
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

Deno.test("drawTable() keeps its frame straight around texts of any width", async () => {
  const title = "支払い 💸 é — ﷺ";
  const drawn = await drawTable({
    title,
    rows: [["Name", "ö"]],
    heading: "A heading",
    list: ["a list longer than all that is above it"],
  });
  const lines = drawn.split("\n");
  assert(lines.every((line) => /^[╔╠║╚].*[╗╣║╝]$/.test(line)));
  assert.equal(lines[0]?.length, lines.at(-1)?.length);
});

Deno.test("drawTable() has room for a title longer than its columns", async () => {
  const title = "A title that is longer than both of the columns together";
  const drawn = await drawTable({ title, rows: [["A", "1"]], heading: "H", list: ["x"] });
  const lines = drawn.split("\n");
  assert.match(lines[1] ?? "", new RegExp(title));
  assert.equal(new Set(lines.map((line) => line.length)).size, 1);
});

Deno.test("drawTable() shows control characters as what they are not", async () => {
  const drawn = await drawTable({
    title: "a\u001b[31mb",
    rows: [["Name", "c\u009bd"]],
    heading: "H",
    list: ["e\u202ef"],
  });
  for (const text of ["a\ufffd[31mb", "c\ufffdd", "e\ufffdf"]) assert(drawn.includes(text), drawn);
});

Deno.test("drawPlainTable() draws what cli-table3 draws, or leaves it to that", () => {
  const text = fc.string({ minLength: 0, maxLength: 30 });
  let drawn = 0;
  fc.assert(
    fc.property(
      fc.record({
        title: text,
        rows: fc.array(fc.tuple(text, text), { maxLength: 8 }),
        heading: text,
        list: fc.array(text, { maxLength: 4 }),
      }),
      (content) => {
        const plain = drawPlainTable(content);
        if (plain === undefined) return;
        drawn++;
        assert.equal(plain, drawAnyTable(content));
      },
    ),
    { numRuns: 1000 },
  );
  assert(drawn > 100, `only ${drawn} were drawn`);
});
