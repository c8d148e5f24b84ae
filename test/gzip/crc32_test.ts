import assert from "node:assert/strict";
import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "npm:fast-check@4.10.2";
import { combineCrc32, crc32 } from "../../lib/gzip/crc32.ts";

Deno.test("combineCrc32() gives the checksum of two byte strings in a row", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.uint8Array({ maxLength: 3000 }), (a, b) => {
      const both = zlibCrc32(b, zlibCrc32(a));
      assert.equal(combineCrc32(zlibCrc32(a), zlibCrc32(b), b.length), both);
    }),
  );
});

Deno.test("combineCrc32() agrees with itself on lengths beyond 32 bits", () => {
  const [first, second, third] = [0x12345678, 0xcafebabe, 0x0badf00d];
  const [long, longer] = [2 ** 33 + 5, 2 ** 40 + 1];
  assert.equal(
    combineCrc32(combineCrc32(first, second, long), third, longer),
    combineCrc32(first, combineCrc32(second, third, longer), long + longer),
  );
});

Deno.test("crc32() gives the checksum that zlib gives", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
    assert.equal(crc32(bytes), zlibCrc32(bytes));
  }));
});
