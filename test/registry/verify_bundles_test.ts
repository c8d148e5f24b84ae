import assert from "node:assert/strict";
import type { ErrorCode } from "../../lib/errors.ts";
import { openAttachments } from "../../lib/registry/attachments.ts";
import { digestOf } from "../../lib/registry/descriptor.ts";
import type { RegistryOptions } from "../../lib/registry/options.ts";
import { registrySource } from "../../lib/registry/pull.ts";
import { parseReference, type Reference } from "../../lib/registry/reference.ts";
import { BUNDLE_MEDIA_TYPE, MAX_BUNDLE_SIZE } from "../../lib/signing/bundle.ts";
import { type BundleSigner, signerOf } from "../../lib/signing/bundle_key.ts";
import { listAttachments } from "../../lib/verbs/attachments.ts";
import { readAttachedBundles } from "../../lib/verbs/bundles.ts";
import type { Policy } from "../../lib/verbs/policy.ts";
import { copy } from "../../lib/verbs/copy.ts";
import { pull } from "../../lib/verbs/pull.ts";
import { push } from "../../lib/verbs/push.ts";
import { attest, sign } from "../../lib/verbs/sign.ts";
import { verify, type VerifyReport } from "../../lib/verbs/verify.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import { issuerPair, otherIssuerPair } from "../_keys.ts";
import { temporaryFolder } from "../_tools.ts";
import { OFFLINE, openCosign, SIGN_OFFLINE } from "./_cosign.ts";
import { startFaultProxy } from "./_fault_proxy.ts";
import {
  hasCosign,
  hasDockerRegistry,
  hasOlareg,
  hasOpenssl,
  instantClock,
  type Registry,
  run,
  startDockerRegistry,
  startOlareg,
} from "./_registry.ts";

const ARCHIVE = gzipped(await archiveOf());
const OTHER = gzipped(await archiveOf({ binaries: { "x86_64-linux": "another" } }));
const SBOM = new TextEncoder().encode('{"bomFormat":"CycloneDX","specVersion":"1.6"}');
const CYCLONEDX = "https://cyclonedx.org/bom";

/** Verifies an archive in a registry with what is attached to it. */
async function verifyAttached(
  reference: Reference,
  policy: Policy,
  options: RegistryOptions = {},
): Promise<VerifyReport> {
  using source = registrySource(reference, options);
  const { digest } = await source.resolve();
  const bundles = readAttachedBundles(reference, digest, options);
  return await verify(source, { ...policy, manifest: digest, bundles });
}

/** The code of the check of a name; nothing where it passed. */
function codeOf({ checks }: VerifyReport, name: string): ErrorCode | undefined {
  const found = checks.find((check) => check.name === name);
  assert(found, `there is no check ${name}`);
  return found.code;
}

const REGISTRIES: readonly (readonly [string, boolean, () => Promise<Registry>])[] = [
  ["olareg, with a list of referrers", hasOlareg, startOlareg],
  ["docker-registry, without one", hasDockerRegistry, startDockerRegistry],
];

for (const [name, present, start] of REGISTRIES) {
  Deno.test({
    name: `verify() accepts what cosign sign and cosign attest attached (${name})`,
    ignore: !present || !hasCosign || !hasOpenssl,
    async fn() {
      await using registry = await start();
      await using cosign = await openCosign();
      const place = `${registry.host}/payments/fakepay:1.0`;
      const { reference, digest } = await push(ARCHIVE, place);
      const { p256, nkey } = cosign.keys;
      const policy = { keys: [p256.key], requiredAttestations: ["cyclonedx"] };
      const before = await verifyAttached(reference, policy);
      assert.equal(codeOf(before, "bundle signature"), "ERR_ATTESTATION_MISSING");
      const pinned = `${registry.host}/payments/fakepay@${digest}`;
      const flags = ["--key", p256.cosignKey ?? "", ...SIGN_OFFLINE, "--allow-http-registry"];
      await cosign.done(["sign", ...flags, pinned]);
      const signed = await verifyAttached(reference, policy);
      assert.equal(codeOf(signed, "bundle signature"), undefined);
      assert.equal(codeOf(signed, "attestation cyclonedx"), "ERR_ATTESTATION_MISSING");
      await Deno.writeFile(`${cosign.folder}/sbom.json`, SBOM);
      const attest = ["attest", ...flags, "--type", "cyclonedx", "--predicate"];
      await cosign.done([...attest, `${cosign.folder}/sbom.json`, pinned]);
      const report = await verifyAttached(reference, policy);
      assert(report.trusted, JSON.stringify(report.checks));

      // Another key; and a second signature beside the first.
      const other = await verifyAttached(reference, { keys: [nkey.key] });
      assert.equal(codeOf(other, "bundle signature"), "ERR_BUNDLE_KEY");
      await sign(reference, { signer: nkey.signer });
      assert((await verifyAttached(reference, { keys: [nkey.key] })).trusted);
      assert((await verifyAttached(reference, policy)).trusted);
      const verified = await cosign.done([
        ...["verify", "--key", p256.pub, ...OFFLINE, "--allow-http-registry", place],
      ]);
      assert(verified.includes(digest));
    },
  });
}

