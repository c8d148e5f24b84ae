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
import { base256, paxRecord, tarHeader } from "../_tar.ts";
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
  assert.deepEqual(["0", "\0", "x"].map(typeOf), ["file", "file", "pax"]);
  assert.throws(() => typeOf("g"), { code: "ERR_HEADER_AMBIGUOUS" });
});

Deno.test("decodeHeader() takes a pax header with POSIX's magic alone", () => {
  for (const magic of ["gnu", "v7"] as const) {
    const header = tarHeader({ name: "PaxHeader", size: 10, type: "x", magic });
    assert.throws(() => decodeHeader(header), { code: "ERR_HEADER_AMBIGUOUS" }, magic);
  }
});

Deno.test("decodeHeader() refuses a pax header without a name", () => {
  const header = tarHeader({ name: "", size: 10, type: "x" });
  assert.throws(() => decodeHeader(header), { code: "ERR_HEADER_AMBIGUOUS" });
});

Deno.test("decodeHeader() takes a checksum that something ends", () => {
  const read = (checksum: string): unknown => decodeHeader(tarHeader({ name: "a", checksum }));
  const right = /^[0-7]+/.exec(
    new TextDecoder().decode(tarHeader({ name: "a" }).subarray(148, 156)),
  )?.[0] ?? assert.fail();
  for (const checksum of [`${right}\0 `, `0${right}\0`, `0${right} `, ` ${right} `]) {
    assert(read(checksum), checksum);
  }
  assert.throws(() => read(right.padStart(8, "0")), { code: "ERR_HEADER_INVALID" });
});

Deno.test("decodeHeader() refuses bytes in the prefix field, whatever the magic", () => {
  const read = (magic: "ustar" | "gnu" | "v7") => () =>
    decodeHeader(tarHeader({ name: "b", prefix: "a", magic }));
  assert.throws(read("ustar"), { code: "ERR_ENTRY_PATH" });
  assert.throws(read("gnu"), { code: "ERR_HEADER_AMBIGUOUS" });
  assert.throws(read("v7"), { code: "ERR_HEADER_AMBIGUOUS" });
});

Deno.test("decodeHeader() refuses a byte wherever its format has none", () => {
  const at = (offset: number, byte: number, magic: "ustar" | "gnu" | "v7") => () =>
    decodeHeader(tarHeader({ name: "a", magic, patch: (header) => header[offset] = byte }));
  const code = "ERR_HEADER_AMBIGUOUS";
  for (const magic of ["ustar", "gnu", "v7"] as const) {
    // The name's rest, a link's name, the names of the owner and the group, GNU's times and sparse map, the marks of star, the last byte.
    for (const offset of [2, 99, 157, 256, 266, 296, 298, 328, 346, 386, 476, 482, 495, 508, 511]) {
      if (magic === "ustar" && offset >= 476 && offset < 500) continue;
      assert.throws(at(offset, 0x61, magic), { code }, `${magic}, byte ${offset}`);
    }
    for (const offset of [257, 262, 263, 264]) {
      assert.throws(at(offset, 0x21, magic), { code }, `${magic}, byte ${offset}`);
    }
  }
  for (const offset of [265, 297]) {
    assert(at(offset, 0x61, "ustar")());
    assert.throws(at(offset, 0xff, "ustar"), { code: "ERR_HEADER_INVALID" }, `byte ${offset}`);
  }
  // Behind the NUL that ends an empty prefix.
  assert.throws(at(346, 0x61, "ustar"), { code });
});

Deno.test("decodeHeader() takes octal digits or nothing in each field of numbers", () => {
  // The last two are the times that star and node-tar write.
  const fields = [[100, 8], [108, 8], [116, 8], [136, 12], [329, 8], [337, 8], [476, 12], [
    488,
    12,
  ]];
  for (const [offset = 0, length = 0] of fields) {
    const read = (value: string | Uint8Array): unknown =>
      decodeHeader(tarHeader({
        name: "a",
        patch: (header) => {
          const bytes = concat(value);
          header.set(bytes.subarray(0, length), offset);
          header.fill(0, offset + Math.min(bytes.length, length), offset + length);
        },
      }));
    for (const value of ["", "0", "     17 ", "0000017\0", "17 \0"]) assert(read(value), value);
    for (const value of ["8", "-1", "+1", "0x1", "1\x001", "\x001", "        ", base256(1n)]) {
      assert.throws(() => read(value), { code: "ERR_HEADER_INVALID" }, `${offset}: ${value}`);
    }
  }
});

Deno.test("decodeHeader() accepts numbers led by spaces and ended by spaces", () => {
  for (const size of ["       1750 ", "00000001750 ", "1750\0\0\0\0\0\0\0\0", "00000001750\0"]) {
    assert.equal(decodeHeader(tarHeader({ name: "a", size }))?.size, 0o1750, size);
  }
});

