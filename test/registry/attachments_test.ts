import assert from "node:assert/strict";
import { openAttachments } from "../../lib/registry/attachments.ts";
import { digestOf } from "../../lib/registry/descriptor.ts";
import { copyArchive } from "../../lib/registry/copy.ts";
import { pushArchive } from "../../lib/registry/push.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import type { RegistryOptions } from "../../lib/registry/options.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { noise } from "../_bytes.ts";
import { temporaryFolder } from "../_tools.ts";
import { type Fault, type Rule, startFaultProxy } from "./_fault_proxy.ts";
import {
  hasCrane,
  hasDockerRegistry,
  hasOlareg,
  hasOras,
  instantClock,
  type Registry,
  run,
  startCraneRegistry,
  startDockerRegistry,
  startOlareg,
} from "./_registry.ts";

const SOURCE = blobSource(noise(1000), "kv.par");
const TYPE = "application/vnd.example.note";

/** Something to attach. */
function note(text: string) {
  const content = new TextEncoder().encode(text);
  return { artifactType: TYPE, content, annotations: { "org.example.text": text } };
}

/** Attaches texts one after the other, and gives the digests of their manifests. */
async function attach(
  place: string,
  subject: string,
  texts: readonly string[],
  options: RegistryOptions = {},
): Promise<string[]> {
  await using attachments = openAttachments(parseReference(place), subject, {
    ...options,
    write: true,
  });
  const digests: string[] = [];
  for (const text of texts) digests.push(await attachments.add(note(text)));
  return digests;
}

/** Reads what is attached: the texts, sorted. */
async function read(
  place: string,
  subject: string,
  options: RegistryOptions = {},
): Promise<string[]> {
  await using attachments = openAttachments(parseReference(place), subject, options);
  const texts: string[] = [];
  for (const { layers, annotations } of await attachments.list()) {
    for (const layer of layers) {
      const text = new TextDecoder().decode(await attachments.read(layer, 1000));
      assert.equal(annotations["org.example.text"], text);
      texts.push(text);
    }
  }
  return texts.sort();
}

/** What oras, a client that is not ours, finds. */
async function discover(
  args: readonly string[],
): Promise<{ digest: string; artifactType: string }[]> {
  const found = JSON.parse(
    await run("oras", ["discover", "--format", "json", "--depth", "1", ...args]),
  );
  return found.referrers ?? found.manifests ?? [];
}

const REGISTRIES: readonly (readonly [string, boolean, () => Promise<Registry>])[] = [
  ["docker-registry, without a list of referrers", hasDockerRegistry, startDockerRegistry],
  ["crane registry serve", hasCrane, startCraneRegistry],
  ["olareg, with a list of referrers", hasOlareg, startOlareg],
];

for (const [name, present, start] of REGISTRIES) {
  Deno.test({
    name: `add() attaches what list() and oras find (${name})`,
    ignore: !present || !hasOras,
    async fn() {
      await using registry = await start();
      const place = `${registry.host}/org/kv:1`;
      const { digest } = await pushArchive(parseReference(place), SOURCE);
      assert.deepEqual(await read(place, digest), []);
      const digests = await attach(place, digest, ["one", "two", "three"]);
      assert.deepEqual(await read(place, digest), ["one", "three", "two"]);
      const found = await discover(["--plain-http", place]);
      assert.deepEqual(found.map((entry) => entry.digest).sort(), [...digests].sort());
      assert(found.every(({ artifactType }) => artifactType === TYPE));
      // The same once more changes nothing.
      await attach(place, digest, ["one"]);
      assert.deepEqual(await read(place, digest), ["one", "three", "two"]);
    },
  });

  Deno.test({
    name: `add() of several writers at once loses nothing (${name})`,
    ignore: !present || !hasOras,
    async fn() {
      await using registry = await start();
      const place = `${registry.host}/org/kv:1`;
      const { digest } = await pushArchive(parseReference(place), SOURCE);
      const texts = Array.from({ length: 8 }, (_, index) => `text ${index}`);
      await Promise.all(texts.map((text) => attach(place, digest, [text])));
      assert.deepEqual(await read(place, digest), texts);
      assert.equal((await discover(["--plain-http", place])).length, 8);
    },
  });
}

