import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { type ErrorCode, inspect, KeyPair, parsePublicKey, verify } from "../../mod.ts";
import { publicKeyBytes, verifySignature, verifyToken } from "../../lib/signing/mod.ts";
import { archiveOf, base64url, JOSE_HEADER, payloadFor, signToken } from "../_archive.ts";
import { ISSUER, issuerPair, OTHER_ISSUER, otherIssuerPair } from "../_keys.ts";
import { assertFails, joinToken } from "../verbs/_fixtures.ts";

const payload = payloadFor();

/** Checks that neither a token nor an archive that holds it is believed. */
async function assertRefused(token: string, code: ErrorCode): Promise<void> {
  await assertFails(verifyToken(token), code);
  const archive = await archiveOf({ token });
  await assertFails(inspect(archive), code);
  const { trusted, checks } = await verify(archive);
  assert(!trusted);
  assert.equal(checks.at(-1)?.code, code);
}

/** The 32 bytes of a public key in an account's text form. */
function accountKey(bytes: Uint8Array): string {
  const body = Uint8Array.of(0, ...bytes);
  let sum = 0;
  for (const byte of body) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) sum = ((sum << 1) ^ (sum & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const byte of [...body, sum & 0xff, sum >> 8]) bits += byte.toString(2).padStart(8, "0");
  return bits.match(/.{5}/g)?.map((five) => alphabet[parseInt(five, 2)]).join("") ?? "";
}

Deno.test("a token in order is believed", async () => {
  const { claims } = await verifyToken(await signToken(payload));
  assert.deepEqual(claims, payload);
});

Deno.test("a token of another algorithm is refused, whatever its signature", async () => {
  const good = await signToken(payload);
  const [, body = "", signature = ""] = good.split(".");
  for (
    const alg of ["none", "None", "", "EdDSA", "ed25519", "Ed448", "HS256", "ES256", null, 1, []]
  ) {
    const header = base64url({ typ: "jwt", alg });
    await assertRefused(`${header}.${body}.${signature}`, "ERR_TOKEN_ALGORITHM");
    await assertRefused(`${header}.${body}.`, "ERR_TOKEN_ALGORITHM");
    // Signed by the true issuer under that header: the algorithm alone is wrong.
    await assertRefused(
      await signToken(payload, { header: { typ: "jwt", alg } }),
      "ERR_TOKEN_ALGORITHM",
    );
  }
  const missing = await signToken(payload, { header: { typ: "jwt" } });
  await assertRefused(missing, "ERR_TOKEN_ALGORITHM");
});

Deno.test("a token with the public key as an HMAC's secret is refused", async () => {
  const key = parsePublicKey(ISSUER.publicKey);
  for (const secret of [publicKeyBytes(key), key as string]) {
    for (const alg of ["HS256", "Ed25519"]) {
      const header = { typ: "jwt", alg };
      const signed = `${base64url(header)}.${base64url(payload)}`;
      const mac = new Uint8Array(createHmac("sha256", secret).update(signed).digest());
      await assertRefused(
        joinToken({ header, payload, signature: mac }),
        alg === "HS256" ? "ERR_TOKEN_ALGORITHM" : "ERR_TOKEN_SIGNATURE",
      );
      const long = new Uint8Array(createHmac("sha512", secret).update(signed).digest());
      await assertRefused(
        joinToken({ header, payload, signature: long }),
        alg === "HS256" ? "ERR_TOKEN_ALGORITHM" : "ERR_TOKEN_SIGNATURE",
      );
    }
  }
});

Deno.test("a token that another key has signed is refused", async () => {
  const signer = await otherIssuerPair();
  await assertRefused(await signToken(payload, { signer }), "ERR_TOKEN_SIGNATURE");
  // The provider's own key vouches for nothing either.
  const subject = await KeyPair.generate("service");
  await assertRefused(
    await signToken({ ...payload, sub: subject.publicKey }, { signer: subject }),
    "ERR_TOKEN_SIGNATURE",
  );
});

