import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { keep } from "../../lib/bytes/chunks.ts";
import { readStream, toStream } from "../../lib/bytes/streams.ts";
import { chunked, collect, concat, noise } from "../_bytes.ts";

/** A stream that reads into memory it is given, so many bytes at a time. */
function byteStream(
  bytes: Uint8Array,
  length: number,
  onRead: (memory: Uint8Array) => void = () => {},
): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller): void {
      const { byobRequest } = controller;
      const view = byobRequest?.view as Uint8Array | undefined;
      if (!byobRequest || !view) throw new Error("it gave no memory");
      onRead(view);
      const part = bytes.subarray(at, at + Math.min(length, view.length));
      at += part.length;
      view.set(part);
      if (part.length === 0) controller.close();
      byobRequest.respond(part.length);
    },
  });
}

Deno.test("readStream() passes on what a stream holds, however it is cut", async () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 5000 });
  await fc.assert(
    fc.asyncProperty(bytes, fc.integer({ min: 1, max: 700 }), async (bytes, length) => {
      assert.deepEqual(await collect(readStream(byteStream(bytes, length))), new Uint8Array(bytes));
      const plain = ReadableStream.from(chunked(bytes, length));
      assert.deepEqual(await collect(readStream(plain)), new Uint8Array(bytes));
    }),
  );
});

Deno.test("readStream() reads into the memory of the chunk before", async () => {
  const bytes = noise(100_000);
  let used = 0;
  const stream = byteStream(bytes, 10_000, (memory) => {
    if (memory[0] !== 0 || memory[1] !== 0) used++;
  });
  const kept: Uint8Array[] = [];
  const borrowed: Uint8Array[] = [];
  for await (const chunk of readStream(stream)) {
    kept.push(keep(chunk));
    borrowed.push(chunk);
  }
  assert.deepEqual(concat(...kept), bytes);
  // Ten chunks and the end, of which the first was read into new memory.
  assert.equal(used, 10);
  // What is kept without a copy is empty, so that the mistake shows at once.
  assert.deepEqual(borrowed.map(({ length }) => length), borrowed.map(() => 0));
});

Deno.test("toStream() hands out chunks that stay as they are", async () => {
  const bytes = noise(100_000);
  assert.deepEqual(concat(...await Array.fromAsync(toStream(chunked(bytes, 700)))), bytes);
});

Deno.test("readStream() tells a stream that its reader has enough, and passes its failure on", async () => {
  let cancelled = false;
  const endless = new ReadableStream({
    type: "bytes",
    pull: (controller) => controller.byobRequest?.respond(1),
    cancel: () => void (cancelled = true),
  });
  for await (const chunk of readStream(endless)) {
    assert.equal(chunk.length, 1);
    break;
  }
  assert(cancelled);
  const failure = new Error("the connection broke");
  const broken = new ReadableStream({
    type: "bytes",
    pull: () => Promise.reject(failure),
  });
  await assert.rejects(collect(readStream(broken)), failure);
});
