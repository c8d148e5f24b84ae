import assert from "node:assert/strict";
import {
  constants,
  crc32,
  createDeflateRaw,
  deflateRawSync,
  gunzipSync,
  inflateRawSync,
} from "node:zlib";
import {
  type ArchiveIndex,
  encodeIndex,
  type IndexedSegment,
  type SegmentLengths,
} from "../../lib/archive/index.ts";
import { readArchive, type ReadOptions } from "../../lib/archive/reader.ts";
import { copySegments, openRanged } from "../../lib/archive/segment.ts";
import { writeArchive, type WriteEntry } from "../../lib/archive/writer.ts";
import { create, createStream } from "../../lib/verbs/create.ts";
import { type MeasuredContent, packArchive, signContents } from "../../lib/archive/pack.ts";
import { type ArchiveSource, blobSource } from "../../lib/bytes/source.ts";
import type { Bytes } from "../../lib/bytes/chunks.ts";
import { entriesOf } from "../_archive.ts";
import { chunked, collect, concat, noise } from "../_bytes.ts";
import { issuerPair, subjectPair } from "../_keys.ts";
import { TAR_END } from "../_tar.ts";
import { isInstalled, runTool, temporaryFolder } from "../_tools.ts";

/** Where the data of the extra field begins, and what stands before and behind it. */
const EXTRA_OFFSET = 12;
const PLAIN_HEADER = 10;

interface Sizes {
  readonly small: boolean;
}

/** Binaries whose archive is read in one go, or piece by piece. */
function binaries({ small }: Sizes): Record<string, Uint8Array<ArrayBuffer>> {
  const length = small ? 5000 : 700_000;
  return {
    "aarch64-linux": noise(length, 1),
    "x86_64-linux": noise(length + 77, 2),
    "x86_64-macos": concat("text ".repeat(length)),
  };
}

async function pack(
  sizes: Sizes,
  patch?: (offset: number, bytes: Uint8Array) => Promise<void>,
): Promise<Uint8Array<ArrayBuffer>> {
  const { bytes } = await packArchive({
    name: "Fake Payments",
    vendor: "wasmCloud",
    issuer: await issuerPair(),
    subject: await subjectPair(),
    sourceDateEpoch: 1_700_000_000,
    binaries: Object.entries(binaries(sizes)).map(([target, bytes]) => ({
      target: target as never,
      open: () => chunked(bytes, 100_000),
    })),
    compress: true,
    patch,
  });
  return await collect(bytes);
}

/** An archive with an index. */
async function indexed(sizes: Sizes = { small: false }): Promise<Uint8Array<ArrayBuffer>> {
  const patches: [number, Uint8Array][] = [];
  const archive = await pack(sizes, (offset, bytes) => {
    patches.push([offset, bytes]);
    return Promise.resolve();
  });
  for (const [offset, bytes] of patches) archive.set(bytes, offset);
  assert.equal(patches.length, 1);
  return archive;
}

async function indexOf(archive: Uint8Array<ArrayBuffer>): Promise<ArchiveIndex> {
  const opened = await openRanged(blobSource(archive, "x"));
  assert(opened?.index);
  return opened.index;
}

/** Reads one entry by the index. */
async function* entryOf(
  archive: Uint8Array<ArrayBuffer>,
  name: string,
  options: ReadOptions = {},
): Bytes {
  const opened = await openRanged(blobSource(archive, "x"), options);
  assert(opened);
  yield* opened.readEntry(name);
}

/** The same archive with another index, of the same length or not. */
async function withIndex(
  archive: Uint8Array<ArrayBuffer>,
  change: (segments: SegmentLengths[]) => readonly SegmentLengths[],
): Promise<Uint8Array<ArrayBuffer>> {
  const index = await indexOf(archive);
  const extra = encodeIndex(change(index.map((segment) => ({ ...segment }))));
  assert(extra);
  const head = archive.slice(0, EXTRA_OFFSET);
  new DataView(head.buffer).setUint16(PLAIN_HEADER, extra.length, true);
  return concat(head, extra, archive.subarray(index[0]?.offset));
}

