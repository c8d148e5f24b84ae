import assert from "node:assert/strict";
import type { ErrorCode } from "../../lib/errors.ts";
import { openAttachments } from "../../lib/registry/attachments.ts";
import { pushArchive } from "../../lib/registry/push.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import { PREDICATE_TYPES } from "../../lib/signing/statement.ts";
import { BUNDLE_MEDIA_TYPE, parseBundle, verifyBundle } from "../../lib/signing/bundle.ts";
import { listAttachments, readAttachment } from "../../lib/verbs/attachments.ts";
import { readAttachedBundles, readBundlesBeside } from "../../lib/verbs/bundles.ts";
import { copy } from "../../lib/verbs/copy.ts";
import { pull } from "../../lib/verbs/pull.ts";
import { push } from "../../lib/verbs/push.ts";
import { attest, sign } from "../../lib/verbs/sign.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import { ISSUER, issuerPair, otherIssuerPair } from "../_keys.ts";
import { temporaryFolder } from "../_tools.ts";
import { type Cosign, OFFLINE, openCosign, SIGN_OFFLINE } from "./_cosign.ts";
import {
  hasCosign,
  hasDockerRegistry,
  hasOlareg,
  hasOpenssl,
  hasOras,
  type Registry,
  run,
  startDockerRegistry,
  startOlareg,
} from "./_registry.ts";

const json = (value: unknown): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(JSON.stringify(value));

/** One predicate of each kind. */
const PREDICATES: Readonly<Record<"cyclonedx" | "spdx" | "slsa-provenance", unknown>> = {
  cyclonedx: { bomFormat: "CycloneDX", specVersion: "1.6", version: 1, components: [] },
  spdx: {
    spdxVersion: "SPDX-2.3",
    SPDXID: "SPDXRef-DOCUMENT",
    name: "fakepay",
    dataLicense: "CC0-1.0",
    documentNamespace: "https://example.com/fakepay",
    creationInfo: { created: "2024-01-01T00:00:00Z", creators: ["Tool: a test"] },
    packages: [],
  },
  "slsa-provenance": {
    buildDefinition: { buildType: "https://example.com/build", externalParameters: {} },
    runDetails: { builder: { id: "https://example.com/builder" } },
  },
};

const attestations = Object.entries(PREDICATES).map(([name, predicate]) => ({
  predicateType: PREDICATE_TYPES[name as keyof typeof PREDICATES],
  predicate: json(predicate),
}));

/** The flags that name a key, and keep cosign off the network and on plain HTTP. */
const withKey = (path: string): string[] => ["--key", path, ...OFFLINE];
const HTTP = "--allow-http-registry";

const REGISTRIES: readonly (readonly [string, boolean, () => Promise<Registry>])[] = [
  ["olareg, with a list of referrers", hasOlareg, startOlareg],
  ["docker-registry, without one", hasDockerRegistry, startDockerRegistry],
];

/** Registers a test with a registry of each kind, cosign and an archive. */
function test(
  name: string,
  body: (place: string, cosign: Cosign, archive: Uint8Array<ArrayBuffer>) => Promise<void>,
): void {
  for (const [kind, present, start] of REGISTRIES) {
    Deno.test({
      name: `${name} (${kind})`,
      ignore: !present || !hasCosign || !hasOpenssl || !hasOras,
      async fn() {
        await using registry = await start();
        await using cosign = await openCosign();
        const archive = gzipped(await archiveOf());
        const place = `${registry.host}/payments/fakepay:1.0`;
        await body(place, cosign, archive);
      },
    });
  }
}

test(
  "sign() makes what cosign verify accepts, with each kind of key",
  async (place, cosign, archive) => {
    const { digest } = await push(archive, place);
    for (const { signer, pub } of Object.values(cosign.keys)) {
      const verify = ["verify", ...withKey(pub), HTTP, place];
      assert.notEqual((await cosign.run(verify)).code, 0, "another key counts");
      const signed = await sign(parseReference(place), { signer });
      assert.equal(signed.manifest, digest);
      const [found] = JSON.parse(await cosign.done(verify));
      assert.equal(found.critical.image["docker-manifest-digest"], digest);
      assert.equal(found.critical.type, PREDICATE_TYPES.signature);
    }
    const { keys: { p256 } } = cosign;
    // Of another archive under the same name.
    const other = await push(
      gzipped(await archiveOf({ binaries: { "x86_64-linux": "x" } })),
      place,
    );
    assert.notEqual(other.digest, digest);
    assert.notEqual((await cosign.run(["verify", ...withKey(p256.pub), HTTP, place])).code, 0);
  },
);