Deno.test("a token is its issuer's, and nobody else's by writing their name there", async () => {
  const other = await otherIssuerPair();
  // The true issuer's signature under a payload that names another account.
  await assertRefused(
    await signToken({ ...payload, iss: OTHER_ISSUER.publicKey }),
    "ERR_TOKEN_SIGNATURE",
  );
  // Another account signs the same claims in its own name: in order, and not to be trusted.
  const token = await signToken({ ...payload, iss: OTHER_ISSUER.publicKey }, { signer: other });
  assert.equal((await verifyToken(token)).claims.iss, OTHER_ISSUER.publicKey);
  const archive = await archiveOf({ token });
  const { trusted, checks } = await verify(archive, {
    trustedIssuers: [parsePublicKey(ISSUER.publicKey)],
  });
  assert(!trusted);
  assert.deepEqual(
    checks.filter(({ passed }) => !passed).map(({ code }) => code),
    ["ERR_ISSUER_UNTRUSTED"],
  );
});

Deno.test("an issuer or subject that is no key, or one of another role, is refused", async () => {
  const user = await KeyPair.generate("user");
  const cases: [string, unknown, ErrorCode][] = [
    ["iss", user.publicKey, "ERR_TOKEN_ISSUER"],
    ["iss", payload["sub"], "ERR_TOKEN_ISSUER"],
    ["iss", ISSUER.publicKey.toLowerCase(), "ERR_TOKEN_ISSUER"],
    ["iss", `${ISSUER.publicKey} `, "ERR_TOKEN_ISSUER"],
    ["iss", ISSUER.publicKey.slice(0, -1), "ERR_TOKEN_ISSUER"],
    ["iss", `${ISSUER.publicKey.slice(0, -1)}A`, "ERR_TOKEN_ISSUER"],
    ["iss", "", "ERR_TOKEN_ISSUER"],
    ["sub", ISSUER.publicKey, "ERR_TOKEN_SUBJECT"],
    ["sub", "somebody", "ERR_TOKEN_SUBJECT"],
    ["iss", undefined, "ERR_CLAIMS_INVALID"],
    ["iss", null, "ERR_CLAIMS_INVALID"],
    ["iss", [ISSUER.publicKey], "ERR_CLAIMS_INVALID"],
    ["sub", {}, "ERR_CLAIMS_INVALID"],
  ];
  for (const [field, value, code] of cases) {
    await assertRefused(await signToken({ ...payload, [field]: value }), code);
  }
});

Deno.test("a header with a key, a key's id or anything else is refused", async () => {
  const other = await otherIssuerPair();
  const x = base64url(publicKeyBytes(other.publicKey));
  const jwk = { kty: "OKP", crv: "Ed25519", x };
  for (
    const extra of [
      { jwk },
      { kid: other.publicKey },
      { jku: "https://example.com/keys" },
      { x5u: "https://example.com/cert" },
      { x5c: [x] },
      { crit: ["exp"], exp: 1 },
      { b64: false, crit: ["b64"] },
      { zip: "DEF" },
      { cty: "JWT" },
    ]
  ) {
    const header = { ...JOSE_HEADER, ...extra };
    // Signed by the key in the header, and even by the true issuer.
    await assertRefused(await signToken(payload, { header, signer: other }), "ERR_TOKEN_HEADER");
    await assertRefused(await signToken(payload, { header }), "ERR_TOKEN_HEADER");
  }
});

