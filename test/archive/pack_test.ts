import assert from "node:assert/strict";
import { packArchive, type PackOptions, type Signers } from "../../lib/archive/pack.ts";
import { readArchive } from "../../lib/archive/reader.ts";
import { ParError } from "../../lib/errors.ts";
import { KeyPair } from "../../lib/signing/nkey.ts";
import type { Bytes } from "../../lib/bytes/chunks.ts";
import { parseTarget } from "../../lib/target/target.ts";
import { chunked, collect, concat, noise } from "../_bytes.ts";
import { issuerPair, subjectPair } from "../_keys.ts";

const ISSUER = await issuerPair();
const SUBJECT = await subjectPair();

function options(open: () => Bytes, others: Partial<PackOptions> = {}): PackOptions {
  return {
    name: "Fake Payments",
    vendor: "wasmCloud",
    issuer: ISSUER,
    subject: SUBJECT,
    sourceDateEpoch: 1_700_000_000,
    binaries: [{ target: parseTarget("x86_64-linux"), open }],
    ...others,
  };
}

/** A content that gives other bytes the second time. */
function changing(first: Uint8Array, second: Uint8Array): () => Bytes {
  let readings = 0;
  return () => chunked(readings++ === 0 ? first : second, 1000);
}

for (const compress of [false, true]) {
  for (
    const [what, first, second] of [
      ["one bit differs", noise(5000), noise(5000).with(4000, 0)],
      ["it grew", noise(5000), noise(5001)],
      ["it shrank", noise(5000), noise(4999)],
      ["it is empty", noise(5000), noise(0)],
      ["it grew past a block", noise(512), noise(100_000)],
    ] as const
  ) {
    Deno.test(
      `packArchive() refuses a binary that changes between its readings: ${what}${
        compress ? ", compressed" : ""
      }`,
      async () => {
        const packed = await packArchive(options(changing(first, second), { compress }));
        await assert.rejects(collect(packed.bytes), { code: "ERR_FILE_CHANGED" });
      },
    );
  }
}

Deno.test("packArchive() gives equal bytes however the content's bytes are cut", async () => {
  const content = noise(700_000);
  for (const compress of [false, true]) {
    const pack = async (...lengths: number[]): Promise<Uint8Array> =>
      await collect(
        (await packArchive(options(() => chunked(content, ...lengths), { compress }))).bytes,
      );
    const whole = await pack(content.length);
    assert.deepEqual(await pack(4096), whole);
    assert.deepEqual(await pack(1, 0, 65537), whole);
  }
});

Deno.test("packArchive() writes the claims in the field order of the reference", async () => {
  const { claims } = await packArchive(options(() => chunked(concat("x"), 1), {
    capid: "examples:payments",
    revision: 1,
    version: "1.0",
    schema: { type: "object" },
    notBefore: new Date(1_700_000_000_000),
    expires: new Date(1_800_000_000_999),
  }));
  assert.deepEqual(Object.keys(claims), [
    ..."exp jti iat iss sub nbf wascap wascap_revision".split(" "),
  ]);
  assert.deepEqual(Object.keys(claims.wascap), [
    ..."name capid vendor rev ver target_hashes config_schema".split(" "),
  ]);
  assert.equal(claims.exp, 1_800_000_000);
  assert.equal(claims.nbf, 1_700_000_000);
  assert.equal(claims.iat, 1_700_000_000);
  assert.equal(claims.wascap_revision, 3);
});

Deno.test("packArchive() leaves out what it was not given", async () => {
  const { claims } = await packArchive(options(() => chunked(concat("x"), 1)));
  assert.deepEqual(Object.keys(claims), [..."jti iat iss sub wascap wascap_revision".split(" ")]);
  assert.deepEqual(Object.keys(claims.wascap), [..."name vendor target_hashes".split(" ")]);
});

Deno.test("packArchive() without a fixed time takes the present one and an id of its own", async () => {
  const before = Math.floor(Date.now() / 1000);
  const pack = async (): Promise<{ jti: string; iat: number }> =>
    (await packArchive(options(() => chunked(concat("x"), 1), { sourceDateEpoch: undefined })))
      .claims;
  const [one, other] = [await pack(), await pack()];
  assert.notEqual(one.jti, other.jti);
  assert.match(one.jti, /^[0-9A-Za-z]{22}$/);
  assert(one.iat >= before && one.iat <= Date.now() / 1000);
});

