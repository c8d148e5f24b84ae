import assert from "node:assert/strict";
import { ROOT, temporaryFolder } from "../_tools.ts";
import { hasDockerRegistry, run, startDockerRegistry } from "./_registry.ts";

const SIZE = 2 ** 30;
const LIMIT = 200_000_000;

Deno.test({
  name: "1 GiB is pushed and pulled in less than 200 MB of memory",
  ignore: !hasDockerRegistry || Deno.build.os !== "linux",
  async fn(t) {
    await using registry = await startDockerRegistry();
    await using folder = await temporaryFolder();
    const path = `${folder.path}/kv.par.gz`;
    for (const mode of ["chunks", "monolithic"]) {
      await t.step(mode, async () => {
        // Zeros take no space on disk; the mode makes it another blob each time.
        await Deno.writeTextFile(path, `\x1f${mode}`);
        await Deno.truncate(path, SIZE);
        const printed = await run(Deno.execPath(), [
          ...["run", "--no-prompt", "--no-config", "--no-lock", "--allow-all"],
          `${ROOT}/test/registry/_transfer.ts`,
          ...[`${registry.host}/kv:${mode}`, path, `${folder.path}/pulled`, mode],
        ]);
        const { layerDigest, size, peak } = JSON.parse(printed);
        assert.equal(size, SIZE);
        assert.match(layerDigest, /^sha256:/);
        assert(peak > 0 && peak < LIMIT, `it took ${peak} bytes`);
        console.log(`peak memory, ${mode}: ${Math.round(peak / 1e6)} MB`);
      });
    }
  },
});
