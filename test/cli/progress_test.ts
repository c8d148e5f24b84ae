import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { progressLine } from "../../lib/cli/progress.ts";
import { widthOf } from "../../lib/cli/text.ts";

const MIB = 2 ** 20;

Deno.test("progressLine() fits any terminal, and shows a rate", () => {
  const bytes = fc.integer({ min: 0, max: 2 ** 43 });
  const titles = fc.constantFrom("Hashing", "Creating", "Extracting");
  const columns = fc.integer({ min: 20, max: 200 });
  fc.assert(
    fc.property(titles, bytes, fc.option(bytes), fc.nat(10 ** 6), columns, (title, ...args) => {
      const [done, total, seconds, columns] = args;
      const line = progressLine(title, done, total ?? undefined, seconds, columns);
      assert(line.startsWith(title), line);
      assert(widthOf(line) <= columns, line);
      if (columns >= 50) assert.match(line, /[0-9] [KMGT]?i?B\/s/);
    }),
    { numRuns: 500 },
  );
});

Deno.test("progressLine() draws a longer bar where there is more room", () => {
  const line = (columns: number): string =>
    progressLine("Creating", 120 * MIB, 300 * MIB, 10, columns);
  assert.equal(line(59), "Creating ████░░░░░░░ 40 %, 120.0 MiB, 12.0 MiB/s, 15 s left");
  assert.equal(line(50), "Creating █████░░░░░░░░ 40 %, 120.0 MiB, 12.0 MiB/s");
  assert.equal(line(30), "Creating ██████░░░░░░░░░░ 40 %");
  assert.equal(
    line(200),
    `Creating ${"█".repeat(16)}${"░".repeat(24)} 40 %, 120.0 MiB, 12.0 MiB/s, 15 s left`,
  );
});