/** A source that counts what is read of it by ranges, and refuses to be read from its beginning. */
function rangesOf(
  archive: Uint8Array<ArrayBuffer>,
): ArchiveSource & { ranges: [number, number][] } {
  const source = blobSource(archive, "x");
  const ranges: [number, number][] = [];
  return {
    name: "x",
    ranges,
    open: () => assert.fail("it was read from the beginning"),
    range(start, length): Bytes {
      ranges.push([start, Math.min(length, archive.length - start)]);
      return source.range?.(start, length) as Bytes;
    },
  };
}

async function read(archive: Uint8Array, options?: ReadOptions): ReturnType<typeof readArchive> {
  return await readArchive(chunked(archive, 100_000), options);
}

Deno.test("create() writes to a file an archive with an index, and to a stream one without", async () => {
  await using folder = await temporaryFolder();
  const destination = `${folder.path}/fake.par.gz`;
  const options = {
    name: "Fake Payments",
    vendor: "wasmCloud",
    issuer: await issuerPair(),
    subject: await subjectPair(),
    sourceDateEpoch: 1_700_000_000,
    binaries: Object.entries(binaries({ small: false })).map(([target, source]) => (
      { target, source }
    )),
    compress: true,
  };
  await create({ ...options, destination });
  const streamed = await collect((await createStream(options)).stream);
  const file = await Deno.readFile(destination);
  const index = await indexOf(file);
  assert.deepEqual(index.map(({ name }) => name), [
    "claims.jwt",
    "aarch64-linux.bin",
    "x86_64-linux.bin",
    "x86_64-macos.bin",
    "",
  ]);
  assert.equal(await openRanged(blobSource(streamed, "x")), undefined);
  assert.deepEqual(streamed.subarray(PLAIN_HEADER), file.subarray(index[0]?.offset));
  assert.deepEqual(streamed.subarray(0, PLAIN_HEADER), file.subarray(0, PLAIN_HEADER).with(3, 0));
  assert.equal((await read(file)).binaries.length, 3);
});

Deno.test("writeArchive() writes no index where there are too many entries for it", async () => {
  const entries: WriteEntry[] = Array.from({ length: 3000 }, (_, i) => ({
    name: `arch${i}-linux.bin`,
    size: 1,
    open: () => chunked(Uint8Array.of(i)),
  }));
  const patch = (): Promise<void> => assert.fail("there is nothing to replace");
  const archive = await collect(writeArchive(entries, { level: 1, patch }));
  assert.equal(archive[3], 0);
  assert.equal(gunzipSync(archive).length, 3000 * 1024 + 1024);
});

Deno.test("writeArchive() refuses a level or a number of jobs that is none", () => {
  for (const options of [{ level: 0 }, { level: 10 }, { level: 1.5 }, { jobs: 0 }, { jobs: NaN }]) {
    assert.throws(() => writeArchive([], options), { code: "ERR_OPTION_INVALID" });
  }
});

for (
  const [what, program, args] of [
    ["gzip -t", "gzip", ["-t"]],
    ["pigz -t", "pigz", ["-t"]],
    ["GNU tar", "tar", ["-tzf"]],
    ["Python's gzip", "python3", [
      "-c",
      "import gzip, sys; [None for _ in gzip.open(sys.argv[1])]",
    ]],
  ] as const
) {
  Deno.test(
    `${what} takes an archive with an index`,
    { ignore: !isInstalled(program) },
    async () => {
      await using folder = await temporaryFolder();
      const path = `${folder.path}/fake.par.gz`;
      await Deno.writeFile(path, await indexed());
      const { code, stderr } = await runTool(program, [...args, path]);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    },
  );
}

Deno.test("DecompressionStream takes an archive with an index", async () => {
  const archive = await indexed();
  const stream = new Blob([archive]).stream().pipeThrough(new DecompressionStream("gzip"));
  assert.deepEqual(await collect(stream), concat(gunzipSync(archive)));
});

Deno.test("openRanged() reads the front and one segment alone", async () => {
  const archive = await indexed();
  const source = rangesOf(archive);
  const opened = await openRanged(source);
  assert(opened);
  assert.equal(opened.claims.wascap.name, "Fake Payments");
  assert.deepEqual(source.ranges, [[0, 16 * 1024]]);
  for (const [target, bytes] of Object.entries(binaries({ small: false }))) {
    source.ranges.length = 0;
    assert.deepEqual(await collect(opened.readEntry(`${target}.bin`)), bytes);
    const segment: IndexedSegment | undefined = opened.index?.find(({ name }) =>
      name === `${target}.bin`
    );
    assert.deepEqual(source.ranges, [[segment?.offset, segment?.deflatedLength]]);
  }
});

