import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { base32nopad } from "npm:@scure/base@2.4.0";
import { decodeBase32, encodeBase32 } from "../../lib/signing/base32.ts";

Deno.test("encodeBase32() writes what @scure/base writes", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    assert.equal(encodeBase32(bytes), base32nopad.encode(bytes));
  }));
});

Deno.test("decodeBase32() reads what @scure/base reads, and nothing else", () => {
  const read = (text: string): Uint8Array | undefined => {
    try {
      return base32nopad.decode(text);
    } catch {
      return undefined;
    }
  };
  const letter = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
  const texts = fc.oneof(
    fc.uint8Array().map(encodeBase32),
    fc.string({ unit: letter, maxLength: 60 }),
    fc.string({ unit: fc.oneof({ weight: 30, arbitrary: letter }, fc.constantFrom(..."a01=8 ")) }),
  );
  let [accepted, refused] = [0, 0];
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = decodeBase32(text);
      if (bytes) accepted++;
      else refused++;
      assert.deepEqual(bytes, read(text));
    }),
    { numRuns: 2000 },
  );
  assert(accepted > 200 && refused > 200, `${accepted} accepted, ${refused} refused`);
});