test(
  "push() with attestations makes what cosign verify-attestation and oras discover find",
  async (place, cosign, archive) => {
    const { signer, pub } = cosign.keys.p256;
    const { attached, digest } = await push(archive, place, { signer, sign: true, attestations });
    assert.deepEqual(attached.map(({ predicateType }) => predicateType), [
      PREDICATE_TYPES.signature,
      ...attestations.map(({ predicateType }) => predicateType),
    ]);
    await cosign.done(["verify", ...withKey(pub), HTTP, place]);
    for (const [name, predicate] of Object.entries(PREDICATES)) {
      const type = PREDICATE_TYPES[name as keyof typeof PREDICATES];
      const envelope = JSON.parse(
        await cosign.done(["verify-attestation", ...withKey(pub), HTTP, "--type", type, place]),
      );
      const statement = JSON.parse(atob(envelope.payload));
      assert.deepEqual(statement.predicate, predicate);
      assert.equal(`sha256:${statement.subject[0].digest.sha256}`, digest);
    }
    const other = ["verify-attestation", ...withKey(pub), HTTP, "--type", "https://example.com/x"];
    assert.notEqual((await cosign.run([...other, place])).code, 0);

    const discovered = JSON.parse(
      await run("oras", ["discover", "--plain-http", "--format", "json", place]),
    );
    const referrers = discovered.referrers ?? discovered.manifests;
    assert.deepEqual(
      referrers.map((entry: { digest: string }) => entry.digest).sort(),
      attached.map((entry) => entry.digest).sort(),
    );
    for (const { artifactType } of referrers) assert.equal(artifactType, BUNDLE_MEDIA_TYPE);
  },
);

test(
  "verifyBundle() accepts what cosign sign and cosign attest make",
  async (place, cosign, archive) => {
    const { digest, reference, layerDigest } = await push(archive, place);
    const pinned = `${place.replace(/:1\.0$/, "")}@${digest}`;
    const predicate = `${cosign.folder}/sbom.json`;
    await Deno.writeFile(predicate, json(PREDICATES.cyclonedx));
    const { p256, ed25519 } = cosign.keys;
    for (const { cosignKey = "" } of [p256, ed25519]) {
      const flags = ["--key", cosignKey, ...SIGN_OFFLINE, HTTP];
      await cosign.done(["sign", ...flags, pinned]);
      const attest = ["attest", ...flags, "--predicate", predicate, "--type", "cyclonedx"];
      await cosign.done([...attest, pinned]);
    }
    const bundles = (await Array.fromAsync(readAttachedBundles(reference, digest, {})))
      .map(({ bytes }) => parseBundle(bytes));
    assert.equal(bundles.length, 4);
    const types: string[] = [];
    for (const bundle of bundles.filter(({ hint }) => hint === p256.key.hint)) {
      const { statement } = await verifyBundle(bundle, [p256.key], { digests: [digest] });
      types.push(statement.predicateType);
      const elsewhere = { digests: [layerDigest] };
      await assert.rejects(verifyBundle(bundle, [p256.key], elsewhere), {
        code: "ERR_BUNDLE_SUBJECT",
      });
    }
    assert.deepEqual(types.sort(), [PREDICATE_TYPES.cyclonedx, PREDICATE_TYPES.signature].sort());

    // With an Ed25519 key, cosign 3.1.3 makes signatures of Ed25519ph, which it does not accept itself.
    for (const bundle of bundles.filter(({ hint }) => hint === ed25519.key.hint)) {
      await assert.rejects(verifyBundle(bundle, [ed25519.key]), { code: "ERR_BUNDLE_SIGNATURE" });
    }
    const refused = await cosign.run(["verify", ...withKey(ed25519.pub), HTTP, place]);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /accepted signatures do not match threshold/);
  },
);

