import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { drawTable, type Row, type TableContent } from "../../lib/cli/table.ts";
import { widthOf } from "../../lib/cli/text.ts";
import { ISSUER, SUBJECT } from "../_keys.ts";
import { anyText } from "../_text.ts";

/** A SHA-256, as the claims have it. */
const HASH = "4FCE5A1B".repeat(8);

/** As `par inspect` has it. */
const ARCHIVE: TableContent = {
  title: "Fake Payments - Provider Archive",
  rows: [
    { name: "Public Key", value: SUBJECT.publicKey, isKey: true },
    { name: "Issuer", value: ISSUER.publicKey, isKey: true },
    { name: "Capability Contract ID", value: "examples:payments" },
    { name: "Signature", value: "valid since 2023-11-14T22:13:20Z, until 2033-05-18T03:33:20Z" },
  ],
  heading: "Supported Architecture Targets",
  list: [["aarch64-linux", "640 B", HASH], ["x86_64-linux", "12.5 MiB", HASH]],
};

function widthsOf(drawn: string): number[] {
  return [...new Set(drawn.split("\n").map(widthOf))];
}

/** An accent on no letter, and its like, become one character with the space beside them. */
function standsAlone(text: string): boolean {
  return text.split(" ").every((word) => widthOf(` ${word} `) === widthOf(word) + 2);
}

Deno.test("drawTable() draws double lines with joints where columns begin and end", () => {
  const content = {
    title: "Title",
    rows: [{ name: "A", value: "1" }, { name: "Bcd", value: "234" }],
    heading: "Heading",
    list: [["x"], ["y"]],
  };
  const drawn = `\
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
╚═══════════╝`;
  assert.equal(drawTable(content), drawn);
  assert.equal(drawTable(content, 20), drawn);
});

Deno.test("drawTable() draws a straight frame around any text, and none wider than it may be", () => {
  const text = fc.oneof(anyText(30), fc.string({ maxLength: 60 }), fc.constant(SUBJECT.publicKey));
  const row: fc.Arbitrary<Row> = fc.record({
    name: fc.string({ maxLength: 16 }),
    value: text,
    isKey: fc.boolean(),
  });
  const content = fc.record({
    title: text,
    rows: fc.array(row, { minLength: 1, maxLength: 6 }),
    heading: text,
    list: fc.array(fc.array(text, { minLength: 1, maxLength: 3 }), { maxLength: 4 }),
  });
  const columns = fc.oneof(fc.constant(Infinity), fc.integer({ min: 20, max: 120 }));
  fc.assert(
    fc.property(content, columns, (content, columns) => {
      const { title, rows, heading, list } = content;
      const texts = [title, heading, ...list.flat(), ...rows.map(({ value }) => value)];
      const drawn = drawTable(content, columns);
      const widths = widthsOf(drawn);
      assert(Math.max(...widths) <= columns, drawn);
      assert(drawn.split("\n").every((line) => /^[╔╠║╚].*[╗╣║╝]$/u.test(line)), drawn);
      if (texts.every(standsAlone)) assert.equal(widths.length, 1, drawn);
    }),
    { numRuns: 300 },
  );
});

Deno.test("drawTable() shows everything where the width does not matter", () => {
  const drawn = drawTable(ARCHIVE);
  for (const { value } of ARCHIVE.rows) assert(drawn.includes(` ${value} ║`), value);
  assert.equal(drawTable(ARCHIVE, 200), drawn);
});

Deno.test("drawTable() cuts keys in their middle, as the document does, and wraps other values", () => {
  const drawn = drawTable(ARCHIVE, 80);
  assert.deepEqual(widthsOf(drawn).length, 1);
  assert(widthOf(drawn.split("\n")[0] ?? "") <= 80);
  const { publicKey } = SUBJECT;
  assert(drawn.includes(` ${publicKey.slice(0, 28)}...${publicKey.slice(-13)} ║`), drawn);
  const hash = `${HASH.slice(0, 28)}...${HASH.slice(-13)}`;
  assert.match(drawn, new RegExp(`^║ aarch64-linux {5}640 B  ${hash} +║$`, "m"));
  assert.match(drawn, new RegExp(`^║ x86_64-linux {3}12.5 MiB  ${hash} +║$`, "m"));
  assert.match(drawn, /║ Signature +║ +valid since [^\n]*║\n║ +║ +[^\n]*2033-05-18T03:33:20Z ║/);
});

Deno.test("drawTable() puts values below their names where there is no room beside them", () => {
  const drawn = drawTable(ARCHIVE, 40);
  assert.deepEqual(widthsOf(drawn), [40]);
  assert.match(drawn, /^║ Capability Contract ID +║\n║ {3}examples:payments +║$/m);
  assert.match(
    drawn,
    new RegExp(`^║   ${SUBJECT.publicKey.slice(0, 20)}\\w*\\.\\.\\.\\w+ +║$`, "m"),
  );
  assert.doesNotMatch(drawn, /[╦╬╩]/);
});

Deno.test("drawTable() has room for a title longer than its columns", () => {
  const title = "A title that is longer than both of the columns together";
  const drawn = drawTable({
    title,
    rows: [{ name: "A", value: "1" }],
    heading: "H",
    list: [["x"]],
  });
  assert.match(drawn.split("\n")[1] ?? "", new RegExp(title));
});

Deno.test("drawTable() shows control characters as what they are not", () => {
  const drawn = drawTable({
    title: "a\u001b[31mb",
    rows: [{ name: "Name", value: "c\u009bd\te" }],
    heading: "H",
    list: [["f\u202eg\nh"]],
  });
  for (const text of ["a\ufffd[31mb", "c\ufffdd\ufffde", "f\ufffdg\ufffdh"]) {
    assert(drawn.includes(text), drawn);
  }
});
