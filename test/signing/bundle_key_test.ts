import assert from "node:assert/strict";
import { inspect as show } from "node:util";
import fc from "npm:fast-check@4.10.2";
import {
  BundleKey,
  BundleSigner,
  KeyPair,
  ParError,
  parseBundleKey,
  parseSigningKey,
  signerOf,
} from "../../lib/signing/mod.ts";
import { fromDer, toDer } from "../../lib/signing/ecdsa.ts";
import { ISSUER, issuerPair } from "../_keys.ts";
import { signers } from "./_bundles.ts";
import { isInstalled, runTool, temporaryFolder } from "../_tools.ts";
import { assertFails } from "../verbs/_fixtures.ts";

const OPENSSL = { ignore: !isInstalled("openssl", "version") };

const MESSAGE = new TextEncoder().encode("what is signed");

/** The arguments with which openssl makes a key of each kind. */
const KINDS = {
  "ECDSA-P256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  Ed25519: ["-algorithm", "ed25519"],
} as const;

/** How openssl signs or verifies `message`, whose signature is in `signature`. */
const operate = (verb: "-sign" | "-verify", kind: keyof typeof KINDS, key: string): string[] => {
  const signature = verb === "-sign" ? ["-out", "signature"] : ["-signature", "signature"];
  if (kind === "ECDSA-P256") return ["dgst", "-sha256", verb, key, ...signature, "message"];
  const file = verb === "-sign" ? ["-out", "signature"] : ["-sigfile", "signature", "-pubin"];
  return ["pkeyutl", verb, "-inkey", key, "-rawin", "-in", "message", ...file];
};

/** Runs openssl in a folder of its own, with a pair of keys. */
async function withOpenssl(
  kind: keyof typeof KINDS,
  use: (
    openssl: (...args: readonly string[]) => Promise<string>,
    path: string,
  ) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const openssl = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await runTool("openssl", args, { cwd: folder.path });
    assert.equal(code, 0, `openssl ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  await Deno.writeFile(`${folder.path}/message`, MESSAGE);
  await openssl("genpkey", ...KINDS[kind], "-out", "key.pem");
  await openssl("pkey", "-in", "key.pem", "-pubout", "-out", "key.pub");
  await use(openssl, folder.path);
}

for (const kind of ["ECDSA-P256", "Ed25519"] as const) {
  Deno.test({
    ...OPENSSL,
    name: `parseSigningKey() takes an ${kind} key of openssl, which verifies what it signs`,
    fn: () =>
      withOpenssl(kind, async (openssl, path) => {
        const signer = await parseSigningKey(await Deno.readTextFile(`${path}/key.pem`));
        assert.equal(signer.key.algorithm, kind);
        assert.equal(signer.key.pem(), await Deno.readTextFile(`${path}/key.pub`));
        await Deno.writeFile(`${path}/signature`, await signer.sign(MESSAGE));
        await openssl(...operate("-verify", kind, "key.pub"));
      }),
  });

  Deno.test({
    ...OPENSSL,
    name: `BundleKey.verify() accepts an ${kind} signature of openssl, and no other message`,
    fn: () =>
      withOpenssl(kind, async (openssl, path) => {
        await openssl(...operate("-sign", kind, "key.pem"));
        const signature = await Deno.readFile(`${path}/signature`);
        const key = await parseBundleKey(await Deno.readTextFile(`${path}/key.pub`));
        assert.equal(await key.verify(MESSAGE, signature), true);
        assert.equal(await key.verify(MESSAGE.slice(1), signature), false);
        assert.equal(await key.verify(MESSAGE, signature.slice(0, -1)), false);
        assert.equal(await key.verify(MESSAGE, new Uint8Array()), false);
      }),
  });

  Deno.test({
    ...OPENSSL,
    name: `BundleKey.hint is the SHA-256 that openssl computes of an ${kind} key's DER`,
    fn: () =>
      withOpenssl(kind, async (openssl, path) => {
        await openssl("pkey", "-in", "key.pem", "-pubout", "-outform", "DER", "-out", "der");
        await openssl("dgst", "-sha256", "-binary", "-out", "digest", "der");
        const base64 = await openssl("base64", "-in", "digest");
        const key = await parseBundleKey(await Deno.readTextFile(`${path}/key.pub`));
        assert.equal(key.hint, base64.trim());
        assert.deepEqual(key.der(), await Deno.readFile(`${path}/der`));
      }),
  });
}

