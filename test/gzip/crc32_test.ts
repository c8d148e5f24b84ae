import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import fc from "npm:fast-check@4.10.2";
import { combineCrc32 } from "../../lib/gzip/crc32.ts";

Deno.test("combineCrc32() gives the checksum of two byte strings in a row", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.uint8Array({ maxLength: 3000 }), (a, b) => {
      const both = crc32(b, crc32(a));
      assert.equal(combineCrc32(crc32(a), crc32(b), b.length), both);
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
