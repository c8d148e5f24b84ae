import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ParError } from "../../lib/errors.ts";
import {
  fileName,
  isGzip,
  pullArchive,
  registrySource,
  resolveReference,
} from "../../lib/registry/pull.ts";
import { pushArchive, type PushArchiveOptions } from "../../lib/registry/push.ts";
import { parseDigest, parseReference, type Reference } from "../../lib/registry/reference.ts";
import { type ArchiveSource, blobSource, streamSource } from "../../lib/bytes/source.ts";
import { collect, concat, noise } from "../_bytes.ts";
import { temporaryFolder } from "../_tools.ts";
import { startFaultProxy } from "./_fault_proxy.ts";
import {
  hasCrane,
  hasDockerRegistry,
  type Registry,
  startCraneRegistry,
  startDockerRegistry,
} from "./_registry.ts";

const GZIP = Uint8Array.of(0x1f, 0x8b);
const INSECURE = { insecure: true } as const;
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function archive(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return concat(GZIP, noise(Math.max(0, length - 2), seed)).slice(0, length);
}

/** The manifest as the registry has it, asked for without this project's client. */
async function rawManifest(
  reference: Reference,
): Promise<{ bytes: Uint8Array; type: string | null; digest: string | null }> {
  assert("registry" in reference);
  const { registry, repository, tag } = reference;
  const answer = await fetch(`http://${registry}/v2/${repository}/manifests/${tag}`, {
    headers: { accept: MANIFEST },
  });
  assert.equal(answer.status, 200);
  return {
    bytes: new Uint8Array(await answer.arrayBuffer()),
    type: answer.headers.get("content-type"),
    digest: answer.headers.get("docker-content-digest"),
  };
}

