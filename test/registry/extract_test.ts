import assert from "node:assert/strict";
import { registrySource } from "../../lib/registry/pull.ts";
import { pushArchive } from "../../lib/registry/push.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import { extract } from "../../lib/verbs/extract.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { archiveOf } from "../_archive.ts";
import { concat, noise } from "../_bytes.ts";
import { temporaryFolder } from "../_tools.ts";
import { hasDockerRegistry, startDockerRegistry } from "./_registry.ts";

const TARGETS = ["aarch64-linux", "aarch64-macos", "x86_64-linux", "x86_64-windows"];
const BINARIES = Object.fromEntries(
  TARGETS.map((target, index) => [target, noise(1_000_000 + index, index + 1)]),
);

/** Registers a test with a registry that holds an archive, and a folder. */
function test(
  name: string,
  archive: () => Promise<Uint8Array<ArrayBuffer>>,
  body: (reference: string, folder: string) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !hasDockerRegistry,
    async fn() {
      await using registry = await startDockerRegistry();
      await using folder = await temporaryFolder();
      const reference = `${registry.host}/kv:1`;
      await pushArchive(parseReference(reference), blobSource(await archive(), "kv.par"));
      await body(reference, folder.path);
    },
  });
}

test(
  "extract() fetches one target of a plain archive in a registry and a few kilobytes",
  () => archiveOf({ binaries: BINARIES }),
  async (reference, folder) => {
    for (const [target, bytes] of Object.entries(BINARIES)) {
      using source = registrySource(parseReference(reference));
      const path = `${folder}/${target}`;
      const { claims, compressed } = await extract(source, { outputs: { [target]: path } });
      assert.equal(claims.wascap.name, "Fake Payments");
      assert.equal(compressed, false);
      assert.deepEqual(new Uint8Array(await Deno.readFile(path)), bytes);
      assert(source.bytesRead < bytes.length + 24 * 1024, `${source.bytesRead}`);
    }
  },
);

test(
  "extract() refuses a target of a plain archive in a registry that has another hash",
  async () => {
    const archive = concat(await archiveOf({ binaries: BINARIES }));
    // In the middle of the third binary.
    const at = 2_700_000;
    archive[at] = (archive[at] ?? 0) ^ 1;
    return archive;
  },
  async (reference, folder) => {
    const damaged: string[] = [];
    for (const target of TARGETS) {
      using source = registrySource(parseReference(reference));
      const work = extract(source, { outputs: { [target]: `${folder}/${target}` } });
      await work.catch((error) => {
        assert.equal(error.code, "ERR_HASH_MISMATCH");
        damaged.push(target);
      });
    }
    assert.equal(damaged.length, 1);
    assert.equal([...Deno.readDirSync(folder)].length, TARGETS.length - 1);
  },
);

test(
  "extract() refuses a plain archive in a registry that ends before the target",
  async () => (await archiveOf({ binaries: BINARIES })).slice(0, 1_500_000),
  async (reference, folder) => {
    const codes: string[] = [];
    for (const target of TARGETS) {
      using source = registrySource(parseReference(reference));
      await extract(source, { outputs: { [target]: `${folder}/${target}` } })
        .catch(({ code }) => codes.push(code));
    }
    assert.deepEqual(codes, Array(3).fill("ERR_ARCHIVE_TRUNCATED"));
  },
);