Deno.test("openRanged() reads on where the token is long", async () => {
  const entries = await entriesOf({
    bend: (payload) => payload["wascap"].config_schema = [...noise(40_000)],
  });
  const segments = [...entries, TAR_END];
  const source = rangesOf(handMade(segments, segments.map((bytes) => deflate(bytes))));
  const opened = await openRanged(source);
  assert.equal((opened?.claims.wascap.config_schema as number[]).length, 40_000);
  assert(source.ranges.length > 1);
  const end = source.ranges.reduce((sum, [, length]) => sum + length, 0);
  assert(end <= 2 * (opened?.index?.[1]?.offset ?? 0), `${end} bytes were read`);
});

Deno.test("openRanged() finds no index in a plain archive, a stream, or one without", async () => {
  const plain = concat(...await entriesOf(), TAR_END);
  assert.equal(await openRanged(blobSource(plain, "x")), undefined);
  assert.equal(await openRanged(blobSource(await pack({ small: true }), "x")), undefined);
  const stream: ArchiveSource = { name: "x", open: () => assert.fail("it was opened") };
  assert.equal(await openRanged(stream), undefined);
});

Deno.test("openRanged() refuses what the index does not have with ERR_INDEX_MISMATCH", async () => {
  const archive = await indexed();
  const entry = entryOf(archive, "riscv64-linux.bin");
  await assert.rejects(collect(entry), { code: "ERR_INDEX_MISMATCH" });
});

Deno.test("openRanged() unpacks no more than it may", async () => {
  const archive = await indexed();
  const entry = entryOf(archive, "x86_64-macos.bin", {
    limits: { maxSize: 1_000_000 },
  });
  await assert.rejects(collect(entry), { code: "ERR_LIMIT_SIZE" });
});

const LIES: Readonly<Record<string, (segments: SegmentLengths[]) => readonly SegmentLengths[]>> = {
  "a deflated length too long by one, the next too short": (segments) =>
    moved(segments, "deflatedLength", 1),
  "a deflated length too short by one, the next too long": (segments) =>
    moved(segments, "deflatedLength", -1),
  "a length too long by a block, the next too short": (segments) => moved(segments, "length", 512),
  "a length too short by a block, the next too long": (segments) => moved(segments, "length", -512),
  "two names exchanged": ([claims, a, b, ...rest]) =>
    [
      claims,
      { ...a, name: b?.name },
      { ...b, name: a?.name },
      ...rest,
    ] as SegmentLengths[],
  "another name": (segments) =>
    segments.map((segment) => (
      { ...segment, name: segment.name.replace("x86_64", "x86_65") }
    )),
  "two segments as one": ([claims, a, b, ...rest]) => [claims, joined(a, b), ...rest] as never,
  "a segment too many": (segments) =>
    segments.toSpliced(3, 0, { name: "arm-linux.bin", deflatedLength: 0, length: 0 }),
  "an end before the end": (segments) =>
    segments.map((segment) => segment.name ? segment : { ...segment, deflatedLength: 5 }),
  "an end behind the end": (segments) =>
    segments.map((segment) =>
      segment.name ? segment : { ...segment, deflatedLength: segment.deflatedLength + 1 }
    ),
};

function moved(
  segments: SegmentLengths[],
  field: "deflatedLength" | "length",
  by: number,
): SegmentLengths[] {
  return segments.map((segment, i) => (
    { ...segment, [field]: segment[field] + (i === 1 ? by : i === 2 ? -by : 0) }
  ));
}

function joined(a?: SegmentLengths, b?: SegmentLengths): SegmentLengths {
  assert(a && b);
  return {
    name: a.name,
    deflatedLength: a.deflatedLength + b.deflatedLength,
    length: a.length + b.length,
  };
}

