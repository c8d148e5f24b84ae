import assert from "node:assert/strict";
import zlib, { constants, deflateRawSync } from "node:zlib";
import { Inflater, inflateSegment } from "../../lib/gzip/inflater.ts";
import { chunked, collect, concat, noise } from "../_bytes.ts";

/** A segment as it lies in an archive. */
function segmentOf(content: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(deflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH }));
}

Deno.test("inflateSegment() gives the content of a segment, however it is cut", async () => {
  for (const length of [0, 1, 5000, 300_000]) {
    const content = noise(length);
    for (const cut of [17, 1000, 1_000_000]) {
      const inflated = inflateSegment(chunked(segmentOf(content), cut));
      assert.deepEqual(await collect(inflated), content);
    }
  }
});

Deno.test("inflateSegment() refuses what is no deflate data with ERR_GZIP_CORRUPT", async () => {
  const segment = segmentOf(noise(5000));
  // A block of type 3, which there is none of (RFC 1951, section 3.2.3).
  for (const bytes of [concat(segment, Uint8Array.of(7)), Uint8Array.of(7), noise(500)]) {
    for (const cut of [1, 100, 10_000]) {
      const inflated = inflateSegment(chunked(bytes, cut));
      await assert.rejects(collect(inflated), { code: "ERR_GZIP_CORRUPT" });
    }
  }
});

Deno.test("Inflater.feed() fails where the data does, and gives what comes before", async () => {
  const content = noise(5000);
  using inflater = new Inflater(zlib);
  assert.deepEqual(await collect(inflater.feed(segmentOf(content))), content);
  await assert.rejects(collect(inflater.feed(Uint8Array.of(7, 7, 7))), {
    code: "ERR_GZIP_CORRUPT",
  });
});