test(
  "pull() puts bundles beside the file, where cosign verify-blob-attestation accepts them",
  async (place, cosign, archive) => {
    const { signer, pub, key } = cosign.keys.ed25519;
    await push(archive, place, { signer, sign: true, attestations });
    const destination = `${cosign.folder}/fakepay.par.gz`;
    const { bundles } = await pull(place, { destination, withAttachments: true });
    assert.deepEqual(bundles, [
      `${destination}.sigstore.json`,
      ...[2, 3, 4].map((number) => `${destination}.sigstore.${number}.json`),
    ]);
    for (const { bytes, place } of await readBundlesBeside(destination)) {
      const { statement } = await verifyBundle(parseBundle(bytes), [key]);
      await cosign.done([
        ...["verify-blob-attestation", ...withKey(pub), "--bundle", place],
        ...["--type", statement.predicateType, destination],
      ]);
    }
    // The same once more, and nothing new.
    const again = await pull(place, { destination, withAttachments: true });
    assert.deepEqual(again.bundles, bundles);
    assert.equal((await readBundlesBeside(destination)).length, 4);
    assert.deepEqual((await pull(place, { destination })).bundles, []);
  },
);

test(
  "copy() carries bundles over an air gap, and cosign verifies them there",
  async (place, cosign, archive) => {
    const { signer, pub } = cosign.keys.p256;
    const { digest } = await push(archive, place, { signer, sign: true, attestations });
    await using there = await startDockerRegistry();
    await using olareg = await startOlareg();
    const tar = `oci-archive:${cosign.folder}/fakepay.oci.tar:1.0`;
    assert.equal((await copy(place, tar)).referrers.length, 4);
    assert.equal((await listAttachments(parseReference(tar))).length, 4);
    for (const { host } of [there, olareg]) {
      const to = `${host}/mirror/fakepay:1.0`;
      const copied = await copy(tar, to);
      assert.equal(copied.digest, digest);
      await cosign.done(["verify", ...withKey(pub), HTTP, to]);
      const type = ["--type", PREDICATE_TYPES.spdx];
      await cosign.done(["verify-attestation", ...withKey(pub), HTTP, ...type, to]);
    }
  },
);

Deno.test({
  name: "sign() and attest() put a bundle beside a file, and cosign verifies it",
  ignore: !hasCosign || !hasOpenssl,
  async fn() {
    await using cosign = await openCosign();
    const path = `${cosign.folder}/fakepay.par.gz`;
    await Deno.writeFile(path, gzipped(await archiveOf()));
    const check = (bundle: string, pub: string, type: string): Promise<string> =>
      cosign.done([
        ...["verify-blob-attestation", ...withKey(pub), "--bundle", bundle, "--type", type, path],
      ]);
    const { p256, ed25519, nkey } = cosign.keys;
    for (const [index, { signer, pub }] of [p256, ed25519, nkey].entries()) {
      const signed = await sign(path, { signer });
      const number = index === 0 ? "" : `.${index + 1}`;
      assert.equal(signed.path, `${path}.sigstore${number}.json`);
      await check(signed.path ?? "", pub, PREDICATE_TYPES.signature);
      // Again with the same key: the same file.
      assert.equal((await sign(path, { signer })).path, signed.path);
    }
    const sbom = {
      predicateType: PREDICATE_TYPES.cyclonedx,
      predicate: json(PREDICATES.cyclonedx),
    };
    const attested = await attest(path, { signer: p256.signer, ...sbom });
    assert.equal(attested.path, `${path}.sigstore.4.json`);
    await check(attested.path ?? "", p256.pub, PREDICATE_TYPES.cyclonedx);
    // A file of the caller's choice.
    const bundle = `${cosign.folder}/elsewhere.json`;
    assert.equal((await sign(path, { signer: p256.signer, bundle })).path, bundle);
    await check(bundle, p256.pub, PREDICATE_TYPES.signature);
    // openssl, which knows nothing of bundles, checks the same signature.
    const { payload, signature } = parseBundle(await Deno.readFile(bundle));
    const type = "application/vnd.in-toto+json";
    const head = `DSSEv1 ${type.length} ${type} ${payload.length} `;
    await Deno.writeFile(
      `${cosign.folder}/signed`,
      new Uint8Array([
        ...new TextEncoder().encode(head),
        ...payload,
      ]),
    );
    await Deno.writeFile(`${cosign.folder}/signature`, signature);
    const printed = await run("openssl", [
      ...["dgst", "-sha256", "-verify", p256.pub, "-signature", `${cosign.folder}/signature`],
      `${cosign.folder}/signed`,
    ]);
    assert.match(printed, /Verified OK/);
    // Another archive under the name: the bundles of the old one are replaced by their signers' new ones.
    await Deno.writeFile(path, gzipped(await archiveOf({ binaries: { "x86_64-linux": "new" } })));
    const first = await sign(path, { signer: p256.signer });
    assert.equal(first.path, `${path}.sigstore.json`);
    await check(first.path ?? "", p256.pub, PREDICATE_TYPES.signature);
    assert.equal((await readBundlesBeside(path)).length, 4);
  },
});