for (const small of [true, false]) {
  const archiveName = small ? "a small archive" : "an archive";
  for (const [what, lie] of Object.entries(LIES)) {
    Deno.test(`readArchive() refuses ${archiveName} whose index says ${what} with ERR_INDEX_MISMATCH`, async () => {
      const archive = await withIndex(await indexed({ small }), lie);
      assert.equal(gunzipSync(archive).length % 512, 0);
      await assert.rejects(read(archive), { code: "ERR_INDEX_MISMATCH" });
      await assert.rejects(read(archive, { segments: true }), { code: "ERR_INDEX_MISMATCH" });
    });
  }

  Deno.test(`readArchive() takes ${archiveName} whose index was not filled in`, async () => {
    const archive = await pack({ small }, () => Promise.resolve());
    assert.equal((await read(archive)).binaries.length, 3);
  });

  Deno.test(`readArchive() gives the segments of ${archiveName} on demand`, async () => {
    const archive = await indexed({ small });
    assert.equal((await read(archive)).segments, undefined);
    const { segments } = await read(archive, { segments: true });
    const tar = gunzipSync(archive);
    const index = await indexOf(archive);
    let at = 0;
    const expected = index.map((segment) => {
      const content = tar.subarray(at, at += segment.length);
      return { ...segment, crc32: crc32(content) };
    });
    assert.deepEqual(segments, expected);
  });
}

Deno.test("openRanged() refuses another entry in the place of one with ERR_INDEX_MISMATCH", async () => {
  const lie = LIES["two names exchanged"] as (segments: SegmentLengths[]) => SegmentLengths[];
  const archive = await withIndex(await indexed(), lie);
  const entry = entryOf(archive, "x86_64-linux.bin");
  await assert.rejects(collect(entry), { code: "ERR_INDEX_MISMATCH" });
});

/** The contents of an archive, to be copied where it has segments. */
async function contentsOf(
  archive: Uint8Array<ArrayBuffer>,
  open: (target: string) => Bytes,
): Promise<Map<string, MeasuredContent>> {
  const read = await readArchive(chunked(archive, 100_000), { segments: true });
  const copies = copySegments(blobSource(archive, "x"), read);
  return new Map(
    read.binaries.map(({ target, size, sha256 }) => [
      target,
      { size, sha256, open: () => open(target), deflated: copies.get(`${target}.bin`) },
    ]),
  );
}

async function sign(contents: Map<string, MeasuredContent>): Promise<Uint8Array<ArrayBuffer>> {
  const { bytes } = await signContents({
    wascap: { name: "Fake Payments", vendor: "wasmCloud" },
    issuer: await issuerPair(),
    subject: await subjectPair(),
    sourceDateEpoch: 1_700_000_000,
    contents,
    compress: true,
  });
  return await collect(bytes);
}

Deno.test("copySegments() gives what makes the same archive as compressing again", async () => {
  const contents = binaries({ small: false });
  const recompressed = await sign(
    new Map(
      [
        ...await contentsOf(
          await pack({ small: false }),
          (target) => chunked(contents[target] as Uint8Array, 100_000),
        ),
      ],
    ),
  );
  const copied = await sign(
    await contentsOf(await indexed(), () => assert.fail("it was to be copied")),
  );
  assert.deepEqual(copied, recompressed);
});

/** Deflated bytes up to a byte boundary. */
function deflate(bytes: Uint8Array): Uint8Array {
  return deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
}

/** The same of several in one stream, where each leans on those before. */
async function deflateTogether(...parts: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const stream = createDeflateRaw();
  const deflated: Uint8Array[] = [];
  for (const bytes of parts) {
    stream.write(bytes);
    await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, resolve));
    const chunks: Uint8Array[] = [];
    for (let chunk = stream.read(); chunk; chunk = stream.read()) chunks.push(chunk);
    deflated.push(concat(...chunks));
  }
  stream.destroy();
  return deflated;
}

/** A member of segments that were deflated in any way. */
function handMade(
  segments: readonly Uint8Array[],
  deflated: readonly Uint8Array[],
  names = segments.map((bytes, i) =>
    i === segments.length - 1 ? "" : new TextDecoder().decode(bytes.subarray(0, 100)).split("\0")[0]
  ),
): Uint8Array<ArrayBuffer> {
  const parts = deflated.map((bytes, i) =>
    i === deflated.length - 1 ? concat(bytes, Uint8Array.of(3, 0)) : bytes
  );
  const extra = encodeIndex(segments.map((bytes, i) => ({
    name: names[i] as string,
    length: bytes.length,
    deflatedLength: parts[i]?.length ?? 0,
  }))) as Uint8Array;
  const content = concat(...segments);
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(0, crc32(content), true);
  trailer.setUint32(4, content.length, true);
  return concat(
    Uint8Array.of(0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, extra.length & 0xff, extra.length >> 8),
    extra,
    ...parts,
    new Uint8Array(trailer.buffer),
  );
}