/** The criteria that hold for every registry. */
function testWith(name: string, present: boolean, startRegistry: () => Promise<Registry>): void {
  const test = (criterion: string, body: (host: string, folder: string) => Promise<void>): void =>
    Deno.test({
      name: `${criterion} (${name})`,
      ignore: !present,
      async fn() {
        await using registry = await startRegistry();
        await using folder = await temporaryFolder();
        await body(registry.host, folder.path);
      },
    });

  test(
    "pushArchive() and pullArchive() move an archive of any size, in chunks of any size",
    async (host, folder) => {
      const settings: [length: number, options: PushArchiveOptions][] = [
        [1, {}],
        [2, {}],
        [65_536, { chunkSize: 65_536 }],
        [65_537, { chunkSize: 65_536 }],
        [1_000_000, { chunkSize: 65_536 }],
        [1_000_000, { chunkSize: 300_000 }],
        [1_000_000, { monolithic: true }],
        [9_000_000, {}],
      ];
      for (const [index, [length, options]] of settings.entries()) {
        const bytes = archive(length, index + 1);
        const reference = parseReference(`${host}/providers/kv:v${index}`);
        const pushed = await pushArchive(reference, blobSource(bytes, "kv.par.gz"), {
          ...INSECURE,
          ...options,
        });
        assert.equal(pushed.layerDigest, sha256(bytes));
        assert.equal(pushed.size, length);
        assert(pushed.uploaded);
        const destination = `${folder}/${index}.par.gz`;
        const pulled = await pullArchive(reference, { ...INSECURE, destination });
        const { digest, layerDigest } = pushed;
        assert.deepEqual(pulled, { path: destination, digest, layerDigest, size: length });
        assert.deepEqual(new Uint8Array(await Deno.readFile(destination)), bytes);
      }
    },
  );

  test("pushArchive() writes the manifest that readers of the field expect", async (host) => {
    const bytes = archive(1000, 1);
    const reference = parseReference(`${host}/providers/kv:1.2.0`);
    const pushed = await pushArchive(reference, blobSource(bytes, "any name"), {
      ...INSECURE,
      annotations: { "org.opencontainers.image.version": "1.2.0", a: "b" },
    });
    const manifest = await rawManifest(reference);
    assert.equal(manifest.type, MANIFEST);
    assert.equal(manifest.digest, pushed.digest);
    assert.equal(sha256(manifest.bytes), pushed.digest);
    assert.deepEqual(JSON.parse(new TextDecoder().decode(manifest.bytes)), {
      schemaVersion: 2,
      config: {
        mediaType: "application/vnd.wasmcloud.provider.archive.config",
        digest: sha256(new TextEncoder().encode("{}")),
        size: 2,
      },
      layers: [{
        mediaType: "application/vnd.wasmcloud.provider.archive.layer.v1+par",
        digest: sha256(bytes),
        size: 1000,
        annotations: { "org.opencontainers.image.title": "kv.par.gz" },
      }],
      annotations: { a: "b", "org.opencontainers.image.version": "1.2.0" },
    });
  });

  test("pushArchive() does not send again what the registry has", async (host) => {
    const source = blobSource(archive(100_000, 1), "kv.par.gz");
    const proxy = startFaultProxy(host, () => undefined);
    await using _ = proxy;
    const reference = parseReference(`${proxy.host}/providers/kv:1`);
    const first = await pushArchive(reference, source, INSECURE);
    const before = proxy.requests.length;
    const second = await pushArchive(reference, source, INSECURE);
    assert(first.uploaded);
    assert(!second.uploaded);
    assert.equal(second.digest, first.digest);
    assert(!first.unchanged && second.unchanged);
    const methods = (from: number): string[] =>
      proxy.requests.slice(from).map(({ method }) => method);
    assert.deepEqual(methods(before), ["HEAD"]);
    // Another tag, or other annotations, take a manifest and no blob.
    const then = proxy.requests.length;
    const third = await pushArchive(reference, source, { ...INSECURE, annotations: { a: "b" } });
    assert(!third.uploaded && !third.unchanged);
    assert.deepEqual(methods(then), ["HEAD", "HEAD", "HEAD", "PUT"]);
  });

  test("pushArchive() sends the configuration it is given", async (host) => {
    const config = new TextEncoder().encode('{"a":1}');
    const reference = parseReference(`${host}/providers/kv:1`);
    const source = blobSource(archive(1000, 1), "kv.par.gz");
    await pushArchive(reference, source, { ...INSECURE, config });
    const resolved = await resolveReference(reference, INSECURE);
    assert.equal(resolved.config.digest, sha256(config));
    const answer = await fetch(`http://${host}/v2/providers/kv/blobs/${resolved.config.digest}`);
    assert.equal(await answer.text(), '{"a":1}');
  });

  test("resolveReference() takes a tag or a digest, and checks the digest asked for", async (host) => {
    const reference = parseReference(`${host}/providers/kv:1`);
    const push = (seed: number) =>
      pushArchive(reference, blobSource(archive(1000, seed), "kv"), INSECURE);
    const { digest } = await push(1);
    const pinned = parseReference(`${host}/providers/kv@${digest}`);
    assert.equal((await resolveReference(pinned, INSECURE)).digest, digest);
    assert.equal((await resolveReference(reference, { ...INSECURE, digest })).digest, digest);
    // The tag moves on; what is pinned stays, and who asks for the tag at that digest hears of it.
    const moved = await push(2);
    assert.notEqual(moved.digest, digest);
    assert.equal((await resolveReference(reference, INSECURE)).digest, moved.digest);
    const both = parseReference(`${host}/providers/kv:1@${digest}`);
    assert.equal((await resolveReference(both, INSECURE)).digest, digest);
    await assert.rejects(
      resolveReference(reference, { ...INSECURE, digest }),
      (error: ParError) => {
        assert.equal(error.code, "ERR_REGISTRY_DIGEST");
        assert.equal(error.category, "untrusted");
        assert(error.message.includes(digest) && error.message.includes(moved.digest));
        return true;
      },
    );
  });

  test("tags are case-sensitive, and repositories are in lower case", async (host) => {
    const push = (text: string, seed: number) =>
      pushArchive(parseReference(text), blobSource(archive(1000, seed), "kv"), INSECURE);
    const upper = await push(`${host}/Providers/KV:V1.0-RC1`, 1);
    const lower = await push(`${host}/providers/kv:v1.0-rc1`, 2);
    const resolve = async (tag: string): Promise<string> =>
      (await resolveReference(parseReference(`${host}/providers/kv:${tag}`), INSECURE)).digest;
    assert.equal(await resolve("V1.0-RC1"), upper.digest);
    assert.equal(await resolve("v1.0-rc1"), lower.digest);
    assert.notEqual(upper.digest, lower.digest);
  });

  test("resolveReference() says what there is not", async (host) => {
    await pushArchive(
      parseReference(`${host}/providers/kv:1`),
      blobSource(archive(1000, 1), "kv"),
      INSECURE,
    );
    const missing = [
      `${host}/providers/kv:2`,
      `${host}/providers/other:1`,
      `${host}/providers/kv@${parseDigest("0".repeat(64))}`,
    ];
    for (const text of missing) {
      await assert.rejects(resolveReference(parseReference(text), INSECURE), (error: ParError) => {
        assert.equal(error.code, "ERR_REGISTRY_NOT_FOUND");
        assert(error.message.startsWith(`Cannot read ${text}: ${host} answered 404`));
        assert.match(error.message, /(MANIFEST|NAME)_UNKNOWN/);
        return true;
      });
    }
  });

  test("registrySource() reads ranges, and no more than it is asked for", async (host) => {
    const bytes = archive(5_000_000, 1);
    const reference = parseReference(`${host}/providers/kv:1`);
    await pushArchive(reference, blobSource(bytes, "kv.par.gz"), INSECURE);
    using source = registrySource(reference, INSECURE);
    assert.equal(await source.size(), bytes.length);
    assert.equal(source.bytesRead, 0);
    let expected = 0;
    for (const [start, length] of [[0, 1], [4_999_999, 1], [1_000_000, 700_000], [0, 32_768]]) {
      const part = await collect(source.range(start as number, length as number));
      assert.deepEqual(part, bytes.slice(start, (start as number) + (length as number)));
      expected += length as number;
      assert.equal(source.bytesRead, expected);
    }
    assert.deepEqual(await collect(source.range(4_999_990, 1000)), bytes.slice(-10));
    assert.deepEqual(await collect(source.range(5_000_000, 1000)), new Uint8Array(0));
    assert.deepEqual(await collect(source.range(0, 0)), new Uint8Array(0));
    assert.equal(source.bytesRead, expected + 10);
  });

  test("registrySource() fetches the first 32 KiB alone where no more is read", async (host) => {
    const bytes = archive(5_000_000, 1);
    const reference = parseReference(`${host}/providers/kv:1`);
    await pushArchive(reference, blobSource(bytes, "kv.par.gz"), INSECURE);
    using source = registrySource(reference, INSECURE);
    let read = 0;
    for await (const chunk of source.open()) {
      read += chunk.length;
      if (read >= 32 * 1024) break;
    }
    assert.equal(source.bytesRead, 32 * 1024);
    assert.deepEqual(await collect(source.open()), bytes);
    assert.equal(source.bytesRead, 32 * 1024 + bytes.length);
  });
}

