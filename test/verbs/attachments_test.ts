import assert from "node:assert/strict";
import { openAttachments } from "../../lib/registry/attachments.ts";
import { digestOf } from "../../lib/registry/descriptor.ts";
import { openStore } from "../../lib/registry/open_store.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import { readAttachment } from "../../lib/verbs/attachments.ts";
import { push } from "../../lib/verbs/push.ts";
import { archiveOf } from "../_archive.ts";
import { temporaryFolder } from "../_tools.ts";

Deno.test("readAttachment() tells what is not attached, and what has not one layer", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/fakepay.par`;
  const archive = await archiveOf();
  await Deno.writeFile(file, archive);
  const missing = `sha256:${"0".repeat(64)}`;
  await assert.rejects(readAttachment(file, missing), { code: "ERR_REGISTRY_NOT_FOUND" });

  const layout = parseReference(`oci:${folder.path}/layout:1.0`);
  const { digest: subject } = await push(archive, layout);
  await assert.rejects(readAttachment(layout, missing), { code: "ERR_REGISTRY_NOT_FOUND" });

  const content = new TextEncoder().encode("a note");
  await using attachments = openAttachments(layout, subject, { write: true });
  const note = { artifactType: "application/vnd.example.note", content, annotations: {} };
  const digest = await attachments.add(note);
  assert.deepEqual(await readAttachment(layout, digest), content);

  await using store = openStore(layout, { task: "write", push: true }, {});
  const { bytes: one } = await store.getManifest(digest);
  const manifest = JSON.parse(new TextDecoder().decode(one));
  const [layer] = manifest.layers;
  for (const layers of [[], [layer, layer]]) {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...manifest, layers }));
    const own = await digestOf(bytes);
    await store.writeManifest(own, { bytes, digest: own, mediaType: manifest.mediaType });
    await assert.rejects(readAttachment(layout, own), { code: "ERR_REGISTRY_CONTENT" });
  }
});