Deno.test({
  name: "sign() works in a layout in a folder, and copy() brings the signature to a registry",
  ignore: !hasDockerRegistry || !hasCosign || !hasOpenssl,
  async fn() {
    await using cosign = await openCosign();
    await using registry = await startDockerRegistry();
    const { signer, pub } = cosign.keys.nkey;
    const layout = `oci:${cosign.folder}/layout:1.0`;
    const { digest } = await push(gzipped(await archiveOf()), layout);
    const signed = await sign(parseReference(layout), { signer });
    assert.equal(signed.manifest, digest);
    // Nothing of this machine's folders is in what was signed.
    const bytes = await readAttachment(parseReference(layout), signed.attached ?? "");
    const { statement } = parseBundle(bytes);
    assert.deepEqual(statement.subject.map(({ name }) => name), ["layout", "layout.par.gz"]);
    const place = `${registry.host}/payments/fakepay:1.0`;
    await copy(layout, place);
    await cosign.done(["verify", ...withKey(pub), HTTP, place]);
    const [listed] = await listAttachments(parseReference(place));
    assert.equal(listed?.digest, signed.attached);
    assert.deepEqual(listed?.bundle, {
      predicateType: PREDICATE_TYPES.signature,
      signer: "key",
      hint: cosign.keys.nkey.key.hint,
      issuer: ISSUER.publicKey,
    });
  },
});

Deno.test("sign() and attest() of several at once beside a file lose nothing", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/fakepay.par`;
  await Deno.writeFile(path, await archiveOf());
  const signer = await issuerPair();
  const types = Array.from({ length: 8 }, (_, number) => `https://example.com/${number}`);
  const predicate = json({});
  await Promise.all(
    types.map((predicateType) => attest(path, { signer, predicateType, predicate })),
  );
  const found = (await readBundlesBeside(path)).map(({ bytes }) =>
    parseBundle(bytes).statement.predicateType
  );
  assert.deepEqual(found.sort(), types);
});

/** A failure of an attempt to sign: nothing may be attached or written by it. */
const REFUSALS: readonly (readonly [string, string, unknown, ErrorCode])[] = [
  ["no JSON", PREDICATE_TYPES.cyclonedx, "{", "ERR_PREDICATE_INVALID"],
  ["another type", PREDICATE_TYPES.spdx, PREDICATES.cyclonedx, "ERR_PREDICATE_INVALID"],
  ["a statement", "https://example.com/x", { _type: "x", predicate: {} }, "ERR_PREDICATE_INVALID"],
  [
    "a digest of another archive",
    PREDICATE_TYPES.cyclonedx,
    {
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      metadata: {
        component: {
          type: "file",
          name: "fakepay.par.gz",
          hashes: [{ alg: "SHA-256", content: "1".repeat(64) }],
        },
      },
    },
    "ERR_PREDICATE_MISMATCH",
  ],
];

Deno.test({
  name: "attest() and push() sign no predicate that is wrong, and push() then sends nothing",
  ignore: !hasDockerRegistry || !hasCosign || !hasOpenssl,
  async fn() {
    await using cosign = await openCosign();
    await using registry = await startDockerRegistry();
    const { signer } = cosign.keys.p256;
    const archive = gzipped(await archiveOf());
    const path = `${cosign.folder}/fakepay.par.gz`;
    await Deno.writeFile(path, archive);
    const place = `${registry.host}/payments/fakepay:1.0`;
    const { digest, reference } = await push(archive, place);
    for (const [what, predicateType, value, code] of REFUSALS) {
      const predicate = typeof value === "string" ? new TextEncoder().encode(value) : json(value);
      const options = { signer, predicateType, predicate };
      await assert.rejects(attest(reference, options), { code }, what);
      await assert.rejects(attest(path, options), { code }, what);
      const other = `${registry.host}/other/fakepay:1.0`;
      const pushed = push(archive, other, { signer, attestations: [{ predicate, predicateType }] });
      await assert.rejects(pushed, { code }, what);
      await assert.rejects(pull(other), { code: "ERR_REGISTRY_NOT_FOUND" });
    }
    assert.deepEqual(await Array.fromAsync(readAttachedBundles(reference, digest, {})), []);
    assert.deepEqual(await readBundlesBeside(path), []);
    await assert.rejects(push(archive, place, { attestations }), { code: "ERR_OPTION_INVALID" });
  },
});