Deno.test({
  ...OPENSSL,
  name: "signerOf() makes signatures of an nkey's pair that openssl verifies with its PEM",
  fn: () =>
    withOpenssl("Ed25519", async (openssl, path) => {
      const signer = await signerOf(await issuerPair());
      await Deno.writeTextFile(`${path}/issuer.pub`, signer.key.pem());
      await Deno.writeFile(`${path}/signature`, await signer.sign(MESSAGE));
      await openssl(...operate("-verify", "Ed25519", "issuer.pub"));
      const key = await parseBundleKey(`${ISSUER.publicKey}\n`);
      assert.equal(key.nkey, ISSUER.publicKey);
      assert.equal(`${key}`, ISSUER.publicKey);
      assert.equal(key.hint, signer.key.hint);
    }),
});

/** Keys that are not taken: how openssl makes each, and what the message has to say. */
const REFUSED: Readonly<Record<string, { make: string[]; says: RegExp }>> = {
  "an RSA key": {
    make: ["genpkey", "-algorithm", "RSA", "-out", "key"],
    says: /not a P-256 or Ed25519 key.*openssl genpkey/,
  },
  "an RSA key in its own form": {
    make: ["genrsa", "-traditional", "-out", "key"],
    says: /RSA key.*openssl genpkey/,
  },
  "a P-384 key": {
    make: ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", "key"],
    says: /not a P-256 or Ed25519 key/,
  },
  "an X25519 key": {
    make: ["genpkey", "-algorithm", "x25519", "-out", "key"],
    says: /not a P-256 or Ed25519 key/,
  },
  "a key of SEC 1": {
    make: ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key"],
    says: /SEC 1.*openssl pkcs8 -topk8 -nocrypt/,
  },
  "a key of SEC 1 behind its curve": {
    make: ["ecparam", "-name", "prime256v1", "-genkey", "-out", "key"],
    says: /SEC 1.*openssl pkcs8 -topk8 -nocrypt/,
  },
  "an encrypted key": {
    make: ["genpkey", ...KINDS.Ed25519, "-aes256", "-pass", "pass:secret", "-out", "key"],
    says: /encrypted.*openssl pkcs8 -in/,
  },
};

for (const [what, { make, says }] of Object.entries(REFUSED)) {
  Deno.test({
    ...OPENSSL,
    name: `parseSigningKey() refuses ${what}, says what to do and shows nothing of it`,
    fn: () =>
      withOpenssl("Ed25519", async (openssl, path) => {
        await openssl(...make);
        const pem = await Deno.readTextFile(`${path}/key`);
        await assertHides(parseSigningKey(pem, "the key file x"), pem, "ERR_KEY_UNSUPPORTED", says);
        await assertHides(parseBundleKey(pem, "the key file x"), pem, "ERR_KEY_INVALID", /secret/);
      }),
  });
}

/** A key of cosign's, whose scrypt and box make no difference here. */
const COSIGN = (label: string): string =>
  `-----BEGIN ENCRYPTED ${label} PRIVATE KEY-----\neyJrZGYiOnsibmFtZSI6InNjcnlwdCJ9fQ==\n` +
  `-----END ENCRYPTED ${label} PRIVATE KEY-----\n`;

Deno.test("parseSigningKey() refuses cosign's encrypted keys, and says what to do", async () => {
  for (const pem of [COSIGN("SIGSTORE"), COSIGN("COSIGN")]) {
    await assertHides(
      parseSigningKey(pem),
      pem,
      "ERR_KEY_UNSUPPORTED",
      /cosign encrypted it.*openssl genpkey.*cosign import-key-pair/,
    );
    await assertHides(parseBundleKey(pem), pem, "ERR_KEY_INVALID", /cosign public-key --key/);
  }
});

Deno.test("parseSigningKey() refuses a public key and a seed, and hides the seed", async () => {
  const { key } = await signerOf(await issuerPair());
  await assertHides(parseSigningKey(key.pem()), "", "ERR_KEY_INVALID", /public key/);
  await assertHides(parseSigningKey(ISSUER.seed), ISSUER.seed, "ERR_KEY_INVALID", /seed/);
});