testWith("docker-registry", hasDockerRegistry, startDockerRegistry);
testWith("crane registry serve", hasCrane, startCraneRegistry);

Deno.test({
  name: "registrySource() and pullArchive() lend each chunk until the next one is asked for",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    await using folder = await temporaryFolder();
    const bytes = archive(9_000_000, 1);
    const reference = parseReference(`${registry.host}/kv:1`);
    await pushArchive(reference, blobSource(bytes, "kv"), INSECURE);

    using source = registrySource(reference, INSECURE);
    assert.deepEqual(await collect(source.open()), bytes);
    assert.deepEqual(await collect(source.range(1, 8_999_999)), bytes.slice(1));
    // To keep them all without a copy fails at once.
    const held = await Array.fromAsync(source.open());
    assert(held.some(({ length }) => length === 0));

    const destination = `${folder.path}/kv.par.gz`;
    let kept: Uint8Array | undefined;
    await pullArchive(reference, {
      ...INSECURE,
      destination,
      verify: async (source) => void (kept = await collect(source.open())),
    });
    assert.deepEqual(kept, bytes);
    assert.deepEqual(new Uint8Array(await Deno.readFile(destination)), bytes);
  },
});

const REFERENCE = "127.0.0.1:9/kv:1";

Deno.test({
  name: "pullArchive() leaves no file where the archive is not verified, or not to its end",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    await using folder = await temporaryFolder();
    const bytes = archive(1_000_000, 1);
    const reference = parseReference(`${registry.host}/kv:1`);
    await pushArchive(reference, blobSource(bytes, "kv"), INSECURE);
    const destination = `${folder.path}/kv.par.gz`;
    await Deno.writeTextFile(destination, "what was there before");
    const pull = (verify: (source: ArchiveSource) => Promise<unknown>) =>
      pullArchive(reference, { ...INSECURE, destination, verify });

    const refusal = new ParError("ERR_TOKEN_SIGNATURE", "Cannot trust it");
    await assert.rejects(pull(() => Promise.reject(refusal)), refusal);
    await assert.rejects(
      pull(async (source) => {
        for await (const _ of source.open()) throw refusal;
      }),
      refusal,
    );
    await assert.rejects(
      pull(async (source) => {
        for await (const _ of source.open()) break;
      }),
      { code: "ERR_ARCHIVE_TRAILING_DATA" },
    );
    assert.equal(await Deno.readTextFile(destination), "what was there before");

    let seen: Uint8Array | undefined;
    await pull(async (source) => {
      assert.equal(await source.size?.(), bytes.length);
      seen = await collect(source.open());
    });
    assert.deepEqual(seen, bytes);
    assert.deepEqual(new Uint8Array(await Deno.readFile(destination)), bytes);
    assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["kv.par.gz"]);
  },
});

