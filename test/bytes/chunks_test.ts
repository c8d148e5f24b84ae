import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { writeArchive } from "../../lib/archive/writer.ts";
import { readArchive } from "../../lib/archive/reader.ts";
import { buffersInTurn, type Bytes, concat, keep, keepAll } from "../../lib/bytes/chunks.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { fileSource } from "../../lib/system/files.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import { chunked, noise } from "../_bytes.ts";
import { temporaryFolder } from "../_tools.ts";

Deno.test("keep() gives bytes that stay when the chunk's memory is used again", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    const borrowed = bytes.slice();
    const kept = keep(borrowed);
    borrowed.fill(0xee);
    assert.deepEqual(kept, new Uint8Array(bytes));
  }));
});

Deno.test("keepAll() gives chunks that all stay", async () => {
  const bytes = noise(100_000);
  assert.deepEqual(concat(await Array.fromAsync(keepAll(chunked(bytes, 700)))), bytes);
});

Deno.test("buffersInTurn() lends the memory of the chunk before the last", () => {
  const lend = buffersInTurn(10);
  const [first, second, third] = [lend(10), lend(4), lend(7)];
  assert.equal(third?.buffer, first?.buffer);
  assert.notEqual(second?.buffer, first?.buffer);
  assert.deepEqual([first, second, third].map((chunk) => chunk?.length), [10, 4, 7]);
});

/** All chunks, each copied while it was lent. */
async function kept(bytes: Bytes): Promise<Uint8Array> {
  return concat(await Array.fromAsync(keepAll(bytes)));
}

Deno.test("whoever copies every chunk has all of the bytes, wherever they come from", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a`;
  const bytes = noise(3_000_000);
  await Deno.writeFile(path, bytes);
  for (const source of [fileSource(path), blobSource(bytes, "a")]) {
    assert.deepEqual(await kept(source.open()), bytes);
    const part = source.range?.(7, 2_000_000) as Bytes;
    assert.deepEqual(await kept(part), bytes.slice(7, 2_000_007));
  }
  const entry = { name: "x86_64-linux.bin", size: bytes.length, open: () => chunked(bytes, 7000) };
  for (const level of [undefined, 9]) {
    const twice = await Promise.all([1, 2].map(() => kept(writeArchive([entry], { level }))));
    assert.deepEqual(twice[0], twice[1]);
  }
  for (const pack of [(plain: Uint8Array) => plain, gzipped]) {
    const parts: Uint8Array[] = [];
    const archive = pack(await archiveOf({ binaries: { "x86_64-linux": bytes } }));
    await readArchive(chunked(archive, 70_000), {}, () => (chunk) => void parts.push(keep(chunk)));
    assert.deepEqual(concat(parts), bytes);
  }
});