Deno.test("decodePax() reads path and size, and passes over what has no effect on either", () => {
  const value = anyText().filter((text) => text.isWellFormed() && !/[\n\0]/.test(text));
  const others = fc.record({
    comment: value,
    uname: value,
    mtime: fc.constantFrom("1700000000", "1700000000.123456789", "-1"),
    uid: fc.constantFrom("0", "4294967294", "4294967295"),
    "SCHILY.ino": fc.constant("1234"),
    "SCHILY.xattr.user.mime": value,
    "LIBARCHIVE.creationtime": fc.constant("1700000000"),
  }, { requiredKeys: [] });
  const size = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  fc.assert(fc.property(value, size, others, (path, size, others) => {
    const content = concat(
      ...Object.entries(others).map(([keyword, text]) => paxRecord(keyword, text)),
      paxRecord("path", path),
      paxRecord("size", String(size)),
    );
    assert.deepEqual({ ...decodePax(content) }, { path, size });
  }));
});

Deno.test("decodePax() refuses keywords that change content or name, and those it does not know", () => {
  const codes: Readonly<Record<string, string>> = {
    "linkpath=a": "ERR_ENTRY_TYPE",
    "GNU.sparse.name=a": "ERR_ENTRY_TYPE",
    "SUN.holesdata= 0 512": "ERR_ENTRY_TYPE",
    "SCHILY.realsize=1": "ERR_ENTRY_TYPE",
    "SCHILY.filetype=symlink": "ERR_ENTRY_TYPE",
    "hdrcharset=BINARY": "ERR_HEADER_AMBIGUOUS",
    "charset=UTF-8": "ERR_HEADER_AMBIGUOUS",
    "SCHILY.offset=512": "ERR_HEADER_AMBIGUOUS",
    "Path=a": "ERR_HEADER_AMBIGUOUS",
    "VENDOR.name=a": "ERR_HEADER_AMBIGUOUS",
    "mtime=soon": "ERR_HEADER_AMBIGUOUS",
    "mtime=1e3": "ERR_HEADER_AMBIGUOUS",
    "mtime=9223372036854775808": "ERR_HEADER_AMBIGUOUS",
    "uid=-1": "ERR_HEADER_AMBIGUOUS",
    "uid=4294967296": "ERR_HEADER_AMBIGUOUS",
    "gid=99999999999999999999": "ERR_HEADER_AMBIGUOUS",
    " path=a": "ERR_HEADER_INVALID",
    "path\0=a": "ERR_HEADER_INVALID",
    "comment=a\0b": "ERR_HEADER_INVALID",
    "comment=a\nb": "ERR_HEADER_INVALID",
    "größe=1": "ERR_HEADER_INVALID",
  };
  for (const [record, code] of Object.entries(codes)) {
    const equals = record.indexOf("=");
    const content = concat(paxRecord(record.slice(0, equals), record.slice(equals + 1)));
    assert.throws(() => decodePax(content), { code }, record);
  }
});

Deno.test("decodePax() refuses a size that is no number, or none that is exact", () => {
  const sizeOf = (size: string) => decodePax(concat(paxRecord("size", size))).size;
  for (const size of [0, 1, 2 ** 33, Number.MAX_SAFE_INTEGER]) {
    assert.equal(sizeOf(String(size)), size);
  }
  for (
    const size of [
      String(2 ** 53),
      "9999999999999999",
      "9".repeat(17),
      "-1",
      "+1",
      "1e3",
      "0x10",
      "1.5",
      " 1",
      "",
    ]
  ) assert.throws(() => sizeOf(size), { code: "ERR_HEADER_SIZE" }, size);
});

Deno.test("decodePax() refuses a record whose length is no number, or ends elsewhere than the record", () => {
  const good = paxRecord("path", "a");
  for (
    const bad of [
      "path=a\n",
      " path=a\n",
      "x path=a\n",
      "010 path=a\n",
      "0 path=a\n",
      "+9 path=a\n",
      "8 path=a\n",
      "9 path=ab\n",
      "11 path=a\n",
      "100 path=a\n",
      "10 path=a",
      "4294967306 path=a\n",
      "2 path=a\n",
      "\n",
      "9",
    ]
  ) {
    for (const content of [bad, `${good}${bad}`]) {
      assert.throws(() => decodePax(concat(content)), { code: "ERR_HEADER_INVALID" }, content);
    }
  }
  assert.deepEqual({ ...decodePax(concat(good)) }, { path: "a" });
});

Deno.test("decodePax() refuses a header without records", () => {
  assert.throws(() => decodePax(new Uint8Array(0)), { code: "ERR_HEADER_INVALID" });
});

Deno.test("decodePax() counts bytes, not characters", () => {
  assert.deepEqual({ ...decodePax(concat("17 path=größer\n")) }, { path: "größer" });
});

Deno.test("padded() rounds up to whole blocks", () => {
  assert.deepEqual([0, 1, 511, 512, 513].map(padded), [0, 512, 512, 512, 1024]);
});
