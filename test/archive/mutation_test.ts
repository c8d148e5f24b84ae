import assert from "node:assert/strict";
import { inspect } from "../../mod.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import {
  blocks,
  cuts,
  entriesIn,
  FEW_MASKS,
  flips,
  headers,
  Judge,
  sampleArchive,
  sequences,
} from "../verbs/_mutations.ts";
import { ParError } from "../../lib/errors.ts";

/** Tells how a series of tries went; the count is in the closing words of the test run. */
function tell(what: string, { tried, refused }: Judge): void {
  console.log(
    `mutations of ${what} tried: ${tried} (${refused} refused, ${
      tried - refused
    } without effect), ` +
      "accepted wrongly: 0",
  );
}

Deno.test("no byte of a plain archive can be altered to another meaning", async () => {
  const original = await sampleArchive(false);
  const judge = await Judge.of(original);
  await judge.within(300, async () => {
    for (const [what, altered] of flips(original, FEW_MASKS)) await judge.try(what, altered);
  });
  assert.equal(judge.tried, original.length * FEW_MASKS.length);
  // Everything is signed, summed or zero, but for what ends the checksums' own digits.
  assert(judge.tried - judge.refused < 20, `${judge.tried - judge.refused} had no effect`);
  tell("a plain archive's bytes", judge);
});

Deno.test("no part of a plain archive can be left out, doubled, moved or added", async () => {
  const original = await sampleArchive(false);
  const judge = await Judge.of(original);
  await judge.within(300, async () => {
    for (const [what, altered] of cuts(original)) await judge.try(what, altered);
    for (const [what, altered] of blocks(original)) await judge.try(what, altered);
  });
  tell("a plain archive's parts", judge);
});

Deno.test("no prefix of an archive is accepted", async () => {
  let tried = 0;
  for (const original of [await sampleArchive(false), await sampleArchive(true)]) {
    for (let length = 0; length < original.length; length++) {
      const error = await inspect(original.slice(0, length)).then(() => undefined, (e) => e);
      assert(error instanceof ParError, `${length} bytes`);
      assert.match(error.code, /^ERR_(ARCHIVE_TRUNCATED|ARCHIVE_EMPTY|INDEX_\w+|GZIP_CORRUPT)$/);
      tried++;
    }
  }
  console.log(`suffixes dropped: ${tried}, accepted wrongly: 0`);
});

Deno.test("no header's field can be altered to another meaning, its checksum put right", async () => {
  const original = await sampleArchive(false);
  const judge = await Judge.of(original);
  await judge.within(300, async () => {
    for (const [what, altered] of headers(original, FEW_MASKS)) await judge.try(what, altered);
  });
  assert(judge.tried >= 3 * 500 * FEW_MASKS.length);
  tell("tar headers with right checksums", judge);
});

Deno.test("entries may change places, and nothing else", async () => {
  const tar = await sampleArchive(false);
  const own = entriesIn(tar);
  assert.equal(own.length, 3);
  // Another archive of the same issuer and provider, with other binaries under the same targets.
  const other = entriesIn(
    await archiveOf({ binaries: { "aarch64-linux": "evil", "x86_64-linux": "evil too" } }),
  );
  const judge = await Judge.of(tar);
  let accepted = 0;
  await judge.within(300, async () => {
    for (const [order, altered] of sequences([...own, ...other], 4)) {
      const before = judge.refused;
      const isOther = [...order].sort().join() === "3,4,5";
      if (isOther) continue;
      for (const [kind, bytes] of [["plain", altered], ["compressed", gzipped(altered)]] as const) {
        await judge.try(`${kind} entries ${order}`, bytes, true);
      }
      if (judge.refused === before) {
        assert.equal([...order].sort().join(), "0,1,2");
        accepted++;
      }
    }
  });
  assert(accepted >= 5, `${accepted} orders of the same entries were accepted`);
  tell("the order of entries", judge);
});
