import assert from "node:assert/strict";
import { crc32, gzipSync } from "node:zlib";
import { ByteReader } from "../../lib/bytes/byte_reader.ts";
import { gunzip, type GzipHeader, isGzip, readGzipHeader } from "../../lib/gzip/gunzip.ts";
import { chunked, collect, concat, noise } from "../_bytes.ts";

/** The ten bytes that each header begins with (RFC 1952, section 2.3). */
function fixed({ method = 8, flags = 0 } = {}): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(0x1f, 0x8b, method, flags, 0, 0, 0, 0, 0, 255);
}

/** A header with its checksum, which may be wrong. */
function summed(header: Uint8Array, by = 0): Uint8Array<ArrayBuffer> {
  const sum = (crc32(header) + by) & 0xffff;
  return concat(header, Uint8Array.of(sum & 0xff, sum >> 8));
}

async function headerOf(bytes: Uint8Array): Promise<GzipHeader> {
  return await readGzipHeader(new ByteReader(chunked(bytes, 3)));
}

Deno.test("isGzip() goes by the first two bytes, both of them", async () => {
  const is = (...bytes: number[]) => isGzip(new ByteReader(chunked(Uint8Array.from(bytes), 1)));
  assert(await is(0x1f, 0x8b));
  assert(await is(0x1f, 0x8b, 0));
  for (const bytes of [[], [0x1f], [0x1f, 0x8c], [0x1e, 0x8b], [0x8b, 0x1f]]) {
    assert(!await is(...bytes), bytes.join());
  }
});

Deno.test("readGzipHeader() gives the header's bytes and its extra field, and reads no further", async () => {
  const extra = concat("PA", Uint8Array.of(1, 0, 7));
  const field = concat(Uint8Array.of(extra.length, 0), extra);
  for (
    const [header, found] of [
      [fixed(), undefined],
      [concat(fixed({ flags: 4 }), field), extra],
      [concat(fixed({ flags: 8 }), "name\0"), undefined],
      [concat(fixed({ flags: 16 }), "comment\0"), undefined],
      [summed(fixed({ flags: 2 })), undefined],
      [summed(concat(fixed({ flags: 2 + 4 + 8 + 16 }), field, "name\0", "\0")), extra],
      [concat(fixed({ flags: 8 }), "x".repeat(65535), "\0"), undefined],
    ] as const
  ) {
    const reader = new ByteReader(chunked(concat(header, "behind"), 7));
    const read = await readGzipHeader(reader);
    assert.deepEqual(concat(read.bytes), concat(header));
    assert.deepEqual(read.extra && concat(read.extra), found);
    assert.deepEqual(concat(await reader.read(6)), concat("behind"));
  }
});

Deno.test("readGzipHeader() refuses a method, a flag, a text or a checksum that is not in order", async () => {
  const refused = { code: "ERR_GZIP_CORRUPT" };
  for (const method of [0, 7, 9, 255]) {
    await assert.rejects(headerOf(fixed({ method })), refused, `method ${method}`);
  }
  for (const flags of [0x20, 0x40, 0x80]) {
    await assert.rejects(headerOf(fixed({ flags })), refused, `flags ${flags}`);
  }
  for (const flags of [8, 16]) {
    const endless = concat(fixed({ flags }), "x".repeat(70_000), "\0");
    await assert.rejects(headerOf(endless), refused, `flags ${flags}`);
  }
  for (const by of [1, 0x100, 0xffff]) {
    await assert.rejects(headerOf(summed(fixed({ flags: 2 }), by)), refused, `checksum + ${by}`);
  }
});

Deno.test("readGzipHeader() refuses a header that is cut short with ERR_ARCHIVE_TRUNCATED", async () => {
  const header = summed(concat(fixed({ flags: 31 - 1 }), Uint8Array.of(2, 0), "xx", "n\0", "c\0"));
  await headerOf(header);
  for (let length = 0; length < header.length; length++) {
    await assert.rejects(headerOf(header.subarray(0, length)), { code: "ERR_ARCHIVE_TRUNCATED" });
  }
});

// Small members are read in another way than large ones.
for (const [size, length] of [["small", 100], ["large", 40_000]] as const) {
  const content = noise(length);
  const member = new Uint8Array(gzipSync(content));
  const read = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const reader = new ByteReader(chunked(bytes, 1000));
    const content = await collect(gunzip(reader, await readGzipHeader(reader)));
    assert.equal(reader.position, bytes.length);
    return content;
  };

  Deno.test(`gunzip() refuses anything behind a ${size} member`, async () => {
    assert.deepEqual(await read(member), content);
    const second = { code: "ERR_GZIP_SECOND_MEMBER" };
    await assert.rejects(read(concat(member, member)), second);
    await assert.rejects(read(concat(member, Uint8Array.of(0x1f, 0x8b))), second);
    for (const behind of [[0], [0x1f], [0x1f, 0], [1, 0x8b], Array(1024).fill(0)]) {
      const bytes = concat(member, Uint8Array.from(behind));
      await assert.rejects(read(bytes), { code: "ERR_ARCHIVE_TRAILING_DATA" }, behind.join());
    }
  });

  Deno.test(`gunzip() refuses a ${size} member that is cut short with ERR_ARCHIVE_TRUNCATED`, async () => {
    for (const cut of [1, 7, 8, 9, 50]) {
      const bytes = member.subarray(0, -cut);
      await assert.rejects(read(bytes), { code: "ERR_ARCHIVE_TRUNCATED" }, `${cut} bytes missing`);
    }
  });

  Deno.test(`gunzip() refuses a ${size} member whose data is no deflate data with ERR_GZIP_CORRUPT`, async () => {
    // A block of type 3, which there is none of (RFC 1951, section 3.2.3).
    const bytes = concat(member.subarray(0, 10), Uint8Array.of(7), member.subarray(11));
    await assert.rejects(read(bytes), { code: "ERR_GZIP_CORRUPT" });
  });
}
