/**
 * Measures how fast the page reads an archive in Chromium, beside Deno, in one run.
 *
 * @module
 */

import { inspect } from "../../mod.ts";
import { gzip } from "../../lib/gzip/gzip.ts";
import { readFile } from "../../lib/system/files.ts";
import { writeLargeArchive } from "./_binaries.ts";
import { choose, openSite, verdictOf } from "./_browser.ts";

const MIB = 1024 * 1024;
const ROUNDS = 3;

await using site = await openSite();
const plain = `${site.folder}/plain.par`;
await writeLargeArchive(plain, 300);
const { size } = await Deno.stat(plain);
const packed = `${site.folder}/packed.par.gz`;
await Deno.writeFile(
  packed,
  ReadableStream.from(gzip([{ length: size, open: () => readFile(plain) }], { level: 1 })),
);
console.log("300 MiB, two binaries of noise; the best of three, in MiB/s once unpacked");
for (const [name, path] of [["plain", plain], ["compressed", packed]] as const) {
  const deno = await best(() => inspect(path));
  await using opened = await site.open();
  const { page } = opened;
  const browser = await best(async () => {
    await choose(page, path);
    await verdictOf(page);
  });
  console.log(`${name.padEnd(12)} Deno ${rate(deno)}   Chromium ${rate(browser)}`);
}

/** Milliseconds of the fastest of some rounds. */
async function best(work: () => Promise<unknown>): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

function rate(milliseconds: number): string {
  return (size / MIB / milliseconds * 1000).toFixed().padStart(5);
}
