import assert from "node:assert/strict";
import { blobSource, streamSource } from "../../lib/bytes/source.ts";
import { iterate } from "../../lib/bytes/streams.ts";
import { chunked, collect, noise } from "../_bytes.ts";

const BYTES = noise(100_000);

for (const [what, input] of Object.entries({ bytes: BYTES, "a Blob": new Blob([BYTES]) })) {
  Deno.test(`blobSource() reads ${what} as often as it is asked, whole or in part`, async () => {
    const source = blobSource(input, "it");
    assert.equal(source.name, "it");
    assert.equal(await source.size?.(), BYTES.length);
    assert.deepEqual(await collect(source.open()), BYTES);
    assert.deepEqual(await collect(source.open()), BYTES);
    const range = (start: number, length: number): Promise<Uint8Array> =>
      collect(source.range?.(start, length) ?? chunked(BYTES));
    assert.deepEqual(await range(10, 20), BYTES.slice(10, 30));
    assert.deepEqual(await range(99_990, 20), BYTES.slice(99_990));
    assert.deepEqual(await range(200_000, 20), BYTES.slice(200_000));
  });
}

Deno.test("streamSource() reads a stream from the beginning, and knows no more", async () => {
  const source = streamSource(new Blob([BYTES]).stream(), "it");
  assert.deepEqual(await collect(source.open()), BYTES);
  assert.equal(source.range, undefined);
  assert.equal(source.size, undefined);
});

Deno.test("iterate() reads streams of runtimes in which they are not iterable", async () => {
  const stream = new Blob([BYTES]).stream();
  const plain = { getReader: () => stream.getReader() } as ReadableStream<Uint8Array>;
  assert.deepEqual(await collect(iterate(plain)), BYTES);
});

Deno.test("iterate() tells such a stream that its reader has enough", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(noise(10)),
    cancel: () => void (cancelled = true),
  });
  const plain = { getReader: () => stream.getReader() } as ReadableStream<Uint8Array>;
  for await (const _ of iterate(plain)) break;
  assert(cancelled);
});