Deno.test({
  name: "list() finds what oras attached",
  ignore: !hasDockerRegistry || !hasOras,
  async fn() {
    await using registry = await startDockerRegistry();
    await using folder = await temporaryFolder();
    const place = `${registry.host}/org/kv:1`;
    const { digest } = await pushArchive(parseReference(place), SOURCE);
    await Deno.writeTextFile(`${folder.path}/sbom.json`, "{}");
    const args = ["attach", "--plain-http", "--artifact-type", "application/vnd.example.sbom"];
    await run("oras", [...args, place, "sbom.json:application/json"], { cwd: folder.path });
    await attach(place, digest, ["ours"]);
    await using attachments = openAttachments(parseReference(place), digest);
    const types = (await attachments.list()).map(({ artifactType }) => artifactType).sort();
    assert.deepEqual(types, [TYPE, "application/vnd.example.sbom"]);
  },
});

Deno.test({
  name: "add() attaches in a layout what oras finds, and not in a tar archive",
  ignore: !hasOras,
  async fn() {
    await using folder = await temporaryFolder();
    const place = `oci:${folder.path}/kv:1`;
    const { digest } = await pushArchive(parseReference(place), SOURCE);
    const texts = Array.from({ length: 8 }, (_, index) => `text ${index}`);
    await Promise.all(texts.map((text) => attach(place, digest, [text])));
    assert.deepEqual(await read(place, digest), texts);
    assert.equal((await discover(["--oci-layout", `${folder.path}/kv:1`])).length, 8);
    const tar = `oci-archive:${folder.path}/kv.tar:1`;
    await copyArchive(parseReference(place), parseReference(tar));
    assert.deepEqual(await read(tar, digest), texts);
    assert.throws(() => openAttachments(parseReference(tar), digest, { write: true }), {
      code: "ERR_REFERENCE_INVALID",
      message: /a layout in a tar archive is not changed; copy it to a folder/,
    });
  },
});

Deno.test("read() of all that is attached is bounded too", async () => {
  await using folder = await temporaryFolder();
  const reference = parseReference(`oci:${folder.path}/kv:1`);
  const { digest } = await pushArchive(reference, SOURCE);
  await using attachments = openAttachments(reference, digest, { write: true });
  for (const first of [1, 2]) {
    const content = new Uint8Array(33 * 1024 * 1024).fill(first, 0, 1);
    await attachments.add({ artifactType: TYPE, content, annotations: {} });
  }
  await attachments.add(note("small"));
  const [one, two, small] = (await attachments.list()).flatMap(({ layers }) => layers);
  assert(one && two && small);
  const most = 64 * 1024 * 1024;
  assert.equal((await attachments.read(one, most)).length, one.size);
  await assert.rejects(attachments.read(two, most), {
    code: "ERR_LIMIT_REFERRERS",
    message: /what is attached has more than 67108864 bytes/,
  });
  // What was refused does not count.
  assert.equal((await attachments.read(small, most)).length, small.size);
});

/** A proxy before a registry with an archive, and one attachment if asked for. */
async function behind(
  start: () => Promise<Registry>,
  texts: readonly string[],
  body: (place: string, digest: string, set: (rule: Rule) => void) => Promise<void>,
): Promise<void> {
  await using registry = await start();
  const { digest } = await pushArchive(parseReference(`${registry.host}/org/kv:1`), SOURCE);
  await attach(`${registry.host}/org/kv:1`, digest, texts);
  const proxy = startFaultProxy(registry.host, () => undefined);
  await using _ = proxy;
  await body(`${proxy.host}/org/kv:1`, digest, (rule) => proxy.rule = rule);
}

const onReferrers = (fault: Fault): Rule => ({ path }) =>
  path.includes("/referrers/") ? fault : undefined;

