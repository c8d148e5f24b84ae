import assert from "node:assert/strict";
import { FIXED_KEYS, sandbox } from "../_cli.ts";
import { listFolder, readContents, richArchive } from "./_fixtures.ts";
import { type Running, startHelper, startPar } from "./_process.ts";

/** Resolves once a process has opened a file, which on Linux can be seen from outside. */
async function hasOpened({ process, output }: Running, path: string): Promise<void> {
  let ended = false;
  const end = output.then(() => ended = true);
  while (!ended) {
    try {
      const folder = `/proc/${process.pid}/fd`;
      for (const { name } of Deno.readDirSync(folder)) {
        if (Deno.readLinkSync(`${folder}/${name}`) === path) return;
      }
    } catch {
      // A file was closed between the two looks at it.
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await end;
  assert.fail(`it ended and never opened ${path}`);
}

Deno.test({
  name: "an insert waits for the writer before, and takes over when that one dies",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using s = await sandbox();
    const archive = await s.write("a.par", await richArchive());
    await s.write("one", "1");
    const holder = await startHelper(s, "insert", "_lock_holder.ts", [archive]);
    await holder.says("holding");
    const [temporary] = listFolder(s.folder).filter((name) => name !== "a.par" && name !== "one");
    const waiting = await startPar(s, ["insert", "a.par", "-b", "arm-linux=one", ...FIXED_KEYS]);
    await hasOpened(waiting, `${s.folder}/${temporary}`);
    assert(!("arm-linux" in (await readContents(archive)).bytes));
    holder.process.kill("SIGKILL");
    await holder.output;
    const { code, stderr } = await waiting.output;
    assert.equal(code, 0, stderr);
    assert("arm-linux" in (await readContents(archive)).bytes);
    assert.deepEqual(listFolder(s.folder), ["a.par", "one"]);
  },
});

Deno.test({
  name: "an insert that is interrupted while it waits leaves the other's work alone",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using s = await sandbox();
    const original = await richArchive();
    const archive = await s.write("a.par", original);
    await s.write("one", "1");
    const holder = await startHelper(s, "insert", "_lock_holder.ts", [archive]);
    await holder.says("holding");
    const [temporary = ""] = listFolder(s.folder).filter((name) => name.includes("part"));
    const waiting = await startPar(s, ["insert", "a.par", "-b", "arm-linux=one", ...FIXED_KEYS]);
    await hasOpened(waiting, `${s.folder}/${temporary}`);
    waiting.process.kill("SIGINT");
    const { code, stderr } = await waiting.output;
    assert.equal(code, 130, stderr);
    assert.equal(await Deno.readTextFile(`${s.folder}/${temporary}`), "half of an archive");
    assert.deepEqual(await Deno.readFile(archive), original);
    holder.process.kill("SIGKILL");
    await holder.output;
    const next = await s.run(["insert", "a.par", "-b", "arm-linux=one", ...FIXED_KEYS]);
    assert.equal(next.code, 0, next.stderr);
    assert.deepEqual(listFolder(s.folder), ["a.par", "one"]);
  },
});
