import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { readInTurn } from "../../lib/bytes/buffers.ts";
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

Deno.test("readInTurn() passes on what a stream holds, however it is cut", async () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 5000 });
  await fc.assert(
    fc.asyncProperty(bytes, fc.integer({ min: 1, max: 700 }), async (bytes, length) => {
      assert.deepEqual(await collect(readInTurn(byteStream(bytes, length))), new Uint8Array(bytes));
      const plain = ReadableStream.from(chunked(bytes, length));
      assert.deepEqual(await collect(readInTurn(plain)), new Uint8Array(bytes));
    }),
  );
});

Deno.test("readInTurn() reads into memory that held a chunk before, and not before its time", async () => {
  const bytes = noise(100_000);
  let used = 0;
  const stream = byteStream(bytes, 10_000, (memory) => {
    if (memory[0] !== 0 || memory[1] !== 0) used++;
  });
  const held: Uint8Array[] = [];
  let at = 0;
  for await (const chunk of readInTurn(stream)) {
    held.push(chunk);
    at += chunk.length;
    const last = held.slice(-3);
    const length = last.reduce((sum, each) => sum + each.length, 0);
    assert.deepEqual(concat(...last), bytes.slice(at - length, at));
  }
  assert.equal(at, bytes.length);
  // Ten chunks and the end, of which four were read into new memory.
  assert.equal(used, 7);
});

Deno.test("readInTurn() tells a stream that its reader has enough, and passes its failure on", async () => {
  let cancelled = false;
  const endless = new ReadableStream({
    type: "bytes",
    pull: (controller) => controller.byobRequest?.respond(1),
    cancel: () => void (cancelled = true),
  });
  for await (const chunk of readInTurn(endless)) {
    assert.equal(chunk.length, 1);
    break;
  }
  assert(cancelled);
  const failure = new Error("the connection broke");
  const broken = new ReadableStream({
    type: "bytes",
    pull: () => Promise.reject(failure),
  });
  await assert.rejects(collect(readInTurn(broken)), failure);
});
