import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { createTokenId, deriveTokenId } from "../../lib/signing/token_id.ts";

Deno.test("createTokenId() makes 22 letters and digits, others each time", () => {
  const ids = new Set(Array.from({ length: 1000 }, createTokenId));
  assert.equal(ids.size, 1000);
  for (const id of ids) assert.match(id, /^[0-9A-Za-z]{22}$/);
});

Deno.test("createTokenId() uses each character at each place", () => {
  const ids = Array.from({ length: 2000 }, createTokenId);
  for (let place = 0; place < 22; place++) {
    assert.equal(new Set(ids.map((id) => id[place])).size, 62, `place ${place}`);
  }
});

Deno.test("deriveTokenId() gives equal texts equal ids, and others others", async () => {
  await fc.assert(fc.asyncProperty(fc.string(), fc.string(), async (one, other) => {
    const id = await deriveTokenId(one);
    assert.match(id, /^[0-9A-Za-z]{22}$/);
    assert.equal(await deriveTokenId(one), id);
    assert.equal(await deriveTokenId(other) === id, one === other);
  }));
});

Deno.test("deriveTokenId() keeps to what it gave, so that old archives can be made again", async () => {
  assert.equal(await deriveTokenId(""), "5IxLHpeEWjUSnpuggYAkGE");
});