Deno.test("packArchive() derives the id of a fixed time from everything that is signed", async () => {
  const x = (): Bytes => chunked(concat("x"), 1);
  const idOf = async (others: Partial<PackOptions>, open = x): Promise<string> =>
    (await packArchive(options(open, others))).claims.jti;
  const ids = [
    await idOf({}),
    await idOf({ name: "Other" }),
    await idOf({ vendor: "Other" }),
    await idOf({ capid: "x" }),
    await idOf({ revision: 1 }),
    await idOf({ version: "1" }),
    await idOf({ schema: null }),
    await idOf({ sourceDateEpoch: 1 }),
    await idOf({ expires: new Date(1e13) }),
    await idOf({ notBefore: new Date(1e12) }),
    await idOf({}, () => chunked(concat("y"), 1)),
  ];
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(await idOf({}), ids[0]);
  assert.equal(await idOf({ compress: true }), ids[0]);
});

Deno.test("packArchive() refuses keys of a wrong role with ERR_KEY_ROLE", async () => {
  const x = (): Bytes => chunked(concat("x"), 1);
  const wrong = { code: "ERR_KEY_ROLE" };
  await assert.rejects(packArchive(options(x, { issuer: SUBJECT })), wrong);
  await assert.rejects(packArchive(options(x, { subject: ISSUER })), wrong);
});

for (
  const [what, others] of Object.entries<Partial<PackOptions>>({
    "a revision past 32 bits": { revision: 2 ** 31 },
    "a fraction as revision": { revision: 1.5 },
    "a schema past what readers take": { schema: "x".repeat(2 ** 20) },
    "an end before the beginning": { notBefore: new Date(2e12), expires: new Date(1e12) },
    "an end at the beginning": { notBefore: new Date(1e12), expires: new Date(1e12) },
    "an end that is no date": { expires: new Date(NaN) },
    "a beginning that is no date": { notBefore: new Date(NaN) },
    "a beginning before the epoch": { notBefore: new Date(-1000) },
    "a time of issue before the epoch": { sourceDateEpoch: -1 },
    "a fraction as time of issue": { sourceDateEpoch: 1.5 },
  })
) {
  Deno.test(`packArchive() refuses ${what} with ERR_OPTION_INVALID`, async () => {
    const packing = packArchive(options(() => chunked(concat("x"), 1), others));
    await assert.rejects(packing, { code: "ERR_OPTION_INVALID" });
  });
}

Deno.test("packArchive() refuses an empty binary and an empty WIT package with ERR_BINARY_EMPTY", async () => {
  const nothing = (): Bytes => chunked(noise(0));
  await assert.rejects(packArchive(options(nothing)), (error) => {
    assert(error instanceof ParError && error.code === "ERR_BINARY_EMPTY");
    assert.match(
      error.message,
      /^Cannot put the binary for x86_64-linux into an archive: it is empty/,
    );
    return true;
  });
  const withWit = options(() => chunked(noise(1)), { wit: { open: nothing } });
  await assert.rejects(packArchive(withWit), { code: "ERR_BINARY_EMPTY" });
});

Deno.test("packArchive() asks for the keys to sign with when all else was checked", async () => {
  const x = (): Bytes => chunked(concat("x"), 1);
  let asked = 0;
  const other = await KeyPair.generate("account");
  const confirmKeys = (): Promise<Signers> => {
    asked++;
    return Promise.resolve({ issuer: other, subject: SUBJECT });
  };
  const refused: Partial<PackOptions>[] = [
    { revision: 1.5 },
    { schema: "x".repeat(2 ** 20) },
    { sourceDateEpoch: -1 },
    { compress: true, compressLevel: 10 },
    { jobs: 0 },
    { binaries: [{ target: parseTarget("arm-linux"), open: () => chunked(noise(0)) }] },
  ];
  for (const others of refused) {
    await assert.rejects(packArchive(options(x, { ...others, confirmKeys })));
  }
  assert.equal(asked, 0);
  const packed = await packArchive(options(x, { confirmKeys }));
  assert.equal(asked, 1);
  assert.equal(packed.claims.iss, other.publicKey);
  const { claims } = await readArchive(packed.bytes);
  assert.deepEqual(claims, packed.claims);
  // The keys that were given are as good as any, where they are confirmed.
  const confirmed = {
    ...options(x),
    confirmKeys: () => Promise.resolve({ issuer: ISSUER, subject: SUBJECT }),
  };
  assert.deepEqual((await packArchive(confirmed)).token, (await packArchive(options(x))).token);
});

Deno.test("packArchive() refuses a target twice with ERR_TARGET_DUPLICATE", async () => {
  const binary = { target: parseTarget("x86_64-linux"), open: () => chunked(concat("x"), 1) };
  const packing = packArchive(options(binary.open, { binaries: [binary, binary] }));
  await assert.rejects(packing, { code: "ERR_TARGET_DUPLICATE" });
});
