import assert from "node:assert/strict";
import { constants, crc32, deflateRawSync, gunzipSync } from "node:zlib";
import { ByteReader } from "../../lib/bytes/byte_reader.ts";
import { gunzip, readGzipHeader } from "../../lib/gzip/gunzip.ts";
import type { Boundary } from "../../lib/gzip/parts.ts";
import { inflateParts } from "../../lib/gzip/web.ts";
import { chunked, collect, concat, noise, watched } from "../_bytes.ts";
import { once } from "../verbs/_fixtures.ts";

const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
/** What a flush ends in: the lengths of an empty stored block. */
const FLUSH = Uint8Array.of(0, 0, 0xff, 0xff);

/** A part of a member before the last: it ends in a flush, and a reader can begin anew behind it. */
function flushed(content: Uint8Array): Uint8Array {
  return deflateRawSync(content, { finishFlush: constants.Z_FULL_FLUSH });
}

/** Puts parts into a member, with the checksum of a content. */
function member(content: Uint8Array, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(0, crc32(content), true);
  trailer.setUint32(4, content.length, true);
  return concat(HEADER, ...parts, new Uint8Array(trailer.buffer));
}

/** Where the parts end, as an honest index says it. */
function boundariesOf(
  parts: readonly (readonly [deflated: Uint8Array, length: number])[],
): Boundary[] {
  let [deflated, inflated] = [0, 0];
  return parts.map(([part, length]) => ({
    deflated: deflated += part.length,
    inflated: inflated += length,
  }));
}

async function read(bytes: Uint8Array, boundaries: readonly Boundary[]): Promise<Uint8Array> {
  const reader = new ByteReader(once(bytes));
  return await collect(gunzip(reader, await readGzipHeader(reader), { boundaries }));
}

async function assertRefused(
  bytes: Uint8Array,
  boundaries: readonly Boundary[],
  what: string,
): Promise<void> {
  const refused = { code: "ERR_INDEX_MISMATCH" };
  await assert.rejects(read(bytes, boundaries), refused, what);
  // That the member ends behind the last boundary, its checksum tells there.
  if (what === "the last missing") return;
  await assert.rejects(
    readOnTheWeb(bytes, boundaries),
    { category: "untrusted" },
    `${what}, on the web`,
  );
}

/** Reads as in a browser, where there is no `node:zlib`. */
async function readOnTheWeb(
  bytes: Uint8Array,
  boundaries: readonly Boundary[],
): Promise<Uint8Array> {
  const reader = new ByteReader(once(bytes));
  await readGzipHeader(reader);
  return await collect(inflateParts(reader, boundaries));
}