Deno.test("a token of another type or form is refused", async () => {
  for (const typ of ["JWT", "at+jwt", "", null, undefined]) {
    await assertRefused(
      await signToken(payload, { header: { typ, alg: "Ed25519" } }),
      "ERR_TOKEN_TYPE",
    );
  }
  const good = await signToken(payload);
  const [header = "", body = "", signature = ""] = good.split(".");
  for (
    const token of [
      "",
      ".",
      "..",
      header,
      `${header}.${body}`,
      `${good}.`,
      `.${good}`,
      `${good}.${signature}`,
      `${good}\n`,
      ` ${good}`,
      `\ufeff${good}`,
      `${good}\0`,
      JSON.stringify({ payload: body, protected: header, signature }),
      await signToken(payload, { header: "[]" }),
      await signToken(payload, { header: '"Ed25519"' }),
      await signToken(payload, { header: "25519" }),
      await signToken(payload, { header: "true" }),
      await signToken(payload, { header: "null" }),
      await signToken(payload, { header: "not JSON" }),
      await signToken("not JSON"),
      await signToken(`${JSON.stringify(payload)} {}`),
      await signToken(`\ufeff${JSON.stringify(payload)}`),
      await signToken(Uint8Array.of(0x7b, 0xff, 0x7d)),
    ]
  ) await assertRefused(token, "ERR_TOKEN_MALFORMED");
});

Deno.test("a token that is spelled in another way than the canonical one is refused", async () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  // Names of several lengths, so that payloads end in each way that base64 can.
  for (const name of ["a", "ab", "abc"]) {
    const good = await signToken({ ...payload, wascap: { ...payload["wascap"], name } });
    assert.equal((await verifyToken(good)).claims.wascap.name, name);
    const parts = good.split(".");
    for (const [i, part] of parts.entries()) {
      const join = (changed: string): string => parts.with(i, changed).join(".");
      await assertRefused(join(`${part}=`), "ERR_TOKEN_MALFORMED");
      await assertRefused(join(`${part}==`), "ERR_TOKEN_MALFORMED");
      // The signature has one byte more then, and the others are no JSON any more.
      const longer = i === 2 ? "ERR_TOKEN_SIGNATURE" : "ERR_TOKEN_MALFORMED";
      await assertRefused(join(`${part}A`), longer);
      await assertRefused(join(`${part}\n`), "ERR_TOKEN_MALFORMED");
      await assertRefused(join(`${part.slice(0, 4)} ${part.slice(4)}`), "ERR_TOKEN_MALFORMED");
      // The bits that the last character has too many.
      const spare = [0, 0, 4, 2][part.length % 4] as number;
      const last = alphabet.indexOf(part.at(-1) as string);
      for (let bits = 1; bits < 2 ** spare; bits++) {
        const other = alphabet[last ^ bits] as string;
        await assertRefused(join(part.slice(0, -1) + other), "ERR_TOKEN_MALFORMED");
      }
    }
    // Standard base64 has other characters at the end of its alphabet.
    const standard = good.replaceAll("-", "+").replaceAll("_", "/");
    if (standard !== good) await assertRefused(standard, "ERR_TOKEN_MALFORMED");
  }
});

/** The order of the base point (RFC 8032, section 5.1). */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

Deno.test("a signature that is not in canonical form is refused", async () => {
  const good = await signToken(payload);
  const signed = good.slice(0, good.lastIndexOf("."));
  const signature = await (await issuerPair()).sign(new TextEncoder().encode(signed));
  const withScalar = (scalar: bigint): Uint8Array => {
    const changed = signature.slice();
    for (let i = 32; i < 64; i++, scalar >>= 8n) changed[i] = Number(scalar & 0xffn);
    return changed;
  };
  let scalar = 0n;
  for (let i = 63; i >= 32; i--) scalar = scalar << 8n | BigInt(signature[i] as number);
  assert.deepEqual(withScalar(scalar), signature);
  assert(scalar < L);
  // S + k·L is the same scalar to whoever reduces it before checking it is small enough.
  for (let multiple = 1n; scalar + multiple * L < 2n ** 256n; multiple++) {
    const changed = withScalar(scalar + multiple * L);
    await assertRefused(joinToken({ payload, signature: changed }), "ERR_TOKEN_SIGNATURE");
  }
  await assertRefused(
    joinToken({ payload, signature: withScalar(L - scalar) }),
    "ERR_TOKEN_SIGNATURE",
  );
  await assertRefused(joinToken({ payload, signature: new Uint8Array(64) }), "ERR_TOKEN_SIGNATURE");
  for (const length of [0, 1, 32, 63, 65, 128]) {
    const changed = new Uint8Array(length);
    changed.set(signature.subarray(0, length));
    await assertRefused(joinToken({ payload, signature: changed }), "ERR_TOKEN_SIGNATURE");
  }
});

