import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { BlobCache, cacheFolder } from "../../lib/registry/cache.ts";
import { registrySource } from "../../lib/registry/pull.ts";
import { pushArchive } from "../../lib/registry/push.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { chunked, collect, noise } from "../_bytes.ts";
import { ROOT, temporaryFolder } from "../_tools.ts";
import { startFaultProxy } from "./_fault_proxy.ts";
import { hasDockerRegistry, run, startDockerRegistry } from "./_registry.ts";

const BYTES = noise(300_000);
const HEX = createHash("sha256").update(BYTES).digest("hex");
const BLOB = { mediaType: "any", digest: `sha256:${HEX}`, size: BYTES.length };

/** Receives the blob, and counts how often it was asked to. */
function receiver(): { (): AsyncGenerator<Uint8Array>; calls: number } {
  const receive = () => {
    receive.calls++;
    return chunked(BYTES, 10_000);
  };
  receive.calls = 0;
  return receive;
}

function files(folder: string): string[] {
  try {
    return [...Deno.readDirSync(`${folder}/blobs/sha256`)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

Deno.test("BlobCache keeps a blob under its digest, and finds it", async () => {
  await using folder = await temporaryFolder();
  const cache = new BlobCache(`${folder.path}/cache`);
  assert.equal(await cache.find(BLOB), undefined);
  assert.deepEqual(await collect(cache.keep(BLOB, receiver())), BYTES);
  const path = await cache.find(BLOB);
  assert.equal(path, `${folder.path}/cache/blobs/sha256/${HEX}`);
  assert.deepEqual(new Uint8Array(await Deno.readFile(path as string)), BYTES);
  if (Deno.build.os !== "windows") {
    const mode = async (of: string): Promise<number> => (await Deno.stat(of)).mode ?? 0;
    assert.equal(await mode(path as string) & 0o777, 0o600);
    assert.equal(await mode(`${folder.path}/cache`) & 0o777, 0o700);
  }
});

Deno.test("BlobCache takes no file for a blob that is not that blob", async () => {
  await using folder = await temporaryFolder();
  const cache = new BlobCache(folder.path);
  await collect(cache.keep(BLOB, receiver()));
  const path = await cache.find(BLOB) as string;
  const planted = [
    BYTES.map((byte, index) => index === 7 ? byte ^ 1 : byte),
    BYTES.slice(1),
    new Uint8Array(0),
  ];
  for (const bytes of planted) {
    await Deno.writeFile(path, bytes);
    assert.equal(await cache.find(BLOB), undefined);
    const receive = receiver();
    assert.deepEqual(await collect(cache.keep(BLOB, receive)), BYTES);
    assert.equal(receive.calls, 1);
    assert.equal(await cache.find(BLOB), path);
  }
});

Deno.test("BlobCache keeps nothing of what was not received to its end", async () => {
  await using folder = await temporaryFolder();
  const cache = new BlobCache(folder.path);
  const failure = new Error("it broke off");
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield BYTES.slice(0, 1000);
    throw failure;
  }
  await assert.rejects(collect(cache.keep(BLOB, broken)), failure);
  assert.deepEqual(files(folder.path), []);
});

Deno.test("BlobCache receives no more than is read, and leaves a mere beginning alone", async () => {
  await using folder = await temporaryFolder();
  const cache = new BlobCache(folder.path);
  let asked = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunked(BYTES, 10_000)) {
      asked++;
      yield chunk;
    }
  }
  let read = 0;
  for await (const chunk of cache.keep(BLOB, counted)) {
    read += chunk.length;
    assert.equal(asked * 10_000, read);
    assert.equal(files(folder.path).length, read > 40_000 ? 1 : 0);
    if (read === 60_000) break;
  }
  assert.equal(asked, 6);
  assert.deepEqual(files(folder.path), []);
});

Deno.test("BlobCache keeps a blob that is no longer than its beginning", async () => {
  await using folder = await temporaryFolder();
  const cache = new BlobCache(folder.path);
  for (const length of [0, 1, 32 * 1024]) {
    const bytes = noise(length);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    const blob = { mediaType: "any", digest, size: length };
    assert.deepEqual(await collect(cache.keep(blob, () => chunked(bytes, 10_000))), bytes);
    assert(await cache.find(blob));
  }
});

Deno.test("BlobCache keeps a blob whose chunks share one memory", async () => {
  await using folder = await temporaryFolder();
  const cache = new BlobCache(folder.path);
  async function* receive(): AsyncGenerator<Uint8Array> {
    const memory = new Uint8Array(10_000);
    for await (const chunk of chunked(BYTES, memory.length)) {
      memory.set(chunk);
      yield memory.subarray(0, chunk.length);
    }
  }
  assert.deepEqual(await collect(cache.keep(BLOB, receive)), BYTES);
  assert(await cache.find(BLOB));
});

Deno.test("BlobCache lets the bytes pass where it cannot be written", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  for (const place of [`${folder.path}/file`, `${folder.path}/file/below`]) {
    const cache = new BlobCache(place);
    assert.equal(await cache.find(BLOB), undefined);
    assert.deepEqual(await collect(cache.keep(BLOB, receiver())), BYTES);
  }
});

