import assert from "node:assert/strict";
import { inspect, inspectClaims } from "../../lib/verbs/inspect.ts";
import { streamSource } from "../../lib/bytes/source.ts";
import { archiveOf, gzipped, ISSUED_AT, payloadFor } from "../_archive.ts";
import { chunked, noise } from "../_bytes.ts";
import { temporaryFolder } from "../_tools.ts";

/** The kinds of input that hold the same bytes. */
async function inputsOf(
  bytes: Uint8Array<ArrayBuffer>,
  folder: string,
): Promise<Record<string, Parameters<typeof inspect>[0]>> {
  await Deno.writeFile(`${folder}/a.par`, bytes);
  return {
    "a path": `${folder}/a.par`,
    "bytes": bytes,
    "a Blob": new Blob([bytes]),
    "a stream": new Blob([bytes]).stream(),
    "a source": streamSource(chunked(bytes, 100), "somewhere"),
  };
}

for (const [name, look] of Object.entries({ inspect, inspectClaims })) {
  Deno.test(`${name}() takes a path, bytes, a Blob, a stream, or another source`, async () => {
    await using folder = await temporaryFolder();
    for (const bytes of [await archiveOf(), gzipped(await archiveOf())]) {
      for (const [what, input] of Object.entries(await inputsOf(bytes, folder.path))) {
        assert.deepEqual((await look(input)).claims, payloadFor(), what);
      }
    }
  });

  Deno.test(`${name}() judges at the time it is given`, async () => {
    const bytes = await archiveOf({ bend: (payload) => payload["exp"] = ISSUED_AT + 1 });
    await look(bytes, { now: new Date(ISSUED_AT * 1000) });
    await assert.rejects(look(bytes), { code: "ERR_TOKEN_EXPIRED" });
  });

  Deno.test(`${name}() refuses a path where there is no file, or a folder`, async () => {
    await using folder = await temporaryFolder();
    await assert.rejects(look(`${folder.path}/a.par`), { code: "ERR_FILE_NOT_FOUND" });
    await assert.rejects(look(folder.path), { code: "ERR_FILE_UNREADABLE" });
  });

  Deno.test({
    name: `${name}() closes the file of what it refuses`,
    // This is what fails where a file is left open.
    sanitizeResources: true,
    async fn() {
      await using folder = await temporaryFolder();
      const path = `${folder.path}/a.par`;
      const large = noise(1_000_000);
      for (const bytes of [large, gzipped(large), gzipped(large).with(2, 7)]) {
        await Deno.writeFile(path, bytes);
        await assert.rejects(look(path), { category: "untrusted" });
      }
    },
  });
}

Deno.test("inspectClaims() accepts an archive whose binaries are anything", async () => {
  const bytes = await archiveOf();
  bytes.fill(0xff, 1024 + 512);
  assert.deepEqual((await inspectClaims(bytes)).claims, payloadFor());
  await assert.rejects(inspect(bytes), { category: "untrusted" });
});
