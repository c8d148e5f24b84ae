/// <reference lib="dom" />
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { serveArchives, SHARED } from "./_archive_server.ts";
import { writeLargeArchive } from "./_binaries.ts";
import { choose, collectGarbage, hasChromium, openSite, savedBy, verdictOf } from "./_browser.ts";

const MIB = 1024 * 1024;

Deno.test({
  name: "the page reads to the end, whenever garbage is collected (needs Chromium)",
  ignore: !hasChromium,
}, async (t) => {
  await using site = await openSite();
  const path = `${site.folder}/noise.par`;
  await writeLargeArchive(path, 32);
  const plain = await Deno.readFile(path);
  const archives = {
    "noise.par": plain,
    "noise.par.gz": new Uint8Array(gzipSync(plain, { level: 1 })),
  };
  await using server = serveArchives((path) =>
    new Response(archives[path.slice(1) as keyof typeof archives], { headers: SHARED })
  );

  for (const [name, content] of Object.entries(archives)) {
    await t.step(`of the file ${name}, and saves from it`, async () => {
      await using opened = await site.open();
      const { page } = opened;
      collectGarbage(page);
      await choose(page, await site.write(name, content));
      assert.match(await verdictOf(page), /^You decide/);
      const saved = await savedBy(
        page,
        () => page.getByRole("button", { name: "Save x86_64-linux" }).click(),
      );
      assert.equal(saved.bytes.length, 16 * MIB);
    });

    await t.step(`of an address, ${name}`, async () => {
      await using opened = await site.open(
        `${new URL("url.html", site.filePage)}#${server.address}/${name}`,
      );
      const { page } = opened;
      collectGarbage(page);
      await page.reload();
      assert.match(await verdictOf(page), /^You decide/);
    });
  }
});
