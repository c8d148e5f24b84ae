import { ByteReader } from "../lib/bytes/byte_reader.ts";
import { combineCrc32 } from "../lib/gzip/crc32.ts";
import { createSha256 } from "../lib/bytes/digest.ts";
import { gunzip, readGzipHeader } from "../lib/gzip/gunzip.ts";
import { gzip, type Segment } from "../lib/gzip/gzip.ts";

const LENGTH = 16 * 1024 * 1024;

/** A part of Deno's own binary. */
async function sample(): Promise<Uint8Array<ArrayBuffer>> {
  using file = await Deno.open(Deno.execPath());
  await file.seek(LENGTH, Deno.SeekMode.Start);
  const bytes = new Uint8Array(LENGTH);
  for (let at = 0; at < LENGTH;) at += await file.read(bytes.subarray(at)) ?? LENGTH;
  return bytes;
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 256 * 1024) yield bytes.subarray(at, at + 256 * 1024);
}

const bytes = await sample();
const segment: Segment = { length: LENGTH, open: () => chunks(bytes) };
const member = await new Blob(
  await Array.fromAsync(gzip([segment], { level: 6 })) as Uint8Array<ArrayBuffer>[],
).bytes();

for (const jobs of [1, 2]) {
  for (const level of [1, 9]) {
    Deno.bench(`gzip() of 16 MiB, level ${level}, ${jobs} jobs`, async () => {
      for await (const _ of gzip([segment], { level, jobs }));
    });
  }
}

Deno.bench("gunzip() to 16 MiB", async () => {
  const reader = new ByteReader(chunks(member));
  for await (const _ of gunzip(reader, await readGzipHeader(reader)));
});

Deno.bench("createSha256() of 16 MiB", async () => {
  const hash = await createSha256();
  for await (const chunk of chunks(bytes)) hash.update(chunk);
  await hash.digest();
});

Deno.bench("createSha256() of 10 KB", async () => {
  const hash = await createSha256();
  hash.update(bytes.subarray(0, 10_000));
  await hash.digest();
});

Deno.bench("combineCrc32()", () => {
  combineCrc32(0x12345678, 0x9abcdef0, 2 ** 32);
});
