import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { readTar } from "../../lib/archive/tar_reader.ts";
import { ByteReader } from "../../lib/bytes/byte_reader.ts";
import { chunked, collect, concat, noise } from "../_bytes.ts";
import { paxEntry, TAR_END, tarEntry, tarHeader } from "../_tar.ts";

/** Sizes around tar's block edges. */
const SIZE = fc.constantFrom(0, 1, 511, 512, 513, 1023, 1024, 1025, 3000);
const CHUNKS = fc.array(fc.constantFrom(0, 1, 100, 511, 512, 513, 5000), { minLength: 1 });
const ENTRIES = fc.array(fc.record({ size: SIZE, pax: fc.boolean(), read: fc.boolean() }), {
  maxLength: 8,
});

Deno.test("readTar() gives each entry's name, size and bytes, whatever is read of them", async () => {
  await fc.assert(fc.asyncProperty(ENTRIES, CHUNKS, async (entries, lengths) => {
    const made = entries.map(({ size, pax }, i) => ({
      name: `${i}.bin`,
      content: noise(size, i + 1),
      pax,
    }));
    const bytes = concat(
      ...made.flatMap(({ name, content, pax }) =>
        pax
          ? [paxEntry({ path: name }), tarEntry({ name, content })]
          : [tarEntry({ name, content })]
      ),
      TAR_END,
    );
    const seen: { name: string; size: number }[] = [];
    for await (const entry of readTar(new ByteReader(chunked(bytes, ...lengths)), {})) {
      const i = seen.length;
      const content = entries[i]?.read ? await collect(entry.bytes) : undefined;
      seen.push({ name: entry.name, size: entry.size });
      if (content) assert.deepEqual(content, made[i]?.content);
    }
    assert.deepEqual(seen, made.map(({ name, content }) => ({ name, size: content.length })));
  }));
});

Deno.test("readTar() refuses a part of a block behind the end, also of zeros", async () => {
  const read = async (length: number): Promise<number> => {
    const bytes = concat(tarEntry({ name: "a", content: "a" }), TAR_END, new Uint8Array(length));
    let count = 0;
    for await (const _ of readTar(new ByteReader(chunked(bytes)), {})) count++;
    return count;
  };
  for (const length of [0, 512, 9216]) assert.equal(await read(length), 1);
  for (const length of [1, 511, 513]) {
    await assert.rejects(read(length), { code: "ERR_ARCHIVE_TRAILING_DATA" });
  }
});

Deno.test("readTar() skips what a reader left of an entry", async () => {
  const bytes = concat(
    tarEntry({ name: "a", content: noise(3000) }),
    tarEntry({ name: "b", content: "b" }),
    TAR_END,
  );
  const names: string[] = [];
  for await (const entry of readTar(new ByteReader(chunked(bytes, 700)), {})) {
    names.push(entry.name);
    for await (const _ of entry.bytes) break;
  }
  assert.deepEqual(names, ["a", "b"]);
});

Deno.test("readTar() gives an entry before it has read its content", async () => {
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield tarHeader({ name: "a", size: 2 ** 33 - 1 });
    throw new Error("the content was asked for");
  };
  const entries = readTar(new ByteReader(source()), {});
  assert.equal((await entries.next()).value?.size, 2 ** 33 - 1);
});

Deno.test("readTar() forgets a pax header behind the file it is for", async () => {
  const bytes = concat(
    paxEntry({ path: "a" }),
    tarEntry({ name: "a" }),
    tarEntry({ name: "b" }),
    TAR_END,
  );
  const entries = await Array.fromAsync(readTar(new ByteReader(chunked(bytes, 512)), {}));
  assert.deepEqual(entries.map(({ name }) => name), ["a", "b"]);
});

Deno.test("readTar() takes a pax size where the header cannot hold it", async () => {
  const size = 2 ** 33;
  const bytes = concat(paxEntry({ size: String(size) }), tarHeader({ name: "a", size: 0 }));
  const entries = readTar(new ByteReader(chunked(bytes, 512)), {});
  assert.equal((await entries.next()).value?.size, size);
});
