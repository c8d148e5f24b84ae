import assert from "node:assert/strict";
import { ROOT, temporaryFolder } from "../_tools.ts";
import {
  hasDockerRegistry,
  hasOpenssl,
  makeCertificate,
  type Registry,
  run,
  startDockerRegistry,
} from "./_registry.ts";

/** Pushes and pulls so many bytes in a process of its own, and checks the most memory it took. */
async function transfer(
  registry: Registry,
  folder: string,
  name: string,
  length: number,
  limit: number,
  options: Record<string, boolean>,
): Promise<void> {
  const path = `${folder}/kv.par.gz`;
  // Zeros take no space on disk; the name makes it another blob each time.
  await Deno.writeTextFile(path, `\x1f${name}`);
  await Deno.truncate(path, length);
  const printed = await run(Deno.execPath(), [
    ...["run", "--no-prompt", "--no-config", "--no-lock", "--allow-all"],
    `${ROOT}/test/registry/_transfer.ts`,
    ...[`${registry.host}/kv:${name}`, path, `${folder}/pulled`, JSON.stringify(options)],
  ]);
  const { size, peak } = JSON.parse(printed);
  assert.equal(size, length);
  console.log(`peak memory, ${name}: ${Math.round(peak / 1e6)} MB for ${length} bytes`);
  assert(peak > 0 && peak < limit, `it took ${peak} bytes`);
}

Deno.test({
  name: "1 GiB is pushed and pulled in less than 160 MB of memory",
  ignore: !hasDockerRegistry || Deno.build.os !== "linux",
  async fn() {
    await using registry = await startDockerRegistry();
    await using folder = await temporaryFolder();
    const options = { insecure: true };
    await transfer(registry, folder.path, "chunks", 2 ** 30, 160e6, options);
    // Held in memory, this much would be seen as well.
    const monolithic = { ...options, monolithic: true };
    await transfer(registry, folder.path, "monolithic", 2 ** 28, 160e6, monolithic);
  },
});

Deno.test({
  name: "memory stays flat where certificates are not checked",
  ignore: !hasDockerRegistry || !hasOpenssl || Deno.build.os !== "linux",
  async fn() {
    await using folder = await temporaryFolder();
    const tls = await makeCertificate(folder.path);
    await using registry = await startDockerRegistry({ tls });
    const options = { insecureSkipTlsVerify: true };
    await transfer(registry, folder.path, "unchecked", 2 ** 28, 260e6, options);
  },
});
