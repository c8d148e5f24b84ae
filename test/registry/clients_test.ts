import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { registrySource, resolveReference } from "../../lib/registry/pull.ts";
import { pushArchive } from "../../lib/registry/push.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { collect, concat, noise } from "../_bytes.ts";
import { temporaryFolder } from "../_tools.ts";
import {
  hasCrane,
  hasDockerRegistry,
  hasOras,
  hasSkopeo,
  run,
  startDockerRegistry,
} from "./_registry.ts";

const BYTES = concat(Uint8Array.of(0x1f, 0x8b), noise(500_000));
const SOURCE = blobSource(BYTES, "kv.par.gz");
const OPTIONS = {
  insecure: true,
  annotations: { "org.opencontainers.image.version": "1.2.0" },
} as const;
const LAYER = "application/vnd.wasmcloud.provider.archive.layer.v1+par";
const CONFIG = "application/vnd.wasmcloud.provider.archive.config";

/** Registers a test that needs a registry and a client. */
function testClient(
  name: string,
  present: boolean,
  body: (host: string, folder: string) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !hasDockerRegistry || !present,
    async fn() {
      await using registry = await startDockerRegistry();
      await using folder = await temporaryFolder();
      await body(registry.host, folder.path);
    },
  });
}

testClient(
  "oras pulls what pushArchive() pushed, as a file of the same bytes",
  hasOras,
  async (host, folder) => {
    const { digest } = await pushArchive(parseReference(`${host}/org/kv:1`), SOURCE, OPTIONS);
    await run("oras", ["pull", "--plain-http", "-o", folder, `${host}/org/kv@${digest}`]);
    assert.deepEqual(new Uint8Array(await Deno.readFile(`${folder}/kv.par.gz`)), BYTES);
    const resolved = await run("oras", ["resolve", "--plain-http", `${host}/org/kv:1`]);
    assert.equal(resolved.trim(), digest);
  },
);

testClient(
  "crane reads what pushArchive() pushed, same bytes, same digest",
  hasCrane,
  async (host) => {
    const { digest, layerDigest } = await pushArchive(
      parseReference(`${host}/org/kv:1`),
      SOURCE,
      OPTIONS,
    );
    assert.equal((await run("crane", ["digest", `${host}/org/kv:1`])).trim(), digest);
    const manifest = JSON.parse(await run("crane", ["manifest", `${host}/org/kv:1`]));
    assert.equal(manifest.layers[0].digest, layerDigest);
    assert.deepEqual(manifest.annotations, OPTIONS.annotations);
    const { stdout } = await new Deno.Command("crane", {
      args: ["blob", `${host}/org/kv@${layerDigest}`],
    }).output();
    assert.equal(
      `sha256:${createHash("sha256").update(stdout).digest("hex")}`,
      layerDigest,
    );
    assert.deepEqual(new Uint8Array(stdout), BYTES);
  },
);

testClient(
  "skopeo copies what pushArchive() pushed, and it is pulled from the copy",
  hasSkopeo,
  async (host) => {
    const { digest } = await pushArchive(parseReference(`${host}/org/kv:1`), SOURCE, OPTIONS);
    await run("skopeo", [
      ...["copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--preserve-digests"],
      ...[`docker://${host}/org/kv:1`, `docker://${host}/copies/kv:1`],
    ]);
    using source = registrySource(parseReference(`${host}/copies/kv:1`), {
      insecure: true,
      digest,
    });
    assert.deepEqual(await collect(source.open()), BYTES);
  },
);

testClient(
  "registrySource() reads what oras pushed with the same media types",
  hasOras,
  async (host, folder) => {
    await Deno.writeFile(`${folder}/kv.par.gz`, BYTES);
    await Deno.writeTextFile(`${folder}/config.json`, "{}");
    for (const [tag, type] of [["par", LAYER], ["tar", "application/vnd.oci.image.layer.v1.tar"]]) {
      await run("oras", [
        ...["push", "--plain-http", "--config", `config.json:${CONFIG}`],
        ...["--annotation", "a=b", `${host}/org/kv:${tag}`, `kv.par.gz:${type}`],
      ], { cwd: folder });
      const reference = parseReference(`${host}/org/kv:${tag}`);
      using source = registrySource(reference, { insecure: true });
      const { layer, config, annotations, digest } = await source.resolve();
      assert.equal(layer.mediaType, type);
      assert.equal(config.mediaType, CONFIG);
      assert.equal(annotations["a"], "b");
      const resolved = await run("oras", ["resolve", "--plain-http", `${host}/org/kv:${tag}`]);
      assert.equal(digest, resolved.trim());
      assert.deepEqual(await collect(source.open()), BYTES);
    }
  },
);

testClient(
  "resolveReference() refuses what is no provider archive",
  hasOras && hasCrane,
  async (host, folder) => {
    await Deno.writeTextFile(`${folder}/file`, "x");
    await Deno.writeTextFile(`${folder}/other`, "y");
    const push = (tag: string, ...files: string[]) =>
      run("oras", ["push", "--plain-http", `${host}/org/kv:${tag}`, ...files], { cwd: folder });
    await push("text", "file:text/plain");
    await push("two", `file:${LAYER}`, `other:${LAYER}`);
    await push("one", `file:${LAYER}`);
    await run("crane", [
      ...["index", "append", "-t", `${host}/org/kv:index`, "-m", `${host}/org/kv:one`],
    ]);
    const expected = [["text", /text\/plain/], ["two", /2 layers/], ["index", /index of several/]];
    for (const [tag, message] of expected as [string, RegExp][]) {
      await assert.rejects(
        resolveReference(parseReference(`${host}/org/kv:${tag}`), { insecure: true }),
        {
          code: "ERR_REGISTRY_CONTENT",
          message,
        },
      );
    }
  },
);
