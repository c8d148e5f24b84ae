// Run by Node's own test runner. The folder in PAR_TEST_FOLDER holds the bundled module, and what
// Deno made of the same inputs.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const folder = process.env.PAR_TEST_FOLDER;
const par = await import(pathToFileURL(`${folder}/par.mjs`).href);
const signing = await import(pathToFileURL(`${folder}/signing.mjs`).href);
const inputs = JSON.parse(await readFile(`${folder}/inputs.json`, "utf8"));
const read = async (name) => new Uint8Array(await readFile(`${folder}/${name}`));

/** Creates the archive of the inputs. */
async function create(compress, options = {}) {
  const { stream } = await par.createStream({
    ...inputs.description,
    issuer: await par.KeyPair.fromSeed(inputs.issuer),
    subject: await par.KeyPair.fromSeed(inputs.subject),
    sourceDateEpoch: inputs.sourceDateEpoch,
    binaries: [{ source: await read("binary") }],
    compress,
    ...options,
  });
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

test("createStream() makes the bytes that Deno makes", async () => {
  assert.deepEqual(await create(false), await read("plain.par"));
});

test("createStream() with compression makes an archive of the same content", async () => {
  const compressed = await create(true);
  assert.deepEqual([...compressed.subarray(0, 2)], [0x1f, 0x8b]);
  assert.deepEqual(new Uint8Array(gunzipSync(compressed)), await read("plain.par"));
  assert.equal((await par.inspect(compressed)).compressed, true);
});

for (const name of ["plain.par", "compressed.par.gz"]) {
  test(`inspect() reads ${name}, made by Deno`, async () => {
    const { claims, binaries } = await par.inspect(await read(name));
    assert.equal(claims.wascap.name, inputs.description.name);
    assert.deepEqual(binaries.map(({ target }) => target), ["aarch64-linux"]);
    assert.equal(binaries[0].size, (await read("binary")).length);
  });

  test(`verify() judges ${name} against a policy`, async () => {
    const archive = await read(name);
    const issuer = (await par.KeyPair.fromSeed(inputs.issuer)).publicKey;
    const trusted = await par.verify(archive, { trustedIssuers: [issuer] });
    assert.equal(trusted.trusted, true);
    const refused = await par.verify(archive, { trustedIssuers: [] });
    assert.equal(refused.checks.find(({ passed }) => !passed).code, "ERR_ISSUER_UNTRUSTED");
  });
}

test("inspect() refuses an archive with a changed binary", async () => {
  const archive = await read("plain.par");
  archive[archive.length - 2048] ^= 1;
  await assert.rejects(par.inspect(archive), { code: "ERR_HASH_MISMATCH" });
});

test("inspect() refuses a compressed archive that is cut short", async () => {
  const archive = await read("compressed.par.gz");
  const half = archive.slice(0, archive.length / 2);
  await assert.rejects(par.inspect(half), { code: "ERR_ARCHIVE_TRUNCATED" });
});

test("inspect() reads numbers as they are written, in every Node", async () => {
  const { claims } = await par.inspect(await read("numbers.par"));
  const { minimum, maximum } = claims.wascap.config_schema;
  assert.equal(String(minimum), "0.0");
  assert.equal(Number(minimum), 0);
  assert.equal(maximum, 10);
});

test("such numbers are written as they are, or not at all", async () => {
  const schema = { minimum: new par.JsonNumber("0.0"), maximum: 10 };
  const { claims } = await par.inspect(await read("numbers.par"));
  if ("rawJSON" in JSON) {
    assert.deepEqual(await create(false, { schema }), await read("numbers.par"));
    assert.equal(JSON.stringify(claims.wascap.config_schema), '{"minimum":0.0,"maximum":10}');
  } else {
    await assert.rejects(create(false, { schema }), { code: "ERR_OPTION_INVALID" });
    assert.throws(() => JSON.stringify(claims), /JSON\.rawJSON/);
  }
});

const { tokens, signatures, bundleSignatures, bundles, privateKeys, archive } = JSON.parse(
  await readFile(`${folder}/verdicts.json`, "utf8"),
);
const fromHex = (hex) => new Uint8Array(Buffer.from(hex, "hex"));

test("verifyToken() comes to the verdicts that are known", async () => {
  for (const [token, verdict] of tokens) {
    const found = await signing.verifyToken(token).then(() => null, ({ code }) => code);
    assert.equal(found, verdict, token.slice(0, 1000));
  }
});

test("verifySignature() comes to the verdicts that are known", async () => {
  for (const [publicKey, message, signature, verdict] of signatures) {
    const [key, data, bytes] = [publicKey, message, signature].map(fromHex);
    assert.equal(await signing.verifySignature(key, data, bytes), verdict, signature);
  }
});

test("BundleKey.verify() comes to the verdicts that are known", async () => {
  for (const [pem, message, signature, verdict] of bundleSignatures) {
    const key = await signing.parseBundleKey(pem);
    assert.equal(await key.verify(fromHex(message), fromHex(signature)), verdict, signature);
  }
});

test("verifyBundle() comes to the verdicts that are known", async () => {
  for (const [text, pem, verdict] of bundles) {
    const judge = async () => {
      const bundle = signing.parseBundle(new TextEncoder().encode(text));
      const keys = [await signing.parseBundleKey(pem)];
      await signing.verifyBundle(bundle, keys, { digests: [archive] });
      return null;
    };
    assert.equal(await judge().catch(({ code }) => code), verdict, text);
  }
});

test("parseSigningKey() makes signers whose signatures their keys verify", async () => {
  for (const pem of privateKeys) {
    const signer = await signing.parseSigningKey(pem);
    const signature = await signer.sign(new Uint8Array(3));
    assert.equal(await signer.key.verify(new Uint8Array(3), signature), true);
  }
});
