import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { inspect as show } from "node:util";
import fc from "npm:fast-check@4.10.2";
import * as nats from "npm:nkeys.js@1.1.0";
import {
  importPublicKey,
  KEY_ROLES,
  KeyPair,
  type KeyRole,
  parsePublicKey,
  publicKeyBytes,
  roleOf,
  verifySignature,
} from "../../lib/signing/nkey.ts";
import { concat } from "../_bytes.ts";
import { BASE32, encodeKey, ISSUER, OTHER_ISSUER, SUBJECT } from "../_keys.ts";
import { isInstalled, runTool, temporaryFolder } from "../_tools.ts";
import { anyText } from "../_text.ts";

const LETTERS: Readonly<Record<KeyRole, string>> = {
  account: "A",
  cluster: "C",
  module: "M",
  server: "N",
  operator: "O",
  user: "U",
  service: "V",
  curve: "X",
};
const ROLE = fc.constantFrom(...KEY_ROLES);
const MESSAGE = fc.uint8Array({ maxLength: 500 }).map((bytes) => concat(bytes));

Deno.test("KeyPair.fromSeed() gives the public keys of the reference's own tests", async () => {
  for (
    const [vector, role] of [
      [ISSUER, "account"],
      [OTHER_ISSUER, "account"],
      [SUBJECT, "service"],
    ] as const
  ) {
    const pair = await KeyPair.fromSeed(vector.seed, role);
    assert.equal(pair.publicKey, vector.publicKey);
    assert.equal(pair.role, role);
    assert.equal(pair.seed(), vector.seed);
  }
});

Deno.test("KeyPair.sign() gives the signature of RFC 8032, section 7.1, test 2", async () => {
  const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, "hex"));
  const secret = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  const pair = await KeyPair.fromSeed(encodeKey(Uint8Array.of(0x90, 0, ...secret)));
  assert.equal(
    Buffer.from(publicKeyBytes(pair.publicKey)).toString("hex"),
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
  );
  assert.equal(
    Buffer.from(await pair.sign(Uint8Array.of(0x72))).toString("hex"),
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  );
});

Deno.test("KeyPair.generate() makes keys of each role's form, all different", async () => {
  const seen = new Set<string>();
  for (const role of KEY_ROLES) {
    const pair = await KeyPair.generate(role);
    const letter = LETTERS[role];
    assert.match(pair.publicKey, new RegExp(`^${letter}[A-Z2-7]{55}$`));
    assert.match(pair.seed(), new RegExp(`^S${letter}[A-Z2-7]{56}$`));
    assert.equal(roleOf(pair.publicKey), role);
    assert.equal(publicKeyBytes(pair.publicKey).length, 32);
    seen.add(pair.seed());
  }
  assert.equal(seen.size, KEY_ROLES.length);
  assert.deepEqual([...KEY_ROLES].sort(), Object.keys(LETTERS).sort());
});

Deno.test("KeyPair.fromSeed() reads what seed() writes, with white space around it", async () => {
  const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
  await fc.assert(fc.asyncProperty(ROLE, space, space, async (role, before, after) => {
    const pair = await KeyPair.generate(role);
    const again = await KeyPair.fromSeed(before + pair.seed() + after, role);
    assert.equal(again.publicKey, pair.publicKey);
    assert.equal(parsePublicKey(pair.publicKey, role), pair.publicKey);
  }));
});

Deno.test("KeyPair agrees with nkeys.js on every role that it knows", async () => {
  const make: Partial<Record<KeyRole, () => nats.KeyPair>> = {
    account: nats.createAccount,
    cluster: nats.createCluster,
    curve: nats.createCurve,
    operator: nats.createOperator,
    server: nats.createServer,
    user: nats.createUser,
  };
  for (const [role, create] of Object.entries(make) as [KeyRole, () => nats.KeyPair][]) {
    for (let round = 0; round < 5; round++) {
      const theirs = create();
      const ours = await KeyPair.fromSeed(new TextDecoder().decode(theirs.getSeed()), role);
      assert.equal(ours.publicKey, theirs.getPublicKey());

      const made = await KeyPair.generate(role);
      const read = nats.fromSeed(new TextEncoder().encode(made.seed()));
      assert.equal(read.getPublicKey(), made.publicKey);
      if (role === "curve") continue;

      const data = crypto.getRandomValues(new Uint8Array(100));
      assert.deepEqual(await made.sign(data), new Uint8Array(read.sign(data)));
      assert(nats.fromPublic(made.publicKey).verify(data, await made.sign(data)));
      const signature = new Uint8Array(theirs.sign(data));
      assert(await verifySignature(publicKeyBytes(ours.publicKey), data, signature));
    }
  }
});