Deno.test({
  name: "sign() signs no archive that fails verification, and nothing in a tar archive or a pipe",
  ignore: !hasDockerRegistry || !hasCosign || !hasOpenssl,
  async fn() {
    await using cosign = await openCosign();
    await using registry = await startDockerRegistry();
    const { signer } = cosign.keys.p256;
    const forged = gzipped(await archiveOf({ signer: await otherIssuerPair() }));
    const path = `${cosign.folder}/forged.par.gz`;
    await Deno.writeFile(path, forged);
    await assert.rejects(sign(path, { signer }), { code: "ERR_TOKEN_SIGNATURE" });
    const reference = parseReference(`${registry.host}/forged:1`);
    const { digest } = await pushArchive(reference, blobSource(forged, "forged"));
    await assert.rejects(sign(reference, { signer }), { code: "ERR_TOKEN_SIGNATURE" });
    assert.deepEqual(await Array.fromAsync(readAttachedBundles(reference, digest, {})), []);
    assert.deepEqual(await readBundlesBeside(path), []);

    const tar = `oci-archive:${cosign.folder}/fakepay.tar:1`;
    const good = gzipped(await archiveOf());
    await push(good, tar);
    await assert.rejects(sign(parseReference(tar), { signer }), { code: "ERR_REFERENCE_INVALID" });
    const bundle = `${cosign.folder}/tar.json`;
    assert.equal((await sign(parseReference(tar), { signer, bundle })).path, bundle);
    await assert.rejects(push(good, `oci-archive:${cosign.folder}/new.tar:1`, { signer }), {
      code: "ERR_REFERENCE_INVALID",
    });
    await assert.rejects(Deno.stat(`${cosign.folder}/new.tar`), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "listAttachments() tells what is no bundle, and readAttachment() reads it all the same",
  ignore: !hasDockerRegistry || !hasCosign || !hasOpenssl,
  async fn() {
    await using cosign = await openCosign();
    await using registry = await startDockerRegistry();
    await using folder = await temporaryFolder();
    const place = `${registry.host}/payments/fakepay:1.0`;
    const { digest, reference } = await push(gzipped(await archiveOf()), place);
    await Deno.writeTextFile(`${folder.path}/notes.txt`, "notes");
    await run("oras", [
      ...["attach", "--plain-http", "--artifact-type", "text/vnd.example.notes", place],
      "notes.txt:text/plain",
    ], { cwd: folder.path });
    await using attachments = openAttachments(reference, digest, { write: true });
    const broken = new TextEncoder().encode('{"mediaType":"x"}');
    await attachments.add({ artifactType: BUNDLE_MEDIA_TYPE, content: broken, annotations: {} });
    await sign(reference, { signer: cosign.keys.p256.signer });
    const listed = await listAttachments(reference);
    const [notes, flawed, signature] = listed;
    assert.equal(listed.length, 3);
    assert.deepEqual([notes?.type, notes?.bundle, notes?.size], [
      "text/vnd.example.notes",
      undefined,
      5,
    ]);
    assert.match(flawed?.flaw ?? "", /its mediaType is "x"/);
    assert.equal(signature?.bundle?.hint, cosign.keys.p256.key.hint);
    assert.equal(signature?.bundle?.issuer, undefined);
    assert.equal(
      new TextDecoder().decode(await readAttachment(reference, notes?.digest ?? "")),
      "notes",
    );
    assert.deepEqual(await readAttachment(reference, flawed?.digest ?? ""), broken);
    await assert.rejects(readAttachment(reference, `sha256:${"0".repeat(64)}`), {
      code: "ERR_REGISTRY_NOT_FOUND",
    });
    // A bundle that cannot be read is kept beside the file for whoever can.
    const destination = `${folder.path}/fakepay.par.gz`;
    const { bundles } = await pull(reference, { destination, withAttachments: true });
    assert.equal(bundles.length, 2);
    assert.equal((await listAttachments(destination)).filter(({ flaw }) => flaw).length, 1);
  },
});