Deno.test("no signature by a key of small order is believed", async () => {
  const fromHex = (hex: string): Uint8Array<ArrayBuffer> =>
    Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  // Every encoding of the eight points of small order, also with a y that is not reduced.
  const ys = [
    "00".repeat(32),
    `01${"00".repeat(31)}`,
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    `ec${"ff".repeat(30)}7f`,
    `ed${"ff".repeat(30)}7f`,
    `ee${"ff".repeat(30)}7f`,
  ];
  const points = ys.flatMap((y) => {
    const point = fromHex(y);
    const negated = point.slice();
    negated[31] = (negated[31] as number) | 0x80;
    return [point, negated];
  });
  const message = new TextEncoder().encode("anything");
  for (const key of points) {
    for (const r of points) {
      // With such a key, S = 0 and a fitting R of small order hold for one message in eight at least.
      const signature = new Uint8Array(64);
      signature.set(r);
      assert(!await verifySignature(key, message, signature));
    }
    const iss = accountKey(key);
    assert.equal(parsePublicKey(iss, "account"), iss);
    for (const r of points) {
      const signature = new Uint8Array(64);
      signature.set(r);
      const token = joinToken({ payload: { ...payload, iss }, signature });
      await assertFails(verifyToken(token), "ERR_TOKEN_SIGNATURE");
    }
  }
});

Deno.test("a token is valid from nbf on and up to exp, at the second", async () => {
  const at = (seconds: number): { now: Date } => ({ now: new Date(seconds * 1000) });
  const token = await signToken({ ...payload, nbf: 1_700_000_100, exp: 1_700_000_200 });
  await assertFails(verifyToken(token, at(1_700_000_099)), "ERR_TOKEN_NOT_YET_VALID");
  await assertFails(verifyToken(token, at(1_700_000_099.999)), "ERR_TOKEN_NOT_YET_VALID");
  await verifyToken(token, at(1_700_000_100));
  await verifyToken(token, at(1_700_000_199.999));
  await assertFails(verifyToken(token, at(1_700_000_200)), "ERR_TOKEN_EXPIRED");
  await assertFails(verifyToken(token, at(1_700_000_201)), "ERR_TOKEN_EXPIRED");

  const now = Math.floor(Date.now() / 1000);
  await assertRefused(await signToken({ ...payload, exp: now - 86400 }), "ERR_TOKEN_EXPIRED");
  await assertRefused(await signToken({ ...payload, exp: now }), "ERR_TOKEN_EXPIRED");
  await assertRefused(await signToken({ ...payload, nbf: now + 86400 }), "ERR_TOKEN_NOT_YET_VALID");
  // Preparing early is one thing, preparing what is over another.
  const early = { allowEarly: true };
  await verifyToken(await signToken({ ...payload, nbf: now + 86400 }), early);
  await assertFails(
    verifyToken(await signToken({ ...payload, exp: now - 1 }), early),
    "ERR_TOKEN_EXPIRED",
  );
});