const INDEX = "application/vnd.oci.image.index.v1+json";
const index = (manifests: unknown[]): Fault => ({
  kind: "answer",
  status: 200,
  headers: { "content-type": INDEX },
  body: JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }),
});

for (const status of [404, 405, 500]) {
  Deno.test({
    name: `add() and list() use the tag where the list of referrers answers ${status}`,
    ignore: !hasDockerRegistry || !hasOras,
    fn: () =>
      behind(startDockerRegistry, [], async (place, digest, set) => {
        set(onReferrers({ kind: "answer", status }));
        const options = { insecure: true, tries: 2 };
        await attach(place, digest, ["one", "two"], options);
        assert.deepEqual(await read(place, digest, options), ["one", "two"]);
        // oras asks the registry itself, which has no list.
        set(() => undefined);
        assert.equal((await discover(["--plain-http", place])).length, 2);
      }),
  });
}

Deno.test({
  name: "list() does not take a list that cannot be read for an empty one",
  ignore: !hasDockerRegistry,
  fn: () =>
    behind(startDockerRegistry, [], async (place, digest, set) => {
      set(onReferrers({ kind: "answer", status: 500 }));
      await assert.rejects(read(place, digest, { insecure: true, clock: instantClock() }), {
        code: "ERR_REGISTRY_UNREACHABLE",
        message: /answered 500/,
      });
    }),
});

Deno.test({
  name: "add() asks for the list, whatever OCI-Subject says",
  ignore: !hasDockerRegistry,
  fn: () =>
    behind(startDockerRegistry, [], async (place, digest, set) => {
      set(({ method }) =>
        method === "PUT" ? { kind: "rewrite", headers: { "oci-subject": digest } } : undefined
      );
      await attach(place, digest, ["one"], { insecure: true });
      assert.deepEqual(await read(place, digest, { insecure: true }), ["one"]);
    }),
});

