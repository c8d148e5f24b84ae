import assert from "node:assert/strict";
import type * as Module from "../_library.ts";
import { packArchive } from "../../lib/archive/mod.ts";
import { bundle } from "../../web/bundle.ts";
import { collect, noise } from "../_bytes.ts";
import { ISSUER, issuerPair, SUBJECT, subjectPair } from "../_keys.ts";
import { hasChromium, launchChromium } from "../web/_browser.ts";
import { parseBundleKey } from "../../lib/signing/mod.ts";
import { ARCHIVE } from "../signing/_bundles.ts";
import { type Cases, verdictCases } from "./_verdicts.ts";

Deno.test({
  name: "the module, bundled, packs, verifies and judges the same in a browser (needs Chromium)",
  ignore: !hasChromium,
}, async () => {
  const script = await bundle(new URL("_browser_entry.ts", import.meta.url), {
    platform: "browser",
    format: "iife",
  });
  // WebCrypto signs on pages of this machine's alone.
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () =>
      new Response("<!DOCTYPE html><title>-</title>", { headers: { "content-type": "text/html" } }),
  );
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    await page.evaluate(script);
    const content = noise(400_000);
    const made = await page.evaluate(packInPage, {
      seeds: [ISSUER.seed, SUBJECT.seed] as const,
      content: [...content],
    });
    const { bytes } = await packArchive({
      name: "Fake Payments",
      vendor: "wasmCloud",
      issuer: await issuerPair(),
      subject: await subjectPair(),
      sourceDateEpoch: 1_700_000_000,
      binaries: [{ target: "x86_64-linux" as Module.Target, open: () => once(content) }],
    });
    assert.deepEqual(made.plain, [...await collect(bytes)]);
    assert.deepEqual(made.inspected, ["x86_64-linux", content.length, true]);
    assert.equal(made.refused, "ERR_GZIP_CORRUPT");
    const cases = await verdictCases();
    const { tokens, signatures } = cases;
    const judged = await page.evaluate(judgeInPage, cases);
    assert.deepEqual(judged.tokens, tokens.map(([, verdict]) => verdict));
    assert.deepEqual(judged.signatures, signatures.map(([, , , verdict]) => verdict));
    const { bundleSignatures, bundles } = await page.evaluate(judgeBundlesInPage, {
      ...cases,
      archive: ARCHIVE,
    });
    assert.deepEqual(
      bundleSignatures,
      cases.bundleSignatures.map(([, , , verdict]) => verdict),
    );
    assert.deepEqual(bundles, cases.bundles.map(([, , verdict]) => verdict));
    const signed = await page.evaluate(signInPage, cases.privateKeys);
    for (const [pem, signature] of signed) {
      const key = await parseBundleKey(pem);
      assert(await key.verify(new Uint8Array(3), Uint8Array.from(signature)), pem);
    }
  } finally {
    await browser.close();
    await server.shutdown();
  }
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Packs an archive, plain and compressed, and reads the latter. Runs in the page. */
async function packInPage(
  { seeds, content }: { seeds: readonly [string, string]; content: readonly number[] },
): Promise<{ plain: number[]; inspected: unknown[]; refused: string }> {
  const { par } = globalThis as unknown as { par: typeof Module };
  const options = {
    name: "Fake Payments",
    vendor: "wasmCloud",
    issuer: await par.KeyPair.fromSeed(seeds[0]),
    subject: await par.KeyPair.fromSeed(seeds[1]),
    sourceDateEpoch: 1_700_000_000,
    binaries: [{
      target: par.parseTarget("x86_64-linux"),
      open: async function* (): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(content);
      },
    }],
  };
  const read = async (bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> => {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for await (const chunk of bytes) parts.push(new Uint8Array(chunk));
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  };
  const open = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  const plain = await read((await par.packArchive(options)).bytes);
  const packed = await read((await par.packArchive({ ...options, compress: true })).bytes);
  const archive = await par.readArchive(open(packed));
  packed[packed.length - 8] = (packed[packed.length - 8] ?? 0) ^ 1;
  const refused = await par.readArchive(open(packed)).then(() => "", ({ code }) => code);
  const [binary] = archive.binaries;
  return {
    plain: [...plain],
    inspected: [binary?.target, binary?.size, archive.compressed],
    refused,
  };
}

/** Comes to a verdict on each case. Runs in the page. */
async function judgeInPage(
  { tokens, signatures }: Cases,
): Promise<{ tokens: unknown[]; signatures: boolean[] }> {
  const { par } = globalThis as unknown as { par: typeof Module };
  const bytes = (hex: string): Uint8Array<ArrayBuffer> =>
    Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  const verdicts: unknown[] = [];
  for (const [token] of tokens) {
    verdicts.push(await par.verifyToken(token).then(() => null, ({ code }) => code));
  }
  const valid: boolean[] = [];
  for (const [publicKey, message, signature] of signatures) {
    valid.push(await par.verifySignature(bytes(publicKey), bytes(message), bytes(signature)));
  }
  return { tokens: verdicts, signatures: valid };
}

/** The same for bundles. */
async function judgeBundlesInPage(
  { bundleSignatures, bundles, archive }: Cases & { archive: string },
): Promise<{ bundleSignatures: boolean[]; bundles: unknown[] }> {
  const { par } = globalThis as unknown as { par: typeof Module };
  const bytes = (hex: string): Uint8Array<ArrayBuffer> =>
    Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  const valid: boolean[] = [];
  for (const [pem, message, signature] of bundleSignatures) {
    valid.push(await (await par.parseBundleKey(pem)).verify(bytes(message), bytes(signature)));
  }
  const verdicts: unknown[] = [];
  for (const [text, pem] of bundles) {
    const judge = async (): Promise<null> => {
      const bundle = par.parseBundle(new TextEncoder().encode(text));
      await par.verifyBundle(bundle, [await par.parseBundleKey(pem)], { digests: [archive] });
      return null;
    };
    verdicts.push(await judge().catch(({ code }) => code));
  }
  return { bundleSignatures: valid, bundles: verdicts };
}

/** Signs three zeros with each key; gives the public keys and the signatures. Runs in the page. */
async function signInPage(pems: readonly string[]): Promise<[pem: string, signature: number[]][]> {
  const { par } = globalThis as unknown as { par: typeof Module };
  const signers = await Promise.all(pems.map((pem) => par.parseSigningKey(pem)));
  return await Promise.all(signers.map(async (signer) => [
    signer.key.pem(),
    [...await signer.sign(new Uint8Array(3))],
  ]));
}