/** Deflate, bit by bit (RFC 1951, section 3.1). */
class BitWriter {
  readonly #bits: number[] = [];

  /** A number, its least significant bit first. */
  number(value: number, length: number): this {
    for (let bit = 0; bit < length; bit++) this.#bits.push(value >> bit & 1);
    return this;
  }

  /** A Huffman code. */
  code(bits: string): this {
    for (const bit of bits) this.#bits.push(Number(bit));
    return this;
  }

  /** How many bits are missing to a byte. */
  get missing(): number {
    return -this.#bits.length & 7;
  }

  get bytes(): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(this.#bits.length / 8));
    this.#bits.forEach((bit, i) => bytes[i >> 3] = (bytes[i >> 3] ?? 0) | bit << (i & 7));
    return bytes;
  }
}

/**
 * Deflates bytes that end in zeros so that they stop amid a final block, whose end is spelled like
 * the bytes of an empty final block. Inflated alone and ended with those, they are in order; in a
 * stream with others behind them, the block goes on.
 */
function deflateUnended(bytes: Uint8Array): Uint8Array {
  // RFC 1951, section 3.2.7. Literal 0 has one bit, 1 two, the end nine, the others ten; so the
  // end's code is 110000000, as 03 00 begins.
  const lengthOf = (symbol: number): number => [1, 2][symbol] ?? (symbol === 256 ? 9 : 10);
  const codes: Readonly<Record<number, string>> = {
    10: "0",
    0: "100",
    1: "101",
    2: "110",
    9: "111",
  };
  const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
  const block = new BitWriter().number(1, 1).number(2, 2).number(0, 10).number(15, 4);
  for (const symbol of order) block.number(codes[symbol]?.length ?? 0, 3);
  for (let symbol = 0; symbol <= 256; symbol++) block.code(codes[lengthOf(symbol)] as string);
  block.code(codes[0] as string);
  const zeros = block.missing + 8;
  block.code("0".repeat(zeros));
  return concat(deflate(bytes.subarray(0, -zeros)), block.bytes);
}

for (const size of [5000, 20_000, 200_000]) {
  Deno.test(`readArchive() refuses segments of ${size} bytes that other readers put together in another way`, async () => {
    const contents = { "aarch64-linux": noise(size, 1), "x86_64-linux": noise(size, 2) };
    const segments = [...await entriesOf({ binaries: contents }), TAR_END];
    const deflated = segments.map((bytes, i) => i === 1 ? deflateUnended(bytes) : deflate(bytes));
    const alone = concat(deflated[1] as Uint8Array, Uint8Array.of(3, 0));
    assert.deepEqual(concat(inflateRawSync(alone)), segments[1]);
    const archive = handMade(segments, deflated);
    assert.throws(() => gunzipSync(archive));
    await assert.rejects(read(archive), { code: "ERR_INDEX_MISMATCH" });
    await assert.rejects(read(archive, { segments: true }), { code: "ERR_INDEX_MISMATCH" });
  });
}

for (const size of [5000, 20_000]) {
  Deno.test(`readArchive() refuses a segment of ${size} bytes that leans on the one before it with ERR_GZIP_CORRUPT`, async () => {
    const content = noise(size, 7);
    const entries = await entriesOf({
      binaries: { "aarch64-linux": content, "x86_64-linux": content },
    });
    const segments = [...entries, TAR_END];
    const [claims, ...others] = segments as [Uint8Array, ...Uint8Array[]];
    const deflated = [deflate(claims), ...await deflateTogether(...others)];
    assert((deflated[2]?.length ?? Infinity) < size / 4);
    const archive = handMade(segments, deflated);
    assert.deepEqual(concat(gunzipSync(archive)), concat(...segments));
    await assert.rejects(read(archive), { code: "ERR_GZIP_CORRUPT" });
  });
}

