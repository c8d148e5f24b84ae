import assert from "node:assert/strict";
import { create, extract, insert, merge, ParError, remove } from "../../mod.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import { temporaryFolder } from "../_tools.ts";
import { listFolder, readContents, signers } from "./_fixtures.ts";
import { watchSteps } from "./_steps.ts";

type Work = (folder: string, signal: AbortSignal) => Promise<unknown>;

const binaries = [{ source: new Blob(["a new binary"]), target: "riscv64-linux" }];

const WORKS: Readonly<Record<string, Work>> = {
  create: async (folder, signal) =>
    await create({
      ...await signers(),
      name: "Fake Payments",
      vendor: "wasmCloud",
      binaries,
      destination: `${folder}/new.par`,
      signal,
    }),
  insert: async (folder, signal) =>
    await insert(`${folder}/a.par`, { ...await signers(), binaries, signal }),
  remove: async (folder, signal) =>
    await remove(`${folder}/a.par`, { ...await signers(), targets: ["x86_64-linux"], signal }),
  merge: async (folder, signal) =>
    await merge([`${folder}/a.par`], {
      ...await signers(),
      destination: `${folder}/new.par`,
      signal,
    }),
  extract: async (folder, signal) =>
    await extract(`${folder}/a.par`, {
      outputs: { "x86_64-linux": `${folder}/x`, "aarch64-linux": `${folder}/y` },
      signal,
    }),
};

for (const [verb, work] of Object.entries(WORKS)) {
  Deno.test(`${verb}() stopped at any step leaves what was there, or what was asked for`, async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    const original = gzipped(await archiveOf());
    let finished = 0;
    let aborted = 0;
    for (let stopAt = 0; finished < 3; stopAt++) {
      for (const name of listFolder(path)) await Deno.remove(`${path}/${name}`);
      await Deno.writeFile(`${path}/a.par`, original);
      const controller = new AbortController();
      if (stopAt === 0) controller.abort();
      let steps = 0;
      let error: unknown;
      {
        using _ = watchSteps((step) => {
          steps = step;
          if (step === stopAt) controller.abort();
        });
        error = await work(path, controller.signal).then(() => undefined, (reason) => reason);
      }
      if (error === undefined) {
        // Too late to be stopped: then it is done, and done in full.
        if (stopAt > steps) finished++;
        for (const name of listFolder(path)) {
          assert.match(name, /^(a\.par|new\.par|x|y)$/, `stopped at step ${stopAt}`);
          if (name.endsWith(".par")) await readContents(`${path}/${name}`);
        }
      } else {
        assert(error instanceof ParError);
        assert.equal(error.code, "ERR_ABORTED");
        assert.deepEqual(await Deno.readFile(`${path}/a.par`), original);
        // Of several files to extract, some may have their names already: they are whole.
        const others = listFolder(path).filter((name) => name !== "a.par");
        for (const name of others) {
          assert.match(name, /^[xy]$/, `stopped at step ${stopAt}`);
          const expected = name === "x" ? "an x86_64 binary" : "an aarch64 binary";
          assert.equal(await Deno.readTextFile(`${path}/${name}`), expected);
        }
        aborted++;
      }
    }
    assert(aborted > 3);
  });
}
