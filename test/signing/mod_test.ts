import assert from "node:assert/strict";
import * as signing from "../../lib/signing/mod.ts";
import * as all from "../../mod.ts";

Deno.test("lib/signing/mod.ts gives the same functions and classes as mod.ts", () => {
  const shared = Object.entries(signing).filter(([name]) => name in all);
  assert.deepEqual(
    shared.map(([name]) => name).sort(),
    ["JsonNumber", "KeyPair", "ParError", "parsePublicKey"],
  );
  for (const [name, value] of shared) assert.equal(value, (all as Record<string, unknown>)[name]);
});
