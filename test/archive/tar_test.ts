import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import {
  BLOCK_LENGTH,
  decodeHeader,
  decodePax,
  encodeHeader,
  MAX_ENTRY_SIZE,
  padded,
} from "../../lib/archive/tar.ts";
import { concat } from "../_bytes.ts";
import { paxRecord, tarHeader } from "../_tar.ts";
import { anyText } from "../_text.ts";

const NAME = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,95}$/).map((stem) => `${stem}.bin`);
const SIZE = fc.oneof(
  fc.nat(2000),
  fc.integer({ min: 0, max: MAX_ENTRY_SIZE }),
  fc.constant(MAX_ENTRY_SIZE),
);

Deno.test("encodeHeader() writes POSIX ustar: no owner, no time", () => {
  const expected = tarHeader({ name: "x86_64-linux.bin", size: 1234, mode: 0o755 });
  // Device numbers mean nothing for a file; writers put zeros or NULs.
  new TextEncoder().encodeInto("0000000\x000000000\0", expected.subarray(329));
  expected.fill(0x20, 148, 156);
  const sum = expected.reduce((total, byte) => total + byte, 0).toString(8).padStart(6, "0");
  new TextEncoder().encodeInto(`${sum}\0 `, expected.subarray(148));
  assert.deepEqual(encodeHeader("x86_64-linux.bin", 1234, 0o755), expected);
});

Deno.test("decodeHeader() reads what encodeHeader() writes", () => {
  fc.assert(fc.property(NAME, SIZE, fc.integer({ min: 0, max: 0o7777 }), (name, size, mode) => {
    const block = encodeHeader(name, size, mode);
    assert.equal(block.length, BLOCK_LENGTH);
    assert.deepEqual(decodeHeader(block), { name, size, type: "file" });
  }));
});

Deno.test("decodeHeader() reads what another writer writes", () => {
  const magic = fc.constantFrom("ustar" as const, "gnu" as const, "v7" as const);
  fc.assert(fc.property(NAME, SIZE, magic, (name, size, magic) => {
    assert.deepEqual(decodeHeader(tarHeader({ name, size, magic })), { name, size, type: "file" });
  }));
});

Deno.test("decodeHeader() refuses a header with any one byte changed", () => {
  const header = tarHeader({ name: "x86_64-linux.bin", size: 1234 });
  for (let at = 0; at < BLOCK_LENGTH; at++) {
    const changed = header.with(at, (header[at] as number) ^ 1);
    assert.throws(() => decodeHeader(changed), { category: "untrusted" }, `byte ${at}`);
  }
});

Deno.test("decodeHeader() tells the end from a header", () => {
  assert.equal(decodeHeader(new Uint8Array(BLOCK_LENGTH)), undefined);
});

Deno.test("decodeHeader() tells pax headers from files", () => {
  const typeOf = (type: string): string | undefined =>
    decodeHeader(tarHeader({ name: "PaxHeader", size: 10, type }))?.type;
  assert.deepEqual(["0", "\0", "x", "g"].map(typeOf), ["file", "file", "pax", "pax-global"]);
});

Deno.test("decodeHeader() joins the prefix to the name in ustar only", () => {
  const nameOf = (magic: "ustar" | "gnu" | "v7"): string | undefined =>
    decodeHeader(tarHeader({ name: "b", prefix: "a", magic }))?.name;
  assert.deepEqual([nameOf("ustar"), nameOf("gnu"), nameOf("v7")], ["a/b", "b", "b"]);
});

Deno.test("decodeHeader() accepts numbers led by spaces and ended by spaces", () => {
  for (const size of ["       1750 ", "00000001750 ", "1750\0\0\0\0\0\0\0\0", "00000001750\0"]) {
    assert.equal(decodeHeader(tarHeader({ name: "a", size }))?.size, 0o1750, size);
  }
});

Deno.test("decodePax() reads path and size, and passes over the rest", () => {
  const value = anyText().filter((text) => text.isWellFormed() && !/[\n\0]/.test(text));
  const others = fc.array(fc.tuple(fc.constantFrom("mtime", "comment", "SCHILY.dev"), value));
  const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  fc.assert(fc.property(value, size, fc.uniqueArray(others), (path, size, [before = []]) => {
    const unique = [...new Map(before)];
    const content = concat(
      ...unique.map(([keyword, text]) => paxRecord(keyword, text)),
      paxRecord("path", path),
      paxRecord("size", String(size)),
    );
    assert.deepEqual({ ...decodePax(content) }, { path, size });
  }));
});

Deno.test("decodePax() counts bytes, not characters", () => {
  assert.deepEqual({ ...decodePax(concat("17 path=größer\n")) }, { path: "größer" });
});

Deno.test("padded() rounds up to whole blocks", () => {
  assert.deepEqual([0, 1, 511, 512, 513].map(padded), [0, 512, 512, 512, 1024]);
});