// Small members are read in another way than large ones.
for (const [size, length] of [["small", 100], ["large", 30_000]] as const) {
  const [first, second] = [noise(length, 1), noise(length, 2)];
  const both = concat(first, second);
  const parts = [flushed(first), deflateRawSync(second)] as const;
  const honest = boundariesOf([[parts[0], length], [parts[1], length]]);

  Deno.test(`gunzip() takes a ${size} member whose parts end where its boundaries are`, async () => {
    assert.deepEqual(await read(member(both, ...parts), honest), both);
    assert.deepEqual(await read(member(both, ...parts), honest.slice(1)), both);
    assert.deepEqual(await readOnTheWeb(member(both, ...parts), honest), both);
  });

  Deno.test(`gunzip() refuses boundaries of a ${size} member that are none`, async () => {
    const [one, two] = honest as [Boundary, Boundary];
    const wrong: Record<string, Boundary[]> = {
      "the first too short": [{ ...one, deflated: one.deflated - 1 }, two],
      "the first too long": [{ ...one, deflated: one.deflated + 1 }, two],
      "the first before the flush is whole": [{ ...one, deflated: 3 }, two],
      "the first with another length": [{ ...one, inflated: one.inflated + 1 }, two],
      "all with another length": [one, two].map((boundary) => ({
        ...boundary,
        inflated: boundary.inflated + 40,
      })),
      "the last too short": [one, { ...two, deflated: two.deflated - 1 }],
      "the last too long": [one, { ...two, deflated: two.deflated + 1 }],
      "the last with another length": [one, { ...two, inflated: two.inflated - 1 }],
      "the last missing": [one],
      "one after the last": [one, two, { deflated: two.deflated + 10, inflated: two.inflated }],
      "in another order": [two, one],
      "one behind the end, before the last": [
        one,
        { deflated: two.deflated + 20, inflated: two.inflated },
        two,
      ],
    };
    for (const [what, boundaries] of Object.entries(wrong)) {
      await assertRefused(member(both, ...parts), boundaries, what);
    }
  });

  Deno.test(`gunzip() reads no further where a part of a ${size} member is too short for a flush`, async () => {
    const [one, two] = honest as [Boundary, Boundary];
    for (const boundaries of [[{ ...one, deflated: 3 }, two], [one, { ...one }, two]]) {
      const source = watched(chunked(member(both, ...parts), HEADER.length, 10));
      const reader = new ByteReader(source);
      const header = await readGzipHeader(reader);
      // Whoever wants checksums gets them from the way that large members are read in.
      const reading = gunzip(reader, header, { boundaries, onChecksum: () => {} });
      await assert.rejects(collect(reading), { code: "ERR_INDEX_MISMATCH" });
      assert(source.read < HEADER.length + one.deflated + 20, `${source.read} bytes were read`);
    }
  });

  Deno.test(`gunzip() refuses a ${size} part that ends in a stored block with content`, async () => {
    // To a reader without boundaries, the first bytes of the second part are the block's content. They
    // are an empty stored block themselves, so that it goes on as this one does.
    const hidden = Uint8Array.of(0, ...FLUSH);
    const lengths = Uint8Array.of(hidden.length, 0, ~hidden.length & 0xff, 0xff);
    const bent = [concat(parts[0].subarray(0, -4), lengths), concat(hidden, parts[1])] as const;
    const boundaries = boundariesOf([[bent[0], length], [bent[1], length]]);
    const elsewhere = concat(first, hidden, second);
    assert.deepEqual(new Uint8Array(gunzipSync(member(elsewhere, ...bent))), elsewhere);
    await assertRefused(member(elsewhere, ...bent), boundaries, "with the checksum of theirs");
    await assertRefused(member(both, ...bent), boundaries, "with the checksum of ours");
  });

  Deno.test(`gunzip() refuses a ${size} part whose flush is another block's content`, async () => {
    const content = concat(first, FLUSH);
    const stored = new DataView(new ArrayBuffer(5));
    stored.setUint16(1, content.length, true);
    stored.setUint16(3, ~content.length & 0xffff, true);
    const bent = concat(new Uint8Array(stored.buffer), content);
    const elsewhere = concat(content, second);
    assert.deepEqual(new Uint8Array(gunzipSync(member(elsewhere, bent, parts[1]))), elsewhere);
    for (const inflated of [first.length, content.length]) {
      const boundaries = boundariesOf([[bent, inflated], [parts[1], length]]);
      await assertRefused(member(elsewhere, bent, parts[1]), boundaries, "theirs");
      await assertRefused(member(both, bent, parts[1]), boundaries, "ours");
    }
  });

  Deno.test(`gunzip() refuses a ${size} part whose stored block goes on, though it ends like a flush`, async () => {
    const stored = new DataView(new ArrayBuffer(5));
    stored.setUint16(1, length + 100, true);
    stored.setUint16(3, ~(length + 100) & 0xffff, true);
    const bent = concat(new Uint8Array(stored.buffer), first, FLUSH);
    assert.throws(() => gunzipSync(member(both, bent, parts[1])));
    // What stands in the flush's place is content of the block, of these lengths.
    for (const more of [0, 5, 6]) {
      const boundaries = boundariesOf([[bent, length + more], [parts[1], length]]);
      await assertRefused(member(both, bent, parts[1]), boundaries, `${more} bytes more`);
    }
  });

  Deno.test(`gunzip() refuses a ${size} part that ends in the final block, with another behind it`, async () => {
    const bent = concat(parts[0].subarray(0, -5), Uint8Array.of(1), FLUSH);
    assert.equal(parts[0].at(-5), 0, "a byte with a block's header alone");
    const boundaries = boundariesOf([[bent, length], [parts[1], length]]);
    for (const content of [first, both]) {
      await assertRefused(member(content, bent, parts[1]), boundaries, `${content.length} bytes`);
    }
  });
}

Deno.test("gunzip() proves the end of a part where the inflater's memory ends, too", async () => {
  for (const left of [1, 16, 31, 32, 33]) {
    const content = new Uint8Array(2 ** 20 - left);
    const [part, end] = [flushed(content), deflateRawSync(new Uint8Array(0))];
    const boundaries = boundariesOf([[part, content.length], [end, 0]]);
    const reader = new ByteReader(once(member(content, part, end)));
    const header = await readGzipHeader(reader);
    const inflated = gunzip(reader, header, { boundaries, onChecksum: () => {} });
    assert.equal((await collect(inflated)).length, content.length, `${left} bytes left`);
  }
});
