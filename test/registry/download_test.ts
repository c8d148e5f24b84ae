import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { checkBlob } from "../../lib/registry/download.ts";
import { chunked, collect, noise } from "../_bytes.ts";

const BYTES = noise(100_000);
const DIGEST = `sha256:${createHash("sha256").update(BYTES).digest("hex")}`;

Deno.test("checkBlob() passes on what has the digest and the size, and fails at the end of all else", async () => {
  const check = (digest: string, size: number): Promise<Uint8Array> =>
    collect(checkBlob(chunked(BYTES, 9999), { digest, size }, "read it"));
  assert.deepEqual(await check(DIGEST, BYTES.length), BYTES);
  const wrong = { code: "ERR_REGISTRY_DIGEST", message: /^Cannot read it: its 100000 bytes have/ };
  await assert.rejects(check(`sha256:${"0".repeat(64)}`, BYTES.length), wrong);
  await assert.rejects(check(DIGEST, BYTES.length - 1), wrong);
  await assert.rejects(check(DIGEST, BYTES.length + 1), wrong);
});
