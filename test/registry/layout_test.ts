import assert from "node:assert/strict";
import { registrySource, resolveReference } from "../../lib/registry/pull.ts";
import { pushArchive } from "../../lib/registry/push.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import { listTags } from "../../lib/registry/tags.ts";
import { copyArchive } from "../../lib/registry/copy.ts";
import { copy } from "../../lib/verbs/copy.ts";
import { extract } from "../../lib/verbs/extract.ts";
import { pull } from "../../lib/verbs/pull.ts";
import { push } from "../../lib/verbs/push.ts";
import { verify } from "../../lib/verbs/verify.ts";
import { hashSource } from "../../lib/bytes/hashed_source.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { archiveOf, BINARIES, gzipped } from "../_archive.ts";
import { collect, concat, noise } from "../_bytes.ts";
import { otherIssuerPair } from "../_keys.ts";
import { temporaryFolder } from "../_tools.ts";
import { startFaultProxy } from "./_fault_proxy.ts";
import {
  hasCrane,
  hasDockerRegistry,
  hasOras,
  hasSkopeo,
  type Registry,
  run,
  startCraneRegistry,
  startDockerRegistry,
} from "./_registry.ts";

const BYTES = concat(Uint8Array.of(0x1f, 0x8b), noise(500_000));
const SOURCE = blobSource(BYTES, "kv.par.gz");
const OTHER = blobSource(noise(1000), "other.par");

/** Reads all bytes that a reference names. */
async function read(text: string): Promise<Uint8Array> {
  using source = registrySource(parseReference(text));
  return await collect(source.open());
}

for (const layout of ["oci", "oci-archive"]) {
  Deno.test(`pushArchive() and registrySource() write and read a layout (${layout})`, async () => {
    await using folder = await temporaryFolder();
    const place = `${layout}:${folder.path}/kv.oci`;
    const pushed = await pushArchive(parseReference(`${place}:1.0-RC1`), SOURCE, {
      tags: ["stable", "1.0"],
      annotations: { a: "b" },
    });
    assert.deepEqual([...pushed.tags].sort(), ["1.0", "1.0-RC1", "stable"]);
    assert.deepEqual(await listTags(place), ["1.0", "1.0-RC1", "stable"]);
    for (const rest of [":1.0", ":stable", `@${pushed.digest}`, `:1.0@${pushed.digest}`]) {
      assert.deepEqual(await read(`${place}${rest}`), BYTES);
    }
    using source = registrySource(parseReference(`${place}:1.0`));
    const { annotations, digest, layer } = await source.resolve();
    assert.equal(digest, pushed.digest);
    assert.deepEqual(annotations, { a: "b" });
    assert.equal(layer.digest, pushed.layerDigest);
    assert.equal(await source.size(), BYTES.length);
    assert.deepEqual(await collect(source.range(100_000, 10)), BYTES.slice(100_000, 100_010));
    assert.deepEqual(await collect(source.range(499_995, 1000)), BYTES.slice(499_995));
    // Nothing is left beside it.
    assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["kv.oci"]);
    await assert.rejects(read(`${place}:2.0`), {
      code: "ERR_REGISTRY_NOT_FOUND",
      message: /no manifest "2\.0"; its tags are: .*stable/,
    });
  });
}

Deno.test("pushArchive() adds to a layout, moves its tags, and writes the same bytes again", async () => {
  await using folder = await temporaryFolder();
  const place = `oci:${folder.path}/layout`;
  const first = await pushArchive(parseReference(`${place}:1`), SOURCE);
  const again = await pushArchive(parseReference(`${place}:1`), SOURCE);
  assert(again.unchanged && first.uploaded);
  const second = await pushArchive(parseReference(`${place}:2`), OTHER);
  assert.deepEqual(await listTags(place), ["1", "2"]);
  await pushArchive(parseReference(`${place}:1`), OTHER);
  for (const tag of ["1", "2"]) {
    assert.equal((await resolveReference(parseReference(`${place}:${tag}`))).digest, second.digest);
  }
  assert.equal(
    (await resolveReference(parseReference(`${place}@${first.digest}`))).digest,
    first.digest,
  );
  await assert.rejects(read(place), { code: "ERR_REGISTRY_NOT_FOUND", message: /several/ });

  const archives = ["a", "b"].map((name) => `${folder.path}/${name}/kv.tar`);
  for (const path of archives) {
    await Deno.mkdir(path.replace("/kv.tar", ""));
    await pushArchive(parseReference(`oci-archive:${path}:1`), SOURCE, { tags: ["2"] });
  }
  const [a, b] = await Promise.all(archives.map((path) => Deno.readFile(path)));
  assert.deepEqual(a, b);
});

