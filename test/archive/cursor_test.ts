import assert from "node:assert/strict";
import { EntryCursor } from "../../lib/archive/cursor.ts";
import type { ArchiveSource } from "../../lib/bytes/source.ts";
import { archiveOf, BINARIES, gzipped } from "../_archive.ts";
import { chunked, collect, concat, watched } from "../_bytes.ts";

/** A source that gives one archive after the other, and knows which of them are closed. */
function sourceOf(...archives: Uint8Array[]): ArchiveSource & { closed: boolean[] } {
  const opened: ReturnType<typeof watched>[] = [];
  return {
    name: "fake.par",
    open: () => {
      const source = watched(chunked(archives[opened.length] ?? assert.fail("opened again"), 100));
      opened.push(source);
      return source;
    },
    get closed(): boolean[] {
      return opened.map(({ closed }) => closed);
    },
  };
}

Deno.test("EntryCursor.open() reads entries in their order in one pass, and goes back in another", async () => {
  for (const archive of [await archiveOf(), gzipped(await archiveOf())]) {
    const source = sourceOf(archive, archive);
    {
      await using cursor = new EntryCursor(source);
      const targets = Object.keys(BINARIES);
      for (const target of targets) {
        const content = await collect(cursor.open(`${target}.bin`));
        assert.deepEqual(content, concat(BINARIES[target] ?? ""));
      }
      assert.equal(source.closed.length, 1);
      assert.deepEqual(
        await collect(cursor.open(`${targets[0]}.bin`)),
        concat(BINARIES[targets[0] ?? ""] ?? ""),
      );
    }
    assert.deepEqual(source.closed, [true, true]);
  }
});

Deno.test("EntryCursor.open() refuses an entry that is gone with ERR_FILE_CHANGED", async () => {
  const gone = await archiveOf({ binaries: { "x86_64-linux": "alone" } });
  const source = sourceOf(await archiveOf(), gone);
  await using cursor = new EntryCursor(source);
  await collect(cursor.open("x86_64-linux.bin"));
  await assert.rejects(collect(cursor.open("aarch64-linux.bin")), {
    code: "ERR_FILE_CHANGED",
    message: /aarch64-linux\.bin in "fake\.par"/,
  });
});

Deno.test("EntryCursor.open() keeps to the limits that it is given", async () => {
  const options = { limits: { maxEntries: 2 } };
  await using cursor = new EntryCursor(sourceOf(await archiveOf()), options);
  await assert.rejects(collect(cursor.open("x86_64-linux.bin")), { code: "ERR_LIMIT_ENTRIES" });
});