Deno.test({
  name: "add() says which index it changes, and reads it again where another one was faster",
  ignore: !hasDockerRegistry || !hasOras,
  fn: () =>
    behind(startDockerRegistry, [], async (place, digest, set) => {
      const conditions: (string | undefined)[] = [];
      let refused = 0;
      set(({ method, path, headers }) => {
        if (method !== "PUT" || !/\/manifests\/sha256-/.test(path)) return undefined;
        conditions.push(headers.get("if-match") ?? headers.get("if-none-match"));
        return refused++ === 1 ? { kind: "answer", status: 412 } : undefined;
      });
      await attach(place, digest, ["one", "two"], { insecure: true });
      assert.deepEqual(await read(place, digest, { insecure: true }), ["one", "two"]);
      const [first, second, third] = conditions;
      assert.equal(conditions.length, 3);
      assert.equal(first, "*");
      assert.match(second ?? "", /^"sha256:/);
      assert.equal(third, second);
    }),
});

Deno.test({
  name: "add() fails where the registry has a list and does not take the manifest into it",
  ignore: !hasDockerRegistry,
  fn: () =>
    behind(startDockerRegistry, [], async (place, digest, set) => {
      set(onReferrers(index([])));
      const options = { insecure: true, clock: instantClock() };
      await assert.rejects(attach(place, digest, ["one"], options), {
        code: "ERR_REGISTRY_UNREACHABLE",
        message: /the registry's list of what refers to sha256:.* lacks sha256:/,
      });
    }),
});

Deno.test({
  name: "add() writes the manifest again where the registry's list has lost it",
  ignore: !hasDockerRegistry,
  fn: () =>
    behind(startDockerRegistry, [], async (place, digest, set) => {
      const written: string[] = [];
      set((request) => {
        const [, name] = /\/manifests\/(sha256:.*)/.exec(request.path) ?? [];
        if (request.method === "PUT" && name !== undefined) written.push(name);
        const listed = written.slice(1).map((digest) => ({ mediaType: TYPE, size: 7, digest }));
        return onReferrers(index(listed))(request);
      });
      const options = { insecure: true, clock: instantClock() };
      const [one] = await attach(place, digest, ["one"], options);
      assert.deepEqual(written, [one, one]);
    }),
});

Deno.test({
  name: "add() gives up where others overwrite the index under the tag without end",
  ignore: !hasDockerRegistry,
  fn: () =>
    behind(startDockerRegistry, [], async (place, digest, set) => {
      let written = 0;
      set(({ method, path }) => {
        if (!/\/manifests\/sha256-/.test(path)) return undefined;
        if (method === "PUT") written++;
        return method === "PUT" ? undefined : index([]);
      });
      const options = { insecure: true, clock: instantClock() };
      await assert.rejects(attach(place, digest, ["one"], options), {
        code: "ERR_REGISTRY_REFUSED",
        message: /others overwrote the tag sha256-[0-9a-f]{64}, which lists it, 20 times/,
      });
      assert.equal(written, 20);
    }),
});

Deno.test({
  name: "list() believes the manifests, and not what a list says of them",
  ignore: !hasDockerRegistry || !hasOras,
  fn: () =>
    behind(startDockerRegistry, [], async (place, digest, set) => {
      const options = { insecure: true };
      const [one = ""] = await attach(place, digest, ["one"], options);
      const other = await pushArchive(
        parseReference(place.replace(":1", ":2")),
        blobSource(noise(500), "other.par"),
        options,
      );
      const [foreign = ""] = await attach(place, other.digest, ["of another"], options);
      const entry = (digest: string, artifactType: string) => ({
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        size: 7,
        digest,
        artifactType,
      });
      const missing = `sha256:${"0".repeat(64)}`;
      set(onReferrers(index([
        entry(one, "application/vnd.example.lie"),
        entry(foreign, TYPE),
        entry(missing, TYPE),
        entry(digest, TYPE),
        { digest: "x" },
        7,
      ])));
      assert.deepEqual(await read(place, digest, options), ["one"]);
      await using folder = await temporaryFolder();
      const layout = parseReference(`oci:${folder.path}/copy:1`);
      const { referrers } = await copyArchive(parseReference(place), layout, options);
      assert.deepEqual(referrers, [one]);
      await using attachments = openAttachments(parseReference(place), digest, options);
      assert.deepEqual((await attachments.list()).map(({ artifactType }) => artifactType), [TYPE]);
      // Other bytes than those of the digest.
      set((request) =>
        request.path.endsWith(one)
          ? { kind: "answer", status: 200, body: '{"schemaVersion":2}' }
          : undefined
      );
      await assert.rejects(read(place, digest, options), { code: "ERR_REGISTRY_DIGEST" });
    }),
});

Deno.test({
  name: "copyArchive() says which referrer it cannot copy",
  ignore: !hasDockerRegistry,
  fn: () =>
    behind(startDockerRegistry, [], async (place, _digest, set) => {
      const body = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] });
      const several = await digestOf(new TextEncoder().encode(body));
      const listed = onReferrers(index([{ mediaType: INDEX, size: body.length, digest: several }]));
      set((request) =>
        request.path.endsWith(several)
          ? { kind: "answer", status: 200, body, headers: { "content-type": INDEX } }
          : listed(request)
      );
      await using folder = await temporaryFolder();
      const copy = parseReference(`oci:${folder.path}/copy:1`);
      await assert.rejects(copyArchive(parseReference(place), copy, { insecure: true }), {
        code: "ERR_REGISTRY_CONTENT",
        message: new RegExp(`the manifest ${several} is not that of an image`),
      });
    }),
});