Deno.test("a layout without a tag holds the one archive", async () => {
  await using folder = await temporaryFolder();
  const place = `oci:${folder.path}/layout`;
  await pushArchive(parseReference(place), SOURCE);
  assert.deepEqual(await read(place), BYTES);
  assert.deepEqual(await listTags(place), []);
});

Deno.test("hashSource() takes the digest that an archive's manifest states, once the bytes have it", async () => {
  await using folder = await temporaryFolder();
  const place = `oci:${folder.path}/layout:1`;
  const { layerDigest: digest } = await pushArchive(parseReference(place), SOURCE);
  const hashed = { digest, size: BYTES.length };
  using read = registrySource(parseReference(place));
  await collect(hashSource(read).open());
  const blob = `${folder.path}/layout/blobs/sha256/${digest.slice(7)}`;
  await Deno.writeFile(blob, BYTES.toReversed());
  assert.deepEqual(await hashSource(read).hashed(), hashed);
  using unread = registrySource(parseReference(place));
  await assert.rejects(hashSource(unread).hashed(), { code: "ERR_REGISTRY_DIGEST" });
});

Deno.test("a layout that is damaged is refused", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/layout`;
  const place = `oci:${path}:1`;
  await assert.rejects(read(place), {
    code: "ERR_REGISTRY_NOT_FOUND",
    message: /no OCI image lay/,
  });
  const { digest, layerDigest } = await pushArchive(parseReference(place), SOURCE);
  const blob = (name: string): string => `${path}/blobs/sha256/${name.slice(7)}`;
  const damaged = BYTES.slice();
  damaged[1000] = (damaged[1000] ?? 0) ^ 1;
  await Deno.writeFile(blob(layerDigest), damaged);
  await assert.rejects(read(place), { code: "ERR_REGISTRY_DIGEST" });
  await Deno.writeFile(blob(layerDigest), BYTES.slice(1));
  await assert.rejects(read(place), {
    code: "ERR_REGISTRY_DIGEST",
    message: /has 500001 bytes, and 500002 according to the manifest/,
  });
  await Deno.remove(blob(layerDigest));
  await assert.rejects(read(place), { code: "ERR_REGISTRY_NOT_FOUND" });
  // A push repairs it.
  await pushArchive(parseReference(`${place}-new`), SOURCE);
  assert.deepEqual(await read(place), BYTES);
  await Deno.writeTextFile(blob(digest), "{}");
  await assert.rejects(read(place), { code: "ERR_REGISTRY_DIGEST" });
  await Deno.remove(blob(digest));
  await assert.rejects(read(place), { code: "ERR_REGISTRY_NOT_FOUND", message: /has no file/ });
  for (const text of ["[]", "{}", "x"]) {
    await Deno.writeTextFile(`${path}/index.json`, text);
    await assert.rejects(read(place), { code: "ERR_REGISTRY_CONTENT" });
  }
  const index = { schemaVersion: 2, manifests: [] };
  await Deno.writeTextFile(`${path}/index.json`, JSON.stringify(index) + " ".repeat(2 ** 22));
  await assert.rejects(read(place), {
    code: "ERR_REGISTRY_CONTENT",
    message: /"index\.json" has more than 4194304 bytes/,
  });
  await Deno.writeFile(`${folder.path}/file`, BYTES);
  await assert.rejects(read(`oci:${folder.path}/file:1`), {
    code: "ERR_REGISTRY_CONTENT",
    message: /it is a file; a layout in a tar archive is oci-archive:FILE/,
  });
  const header = new Uint8Array(512);
  header.set(new TextEncoder().encode("index.json"));
  header.set(new TextEncoder().encode("a size"), 124);
  header.set(new TextEncoder().encode("ustar"), 257);
  for (
    const [bytes, message] of [
      [new Uint8Array(10), /it has no index\.json/],
      [new Uint8Array(1024), /it has no index\.json/],
      [noise(2048), /it is not a tar archive/],
      [header, /a size in it is not a number/],
    ] as const
  ) {
    await Deno.writeFile(`${folder.path}/x.tar`, bytes);
    await assert.rejects(read(`oci-archive:${folder.path}/x.tar:1`), {
      code: "ERR_REGISTRY_CONTENT",
      message,
    });
  }
});

Deno.test({
  name: "oras and skopeo read the layouts that pushArchive() writes",
  ignore: !hasOras || !hasSkopeo,
  async fn() {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/layout`;
    const { digest } = await pushArchive(parseReference(`oci:${path}:1.0`), SOURCE);
    await pushArchive(parseReference(`oci-archive:${path}.tar:1.0`), SOURCE);
    for (const place of [path, `${path}.tar`]) {
      const resolved = await run("oras", ["resolve", "--oci-layout", `${place}:1.0`]);
      assert.equal(resolved.trim(), digest);
      const out = `${place}.out`;
      await run("oras", ["pull", "--oci-layout", "-o", out, `${place}:1.0`]);
      const [file] = [...Deno.readDirSync(out)].map(({ name }) => name);
      assert.deepEqual(new Uint8Array(await Deno.readFile(`${out}/${file}`)), BYTES);
    }
    for (const [from, to] of [[`oci:${path}`, "b"], [`oci-archive:${path}.tar`, "c"]] as const) {
      const target = `oci:${folder.path}/${to}:1.0`;
      await run("skopeo", ["copy", "--preserve-digests", `${from}:1.0`, target]);
      assert.equal((await resolveReference(parseReference(target))).digest, digest);
      assert.deepEqual(await read(target), BYTES);
    }
  },
});