Deno.test("times, revisions and hashes of another type are refused, not guessed", async () => {
  const cases: [string, unknown][] = [
    ["exp", "4102444800"],
    ["exp", 4102444800.5],
    ["exp", -1],
    ["exp", 1e300],
    ["exp", [4102444800]],
    ["exp", true],
    ["nbf", "0"],
    ["nbf", {}],
    ["iat", undefined],
    ["iat", "1700000000"],
    ["iat", 1.5],
    ["jti", 7],
    ["jti", undefined],
    ["wascap", undefined],
    ["wascap", "text"],
    ["wascap", []],
    ["wascap_revision", "3"],
  ];
  for (const [field, value] of cases) {
    await assertRefused(await signToken({ ...payload, [field]: value }), "ERR_CLAIMS_INVALID");
  }
  const inner: [string, unknown][] = [
    ["vendor", undefined],
    ["vendor", 1],
    ["name", []],
    ["rev", "1"],
    ["rev", 2 ** 31],
    ["rev", 1.5],
    ["target_hashes", undefined],
    ["target_hashes", []],
    ["target_hashes", { "x86_64-linux": null }],
    ["target_hashes", { "x86_64-linux": "00" }],
    ["target_hashes", { "x86_64-linux": "a".repeat(64) }],
    ["target_hashes", { "x86_64-linux": ["A".repeat(64)] }],
  ];
  for (const [field, value] of inner) {
    const wascap = { ...payload["wascap"], [field]: value };
    await assertRefused(await signToken({ ...payload, wascap }), "ERR_CLAIMS_INVALID");
  }
});

/** The payload as text, a piece of it replaced. */
function bent(piece: string, by: string): string {
  const text = JSON.stringify(payload);
  assert.equal(text.split(piece).length, 2, piece);
  return text.replace(piece, () => by);
}

Deno.test("a member that stands twice is refused at every depth, however it is spelled", async () => {
  for (
    const header of [
      '{"typ":"jwt","alg":"none","alg":"Ed25519"}',
      '{"typ":"jwt","alg":"Ed25519","alg":"Ed25519"}',
      '{"typ":"jwt","\\u0061lg":"none","alg":"Ed25519"}',
      '{"typ":"x","typ":"jwt","alg":"Ed25519"}',
    ]
  ) await assertRefused(await signToken(payload, { header }), "ERR_TOKEN_MALFORMED");
  const hash = "0".repeat(64);
  for (
    const text of [
      bent('"iat":', '"iat":1,"iat":'),
      bent('"iss":', `"iss":"${OTHER_ISSUER.publicKey}","iss":`),
      bent('"iss":', `"\\u0069ss":"${OTHER_ISSUER.publicKey}","iss":`),
      bent('"wascap":', '"wascap":{},"wascap":'),
      bent('"wascap":', '"x":[{"y":{"z":1,"z":1}}],"wascap":'),
      bent('"wascap":', '"exp":null,"exp":4102444800,"wascap":'),
      bent('"vendor":', '"vendor":"somebody","vendor":'),
      bent('"target_hashes":', '"target_hashes":{},"target_hashes":'),
      bent('"x86_64-linux":', `"x86_64-linux":"${hash}","x86_64-linux":`),
      bent('"x86_64-linux":', `"x86_64\\u002dlinux":"${hash}","x86_64-linux":`),
      bent('"rev":', '"config_schema":{"type":"object","type":"string"},"rev":'),
      bent('"rev":', '"mood":[[{"a":{},"a":{}}]],"rev":'),
    ]
  ) await assertRefused(await signToken(text), "ERR_TOKEN_MALFORMED");
});

Deno.test("what JSON's readers differ in is refused wherever it stands", async () => {
  for (
    const value of [
      '"\\ud800"',
      '"\\udc00\\ud800"',
      '"\\u0000"',
      "1e400",
      "-1e400",
      '{"__proto__":{}}',
      '{"\\ud800":1}',
      "NaN",
      "01",
      "[1,]",
      "[".repeat(127) + "]".repeat(127),
    ]
  ) {
    for (
      const text of [
        bent('"jti":', `"x":${value},"jti":`),
        bent('"rev":', `"x":[${value}],"rev":`),
        bent('"rev":', `"config_schema":${value},"rev":`),
      ]
    ) await assertRefused(await signToken(text), "ERR_TOKEN_MALFORMED");
  }
  for (const name of ['"\\ud800"', '"\\u0000"', '"__proto__"']) {
    await assertRefused(await signToken(bent('"jti":', `${name}:1,"jti":`)), "ERR_TOKEN_MALFORMED");
  }
  const utf8 = new TextEncoder().encode(JSON.stringify(payload));
  for (const bytes of [[0xff], [0xed, 0xa0, 0x80], [0xc0, 0xaf]]) {
    const at = utf8.indexOf(0x46); // The F of "Fake Payments".
    const bad = Uint8Array.of(...utf8.subarray(0, at), ...bytes, ...utf8.subarray(at));
    await assertRefused(await signToken(bad), "ERR_TOKEN_MALFORMED");
  }
});