Deno.test({
  name: "list() and read() are bounded",
  ignore: !hasDockerRegistry,
  fn: () =>
    behind(startDockerRegistry, ["one"], async (place, digest, set) => {
      const options = { insecure: true };
      const entries = (count: number, start = 0): unknown[] =>
        Array.from({ length: count }, (_, number) => ({
          mediaType: "application/vnd.oci.image.manifest.v1+json",
          size: 7,
          digest: `sha256:${(start + number).toString(16).padStart(64, "0")}`,
        }));
      const tooMany = { code: "ERR_LIMIT_REFERRERS", message: /more than 1000 manifests/ };
      set(onReferrers(index(entries(1001))));
      await assert.rejects(read(place, digest, options), tooMany);
      // The same in the index under the tag.
      set(({ path }) => /\/manifests\/sha256-/.test(path) ? index(entries(1001)) : undefined);
      await assert.rejects(read(place, digest, options), tooMany);
      // Pages without end, each with something new.
      let page = 0;
      let asked = 0;
      const next = (fault: Fault): Fault =>
        fault.kind === "answer"
          ? { ...fault, headers: { ...fault.headers, link: '<?page=2>; rel="next"' } }
          : fault;
      set(({ path }) => {
        if (!path.includes("/referrers/")) return undefined;
        asked++;
        return next(index(entries(10, 10 * page++)));
      });
      await assert.rejects(read(place, digest, options), tooMany);
      assert.equal(asked, 101);
      // A page that links to itself.
      set(onReferrers(next(index([]))));
      assert.deepEqual(await read(place, digest, options), []);
      // More bytes than a page may have.
      set(onReferrers({ kind: "endless" }));
      await assert.rejects(read(place, digest, options));
      // Manifests of 3 MB each.
      const large = new Map<string, string>();
      for (let number = 0; number < 6; number++) {
        const text = JSON.stringify({ number, a: "x".repeat(3_000_000) });
        large.set(await digestOf(new TextEncoder().encode(text)), text);
      }
      set(({ path }) => {
        const body = large.get(path.slice(path.lastIndexOf("/") + 1));
        if (body !== undefined) return { kind: "answer", status: 200, body };
        return onReferrers(index(
          [...large.keys()].map((digest) => ({ mediaType: INDEX, size: 7, digest })),
        ))({ method: "GET", path, headers: new Map() });
      });
      await assert.rejects(read(place, digest, options), {
        code: "ERR_LIMIT_REFERRERS",
        message: /more than 16777216 bytes/,
      });
      set(() => undefined);
      await using attachments = openAttachments(parseReference(place), digest, options);
      const [layer] = (await attachments.list())[0]?.layers ?? [];
      assert(layer);
      await assert.rejects(attachments.read(layer, 2), { code: "ERR_LIMIT_REFERRERS" });
    }),
});

Deno.test({
  name: "add() keeps what it does not know in the index under the tag, and overwrites nothing else",
  ignore: !hasDockerRegistry || !hasOras,
  async fn() {
    await using registry = await startDockerRegistry();
    const place = `${registry.host}/org/kv:1`;
    const { digest } = await pushArchive(parseReference(place), SOURCE);
    const [one = ""] = await attach(place, digest, ["one"]);
    const tag = `${registry.host}/org/kv:${digest.replace(":", "-")}`;
    const before = JSON.parse(await run("oras", ["manifest", "fetch", "--plain-http", tag]));
    await using folder = await temporaryFolder();
    await Deno.writeTextFile(
      `${folder.path}/index.json`,
      JSON.stringify({ ...before, annotations: { "org.example.a": "b" } }),
    );
    const put = ["manifest", "push", "--plain-http", "--media-type", INDEX];
    await run("oras", [...put, tag, `${folder.path}/index.json`]);
    await attach(place, digest, ["two"]);
    const after = JSON.parse(await run("oras", ["manifest", "fetch", "--plain-http", tag]));
    assert.deepEqual(after.annotations, { "org.example.a": "b" });
    assert.equal(after.manifests.length, 2);
    assert.deepEqual(after.manifests[0], before.manifests[0]);
    assert.equal(after.manifests[0].digest, one);

    const other = `${registry.host}/org/other:1`;
    const pushed = await pushArchive(parseReference(other), SOURCE);
    await pushArchive(
      parseReference(`${registry.host}/org/other:${pushed.digest.replace(":", "-")}`),
      SOURCE,
    );
    await assert.rejects(attach(other, pushed.digest, ["one"]), {
      code: "ERR_REGISTRY_CONTENT",
      message: /names something else than an index/,
    });
  },
});