Deno.test({
  name: "registrySource() reads the layouts that oras and skopeo write",
  ignore: !hasDockerRegistry || !hasOras || !hasSkopeo,
  async fn() {
    await using registry = await startDockerRegistry();
    await using folder = await temporaryFolder();
    const name = `${registry.host}/org/kv:1`;
    const { digest } = await pushArchive(parseReference(name), SOURCE);
    const path = (name: string): string => `${folder.path}/${name}`;
    await run("oras", ["cp", "--from-plain-http", "--to-oci-layout", name, `${path("oras")}:1`]);
    for (const kind of ["oci", "oci-archive"]) {
      await run("skopeo", [
        ...["copy", "--src-tls-verify=false", "--preserve-digests"],
        ...[`docker://${name}`, `${kind}:${path(kind)}:1`],
      ]);
    }
    await run("tar", ["-C", path("oras"), "-cf", path("gnu.tar"), "."]);
    const places = ["oci:oras", "oci:oci", "oci-archive:oci-archive", "oci-archive:gnu.tar"];
    for (const place of places.map((text) => text.replace(":", `:${folder.path}/`))) {
      assert.equal((await resolveReference(parseReference(`${place}:1`))).digest, digest, place);
      assert.deepEqual(await read(`${place}:1`), BYTES, place);
      assert.deepEqual(await read(place), BYTES, place);
    }
  },
});

/** The criteria of copying that hold for every registry. */
function testCopy(name: string, present: boolean, start: () => Promise<Registry>): void {
  Deno.test({
    name: `copyArchive() carries an archive and its referrers over an air gap (${name})`,
    ignore: !present || !hasOras,
    async fn() {
      await using here = await start();
      await using there = await start();
      await using folder = await temporaryFolder();
      const from = `${here.host}/org/kv:1`;
      const { digest } = await pushArchive(parseReference(from), SOURCE);
      await Deno.writeTextFile(`${folder.path}/sbom.json`, '{"sbom":1}');
      const attach = async (subject: string, type: string): Promise<string> => {
        const printed = await run("oras", [
          ...["attach", "--plain-http", "--artifact-type", type, "--format", "json"],
          ...[subject, "sbom.json:application/json"],
        ], { cwd: folder.path });
        return JSON.parse(printed).digest;
      };
      const sbom = await attach(from, "application/vnd.example.sbom");
      const signature = await attach(`${here.host}/org/kv@${sbom}`, "application/vnd.example.sig");

      const places = [`oci:${folder.path}/a:1`, `oci-archive:${folder.path}/b.tar:1`];
      const last = `${there.host}/copies/kv:2`;
      for (
        const [source, target] of [[from, places[0]], [places[0], places[1]], [places[1], last]]
      ) {
        const copied = await copyArchive(
          parseReference(source as string),
          parseReference(target as string),
        );
        assert.equal(copied.digest, digest);
        assert.deepEqual([...copied.referrers].sort(), [sbom, signature].sort(), `${source}`);
      }
      assert.deepEqual(await read(last), BYTES);
      // Asked for with a client that is not ours.
      const discover = async (subject: string): Promise<string[]> => {
        const args = ["discover", "--plain-http", "--format", "json", "--depth", "1", subject];
        const found = JSON.parse(await run("oras", args));
        return (found.referrers ?? found.manifests).map((entry: { digest: string }) =>
          entry.digest
        );
      };
      assert.deepEqual(await discover(last), [sbom]);
      assert.deepEqual(await discover(`${there.host}/copies/kv@${sbom}`), [signature]);
    },
  });
}

testCopy("docker-registry, without a list of referrers", hasDockerRegistry, startDockerRegistry);
testCopy("crane registry serve", hasCrane, startCraneRegistry);