Deno.test("pushArchive() sends nothing where the archive is not verified", async () => {
  const proxy = startFaultProxy(undefined, () => ({ kind: "reset" }));
  await using _ = proxy;
  const refusal = new ParError("ERR_TOKEN_SIGNATURE", "Cannot trust it");
  await assert.rejects(
    pushArchive(parseReference(`${proxy.host}/kv:1`), blobSource(archive(10, 1), "kv"), {
      ...INSECURE,
      verify: () => Promise.reject(refusal),
    }),
    refusal,
  );
  assert.deepEqual(proxy.requests, []);
});

Deno.test({
  name: "pushArchive() takes annotations from the verification, and its own before them",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    const reference = parseReference(`${registry.host}/kv:1`);
    const bytes = archive(100_000, 1);
    const pushed = await pushArchive(reference, blobSource(bytes, "kv"), {
      ...INSECURE,
      annotations: { a: "mine" },
      async verify(source) {
        assert.deepEqual(await collect(source.open()), bytes);
        return { a: "theirs", b: "theirs" };
      },
    });
    assert.equal(pushed.layerDigest, sha256(bytes));
    const { annotations } = await resolveReference(reference, INSECURE);
    assert.deepEqual(annotations, { a: "mine", b: "theirs" });
  },
});

Deno.test("pushArchive() refuses a file that changed after it was verified", async () => {
  const bytes = archive(200_000, 1);
  const answers = { headers: { location: "/v2/kv/blobs/uploads/1" } };
  const proxy = startFaultProxy(
    undefined,
    ({ method }) =>
      method === "HEAD" ? { kind: "answer", status: 404 } : {
        kind: "answer",
        status: method === "POST" || method === "PATCH" ? 202 : 201,
        ...answers,
      },
  );
  await using _ = proxy;
  const shorter: ArchiveSource = {
    name: "kv.par.gz",
    open: () => blobSource(bytes, "").open(),
    range: (start, length) =>
      streamSource(new Blob([bytes.slice(0, 150_000)]).slice(start, start + length).stream(), "")
        .open(),
  };
  await assert.rejects(
    pushArchive(parseReference(`${proxy.host}/kv:1`), shorter, { ...INSECURE, chunkSize: 65_536 }),
    { code: "ERR_FILE_CHANGED", message: /kv\.par\.gz.*shorter/ },
  );
});