Deno.test({
  name: "KeyPair.sign() is verified by openssl from the raw public key",
  ignore: !isInstalled("openssl", "version"),
  async fn() {
    await using folder = await temporaryFolder();
    for (const seed of [ISSUER.seed, SUBJECT.seed, (await KeyPair.generate("module")).seed()]) {
      const pair = await KeyPair.fromSeed(seed);
      const data = crypto.getRandomValues(new Uint8Array(1000));
      // RFC 8410, section 4: what stands before the 32 bytes of an Ed25519 key in DER.
      const der = concat(
        Uint8Array.of(0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 33, 0),
        publicKeyBytes(pair.publicKey),
      );
      await Deno.writeFile(`${folder.path}/key.der`, der);
      await Deno.writeFile(`${folder.path}/data`, data);
      const verify = async (signature: Uint8Array): Promise<string> => {
        await Deno.writeFile(`${folder.path}/signature`, signature);
        const { stdout, stderr } = await runTool("openssl", [
          ..."pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in data".split(" "),
          ..."-sigfile signature".split(" "),
        ], { cwd: folder.path });
        return stdout.trim() || stderr;
      };
      const signature = await pair.sign(data);
      assert.equal(await verify(signature), "Signature Verified Successfully");
      signature[0] = (signature[0] as number) ^ 1;
      assert.notEqual(await verify(signature), "Signature Verified Successfully");
    }
  },
});

Deno.test("KeyPair.sign() gives what verifySignature() accepts, for that key and message alone", async () => {
  const other = await KeyPair.generate("account");
  await fc.assert(
    fc.asyncProperty(MESSAGE, fc.nat(63), fc.nat(7), async (data, at, bit) => {
      const pair = await KeyPair.generate("account");
      const key = publicKeyBytes(pair.publicKey);
      const signature = await pair.sign(data);
      assert.equal(signature.length, 64);
      assert(await verifySignature(key, data, signature));
      assert(!await verifySignature(publicKeyBytes(other.publicKey), data, signature));
      assert(!await verifySignature(key, concat(data, "."), signature));
      const flipped = signature.with(at, (signature[at] as number) ^ (1 << bit));
      assert(!await verifySignature(key, data, flipped));
    }),
    { numRuns: 50 },
  );
});

Deno.test("verifySignature() refuses signatures of another length", async () => {
  const pair = await KeyPair.fromSeed(ISSUER.seed);
  const key = publicKeyBytes(pair.publicKey);
  const data = concat("data");
  const signature = await pair.sign(data);
  for (const wrong of [new Uint8Array(0), signature.slice(0, 63), concat(signature, "\0")]) {
    assert.equal(await verifySignature(key, data, wrong), false);
  }
});

Deno.test("verifySignature() refuses keys that are no point or of another length", async () => {
  const data = concat("data");
  const signature = new Uint8Array(64);
  for (
    const key of [
      new Uint8Array(0),
      new Uint8Array(31).fill(9),
      new Uint8Array(33).fill(9),
      // y = 2 has no x on the curve.
      Uint8Array.of(2, ...new Uint8Array(31)),
      new Uint8Array(32).fill(0xff),
    ]
  ) assert.equal(await verifySignature(key, data, signature), false);
});

Deno.test("verifySignature() refuses each key of small order, however it is spelled", async () => {
  const data = concat("data");
  // R is the identity and S is 0, so R = S·B − h·A holds for the identity A, and by luck for others.
  const signature = Uint8Array.of(1, ...new Uint8Array(63));
  const points = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ];
  for (const point of points) {
    for (const sign of [0, 0x80]) {
      const key = Uint8Array.from(Buffer.from(point, "hex"));
      key[31] = (key[31] as number) | sign;
      for (let i = 0; i < 8; i++) {
        assert.equal(await verifySignature(key, concat(data, String(i)), signature), false, point);
      }
    }
  }
});

Deno.test("KeyPair.sign() refuses a curve key with ERR_KEY_ROLE", async () => {
  const pair = await KeyPair.generate("curve");
  await assert.rejects(pair.sign(concat("data")), { code: "ERR_KEY_ROLE" });
});

Deno.test("KeyPair.signingKey() signs as sign() does, and gives the seed to nobody", async () => {
  const pair = await KeyPair.fromSeed(ISSUER.seed);
  const key = await pair.signingKey();
  assert.deepEqual([key.type, key.extractable, key.usages], ["private", false, ["sign"]]);
  await assert.rejects(async () => await crypto.subtle.exportKey("jwk", key));
  await assert.rejects(async () => await crypto.subtle.exportKey("pkcs8", key));
  const data = concat("data");
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key, data));
  assert.deepEqual(signature, await pair.sign(data));
});

