import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { binaryEntry, hashKey, parseEntryName } from "../../lib/archive/entries.ts";
import { isTargetName, parseTarget } from "../../lib/target/target.ts";
import { anyText } from "../_text.ts";

Deno.test("parseEntryName() tells the three kinds apart", () => {
  assert.deepEqual(parseEntryName("claims.jwt"), { kind: "claims" });
  assert.deepEqual(parseEntryName("world.wasm"), { kind: "wit" });
  const target = parseTarget("x86_64-linux");
  assert.deepEqual(parseEntryName("x86_64-linux.bin"), { kind: "binary", target });
});

Deno.test("parseEntryName() reads back what binaryEntry() names", () => {
  const target = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,95}$/).filter(isTargetName);
  fc.assert(fc.property(target, (text) => {
    const target = parseTarget(text);
    const name = binaryEntry(target);
    assert(name.length <= 100, "a tar header's name field has 100 bytes");
    assert.deepEqual(parseEntryName(name), { kind: "binary", target });
  }));
});

Deno.test("parseEntryName() accepts nothing but names of its own", () => {
  fc.assert(fc.property(anyText(), (name) => {
    try {
      const entry = parseEntryName(name);
      const again = entry.kind === "binary" ? binaryEntry(entry.target) : name;
      assert(entry.kind === "binary" || /^(claims\.jwt|world\.wasm)$/.test(name));
      assert.equal(again, name);
    } catch (error) {
      assert.match((error as { code: string }).code, /^ERR_ENTRY_(PATH|UNKNOWN)$/);
    }
  }));
});

Deno.test("hashKey() is the target, and for the WIT package its whole name", () => {
  assert.equal(hashKey({ kind: "binary", target: parseTarget("arm-linux") }), "arm-linux");
  assert.equal(hashKey({ kind: "wit" }), "world.wasm");
});
