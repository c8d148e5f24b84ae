import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { ByteReader } from "../../lib/bytes/byte_reader.ts";
import { chunked, collect, concat, noise, watched } from "../_bytes.ts";

/** What a reader should do, on an array that holds everything. */
class Model {
  at = 0;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  next(length: number): Uint8Array {
    const part = this.bytes.subarray(this.at, this.at + length);
    this.at += part.length;
    return part;
  }
}

const OPERATION = fc.oneof(
  fc.record({ name: fc.constant("read" as const), length: fc.nat(60) }),
  fc.record({ name: fc.constant("readSome" as const), length: fc.integer({ min: 1, max: 60 }) }),
  fc.record({ name: fc.constant("peek" as const), length: fc.nat(60) }),
  fc.record({ name: fc.constant("take" as const), length: fc.nat(60) }),
  fc.record({ name: fc.constant("unread" as const), length: fc.nat(20) }),
);

Deno.test("ByteReader does what a reader of one array would, in any chunking", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(300),
      fc.array(fc.nat(50), { minLength: 1 }),
      fc.array(OPERATION),
      async (size, lengths, operations) => {
        const bytes = noise(size);
        const reader = new ByteReader(chunked(bytes, ...lengths));
        const model = new Model(bytes);
        let taken: Uint8Array = new Uint8Array(0);
        for (const { name, length } of operations) {
          if (name === "unread") {
            const back = taken.subarray(Math.max(taken.length - length, 0));
            reader.unread(back);
            model.at -= back.length;
            taken = new Uint8Array(0);
          } else if (name === "peek") {
            const seen = await reader.peek(length);
            assert.deepEqual(
              concat(seen),
              concat(model.bytes.subarray(model.at, model.at + length)),
            );
          } else if (name === "readSome") {
            const part = await reader.readSome(length);
            assert.equal(part === undefined, model.left === 0);
            taken = concat(part ?? "");
            assert(taken.length <= length);
            assert.deepEqual(taken, concat(model.next(taken.length)));
          } else if (length > model.left) {
            const reading = name === "read" ? reader.read(length) : collect(reader.take(length));
            await assert.rejects(reading, { code: "ERR_ARCHIVE_TRUNCATED" });
            return;
          } else {
            taken = concat(
              name === "read" ? await reader.read(length) : await collect(reader.take(length)),
            );
            assert.deepEqual(taken, concat(model.next(length)));
          }
          assert.equal(reader.position, model.at);
        }
        assert.deepEqual(await collect(reader.rest()), concat(model.next(model.left)));
        assert.equal(await reader.readSome(), undefined);
        assert.equal(reader.position, size);
      },
    ),
  );
});

Deno.test("ByteReader[Symbol.asyncDispose]() tells the source that no more is wanted", async () => {
  const source = watched(chunked(noise(100), 10));
  const reader = new ByteReader(source);
  await reader.read(15);
  await reader[Symbol.asyncDispose]();
  assert.equal(source.closed, true);
  assert.equal(source.read, 20);
});

Deno.test("ByteReader.peek() gives what there is where the stream ends", async () => {
  const reader = new ByteReader(chunked(noise(3), 1));
  assert.equal((await reader.peek(10)).length, 3);
  assert.equal(reader.position, 0);
  assert.equal((await reader.read(3)).length, 3);
});

Deno.test("ByteReader.peek() gives bytes of several chunks, also where a chunk's memory is used again", async () => {
  const bytes = noise(10);
  const reader = new ByteReader(chunked(bytes, 3));
  assert.deepEqual(concat(await reader.peek(8)), bytes.slice(0, 8));
  assert.deepEqual(concat(await reader.read(10)), bytes);
});

Deno.test("ByteReader.read() and take() refuse more than there is with ERR_ARCHIVE_TRUNCATED", async () => {
  for (const [size, length] of [[0, 1], [10, 11], [10, 1000]] as const) {
    const truncated = {
      code: "ERR_ARCHIVE_TRUNCATED",
      message: new RegExp(`it stops after ${size} bytes`),
    };
    const source = () => new ByteReader(chunked(noise(size), 4));
    await assert.rejects(source().read(length), truncated);
    await assert.rejects(collect(source().take(length)), truncated);
  }
});

Deno.test("ByteReader passes on what its source throws", async () => {
  const failure = new Error("the disk is gone");
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield noise(10);
    throw failure;
  };
  await assert.rejects(new ByteReader(source()).read(11), failure);
});