Deno.test("KeyPair.signingKey() refuses a curve key with ERR_KEY_ROLE", async () => {
  const pair = await KeyPair.generate("curve");
  await assert.rejects(pair.signingKey(), { code: "ERR_KEY_ROLE" });
});

Deno.test("importPublicKey() gives a key that can do nothing but verify", async () => {
  const key = await importPublicKey(publicKeyBytes(parsePublicKey(ISSUER.publicKey)));
  assert(key);
  assert.deepEqual([key.type, key.algorithm.name, key.usages], ["public", "Ed25519", ["verify"]]);
});

Deno.test("importPublicKey() gives none for a point of small order or another length", async () => {
  const identity = Uint8Array.of(1, ...new Uint8Array(31));
  for (const bytes of [identity, new Uint8Array(32), new Uint8Array(31), new Uint8Array(33)]) {
    assert.equal(await importPublicKey(bytes), undefined);
  }
});

Deno.test("KeyPair shows its public key alone, however it is printed", async () => {
  const pair = await KeyPair.fromSeed(ISSUER.seed);
  const shown = [
    String(pair),
    `${pair}`,
    JSON.stringify({ pair }),
    show(pair, { depth: 10, showHidden: true }),
    Deno.inspect(pair, { depth: 10, showHidden: true }),
    JSON.stringify({ ...pair }),
    Object.values(pair).join(),
  ];
  for (const text of shown) {
    assert(text.includes(ISSUER.publicKey) || text.includes("account"), text);
    assert(!text.includes(ISSUER.seed.slice(4, 30)), "the seed is shown");
  }
  assert.equal(String(pair), ISSUER.publicKey);
});

Deno.test("parsePublicKey() refuses any one changed character", () => {
  for (const { publicKey } of [ISSUER, SUBJECT]) {
    for (let at = 0; at < publicKey.length; at++) {
      for (const letter of BASE32) {
        if (letter === publicKey[at]) continue;
        const text = publicKey.slice(0, at) + letter + publicKey.slice(at + 1);
        assert.throws(() => parsePublicKey(text), { code: "ERR_KEY_CHECKSUM" }, text);
      }
    }
  }
});

Deno.test("KeyPair.fromSeed() refuses any one changed character, and does not show the seed", async () => {
  const { seed } = SUBJECT;
  for (let at = 0; at < seed.length; at++) {
    const letter = BASE32[(BASE32.indexOf(seed[at] as string) + 1 + at % 31) % 32] as string;
    if (letter === seed[at]) continue;
    const text = seed.slice(0, at) + letter + seed.slice(at + 1);
    await assert.rejects(KeyPair.fromSeed(text), (error: Error & { code?: string }) => {
      assert.match(error.code ?? "", /^ERR_KEY_(CHECKSUM|INVALID)$/);
      const printed = Deno.inspect(error) + Deno.inspect(error.cause);
      assert(
        !printed.includes(text.slice(at < 29 ? 32 : 2, at < 29 ? 56 : 26)),
        "it shows the seed",
      );
      return true;
    });
  }
});

for (
  const [what, text, code] of [
    ["nothing", "", "ERR_KEY_INVALID"],
    ["a word", "HELLO", "ERR_KEY_INVALID"],
    ["lower case", ISSUER.seed.toLowerCase(), "ERR_KEY_INVALID"],
    ["padding", `${ISSUER.seed}======`, "ERR_KEY_INVALID"],
    ["a digit that base32 has not", ISSUER.seed.replace("T", "1"), "ERR_KEY_INVALID"],
    ["a space inside", `${ISSUER.seed.slice(0, 20)} ${ISSUER.seed.slice(20)}`, "ERR_KEY_INVALID"],
    ["a public key", ISSUER.publicKey, "ERR_KEY_INVALID"],
    ["two seeds", ISSUER.seed + ISSUER.seed, "ERR_KEY_INVALID"],
  ] as const
) {
  Deno.test(`KeyPair.fromSeed() refuses ${what}`, async () => {
    await assert.rejects(KeyPair.fromSeed(text), (error: Error & { code?: string }) => {
      assert.equal(error.code, code);
      if (text.length > 30) assert(!Deno.inspect(error).includes(text.slice(25, 50)));
      return true;
    });
  });
}

