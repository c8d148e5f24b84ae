import assert from "node:assert/strict";
import { constants, crc32, deflateRawSync, gzipSync } from "node:zlib";
import fc from "npm:fast-check@4.10.2";
import { ByteReader } from "../../lib/bytes/byte_reader.ts";
import type { Boundary } from "../../lib/gzip/parts.ts";
import { decompress, findEnd, inflateParts } from "../../lib/gzip/web.ts";
import { chunked, collect, concat, noise } from "../_bytes.ts";

/** Parts as an archive with an index has them, and their boundaries. */
function partsOf(
  contents: readonly Uint8Array[],
): { member: Uint8Array<ArrayBuffer>; boundaries: Boundary[] } {
  const deflated = contents.map((content, i) =>
    concat(
      deflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH }),
      Uint8Array.from(i === contents.length - 1 ? [3, 0] : []),
    )
  );
  let [before, inflated] = [0, 0];
  const boundaries = deflated.map((part, i) => ({
    deflated: before += part.length,
    inflated: inflated += contents[i]?.length ?? 0,
  }));
  return { member: concat(...deflated), boundaries };
}

const CONTENTS = [noise(700, 1), noise(30_000, 2), noise(5000, 3), new Uint8Array(1024)];

Deno.test("decompress() gives what was compressed, however it is cut", async () => {
  await fc.assert(fc.asyncProperty(
    fc.uint8Array({ maxLength: 3000 }),
    fc.integer({ min: 1, max: 500 }),
    async (bytes, length) => {
      const raw = decompress("deflate-raw", chunked(deflateRawSync(bytes), length));
      assert.deepEqual(await collect(raw), new Uint8Array(bytes));
      const member = decompress("gzip", chunked(gzipSync(bytes), length));
      assert.deepEqual(await collect(member), new Uint8Array(bytes));
    },
  ));
});

// What is cut short, Deno 2.9.6 takes for whole or for corrupt; `test/readings` asks Chromium.
Deno.test("decompress() refuses what is corrupt, and what follows", async () => {
  const member = gzipSync(noise(40_000));
  for (const bytes of [concat(member, Uint8Array.of(0)), noise(500)]) {
    await assert.rejects(collect(decompress("gzip", chunked(bytes))), { code: "ERR_GZIP_CORRUPT" });
  }
  for (const format of ["gzip", "deflate-raw"] as const) {
    const nothing = decompress(format, chunked(new Uint8Array(0)));
    await assert.rejects(collect(nothing), { code: "ERR_ARCHIVE_TRUNCATED" });
  }
});

Deno.test("decompress() passes on what its input throws", async () => {
  const reason = new Error("the input's own");
  const input = async function* (): AsyncGenerator<Uint8Array> {
    yield deflateRawSync(noise(1000)).subarray(0, 500);
    throw reason;
  };
  await assert.rejects(collect(decompress("deflate-raw", input())), (error) => error === reason);
});

Deno.test("decompress() stops reading when its reader has enough", async () => {
  let closed = false;
  const input = async function* (): AsyncGenerator<Uint8Array> {
    try {
      while (true) yield* chunked(deflateRawSync(noise(100_000), { finishFlush: 2 }), 10_000);
    } finally {
      closed = true;
    }
  };
  for await (const _ of decompress("deflate-raw", input())) break;
  for (let turn = 0; turn < 100 && !closed; turn++) await new Promise((done) => setTimeout(done));
  assert(closed);
});

Deno.test("findEnd() finds where compressed data ends, whatever follows it", async () => {
  await fc.assert(fc.asyncProperty(
    fc.uint8Array({ maxLength: 2000 }),
    fc.uint8Array({ minLength: 1, maxLength: 100 }),
    fc.integer({ min: 0, max: 9 }),
    async (bytes, behind, level) => {
      const deflated = deflateRawSync(bytes, { level });
      assert.equal(await findEnd(concat(deflated, behind)), deflated.length);
    },
  ));
});

Deno.test("findEnd() knows what is cut short, and what is no compressed data", async () => {
  const deflated = deflateRawSync(noise(1000));
  for (const length of [0, 1, 500, deflated.length - 1]) {
    assert.equal(await findEnd(deflated.subarray(0, length)), length);
  }
  await assert.rejects(findEnd(Uint8Array.of(7, 7, 7)), { code: "ERR_GZIP_CORRUPT" });
});

Deno.test("inflateParts() gives the content of all parts, and the checksum of each", async () => {
  const { member, boundaries } = partsOf(CONTENTS);
  const sums: number[] = [];
  const reader = new ByteReader(chunked(concat(member, "behind"), 997));
  const parts = inflateParts(reader, boundaries, (sum) => sums.push(sum));
  const content: Uint8Array[] = [];
  let next = await parts.next();
  for (; !next.done; next = await parts.next()) content.push(next.value.slice());
  const whole = concat(...CONTENTS);
  assert.deepEqual(concat(...content), whole);
  assert.deepEqual(next.value, { crc: crc32(whole), length: whole.length });
  assert.deepEqual(sums, CONTENTS.map((each) => crc32(each)));
  assert.equal(new TextDecoder().decode(await reader.read(6)), "behind");
});

for (
  const [field, steps] of [["deflated", [-4, -1, 1, 4, 512]], ["inflated", [
    -512,
    -1,
    1,
    512,
  ]]] as const
) {
  for (const by of steps) {
    Deno.test(`inflateParts() refuses boundaries that are ${field} ${by} from where parts end`, async () => {
      const { member, boundaries } = partsOf(CONTENTS);
      for (const i of boundaries.keys()) {
        const moved = boundaries.map((boundary, at) =>
          at === i ? { ...boundary, [field]: boundary[field] + by } : boundary
        );
        const reader = new ByteReader(chunked(concat(member, new Uint8Array(8)), 5000));
        await assert.rejects(collect(inflateParts(reader, moved)), { code: "ERR_INDEX_MISMATCH" });
      }
    });
  }
}

Deno.test("inflateParts() refuses a part that leans on the one before it", async () => {
  const content = noise(5000);
  const together = deflateRawSync(concat(content, content));
  const first = deflateRawSync(content, { finishFlush: constants.Z_SYNC_FLUSH });
  const reader = new ByteReader(chunked(concat(first, together.subarray(first.length - 4))));
  const boundaries = [
    { deflated: first.length, inflated: content.length },
    { deflated: together.length + 4, inflated: 2 * content.length },
  ];
  await assert.rejects(collect(inflateParts(reader, boundaries)), { category: "untrusted" });
});

Deno.test("inflateParts() refuses a part that is shorter than a flush, though it begins as one", async () => {
  for (const deflated of [0, 1, 3]) {
    const bytes = concat(Uint8Array.of(0, 0, 0xff, 0xff), deflateRawSync(noise(100)));
    const boundaries = [{ deflated, inflated: 0 }, { deflated: bytes.length, inflated: 100 }];
    const parts = inflateParts(new ByteReader(chunked(bytes)), boundaries);
    await assert.rejects(collect(parts), { code: "ERR_INDEX_MISMATCH" }, `${deflated} bytes`);
  }
});
