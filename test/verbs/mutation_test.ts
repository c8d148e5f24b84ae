import assert from "node:assert/strict";
import { extract, insert, ParError, verify } from "../../mod.ts";
import { temporaryFolder } from "../_tools.ts";
import { flips, sampleArchive } from "./_mutations.ts";
import { listFolder, readContents, signers } from "./_fixtures.ts";

const MASKS = [0x01, 0x80];

/** How many bytes at the front are altered one by one; of those behind, some are. */
const FRONT = 320;

/** Altered archives of both kinds: densely where headers and the index are, thinly behind. */
async function* altered(): AsyncGenerator<[what: string, archive: Uint8Array<ArrayBuffer>]> {
  for (const compress of [false, true]) {
    const original = await sampleArchive(compress);
    let turn = 0;
    for (const [what, archive] of flips(original, MASKS)) {
      const dense = compress && turn < FRONT * MASKS.length;
      if (turn++ % 37 === 0 || dense) {
        yield [`${compress ? "compressed" : "plain"}, ${what}`, archive];
      }
    }
  }
}

Deno.test("extract() of an altered archive gives the original binaries or nothing", async () => {
  await using folder = await temporaryFolder();
  const first = `${folder.path}/first`;
  const other = `${folder.path}/other`;
  const everything = { "aarch64-linux": first, "x86_64-linux": other };
  const choices: Record<string, string>[] = [everything, { "x86_64-linux": other }];
  let tried = 0;
  let refused = 0;
  for await (const [what, archive] of altered()) {
    for (const outputs of choices) {
      tried++;
      const error = await extract(archive, { outputs }).then(() => undefined, (reason) => reason);
      if (error) {
        assert(error instanceof ParError, `${what}: ${error}`);
        assert.equal(error.category, "untrusted", what);
        assert.deepEqual(listFolder(folder.path), [], what);
        refused++;
        continue;
      }
      assert.equal(await Deno.readTextFile(other), "the other one", what);
      await Deno.remove(other);
      if (outputs !== everything) continue;
      assert.equal(await Deno.readTextFile(first), "the first of the binaries", what);
      await Deno.remove(first);
    }
  }
  assert(refused > 300);
  console.log(
    `mutations before extracting tried: ${tried} (${refused} refused, ${tried - refused} ` +
      "without effect), accepted wrongly: 0",
  );
});

Deno.test("insert() into an altered archive signs the original binaries or nothing", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.par`;
  const keys = await signers();
  const binaries = [{ source: new Blob(["new"]), target: "mips-linux" }];
  let tried = 0;
  let refused = 0;
  for await (const [what, archive] of altered()) {
    await Deno.writeFile(path, archive);
    tried++;
    const error = await insert(path, { ...keys, binaries }).then(() => undefined, (e) => e);
    if (error) {
      assert(error instanceof ParError, `${what}: ${error}`);
      assert.equal(error.category, "untrusted", what);
      assert.deepEqual(await Deno.readFile(path), archive, what);
      refused++;
    } else {
      const texts = Object.entries((await readContents(path)).bytes)
        .map(([target, bytes]) => [target, new TextDecoder().decode(bytes)]);
      assert.deepEqual(
        Object.fromEntries(texts),
        {
          "aarch64-linux": "the first of the binaries",
          "mips-linux": "new",
          "x86_64-linux": "the other one",
        },
        what,
      );
    }
    assert.deepEqual(listFolder(folder.path), ["a.par"], what);
  }
  assert(refused > 200);
  console.log(
    `mutations before inserting tried: ${tried} (${refused} refused, ${tried - refused} ` +
      "without effect), accepted wrongly: 0",
  );
});

Deno.test("verify() of an altered archive reports it, and never throws", async () => {
  let refused = 0;
  for await (const [what, archive] of altered()) {
    const { trusted, checks, archive: verified } = await verify(archive);
    assert.equal(trusted, checks.every(({ passed }) => passed), what);
    assert.equal(trusted, verified !== undefined, what);
    if (!trusted) refused++;
  }
  assert(refused > 200);
});