Deno.test("pushArchive() refuses a reference without a tag, and chunks of no size", async () => {
  const source = blobSource(archive(10, 1), "kv");
  const digest = `sha256:${"0".repeat(64)}`;
  for (const text of [`127.0.0.1:9/kv@${digest}`, `${REFERENCE}@${digest}`]) {
    await assert.rejects(pushArchive(parseReference(text), source, INSECURE), {
      code: "ERR_REFERENCE_INVALID",
    });
  }
  for (const chunkSize of [0, -1, 1000, 65_536.5, NaN]) {
    await assert.rejects(pushArchive(parseReference(REFERENCE), source, { chunkSize }), {
      code: "ERR_OPTION_INVALID",
    });
  }
});

Deno.test("pushArchive() and registrySource() end with ERR_ABORTED once the signal was given", async () => {
  const proxy = startFaultProxy(undefined, () => ({ kind: "silence" }));
  await using _ = proxy;
  const reference = parseReference(`${proxy.host}/kv:1`);
  const source = blobSource(archive(10, 1), "kv");
  const work: ((signal: AbortSignal) => Promise<unknown>)[] = [
    (signal) => pushArchive(reference, source, { ...INSECURE, signal }),
    (signal) => resolveReference(reference, { ...INSECURE, signal }),
  ];
  for (const begin of work) {
    await assert.rejects(begin(AbortSignal.abort()), { code: "ERR_ABORTED" });
    const controller = new AbortController();
    // The request has arrived, and no answer ever comes.
    proxy.rule = () => {
      controller.abort();
      return { kind: "silence" };
    };
    await assert.rejects(begin(controller.signal), { code: "ERR_ABORTED" });
  }
});

Deno.test("registrySource() reports its progress", async () => {
  const bytes = archive(100_000, 1);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: "any", digest: sha256(GZIP), size: 2 },
    layers: [{
      mediaType: "application/vnd.wasmcloud.provider.archive.layer.v1+par",
      digest: sha256(bytes),
      size: bytes.length,
    }],
  });
  const proxy = startFaultProxy(undefined, ({ path }) => ({
    kind: "answer",
    status: 200,
    body: path.includes("/manifests/") ? manifest : bytes,
    headers: { "content-type": MANIFEST },
  }));
  await using _ = proxy;
  const progress: [number, number][] = [];
  using source = registrySource(parseReference(`${proxy.host}/kv:1`), {
    ...INSECURE,
    onProgress: (done, total) => progress.push([done, total]),
  });
  assert.deepEqual(await collect(source.open()), bytes);
  assert.deepEqual(progress.at(-1), [100_000, 100_000]);
  assert(progress.every(([done], index) => done > (progress[index - 1]?.[0] ?? 0)));
});

Deno.test("fileName() follows the repository's last part and the archive's first bytes", () => {
  const reference = parseReference("h.example/org/kv-redis:1");
  assert.equal(fileName(reference, isGzip(GZIP)), "kv-redis.par.gz");
  assert.equal(fileName(reference, isGzip(new TextEncoder().encode("cl"))), "kv-redis.par");
  assert.equal(fileName(reference, isGzip(new Uint8Array(0))), "kv-redis.par");
});
