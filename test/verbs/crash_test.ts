import assert from "node:assert/strict";
import { insert } from "../../mod.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import { type Sandbox, sandbox } from "../_cli.ts";
import { type Contents, listFolder, readContents, signers } from "./_fixtures.ts";
import { letGo, startHelper } from "./_process.ts";
import type { Job } from "./_crashing.ts";

/** Lets a job die at one step after the other until it has no more, and checks what each leaves. */
async function crashEverywhere(
  s: Sandbox,
  job: Omit<Job, "crashAt">,
  original: Uint8Array<ArrayBuffer>,
  isNew: (contents: Contents) => boolean,
): Promise<{ crashes: number; old: number; fresh: number }> {
  const before = await readContents(original);
  const counts = { crashes: 0, old: 0, fresh: 0 };
  for (let crashAt = 1;; crashAt++) {
    await Deno.writeFile(job.archive, original);
    const argument = JSON.stringify({ ...job, crashAt });
    const running = await startHelper(s, "insert", "_crashing.ts", [argument]);
    await letGo(running);
    const { code, stdout, stderr } = await running.output;

    const after = await readContents(job.archive);
    if (isNew(after)) counts.fresh++;
    else {
      assert.deepEqual(after, before);
      counts.old++;
    }
    // The next run takes over what was left.
    await insert(job.archive, {
      ...await signers(),
      binaries: [{ source: new Blob(["next"]), target: "mips-linux" }],
    });
    const next = await readContents(job.archive);
    assert.deepEqual({ ...next.bytes, "mips-linux": undefined }, {
      ...after.bytes,
      "mips-linux": undefined,
    });
    assert.equal(next.compressed, after.compressed);
    assert.deepEqual(listFolder(s.folder), ["a.par", "new.so"]);

    if (code === 0) {
      assert.match(stdout, /done/);
      assert(isNew(after));
      return counts;
    }
    assert.equal(code, 137, stderr);
    counts.crashes++;
  }
}

Deno.test({
  name: "a crash at any step leaves the old archive or the new one",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using s = await sandbox();
    const archive = `${s.folder}/a.par`;
    const binary = await s.write("new.so", "the new binary");
    const target = "riscv64-linux";
    const hasNew = ({ bytes }: Contents): boolean =>
      new TextDecoder().decode(bytes[target]) === "the new binary";
    const plain = await archiveOf();
    const results = [
      await crashEverywhere(s, { verb: "insert", archive, binary, target }, plain, hasNew),
      await crashEverywhere(s, { verb: "insert", archive, binary, target }, gzipped(plain), hasNew),
      await crashEverywhere(
        s,
        { verb: "create", archive, binary, target, compress: true },
        plain,
        hasNew,
      ),
    ];
    // Both sides of the one step that counts were seen, in each series.
    for (const { crashes, old, fresh } of results) assert(crashes > 5 && old > 5 && fresh > 1);
    const crashes = results.reduce((sum, result) => sum + result.crashes, 0);
    console.log(`crashes at every step survived: ${crashes}, archives lost: 0`);
  },
});