Deno.test("BlobCache receives a blob once for two who want it at once, but its beginning", async () => {
  await using folder = await temporaryFolder();
  let received = 0;
  async function* receive(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunked(BYTES, 10_000)) {
      received += chunk.length;
      yield chunk;
    }
  }
  const caches = [new BlobCache(folder.path), new BlobCache(folder.path)];
  const results = await Promise.all(caches.map((cache) => collect(cache.keep(BLOB, receive))));
  for (const result of results) assert.deepEqual(result, BYTES);
  assert.equal(received, BYTES.length + 40_000);
  assert.deepEqual(files(folder.path), [HEX]);
  // The second one, which stored nothing, left what the first one stored.
  assert.notEqual(await new BlobCache(folder.path).find(BLOB), undefined);
});

Deno.test("cacheFolder() follows XDG_CACHE_HOME, else the home folder", () => {
  const folder = (variables: Record<string, string>): string | undefined =>
    cacheFolder((name) => variables[name]);
  if (Deno.build.os === "windows") {
    assert.equal(folder({ LOCALAPPDATA: "C:/me/Local" }), "C:/me/Local/wasmcloud-par");
    return;
  }
  const below = Deno.build.os === "darwin" ? "Library/Caches" : ".cache";
  assert.equal(folder({ XDG_CACHE_HOME: "/x", HOME: "/home/me" }), "/x/wasmcloud-par");
  for (const XDG_CACHE_HOME of ["", "relative"]) {
    const found = folder({ XDG_CACHE_HOME, HOME: "/home/me" });
    assert.equal(found, `/home/me/${below}/wasmcloud-par`);
  }
  assert.equal(folder({}), undefined);
});

Deno.test({
  name: "registrySource() takes from the cache what it once received, and nothing by its name",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    await using folder = await temporaryFolder();
    const proxy = startFaultProxy(registry.host, () => undefined);
    await using _ = proxy;
    const reference = parseReference(`${proxy.host}/kv:1`);
    const cache = new BlobCache(folder.path);
    const options = { insecure: true, cache };
    const push = (bytes: Uint8Array<ArrayBuffer>) =>
      pushArchive(reference, blobSource(bytes, "kv.par"), options);
    const blobs = (): number =>
      proxy.requests.filter(({ method, path }) => method === "GET" && path.includes("/blobs/"))
        .length;

    await push(BYTES);
    {
      using source = registrySource(reference, options);
      assert.deepEqual(await collect(source.range(10, 10)), BYTES.slice(10, 20));
      assert.equal(source.bytesRead, 10);
      assert.deepEqual(files(folder.path), [], "a part is no blob");
    }
    {
      using source = registrySource(reference, options);
      assert.deepEqual(await collect(source.open()), BYTES);
      assert.equal(source.bytesRead, BYTES.length);
    }
    const before = blobs();
    {
      using source = registrySource(reference, options);
      assert.deepEqual(await collect(source.open()), BYTES);
      assert.deepEqual(await collect(source.range(10, 10)), BYTES.slice(10, 20));
      assert.equal(source.bytesRead, 0);
      assert.equal(blobs(), before);
      // Somebody changes it after it was found right.
      await Deno.writeFile(
        `${folder.path}/blobs/sha256/${HEX}`,
        BYTES.with(7, 1 ^ (BYTES[7] ?? 0)),
      );
      await assert.rejects(collect(source.open()), { code: "ERR_REGISTRY_DIGEST" });
    }
    {
      using source = registrySource(reference, { insecure: true });
      assert.deepEqual(await collect(source.open()), BYTES);
      assert.equal(source.bytesRead, BYTES.length);
    }
    // The tag moves: what it names now is what comes.
    const moved = noise(300_000, 2);
    await push(moved);
    using source = registrySource(reference, options);
    assert.deepEqual(await collect(source.open()), moved);
  },
});

Deno.test({
  name: "a cache serves two processes at once, and the layer is received once",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    await using folder = await temporaryFolder();
    const reference = `${registry.host}/kv:1`;
    const bytes = noise(8_000_000);
    const { digest, layerDigest } = await pushArchive(
      parseReference(reference),
      blobSource(bytes, "kv.par"),
      { insecure: true },
    );
    const read = () =>
      run(Deno.execPath(), [
        ...["run", "--no-prompt", "--no-config", "--no-lock", `--allow-net=${registry.host}`],
        ...[`--allow-read=${folder.path}`, `--allow-write=${folder.path}`],
        `${ROOT}/test/registry/_resolve.ts`,
        ...[reference, '{"insecure":true}', folder.path],
      ]);
    const results = (await Promise.all([read(), read(), read()])).map((text) => JSON.parse(text));
    for (const result of results) {
      assert.equal(result.digest, digest);
      assert.equal(result.length, bytes.length);
    }
    const received = results.map(({ bytesRead }) => bytesRead).sort((a, b) => a - b);
    // The others may have come while the first was at work, or after it.
    assert.equal(received[2], bytes.length);
    assert(received[1] <= 32 * 1024, `${received}`);
    assert.deepEqual(files(folder.path), [layerDigest.slice("sha256:".length)]);
  },
});