Deno.test({
  name: "verify() and copy() find the bundles in a layout that cosign save wrote",
  ignore: !hasDockerRegistry || !hasCosign || !hasOpenssl,
  async fn() {
    await using it = await prepare();
    await using cosign = await openCosign();
    const { p256, nkey } = cosign.keys;
    await sign(it.reference, { signer: p256.signer });
    const sbom = { predicateType: CYCLONEDX, predicate: SBOM };
    await attest(it.reference, { signer: p256.signer, ...sbom });
    const path = `${cosign.folder}/saved`;
    const place = `${it.host}/payments/fakepay:1.0`;
    await cosign.done(["save", "--allow-http-registry", "--dir", path, place]);
    await run("tar", ["-C", path, "-cf", `${path}.tar`, "."]);
    const policy = { keys: [p256.key], requiredAttestations: ["cyclonedx"] };
    for (
      const saved of [`oci:${path}`, `oci-archive:${path}.tar`].map((text) => parseReference(text))
    ) {
      const report = await verifyAttached(saved, policy);
      assert(report.trusted, JSON.stringify(report.checks));
      const mirror = `${it.host}/mirror/fakepay:1.0`;
      assert.equal((await copy(saved, mirror)).referrers.length, 2);
      await cosign.done(["verify", "--key", p256.pub, ...OFFLINE, "--allow-http-registry", mirror]);
    }
    // What is signed there, both find.
    const saved = parseReference(`oci:${path}`);
    await sign(saved, { signer: nkey.signer });
    assert.equal((await listAttachments(saved)).length, 3);
    await cosign.done(["verify", "--key", nkey.pub, ...OFFLINE, "--local-image", path]);
  },
});