Deno.test("parseBundleKey() refuses a seed, a private key's text and a curve key", async () => {
  await assertHides(parseBundleKey(ISSUER.seed), ISSUER.seed, "ERR_KEY_INVALID", /seed/);
  const body = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
  await assertHides(parseBundleKey(body), body, "ERR_KEY_INVALID", /neither PEM/);
  const curve = await KeyPair.generate("curve");
  await assertFails(parseBundleKey(curve.publicKey), "ERR_KEY_ROLE");
  await assertFails(signerOf(curve), "ERR_KEY_ROLE");
});

const pemOf = (label: string, bytes: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${btoa(String.fromCharCode(...bytes))}\n-----END ${label}-----\n`;

Deno.test("parseBundleKey() refuses what is not one key in canonical PEM", async () => {
  const { key } = await signerOf(await issuerPair());
  const pem = key.pem();
  const texts: readonly [text: string, code: ParError["code"]][] = [
    ["", "ERR_KEY_INVALID"],
    [pem + pem, "ERR_KEY_INVALID"],
    [`a word\n${pem}`, "ERR_KEY_INVALID"],
    [pem.replace("=", ""), "ERR_KEY_INVALID"],
    [pem.slice(0, -10), "ERR_KEY_INVALID"],
    [pem.replace("END PUBLIC", "END PRIVATE"), "ERR_KEY_INVALID"],
    [pemOf("CERTIFICATE", key.der()), "ERR_KEY_INVALID"],
    [pemOf("NAME", key.der()), "ERR_KEY_INVALID"],
    [pemOf("RSA PUBLIC KEY", key.der()), "ERR_KEY_UNSUPPORTED"],
    [pemOf("PUBLIC KEY", Uint8Array.of(...key.der(), 0)), "ERR_KEY_UNSUPPORTED"],
    [pemOf("PUBLIC KEY", key.der().slice(0, -1)), "ERR_KEY_UNSUPPORTED"],
    [ISSUER.publicKey.replace("AA7", "AB7"), "ERR_KEY_CHECKSUM"],
  ];
  for (const [text, code] of texts) await assertFails(parseBundleKey(text), code);
  for (const text of [`\r\n ${pem}\n\n`, pem.replaceAll("\n", "\r\n")]) {
    assert.equal((await parseBundleKey(text)).hint, key.hint);
  }
});

Deno.test("parseBundleKey() and parseSigningKey() say what is wrong with a block of PEM", async () => {
  const { key } = await signerOf(await issuerPair());
  const der = key.der();
  const cases: readonly [text: string, ofPublic: RegExp, ofPrivate: RegExp][] = [
    [key.pem() + key.pem(), /2 blocks of PEM/, /2 blocks of PEM/],
    ["-----BEGIN public key-----", /0 blocks of PEM/, /0 blocks of PEM/],
    [pemOf("CERTIFICATE", der), /openssl x509/, /not a private key/],
    [pemOf("OPENSSH PRIVATE KEY", der), /it is a private key/, /OpenSSH key/],
    [pemOf("PRIVATE KEY", der).replace("\n", "\n!"), /it is a private key/, /not one whole key/],
    [pemOf("PRIVATE KEY", der).repeat(2), /it is a private key/, /not one whole key/],
  ];
  for (const [text, ofPublic, ofPrivate] of cases) {
    await assert.rejects(parseBundleKey(text), { name: "ParError", message: ofPublic });
    await assert.rejects(parseSigningKey(text), { name: "ParError", message: ofPrivate });
  }
});

Deno.test("parseBundleKey() refuses an Ed25519 key of small order", async () => {
  const { key } = await signerOf(await issuerPair());
  for (const y of [0, 1]) {
    const der = Uint8Array.of(...key.der().slice(0, 12), y, ...new Uint8Array(31));
    await assertFails(parseBundleKey(pemOf("PUBLIC KEY", der)), "ERR_KEY_INVALID");
  }
});

Deno.test("parseBundleKey() refuses a P-256 key that is not a point of the curve", async () => {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
  ]);
  const der = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  assert.equal((await BundleKey.fromDer(der)).algorithm, "ECDSA-P256");
  der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
  await assertFails(parseBundleKey(pemOf("PUBLIC KEY", der)), "ERR_KEY_INVALID");
});

Deno.test("parseBundleKey() refuses a P-256 key whose coordinates are not reduced", async () => {
  const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
  // Two points of the curve: one whose x is 0, and one whose y is 5.
  const points: readonly [x: bigint, y: bigint][] = [
    [0n, 0x66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4n],
    [0xd7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7n, 5n],
  ];
  const { "ECDSA-P256": signer } = await signers();
  const prefix = signer.key.der().slice(0, -64);
  const derOf = (x: bigint, y: bigint): Uint8Array => {
    const digits = [x, y].map((each) => each.toString(16).padStart(64, "0")).join("");
    return Uint8Array.of(
      ...prefix,
      ...digits.match(/../g)?.map((each) => parseInt(each, 16)) ?? [],
    );
  };
  for (const [x, y] of points) {
    assert.equal((await BundleKey.fromDer(derOf(x, y))).algorithm, "ECDSA-P256");
    const other = x < y ? derOf(x + p, y) : derOf(x, y + p);
    await assertFails(BundleKey.fromDer(other), "ERR_KEY_INVALID");
  }
});

Deno.test("BundleSigner.sign() refuses to give a signature that its key does not verify", async () => {
  const { key } = await signerOf(await issuerPair());
  const other = await signerOf(await KeyPair.generate("account"));
  const signer = new BundleSigner(key, (data) => other.sign(data));
  await assertFails(signer.sign(MESSAGE), "ERR_KEY_MISMATCH");
});

Deno.test("BundleSigner shows nothing of the private key", async () => {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign"]) as CryptoKeyPair;
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const signer = await parseSigningKey(pemOf("PRIVATE KEY", der));
  const seed = btoa(String.fromCharCode(...der)).slice(24, 60);
  for (const text of [show(signer, { depth: 9, showHidden: true }), JSON.stringify(signer)]) {
    assert(!text.includes(seed) && !text.includes([...der.slice(16)].join(", ")), text);
  }
});

Deno.test("toDer() and fromDer() are each other's inverse for any two numbers", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (signature) => {
    assert.deepEqual(fromDer(toDer(signature)), signature);
  }));
  const small = fc.tuple(fc.nat({ max: 300 }), fc.nat({ max: 300 }));
  fc.assert(fc.property(small, ([r, s]) => {
    const signature = new Uint8Array(64);
    new DataView(signature.buffer).setUint16(30, r);
    new DataView(signature.buffer).setUint16(62, s);
    assert.deepEqual(fromDer(toDer(signature)), signature);
  }));
});

Deno.test("fromDer() accepts no bytes that toDer() does not write", () => {
  const signature = fc.uint8Array({ minLength: 64, maxLength: 64 });
  const bend = fc.tuple(signature, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat({ max: 3 }));
  let accepted = 0;
  fc.assert(
    fc.property(bend, ([raw, place, mask, how]) => {
      const der = toDer(raw);
      const at = place % der.length;
      const bent = how === 0
        ? der.slice(0, at)
        : how === 1
        ? Uint8Array.of(...der.slice(0, at), mask, ...der.slice(at))
        : how === 2
        ? Uint8Array.of(...der.slice(0, at), ...der.slice(at + 1))
        : der.with(at, (der[at] ?? 0) ^ mask);
      const read = fromDer(bent);
      if (!read) return;
      accepted++;
      assert.deepEqual(toDer(read), new Uint8Array(bent));
    }),
    { numRuns: 2000 },
  );
  assert(accepted > 100, `only ${accepted} were accepted`);
});

/** Checks that an error has a code, says something, and shows no line of a text. */
async function assertHides(
  promise: Promise<unknown>,
  text: string,
  code: ParError["code"],
  says: RegExp,
): Promise<void> {
  const error = await promise.then(() => undefined, (reason) => reason);
  assert(error instanceof ParError, `${error}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, /^Cannot use the key/);
  assert.match(error.message, says);
  const shown = show(error, { depth: 9, showHidden: true });
  for (const line of text.split("\n")) {
    if (line.length < 16 || line.startsWith("-----")) continue;
    assert(!shown.includes(line) && !shown.includes(line.slice(0, 16)), shown);
  }
}