Deno.test("KeyPair.fromSeed() refuses a seed whose spare bits are set", async () => {
  // 36 bytes are 288 bits; 58 characters hold 290, so each key would have four spellings.
  for (const step of [1, 2, 3]) {
    const last = BASE32[BASE32.indexOf(ISSUER.seed.at(-1) as string) + step];
    if (last === undefined) continue;
    const text = ISSUER.seed.slice(0, -1) + last;
    await assert.rejects(KeyPair.fromSeed(text), { code: "ERR_KEY_INVALID" });
  }
});

Deno.test("KeyPair.fromSeed() and parsePublicKey() refuse a prefix that stands for no role", async () => {
  for (let prefix = 0; prefix < 256; prefix += 8) {
    const known = /^[ACMNOUVX]$/.test(BASE32[prefix >> 3] as string);
    const key = encodeKey(Uint8Array.of(prefix, ...new Uint8Array(32).fill(7)));
    const seed = encodeKey(
      Uint8Array.of(0x90 | prefix >> 5, (prefix & 31) << 3, ...new Uint8Array(32).fill(7)),
    );
    if (known) {
      assert.equal(parsePublicKey(key), key);
      assert.equal((await KeyPair.fromSeed(seed)).publicKey[0], BASE32[prefix >> 3]);
    } else {
      assert.throws(() => parsePublicKey(key), { code: "ERR_KEY_INVALID" });
      await assert.rejects(KeyPair.fromSeed(seed), { code: "ERR_KEY_INVALID" });
    }
  }
});

Deno.test("KeyPair.fromSeed() refuses what is as long as a seed and does not begin as one", async () => {
  const rest = new Uint8Array(32).fill(7);
  const refused = { code: "ERR_KEY_INVALID", message: /: it is not a seed; / };
  // An account's seed begins with 0x90, 0: five bits for "seed", eight for the role, three zeros.
  await KeyPair.fromSeed(encodeKey(Uint8Array.of(0x90, 0, ...rest)));
  for (let first = 0; first < 256; first += 8) {
    if (first === 0x90) continue;
    await assert.rejects(KeyPair.fromSeed(encodeKey(Uint8Array.of(first, 0, ...rest))), refused);
  }
  for (let second = 1; second < 8; second++) {
    const text = encodeKey(Uint8Array.of(0x90, second, ...rest));
    await assert.rejects(KeyPair.fromSeed(text), refused);
  }
});

Deno.test("KeyPair.fromSeed() and parsePublicKey() refuse another length under a right checksum", async () => {
  for (const length of [1, 31, 33, 64]) {
    const bytes = new Uint8Array(length).fill(7);
    const key = encodeKey(Uint8Array.of(0, ...bytes));
    const seed = encodeKey(Uint8Array.of(0x90, 0, ...bytes));
    assert.throws(() => parsePublicKey(key), { code: "ERR_KEY_INVALID" }, key);
    await assert.rejects(KeyPair.fromSeed(seed), { code: "ERR_KEY_INVALID" }, seed);
  }
});

Deno.test("KeyPair.fromSeed() and parsePublicKey() tell how long a key is, and how long it should be", async () => {
  for (const length of [0, 1, 57, 59]) {
    await assert.rejects(KeyPair.fromSeed(ISSUER.seed.padEnd(59, "A").slice(0, length)), {
      message: `Cannot read the seed: a seed has 58 characters, and this has ${length}`,
    });
  }
  for (const length of [0, 1, 55, 57]) {
    assert.throws(() => parsePublicKey(ISSUER.publicKey.padEnd(57, "A").slice(0, length)), {
      message: new RegExp(`: a public key has 56 characters, and this has ${length}$`),
    });
  }
});

Deno.test("parsePublicKey() says that a seed is one, and does not show it", () => {
  for (const { seed } of [ISSUER, SUBJECT]) {
    assert.throws(() => parsePublicKey(seed), {
      code: "ERR_KEY_INVALID",
      message:
        'Cannot read public key "[a seed, not shown]": it is a seed, which is secret; give ' +
        "the public key that belongs to it",
    });
  }
});

Deno.test("KeyPair.fromSeed() and parsePublicKey() refuse a key of another role with ERR_KEY_ROLE", async () => {
  const wrong = { code: "ERR_KEY_ROLE" };
  await assert.rejects(KeyPair.fromSeed(SUBJECT.seed, "account"), wrong);
  await assert.rejects(KeyPair.fromSeed(ISSUER.seed, "service"), wrong);
  assert.throws(() => parsePublicKey(SUBJECT.publicKey, "account"), wrong);
  assert.throws(() => parsePublicKey(ISSUER.publicKey, "service"), wrong);
});

Deno.test("parsePublicKey() refuses any other text", () => {
  fc.assert(fc.property(anyText(), (text) => {
    assert.throws(() => parsePublicKey(text), { name: "ParError" });
  }));
});
