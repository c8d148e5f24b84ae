import assert from "node:assert/strict";
import { checkEntries, checkSize } from "../../lib/archive/limits.ts";

const GIB = 2 ** 30;

Deno.test("checkSize() accepts 8 GiB and no byte more by default", () => {
  checkSize(8 * GIB, GIB, {});
  assert.throws(() => checkSize(8 * GIB + 1, GIB, {}), { code: "ERR_LIMIT_SIZE" });
});

Deno.test("checkSize() takes another bound", () => {
  checkSize(20 * GIB, GIB, { maxSize: 20 * GIB });
  assert.throws(() => checkSize(11, 11, { maxSize: 10 }), { code: "ERR_LIMIT_SIZE" });
});

Deno.test("checkSize() judges the ratio past the first GiB", () => {
  checkSize(GIB, 1, {});
  checkSize(2 * GIB, 2 * GIB / 250, {});
  assert.throws(() => checkSize(2 * GIB, 2 * GIB / 251, {}), { code: "ERR_LIMIT_RATIO" });
  checkSize(2 * GIB, 2 * GIB / 1000, { maxRatio: 1000 });
  assert.throws(() => checkSize(2 * GIB, GIB, { maxRatio: 1 }), { code: "ERR_LIMIT_RATIO" });
});

Deno.test("checkEntries() accepts 4096 entries by default, or as many as it is told", () => {
  checkEntries(4096, {});
  assert.throws(() => checkEntries(4097, {}), { code: "ERR_LIMIT_ENTRIES" });
  checkEntries(5000, { maxEntries: 5000 });
  assert.throws(() => checkEntries(3, { maxEntries: 2 }), { code: "ERR_LIMIT_ENTRIES" });
});

Deno.test("checkSize() and checkEntries() accept nothing by a limit that is no number", () => {
  const wrong = "8G" as unknown as number;
  for (const limit of [NaN, wrong]) {
    assert.throws(() => checkSize(1, 1, { maxSize: limit }), { code: "ERR_LIMIT_SIZE" });
    assert.throws(() => checkSize(2 * GIB, GIB, { maxRatio: limit }), { code: "ERR_LIMIT_RATIO" });
    assert.throws(() => checkEntries(1, { maxEntries: limit }), { code: "ERR_LIMIT_ENTRIES" });
  }
});