Deno.test({
  name: "copy() writes nothing where the archive fails verification or a digest differs",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    await using folder = await temporaryFolder();
    const forged = gzipped(await archiveOf({ signer: await otherIssuerPair() }));
    const from = `${registry.host}/forged:1`;
    await pushArchive(parseReference(from), blobSource(forged, "forged"));
    const to = [`oci:${folder.path}/a:1`, `oci-archive:${folder.path}/b:1`, `${registry.host}/b:1`];
    for (const target of to) {
      await assert.rejects(copy(from, target), { code: "ERR_TOKEN_SIGNATURE" });
    }
    const good = gzipped(await archiveOf());
    const { layerDigest } = await push(good, `${registry.host}/good:1`);
    const proxy = startFaultProxy(
      registry.host,
      ({ method, path }) =>
        method === "GET" && path.includes(layerDigest)
          ? { kind: "answer", status: 200, body: noise(good.length) }
          : undefined,
    );
    await using _ = proxy;
    for (const target of to) {
      await assert.rejects(
        copyArchive(
          parseReference(`${proxy.host}/good:1`),
          parseReference(target),
          { insecure: true },
        ),
        { code: "ERR_REGISTRY_DIGEST" },
      );
      await assert.rejects(resolveReference(parseReference(target)), {
        code: target.startsWith("oci-archive:") ? "ERR_FILE_NOT_FOUND" : "ERR_REGISTRY_NOT_FOUND",
      });
    }
    await copy(`${registry.host}/good:1`, `oci:${folder.path}/a:1`);
    assert.deepEqual(await read(`oci:${folder.path}/a:1`), good);
  },
});

Deno.test("every verb that reads takes a layout", async () => {
  await using folder = await temporaryFolder();
  const archive = gzipped(await archiveOf());
  const place = `oci:${folder.path}/layout:1.0`;
  await push(archive, place);
  const destination = `${folder.path}/fakepay.par.gz`;
  await pull(place, { destination });
  assert.deepEqual(new Uint8Array(await Deno.readFile(destination)), archive);
  using source = registrySource(parseReference(place));
  assert((await verify(source)).trusted);
  const [target = ""] = Object.keys(BINARIES);
  await extract(source, { outputs: { [target]: `${folder.path}/lib` } });
  assert.deepEqual(
    new Uint8Array(await Deno.readFile(`${folder.path}/lib`)),
    concat(BINARIES[target] ?? ""),
  );
});

Deno.test({
  name: "listTags() follows the pages of a list, and a refusal of latest shows the tags",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    const repository = `${registry.host}/org/kv`;
    const tags = ["1.0", "1.1", "1.2", "2.0", "Nightly"];
    await pushArchive(parseReference(`${repository}:0.9`), SOURCE, { tags });
    assert.deepEqual((await listTags(repository)).sort(), ["0.9", ...tags]);
    // Two a page, as a registry with many tags does; this one sends them all at once.
    const all = ["0.9", ...tags];
    const proxy = startFaultProxy(registry.host, ({ path }) => {
      const start = Number(/\/tags\/list(?:\?from=(\d+))?$/.exec(path)?.[1] ?? 0);
      const link = `</v2/org/kv/tags/list?from=${start + 2}>; rel="next"`;
      return {
        kind: "answer",
        status: 200,
        headers: start + 2 < all.length ? { link } : {},
        body: JSON.stringify({ name: "org/kv", tags: all.slice(start, start + 2) }),
      };
    });
    await using _ = proxy;
    assert.deepEqual(await listTags(`${proxy.host}/org/kv`, { insecure: true }), all);
    assert.equal(proxy.requests.length, 3);
    // A page that links to itself, and a repository without tags.
    proxy.rule = () => ({
      kind: "answer",
      status: 200,
      headers: { link: '</v2/org/kv/tags/list>; rel="next"' },
      body: '{"tags":["1.0"]}',
    });
    assert.deepEqual(await listTags(`${proxy.host}/org/kv`, { insecure: true }), ["1.0"]);
    proxy.rule = () => ({ kind: "answer", status: 200, body: '{"tags":null}' });
    assert.deepEqual(await listTags(`${proxy.host}/org/kv`, { insecure: true }), []);

    await assert.rejects(pull(repository), {
      code: "ERR_REFERENCE_LATEST",
      message: /allow latest; its tags are: .*1\.2.*Nightly/,
    });
    await assert.rejects(pull("127.0.0.1:9/org/kv"), {
      code: "ERR_REFERENCE_LATEST",
      message: /allow latest$/,
    });
    await assert.rejects(listTags(`${registry.host}/none`), { code: "ERR_REGISTRY_NOT_FOUND" });
  },
});
