import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { ParError } from "../../lib/errors.ts";
import { inspect, inspectClaims } from "../../lib/verbs/inspect.ts";
import { pull } from "../../lib/verbs/pull.ts";
import { push } from "../../lib/verbs/push.ts";
import { registrySource, resolveReference } from "../../lib/registry/pull.ts";
import { pushArchive } from "../../lib/registry/push.ts";
import { formatReference, parseReference } from "../../lib/registry/reference.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { archiveOf, BINARIES, gzipped, ISSUED_AT } from "../_archive.ts";
import { noise } from "../_bytes.ts";
import { otherIssuerPair } from "../_keys.ts";
import { temporaryFolder } from "../_tools.ts";
import { startFaultProxy } from "./_fault_proxy.ts";
import { hasDockerRegistry, startDockerRegistry } from "./_registry.ts";

const OPTIONS = { insecure: true } as const;

/** Registers a test with a registry and a folder. */
function test(name: string, body: (host: string, folder: string) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !hasDockerRegistry,
    async fn() {
      await using registry = await startDockerRegistry();
      await using folder = await temporaryFolder();
      await body(registry.host, folder.path);
    },
  });
}

test("push() and pull() move an archive, its annotations from the claims", async (host, folder) => {
  const archive = gzipped(await archiveOf());
  const reference = `${host}/providers/fakepay:1.0`;
  const destination = `${folder}/fakepay.par.gz`;
  const pushed = await push(archive, reference, OPTIONS);
  const pulled = await pull(reference, { ...OPTIONS, destination });
  assert.equal(pulled.digest, pushed.digest);
  assert.deepEqual(new Uint8Array(await Deno.readFile(destination)), archive);
  const { annotations } = await resolveReference(parseReference(reference), OPTIONS);
  assert.deepEqual(annotations, {
    "org.opencontainers.image.created": new Date(ISSUED_AT * 1000).toISOString(),
    "org.opencontainers.image.title": "Fake Payments",
    "org.opencontainers.image.vendor": "wasmCloud",
    "org.opencontainers.image.version": "1.0",
  });
});

test(
  "push() sends, and pull() keeps, no archive that is not to be trusted",
  async (host, folder) => {
    const forged = gzipped(await archiveOf({ signer: await otherIssuerPair() }));
    const reference = `${host}/providers/fakepay:1.0`;
    await assert.rejects(push(forged, reference, OPTIONS), { code: "ERR_TOKEN_SIGNATURE" });
    await assert.rejects(resolveReference(parseReference(reference), OPTIONS), {
      code: "ERR_REGISTRY_NOT_FOUND",
    });
    // Somebody else's client pushed it.
    await pushArchive(parseReference(reference), blobSource(forged, "forged"), OPTIONS);
    const destination = `${folder}/fakepay.par.gz`;
    await assert.rejects(pull(reference, { ...OPTIONS, destination }), {
      code: "ERR_TOKEN_SIGNATURE",
    });
    // Nor one with bytes behind its end, which its digest covers.
    const longer = new Uint8Array([...gzipped(await archiveOf()), 0]);
    await pushArchive(parseReference(reference), blobSource(longer, "longer"), OPTIONS);
    await assert.rejects(pull(reference, { ...OPTIONS, destination }), (error) => {
      assert(error instanceof ParError);
      assert.equal(error.category, "untrusted");
      return true;
    });
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  },
);

test("push(), pull() and their references without a host", async (host, folder) => {
  const archive = gzipped(await archiveOf());
  await assert.rejects(push(archive, "providers/fakepay:1.0"), {
    code: "ERR_REFERENCE_INVALID",
    message: /it has no host/,
  });
  const registry = `${host}/team`;
  const pushed = await push(archive, "fakepay:1.0", { registry });
  assert.equal(formatReference(pushed.reference), `${host}/team/fakepay:1.0`);
  const destination = `${folder}/fakepay.par.gz`;
  assert.equal((await pull("fakepay:1.0", { registry, destination })).digest, pushed.digest);
  await push(archive, "fakepay", { registry, allowLatest: true });
  await pull("fakepay", { registry, destination, allowLatest: true });
});

test("inspect() reads an archive in a registry as it reads a file", async (host) => {
  const archive = gzipped(await archiveOf());
  const reference = parseReference(`${host}/providers/fakepay:1.0`);
  await push(archive, reference, OPTIONS);
  using source = registrySource(reference, OPTIONS);
  const found = await inspect(source);
  assert.deepEqual(found.claims, (await inspect(archive)).claims);
  assert.deepEqual(found.binaries.map(({ target }) => target), Object.keys(BINARIES).sort());
  assert.equal(source.bytesRead, archive.length);
});

test("inspectClaims() fetches 32 KiB of a 100 MB archive, and stops where ranges are ignored", async (host) => {
  const binaries = { "x86_64-linux": noise(100_000_000) };
  const plain = await archiveOf({ binaries });
  const proxy = startFaultProxy(host, () => undefined);
  await using _ = proxy;
  // Level 0 has the form of gzip and takes no time.
  for (
    const [tag, archive] of [["plain", plain], ["gzip", gzipSync(plain, { level: 0 })]] as const
  ) {
    const bytes = new Uint8Array(archive);
    await pushArchive(parseReference(`${host}/fakepay:${tag}`), blobSource(bytes, tag), OPTIONS);
    const reference = parseReference(`${proxy.host}/fakepay:${tag}`);

    proxy.rule = () => undefined;
    using source = registrySource(reference, OPTIONS);
    const { claims } = await inspectClaims(source);
    assert.equal(claims.wascap.name, "Fake Payments");
    const hash = createHash("sha256").update(binaries["x86_64-linux"]).digest("hex");
    assert.equal(claims.wascap.target_hashes["x86_64-linux"], hash.toUpperCase());
    assert(source.bytesRead <= 32 * 1024, `${source.bytesRead}`);
    const ranges = proxy.requests.map(({ headers }) => headers.get("range"));
    assert.deepEqual(ranges.filter(Boolean), ["bytes=0-32767"]);

    proxy.rule = ({ path }) => path.includes("/blobs/") ? { kind: "ignore range" } : undefined;
    using ignored = registrySource(reference, OPTIONS);
    await inspectClaims(ignored);
    assert(ignored.bytesRead < 1_000_000, `${ignored.bytesRead}`);
    console.log(
      `inspectClaims(), ${tag}: ${source.bytesRead} bytes of ${bytes.length}; ` +
        `${ignored.bytesRead} where ranges are ignored`,
    );
    proxy.requests = [];
  }
});