Deno.test("white space around and inside, and any way to spell a character, change nothing", async () => {
  const spaced = ` \r\n\t${JSON.stringify(payload, undefined, 3)}\n `;
  const token = await signToken(spaced, { header: ' { "alg" : "Ed25519",\n"typ":"jwt" }\n' });
  assert.deepEqual((await verifyToken(token)).claims, payload);
  const escaped = await signToken(bent('"iss"', '"\\u0069\\u0073s"'));
  assert.deepEqual((await verifyToken(escaped)).claims, payload);
});

Deno.test("a known member in another case is refused, because some readers take it for known", async () => {
  const other = OTHER_ISSUER.publicKey;
  for (
    const text of [
      bent('"iss":', `"ISS":"${other}","iss":`),
      bent('"sub":', `"Sub":"${other}","sub":`),
      bent('"iss":', `"i\u017fs":"${other}","iss":`),
      bent('"jti":', '"EXP":4102444800,"jti":'),
      bent('"jti":', '"Nbf":null,"jti":'),
      bent('"wascap_revision":', '"WasCap_revision":3,"wascap_revision":'),
      bent('"wascap":', '"waſcap":{},"wascap":'),
      bent('"vendor":', '"Vendor":"somebody","vendor":'),
      bent('"target_hashes":', '"Target_Hashes":{},"target_hashes":'),
      bent('"rev":', '"CONFIG_SCHEMA":{},"rev":'),
    ]
  ) await assertRefused(await signToken(text), "ERR_CLAIMS_INVALID");
  await assertRefused(
    await signToken(payload, { header: '{"typ":"jwt","alg":"Ed25519","ALG":"none"}' }),
    "ERR_TOKEN_HEADER",
  );
  // Nobody takes these for known ones: targets and schemas have names of their own.
  const text = bent('"rev":', '"Iss":1,"config_schema":{"VENDOR":1,"vendor":2},"rev":')
    .replace('"jti":', '"Vendor":1,"iat ":0,"i_at":0,"jti":');
  await verifyToken(await signToken(text));
});

Deno.test("times and revisions are whole numbers, and written as such", async () => {
  for (const number of ["1e3", "1E0", "1.0", "1.5", "-0", "-0.0", "0e0", "1e-1", "-1"]) {
    for (
      const text of [
        bent('"iat":1700000000', `"iat":${number}`),
        bent('"jti":', `"exp":${number},"jti":`),
        bent('"jti":', `"nbf":${number},"jti":`),
        bent('"wascap_revision":3', `"wascap_revision":${number}`),
        ...number === "-1" ? [] : [bent('"rev":1', `"rev":${number}`)],
      ]
    ) await assertRefused(await signToken(text), "ERR_CLAIMS_INVALID");
  }
  // What the reference holds in 32 bits, and what JavaScript holds exactly.
  for (
    const [piece, taken, refused] of [
      ['"rev":1', ["2147483647", "-2147483648"], ["2147483648", "-2147483649"]],
      ['"wascap_revision":3', ["0", "4294967295"], ["4294967296", "-1"]],
      ['"iat":1700000000', ["0", "9007199254740991"], ["9007199254740992", "9007199254740993"]],
    ] as const
  ) {
    const name = piece.slice(0, piece.indexOf(":") + 1);
    for (const number of taken) await verifyToken(await signToken(bent(piece, name + number)));
    for (const number of [...refused, "18446744073709551615", "123456789012345678901"]) {
      await assertRefused(await signToken(bent(piece, name + number)), "ERR_CLAIMS_INVALID");
    }
  }
});