Deno.test("readArchive() refuses a segment that ends in no flush with ERR_INDEX_MISMATCH", async () => {
  for (const size of [5000, 20_000]) {
    const segments = [
      ...await entriesOf({ binaries: { "x86_64-linux": noise(size, 1) } }),
      TAR_END,
    ];
    const deflated = segments.map((bytes, i) =>
      // Four empty fixed blocks of 10 bits each end at a byte boundary too.
      i === 0
        ? concat(
          deflate(bytes),
          new BitWriter().number(2, 10).number(2, 10).number(2, 10)
            .number(2, 10).bytes,
        )
        : deflate(bytes)
    );
    const archive = handMade(segments, deflated);
    assert.deepEqual(concat(gunzipSync(archive)), concat(...segments));
    await assert.rejects(read(archive), { code: "ERR_INDEX_MISMATCH" });
  }
});

/** The beginning of a stored block that is as long as these bytes and a hundred more. */
function storeUnended(bytes: Uint8Array): Uint8Array {
  const length = bytes.length + 100;
  const lengths = [length & 0xff, length >> 8, ~length & 0xff, ~length >> 8 & 0xff];
  return concat(Uint8Array.of(0, ...lengths), bytes);
}

/**
 * All bytes, a flush, and the beginning of a dynamic block's header, of which what a flush ends in is
 * a part: 0 and 1 are the codes of the lengths 0 and 1 there (RFC 1951, section 3.2.7).
 */
function beginHeader(bytes: Uint8Array): Uint8Array {
  const header = new BitWriter().number(0, 1).number(2, 2).number(0, 10).number(14, 4);
  for (const symbol of [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1]) {
    header.number(symbol < 2 ? 1 : 0, 3);
  }
  return concat(
    deflate(bytes),
    header.number(0, header.missing).bytes,
    Uint8Array.of(0, 0, 255, 255),
  );
}

Deno.test("readArchive() refuses a segment whose last block goes on, though it ends like a flush", async () => {
  for (const size of [5120, 20_480]) {
    const content = concat(noise(size - 4, 1), Uint8Array.of(0, 0, 0xff, 0xff));
    const others = { "aarch64-linux": content, "x86_64-linux": noise(size, 2) };
    const segments = [...await entriesOf({ binaries: others }), TAR_END];
    for (const bend of [storeUnended, beginHeader]) {
      const deflated = segments.map((bytes, i) => i === 1 ? bend(bytes) : deflate(bytes));
      const archive = handMade(segments, deflated);
      assert.throws(() => gunzipSync(archive));
      await assert.rejects(read(archive), { code: "ERR_INDEX_MISMATCH" }, bend.name);
    }
  }
});

Deno.test("readArchive() refuses segments that end elsewhere than the entries in them", async () => {
  const [claims = new Uint8Array(), ...others] = await entriesOf();
  const tar = concat(claims, ...others, TAR_END);
  const names = ["claims.jwt", "aarch64-linux.bin", "x86_64-linux.bin", ""];
  const end = tar.length - TAR_END.length;
  for (
    const [cuts, passes] of [
      [[claims.length, claims.length + 1024, end], true],
      [[claims.length + 512, claims.length + 1024, end], false],
      [[claims.length, claims.length + 512, end], false],
      [[claims.length, claims.length + 1024, end + 512], false],
      [[claims.length, claims.length + 1024, end - 512], false],
    ] as const
  ) {
    const segments = [...cuts, tar.length].map((cut, i) => tar.subarray(cuts[i - 1] ?? 0, cut));
    const archive = handMade(segments, segments.map((bytes) => deflate(bytes)), names);
    assert.deepEqual(concat(gunzipSync(archive)), tar);
    if (passes) await read(archive);
    else await assert.rejects(read(archive), { code: "ERR_INDEX_MISMATCH" }, cuts.join());
  }
});

Deno.test("readArchive() refuses a segment of an entry that the archive does not have", async () => {
  const entries = await entriesOf();
  const segments = [...entries, TAR_END.subarray(512), TAR_END.subarray(512)];
  const names = ["claims.jwt", "aarch64-linux.bin", "x86_64-linux.bin", "riscv64-linux.bin", ""];
  const archive = handMade(segments, segments.map((bytes) => deflate(bytes)), names);
  assert.deepEqual(concat(gunzipSync(archive)), concat(...entries, TAR_END));
  await assert.rejects(read(archive), { code: "ERR_INDEX_MISMATCH" });
});

