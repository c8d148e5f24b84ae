import assert from "node:assert/strict";
import { gunzipSync, inflateRawSync } from "node:zlib";
import fc from "npm:fast-check@4.10.2";
import { ByteReader } from "../../lib/bytes/byte_reader.ts";
import { gunzip, isGzip, readGzipHeader } from "../../lib/gzip/gunzip.ts";
import { gzip, type GzipOptions, type Segment } from "../../lib/gzip/gzip.ts";
import { chunked, collect, concat, noise } from "../_bytes.ts";

/** How many bytes one call of deflate gets. */
const BLOCK = 1024 * 1024;

function segment(bytes: Uint8Array, ...lengths: number[]): Segment {
  return { length: bytes.length, open: () => chunked(bytes, ...lengths) };
}

async function compress(
  segments: readonly Segment[],
  options: Partial<GzipOptions> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return await collect(gzip(segments, { level: 9, jobs: 1, ...options }));
}

async function decompress(bytes: Uint8Array, ...lengths: number[]): Promise<Uint8Array> {
  const reader = new ByteReader(chunked(bytes, ...lengths));
  assert(await isGzip(reader));
  return await collect(gunzip(reader, await readGzipHeader(reader)));
}

/** Bytes that compress well, badly, or not at all. */
const CONTENT = fc.oneof(
  fc.uint8Array({ maxLength: 2000 }),
  fc.tuple(fc.nat(255), fc.nat(100_000)).map(([byte, length]) => new Uint8Array(length).fill(byte)),
  fc.nat(100_000).map((length) => noise(length)),
  fc.string({ maxLength: 500 }).map((text) => concat(text.repeat(20))),
);
const CUTS = fc.array(fc.integer({ min: 0, max: 70_000 }), { minLength: 1, maxLength: 4 });

Deno.test("gzip() gives one member of what it was given, for any bytes, segments and chunks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(CONTENT, CUTS), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 9 }),
      CUTS,
      async (parts, level, cuts) => {
        const segments = parts.map(([bytes, lengths]) => segment(bytes, ...lengths));
        const member = await compress(segments, { level });
        const whole = concat(...parts.map(([bytes]) => bytes));
        assert.deepEqual(concat(gunzipSync(member)), whole);
        assert.deepEqual(await decompress(member, ...cuts), whole);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("gzip() gives one member of sizes around a block's edge", async () => {
  for (const size of [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1]) {
    const bytes = concat(noise(size - 1000), new Uint8Array(1000));
    const member = await compress([segment(bytes, 100_000), segment(concat("x")), segment(bytes)]);
    assert.deepEqual(concat(gunzipSync(member)), concat(bytes, "x", bytes));
  }
});

Deno.test("gzip() gives the same bytes however its input is cut and shared out", async () => {
  const bytes = concat(noise(BLOCK), "x".repeat(3 * BLOCK), noise(BLOCK, 2), noise(BLOCK, 2));
  const one = await compress([segment(bytes)]);
  for (const [jobs, cut] of [[1, 777], [2, 65536], [4, BLOCK], [8, 1_000_000]] as const) {
    assert.deepEqual(await compress([segment(bytes, cut)], { jobs }), one, `${jobs} jobs`);
  }
});

Deno.test("gzip() lets each segment be inflated alone", async () => {
  const parts = [noise(5000), concat("x".repeat(BLOCK + 5000)), concat("y"), noise(5000)];
  const lengths: number[] = [];
  const member = await compress(parts.map((part) => segment(part)), {
    onSegment: (length) => lengths.push(length),
  });
  let at = 10;
  for (const [i, part] of parts.entries()) {
    const deflated = member.subarray(at, at + (lengths[i] as number));
    const inflated = inflateRawSync(concat(deflated, Uint8Array.of(3, 0)));
    assert.deepEqual(concat(inflated), part);
    at += deflated.length;
  }
  assert.equal(at, member.length - 8);
});

Deno.test("gzip() looks back inside a block: repeated content costs little", async () => {
  const bytes = concat(...Array.from({ length: 200 }, () => noise(10_000)));
  const member = await compress([segment(bytes)]);
  assert(member.length < bytes.length / 20, `${member.length} bytes of ${bytes.length}`);
});

Deno.test("gzip() puts an extra field into its header, which readers pass over", async () => {
  const extra = concat("XX", Uint8Array.of(3, 0), "abc");
  const member = await compress([segment(concat("content"))], { extra });
  assert.equal(new TextDecoder().decode(gunzipSync(member)), "content");
  const header = await readGzipHeader(new ByteReader(chunked(member, 5)));
  assert.deepEqual(concat(header.extra ?? ""), extra);
  assert.deepEqual(concat(header.bytes), member.slice(0, 12 + extra.length));
});

Deno.test("gzip() writes no time and no name", async () => {
  const member = await compress([segment(concat("content"))]);
  assert.deepEqual([...member.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
});

Deno.test("gzip() passes on what its input throws", async () => {
  const failure = new Error("the disk is gone");
  const broken: Segment = {
    length: 4 * BLOCK,
    async *open(): AsyncGenerator<Uint8Array> {
      yield noise(BLOCK + 1);
      throw failure;
    },
  };
  for (const jobs of [1, 2]) await assert.rejects(compress([broken], { jobs }), failure);
});

Deno.test("gunzip() gives what has come before it knows the rest", async () => {
  const member = await compress([segment(noise(2 ** 20))]);
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield* chunked(member.subarray(0, 600_000), 65536);
    throw new Error("the connection was lost");
  };
  const reader = new ByteReader(source());
  let length = 0;
  await assert.rejects(async () => {
    for await (const chunk of gunzip(reader, await readGzipHeader(reader))) length += chunk.length;
  }, /the connection was lost/);
  assert(length > 400_000, `${length} bytes came`);
});

Deno.test("gunzip() stops when its reader has enough", async () => {
  const member = await compress([segment(noise(2 ** 21))]);
  const reader = new ByteReader(chunked(member, 65536));
  for await (const _ of gunzip(reader, await readGzipHeader(reader))) break;
  assert(reader.position < 2 ** 20, `${reader.position} bytes were read`);
});