/** A registry with the archive in it, and keys. */
async function prepare(start = startDockerRegistry) {
  const registry = await start();
  const place = `${registry.host}/payments/fakepay:1.0`;
  const { reference, digest } = await push(ARCHIVE, place);
  return {
    host: registry.host,
    reference,
    digest,
    signer: await signerOf(await issuerPair()),
    stranger: await signerOf(await otherIssuerPair()),
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

/** Attaches bytes as if they were a bundle. */
async function attachBytes(
  reference: Reference,
  subject: string,
  content: Uint8Array<ArrayBuffer>,
): Promise<void> {
  await using attachments = openAttachments(reference, subject, { write: true });
  await attachments.add({ artifactType: BUNDLE_MEDIA_TYPE, content, annotations: {} });
}

/** The bundle that a key makes for an archive in a registry. */
async function bundleOf(
  host: string,
  archive: Uint8Array<ArrayBuffer>,
  signer: BundleSigner,
): Promise<Uint8Array<ArrayBuffer>> {
  const { reference, digest } = await push(archive, `${host}/scratch/fakepay:1.0`);
  await sign(reference, { signer });
  const [bundle] = await Array.fromAsync(readAttachedBundles(reference, digest, {}));
  return new Uint8Array(bundle?.bytes ?? []);
}

Deno.test({
  name: "verify() counts no bundle of another archive, type, key or payload, and none that is bent",
  ignore: !hasDockerRegistry,
  async fn() {
    await using it = await prepare();
    const { reference, digest, signer, stranger } = it;
    const policy = { keys: [signer.key], requiredAttestations: ["cyclonedx"] };
    const expect = async (signature: ErrorCode | undefined, sbom?: ErrorCode): Promise<void> => {
      const report = await verifyAttached(reference, policy);
      assert.equal(codeOf(report, "bundle signature"), signature);
      assert.equal(codeOf(report, "attestation cyclonedx"), sbom);
      assert(!report.trusted);
    };
    // An attestation is no signature.
    await attest(reference, { signer, predicateType: CYCLONEDX, predicate: SBOM });
    await expect("ERR_ATTESTATION_MISSING");
    await sign(reference, { signer: stranger });
    await expect("ERR_BUNDLE_KEY");
    // A good signature of another archive, moved here.
    await attachBytes(reference, digest, await bundleOf(it.host, OTHER, signer));
    await expect("ERR_BUNDLE_SUBJECT");

    const good = JSON.parse(
      new TextDecoder().decode(await bundleOf(it.host, ARCHIVE, signer)),
    );
    const { dsseEnvelope } = good;
    const [first] = dsseEnvelope.signatures;
    const bent = [
      { ...good, dsseEnvelope: { ...dsseEnvelope, payloadType: "text/plain" } },
      { ...good, dsseEnvelope: { ...dsseEnvelope, signatures: [first, first] } },
      { ...good, dsseEnvelope: { ...dsseEnvelope, signatures: [] } },
      { ...good, mediaType: "application/vnd.dev.sigstore.bundle+json;version=0.2" },
      {
        ...good,
        dsseEnvelope: { ...dsseEnvelope, payload: btoa(`${atob(dsseEnvelope.payload)} `) },
      },
      { ...good, extra: 1 },
    ];
    for (const bundle of bent) {
      await attachBytes(reference, digest, new TextEncoder().encode(JSON.stringify(bundle)));
    }
    const report = await verifyAttached(reference, policy);
    assert(!report.trusted);
    assert(codeOf(report, "bundle signature") !== undefined);
    // All of it does no harm once a good one is there.
    await sign(reference, { signer });
    assert((await verifyAttached(reference, policy)).trusted);
    // A manifest that is revoked counts for nothing.
    const revoked = await verifyAttached(reference, { ...policy, revokedArchives: [digest] });
    assert(!revoked.trusted);
    assert(revoked.checks.some(({ code }) => code === "ERR_ARCHIVE_REVOKED"));
  },
});

Deno.test({
  name:
    "verify() reads no more bundles than it needs, and finds one behind a hundred that do not count",
  ignore: !hasOlareg,
  async fn() {
    await using it = await prepare(startOlareg);
    const { reference, digest, signer, host } = it;
    await using attachments = openAttachments(reference, digest, { write: true });
    for (let number = 0; number < 101; number++) {
      const content = new TextEncoder().encode(`{"junk":${number}}`);
      await attachments.add({ artifactType: BUNDLE_MEDIA_TYPE, content, annotations: {} });
    }
    const proxy = startFaultProxy(host, () => undefined);
    await using _ = proxy;
    const through = parseReference(`${proxy.host}/payments/fakepay:1.0`);
    const options = { insecure: true };
    const blobs = (): number => proxy.requests.filter(({ path }) => /\/blobs\//.test(path)).length;
    const report = await verifyAttached(through, { keys: [signer.key] }, options);
    const check = report.checks.find(({ name }) => name === "bundle signature");
    assert.equal(check?.code, "ERR_BUNDLE_UNSUPPORTED");
    // One more is the archive itself.
    assert.equal(blobs(), 102);
    await sign(reference, { signer });
    assert((await verifyAttached(through, { keys: [signer.key] }, options)).trusted);
    // A policy without keys looks at none.
    proxy.requests = [];
    assert((await verifyAttached(through, {}, options)).trusted);
    assert.equal(blobs(), 1);
  },
});

Deno.test("verify(), listAttachments() and pull() pass over bundles that are missing, damaged or too large", async () => {
  await using folder = await temporaryFolder();
  const { reference, digest } = await push(ARCHIVE, `oci:${folder.path}/layout:1.0`);
  const signer = await signerOf(await issuerPair());
  const contents = ["missing", "damaged"].map((text) => new TextEncoder().encode(text));
  const large = new Uint8Array(MAX_BUNDLE_SIZE + 1);
  for (const content of [...contents, large]) await attachBytes(reference, digest, content);
  const [missing = "", damaged = ""] = await Promise.all(contents.map(digestOf));
  const blob = (name: string): string => `${folder.path}/layout/blobs/sha256/${name.slice(7)}`;
  await Deno.remove(blob(missing));
  await Deno.writeTextFile(blob(damaged), "changed");

  const policy = { keys: [signer.key] };
  const before = await verifyAttached(reference, policy);
  const check = before.checks.find(({ name }) => name === "bundle signature");
  assert.equal(check?.code, "ERR_REGISTRY_NOT_FOUND");
  assert.match(check?.message ?? "", /has no file .*\(2 more do not count either\)$/);

  await sign(reference, { signer });
  assert((await verifyAttached(reference, policy)).trusted);
  const flaws = (await listAttachments(reference)).map(({ flaw }) => flaw ?? "");
  assert.match(flaws[0] ?? "", /has no file/);
  assert.match(flaws[1] ?? "", /SHA-256|digest/);
  assert.match(flaws[2] ?? "", /has more than/);
  assert.deepEqual(flaws.slice(3), [""]);

  const notes: string[] = [];
  const destination = `${folder.path}/fakepay.par.gz`;
  const { bundles } = await pull(reference, {
    destination,
    withAttachments: true,
    onNote: (note) => notes.push(note),
  });
  assert.deepEqual(bundles, [`${destination}.sigstore.json`]);
  assert.equal(notes.filter((note) => /^left out the bundle sha256:/.test(note)).length, 3);
});

for (const status of [404, 405, 500]) {
  Deno.test({
    name:
      `verify() finds bundles where the list of referrers answers ${status}, and does not take ` +
      "a broken registry for one without bundles",
    ignore: !hasDockerRegistry,
    async fn() {
      await using it = await prepare();
      const { reference, signer, host } = it;
      await sign(reference, { signer });
      const proxy = startFaultProxy(
        host,
        ({ path }) => path.includes("/referrers/") ? { kind: "answer", status } : undefined,
      );
      await using _ = proxy;
      const options = { insecure: true, clock: instantClock() };
      const through = parseReference(`${proxy.host}/payments/fakepay:1.0`);
      const policy = { keys: [signer.key] };
      assert((await verifyAttached(through, policy, options)).trusted);
      proxy.rule = ({ path }) =>
        /referrers|sha256-/.test(path) ? { kind: "answer", status: 500 } : undefined;
      await assert.rejects(verifyAttached(through, policy, options), {
        code: "ERR_REGISTRY_UNREACHABLE",
      });
    },
  });
}