/** The same archive with its index naming the first segment in another way. */
async function renamed(archive: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await withIndex(archive, ([claims, ...rest]) => [
    { ...claims as SegmentLengths, name: "riscv64-linux.bin" },
    ...rest,
  ]);
}

Deno.test("openRanged() refuses an index that does not begin with the claims, though they are there", async () => {
  const source = rangesOf(await renamed(await indexed()));
  await assert.rejects(openRanged(source), { code: "ERR_INDEX_MISMATCH" });
});

Deno.test("openRanged() and readArchive() refuse claims that are not where the index has them", async () => {
  const [claims, ...others] = await entriesOf() as [Uint8Array, ...Uint8Array[]];
  const segments = [...others, claims, TAR_END];
  const archive = handMade(segments, segments.map((bytes) => deflate(bytes)));
  // The index is as the archive is: the claims do not come first in either.
  await assert.rejects(openRanged(rangesOf(archive)), { code: "ERR_INDEX_MISMATCH" });
  await assert.rejects(read(archive), {
    code: "ERR_INDEX_MISMATCH",
    message: /its first segment is not that of claims\.jwt/,
  });
  // The index has them first, and another entry is there.
  const lying = handMade(segments, segments.map((bytes) => deflate(bytes)), [
    "claims.jwt",
    "aarch64-linux.bin",
    "x86_64-linux.bin",
    "",
  ]);
  await assert.rejects(openRanged(rangesOf(lying)), {
    code: "ERR_INDEX_MISMATCH",
    message: /says where "claims\.jwt" is/,
  });
});

Deno.test("openRanged() unpacks nothing of a segment that the index says is too large", async () => {
  const source = rangesOf(await indexed());
  const opened = await openRanged(source, { limits: { maxSize: 100_000 } });
  source.ranges.length = 0;
  const entry = opened?.readEntry("x86_64-linux.bin") as Bytes;
  await assert.rejects(collect(entry), { code: "ERR_LIMIT_SIZE" });
  assert.deepEqual(source.ranges, []);
});

/** A plain archive elsewhere, that counts what is read of it. */
async function remote(): Promise<ReturnType<typeof rangesOf>> {
  const entries = await entriesOf({ binaries: binaries({ small: false }) });
  return Object.assign(rangesOf(concat(...entries, TAR_END)), { remote: true });
}

Deno.test("openRanged() goes from header to header in a plain archive that is elsewhere", async () => {
  const source = await remote();
  const opened = await openRanged(source);
  for (const [target, bytes] of Object.entries(binaries({ small: false }))) {
    source.ranges.length = 0;
    assert.deepEqual(await collect(opened?.readEntry(`${target}.bin`) as Bytes), bytes);
    const received = source.ranges.reduce((sum, [, length]) => sum + length, 0);
    assert(received < bytes.length + 16 * 1024, `${received} bytes were read`);
  }
});

Deno.test("openRanged() refuses what a plain archive elsewhere does not have with ERR_ENTRY_MISSING", async () => {
  const opened = await openRanged(await remote());
  const entry = opened?.readEntry("riscv64-linux.bin") as Bytes;
  await assert.rejects(collect(entry), { code: "ERR_ENTRY_MISSING" });
});

Deno.test("openRanged() passes by no more entries of a plain archive elsewhere than it may", async () => {
  const last = Object.keys(binaries({ small: false })).at(-1);
  const source = await remote();
  const of = async (maxEntries: number): Promise<Uint8Array> => {
    const opened = await openRanged(source, { limits: { maxEntries } });
    return await collect(opened?.readEntry(`${last}.bin`) as Bytes);
  };
  assert((await of(4)).length > 0);
  await assert.rejects(of(3), { code: "ERR_LIMIT_ENTRIES" });
});

Deno.test("openRanged() reads no content of a plain archive elsewhere that is larger than it may be", async () => {
  const source = await remote();
  const opened = await openRanged(source, { limits: { maxSize: 500_000 } });
  source.ranges.length = 0;
  const entry = opened?.readEntry("aarch64-linux.bin") as Bytes;
  await assert.rejects(collect(entry), { code: "ERR_LIMIT_SIZE" });
  assert.equal(source.ranges.length, 1, "more was read than a header");
});
