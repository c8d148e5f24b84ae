import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { decodeIndex, encodeIndex, type SegmentLengths } from "../../lib/archive/index.ts";
import { concat } from "../_bytes.ts";

const START = 200;

const SEGMENTS: readonly SegmentLengths[] = [
  { name: "claims.jwt", deflatedLength: 700, length: 1536 },
  { name: "x86_64-linux.bin", deflatedLength: 2 ** 33, length: 2 ** 34 },
  { name: "", deflatedLength: 14, length: 1024 },
];

function encoded(segments: readonly SegmentLengths[] = SEGMENTS): Uint8Array {
  const extra = encodeIndex(segments);
  assert(extra);
  return extra;
}

/** A subfield `PA` of any data. */
function subfield(...data: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(0x50, 0x41, data.length & 0xff, data.length >> 8, ...data);
}

Deno.test("encodeIndex() writes id, version, names and lengths, byte for byte", () => {
  const extra = encoded([
    { name: "a.bin", deflatedLength: 0x010203, length: 2 ** 40 },
    { name: "", deflatedLength: 1, length: 2 },
  ]);
  // deno-fmt-ignore
  assert.deepEqual([...extra], [
    0x50, 0x41, 40, 0, 1,
    5, 0x61, 0x2e, 0x62, 0x69, 0x6e, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0,
    0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
  ]);
});

Deno.test("decodeIndex() reads what encodeIndex() wrote, with the offsets", () => {
  const length = fc.nat(2 ** 40);
  const names = fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(names, fc.infiniteStream(length), length, (names, lengths, start) => {
      const next = (): number => lengths.next().value + 1;
      const segments = [...names, ""].map((name) => (
        { name, deflatedLength: next(), length: next() }
      ));
      const index = decodeIndex(encoded(segments), start);
      assert(index);
      let offset = start;
      for (const [i, segment] of segments.entries()) {
        assert.deepEqual(index[i], { ...segment, offset });
        offset += segment.deflatedLength;
      }
      assert.equal(index.length, segments.length);
    }),
  );
});

Deno.test("encodeIndex() depends on the lengths in their places alone", () => {
  const empty = encoded(SEGMENTS.map((segment) => ({ ...segment, deflatedLength: 0 })));
  assert.equal(empty.length, encoded().length);
});

Deno.test("encodeIndex() gives nothing where the extra field would be too long", () => {
  const named = (count: number): SegmentLengths[] =>
    Array.from({ length: count }, (_, i) => (
      { name: `t-${i + 10_000}.bin`, deflatedLength: 1, length: 1 }
    ));
  const each = "t-10000.bin".length + 17;
  const most = Math.floor((65535 - 5) / each);
  assert.equal(encodeIndex(named(most))?.length, 5 + most * each);
  assert.equal(encodeIndex(named(most + 1)), undefined);
  const long = { name: "x".repeat(256), deflatedLength: 1, length: 1 };
  assert.equal(encodeIndex([long]), undefined);
});

Deno.test("decodeIndex() finds the index among other subfields", () => {
  const other = Uint8Array.of(0x41, 0x50, 3, 0, 1, 2, 3);
  const expected = decodeIndex(encoded(), START);
  assert.deepEqual(decodeIndex(concat(other, encoded(), other), START), expected);
});

Deno.test("decodeIndex() sees no index in other subfields, nor in one of another version", () => {
  for (
    const extra of [
      new Uint8Array(0),
      Uint8Array.of(1, 2, 3),
      Uint8Array.of(0x41, 0x50, 3, 0, 1, 2, 3),
      Uint8Array.of(0x42, 0x43, 200, 0, 1),
      encoded().with(4, 2),
      subfield(),
    ]
  ) {
    assert.equal(decodeIndex(extra, START), undefined);
  }
});

Deno.test("decodeIndex() takes one that was never filled in for none", () => {
  const blank = SEGMENTS.map((segment) => ({ ...segment, deflatedLength: 0 }));
  assert.equal(decodeIndex(encoded(blank), START), undefined);
});

for (
  const [what, extra] of Object.entries({
    "no segments": subfield(1),
    "a name that runs out of it": subfield(1, 200, 0x61),
    "lengths that run out of it": encoded().with(2, (encoded()[2] ?? 0) - 1),
    "more than the extra field holds": encoded().subarray(0, -1),
    "a subfield that is whole and says that it is longer": encoded()
      .with(2, (encoded()[2] ?? 0) + 1),
    "a segment twice": encoded([SEGMENTS[0], SEGMENTS[0], SEGMENTS[2]] as SegmentLengths[]),
    "no last segment": encoded(SEGMENTS.slice(0, 2)),
    "the last segment before others": encoded([...SEGMENTS].reverse()),
    "a name that is not UTF-8": encoded().with(6, 0xff),
    "a length beyond 2^53": encoded([{ name: "", deflatedLength: 2 ** 60, length: 1 }]),
    "lengths whose sum is beyond 2^53": encoded([
      { name: "a", deflatedLength: 2 ** 52, length: 1 },
      { name: "", deflatedLength: 2 ** 52, length: 1 },
    ]),
  })
) {
  Deno.test(`decodeIndex() refuses ${what} with ERR_INDEX_MISMATCH`, () => {
    assert.throws(() => decodeIndex(extra, START), { code: "ERR_INDEX_MISMATCH" });
  });
}

Deno.test("decodeIndex() reads or refuses any bytes, and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
      try {
        decodeIndex(concat(subfield(1, ...data)), START);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "ERR_INDEX_MISMATCH");
      }
    }),
    { numRuns: 1000 },
  );
});
