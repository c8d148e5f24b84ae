import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import type { VerifiedArchive } from "../../lib/archive/reader.ts";
import type { Claims } from "../../lib/signing/claims.ts";
import type { Json } from "../../lib/signing/json.ts";
import { create, type CreateOptions, createStream } from "../../lib/verbs/create.ts";
import { extract } from "../../lib/verbs/extract.ts";
import { hex } from "../../lib/bytes/hex.ts";
import { insert } from "../../lib/verbs/insert.ts";
import { inspect } from "../../lib/verbs/inspect.ts";
import { merge } from "../../lib/verbs/merge.ts";
import { KEY_ROLES, KeyPair } from "../../lib/signing/nkey.ts";
import { remove } from "../../lib/verbs/remove.ts";
import { verifyToken } from "../../lib/signing/token.ts";
import { claimsHash, gzipped } from "../_archive.ts";
import { collect, concat, noise } from "../_bytes.ts";
import { issuerPair, subjectPair } from "../_keys.ts";
import { WIT_BYTES } from "../_wit.ts";
import {
  type Bench,
  claimsFor,
  type EntryDigest,
  type Loaded,
  type Release,
  testWithReference,
  WASCAPS,
} from "./_reference.ts";

type Binaries = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/** Lengths around a block of tar, a single byte, and more than one window of deflate. */
const BINARIES: Binaries = {
  "aarch64-linux": noise(300_000, 1),
  "arm-linux": noise(1, 4),
  "x86_64-linux": concat("a library ".repeat(20_000)),
  "x86_64-macos": noise(512, 2),
  "x86_64-testrunner": noise(513, 3),
};

/** The same, and an entry without any bytes, which the references write and this project reads. */
const WRITTEN: Binaries = { ...BINARIES, "mips-linux": new Uint8Array(0) };

const SCHEMA: Json = {
  $schema: "http://json-schema.org/draft-07/schema#",
  type: "object",
  properties: { "größe": { type: "number", minimum: -1.5 }, on: { enum: [true, null] } },
};

const FULL = {
  name: 'Zahlungen 支払い 💶 "quoted" \\ \u0001',
  vendor: "Ünïcode & Söhne",
  capid: "examples:payments",
  revision: -2147483648,
  version: "1.0.0-rc.1+build",
  schema: SCHEMA,
  binaries: BINARIES,
};

interface Order extends Omit<CreateOptions, "issuer" | "subject" | "binaries" | "destination"> {
  readonly binaries: Binaries;
}

/** What archives may differ in, and who can load them: 0.8 wants a contract id and knows no WIT. */
const ORDERS: Readonly<Record<string, Order & { readonly loadedBy: readonly Release[] }>> = {
  "with all that both releases know": { ...FULL, loadedBy: ["0.8", "0.16"] },
  "with a capability contract and no more": {
    name: "Fake Payments",
    vendor: "wasmCloud",
    capid: "examples:payments",
    binaries: { "x86_64-linux": noise(1000) },
    loadedBy: ["0.8", "0.16"],
  },
  "without a capability contract": {
    name: "Fake Payments",
    vendor: "wasmCloud",
    revision: 2147483647,
    version: "",
    binaries: BINARIES,
    loadedBy: ["0.16"],
  },
  "with a WIT package": { ...FULL, wit: WIT_BYTES, loadedBy: ["0.16"] },
  "with a validity window": {
    ...FULL,
    notBefore: new Date(Date.now() - 3_600_000),
    expires: new Date(Date.now() + 3_600_000),
    loadedBy: ["0.8", "0.16"],
  },
};

const FORMS = ["plain", "compressed with an index", "compressed without an index"] as const;
type Form = typeof FORMS[number];

async function signing(): Promise<Pick<CreateOptions, "issuer" | "subject">> {
  return { issuer: await issuerPair(), subject: await subjectPair() };
}

/** The binaries as `create` and `insert` take them. */
function inputs(binaries: Binaries): CreateOptions["binaries"] {
  return Object.entries(binaries).map(([target, source]) => ({ target, source }));
}

/** Makes an archive, checks that it has the form, and gives its path. */
async function made(bench: Bench, order: Order, form: Form, name = "ours.par"): Promise<string> {
  const path = `${bench.folder}/${name}`;
  const options = {
    ...order,
    ...await signing(),
    binaries: inputs(order.binaries),
    compress: form !== "plain",
  };
  if (form === "compressed without an index") {
    // What goes through a stream is sent before the lengths are known that an index holds.
    await bench.put(name, await collect((await createStream(options)).stream));
  } else await create({ ...options, destination: path });
  const { compressed, segments } = await inspect(path, { segments: true });
  assert.equal(compressed, form !== "plain");
  assert.equal(segments !== undefined, form === "compressed with an index");
  return path;
}

/** The digests that a reference has to report of binaries. */
function digests(binaries: Binaries): Record<string, EntryDigest> {
  return Object.fromEntries(
    Object.entries(binaries).map(([target, bytes]) => [target, digest(bytes)]),
  );
}

function digest(bytes: Uint8Array): EntryDigest {
  return { size: bytes.length, sha256: claimsHash(bytes) };
}

/** Lets a release load an archive, and compares everything that it reports with what was put in. */
async function assertLoads(
  bench: Bench,
  release: Release,
  path: string,
  binaries: Binaries,
  wit?: Uint8Array,
): Promise<Loaded> {
  const { claims, token } = await inspect(path);
  const { wascap } = claims;
  const loaded = await bench.load(release, path);
  assert.deepEqual(loaded.targets, digests(binaries));
  assert.deepEqual(loaded.wit, wit ? digest(wit) : null);
  assert.deepEqual(loaded.claims, claimsFor(release, claims));
  assert.equal(loaded.jwt, release === "0.8" ? null : token);
  assert.equal(loaded.name, wascap.name);
  assert.equal(loaded.vendor, wascap.vendor);
  assert.equal(loaded.rev, wascap.rev ?? null);
  assert.equal(loaded.ver, wascap.ver ?? null);
  assert.equal(loaded.capid, release === "0.8" ? wascap.capid : null);
  assert.deepEqual(loaded.schema, wascap.config_schema ?? null);
  return loaded;
}

for (const [what, order] of Object.entries(ORDERS)) {
  for (const form of FORMS) {
    testWithReference(`the references load an archive ${what}, ${form}`, async (bench) => {
      const path = await made(bench, order, form);
      for (const release of order.loadedBy) {
        const loaded = await assertLoads(bench, release, path, order.binaries, order.wit);
        assert.equal(loaded.name, order.name);
        assert.equal(loaded.vendor, order.vendor);
        assert.equal(loaded.rev, order.revision ?? null);
        assert.equal(loaded.ver, order.version ?? null);
        assert.deepEqual(loaded.schema, order.schema ?? null);
      }
    });
  }
}

for (const form of FORMS) {
  testWithReference(`the references load each target alone, ${form}`, async (bench) => {
    const path = await made(bench, FULL, form);
    for (const [target, bytes] of Object.entries(BINARIES)) {
      for (const release of ["0.8", "0.16"]) {
        const { targets } = await bench.ask<Loaded>("load", release, path, "--target", target);
        assert.deepEqual(targets, { [target]: digest(bytes) });
      }
    }
  });
}

testWithReference("0.8 refuses an archive without a capability contract", async (bench) => {
  const { capid: _capid, ...order } = FULL;
  const path = await made(bench, order, "plain");
  assert.match(await bench.refused("load", "0.8", path), /missing field `capid`/);
  await assertLoads(bench, "0.16", path, BINARIES);
});

const ADDED: Binaries = {
  "riscv64-linux": noise(70_000, 4),
  "x86_64-linux": concat("another library"),
};

for (const form of FORMS) {
  testWithReference(`the references load what insert and remove leave, ${form}`, async (bench) => {
    const path = await made(bench, FULL, form);
    await insert(path, { ...await signing(), binaries: inputs(ADDED), forceTarget: true });
    const { "arm-linux": _first, ...others } = { ...BINARIES, ...ADDED };
    for (const release of ["0.8", "0.16"] as const) {
      await assertLoads(bench, release, path, { ...BINARIES, ...ADDED });
    }
    await remove(path, { ...await signing(), targets: ["arm-linux"] });
    for (const release of ["0.8", "0.16"] as const) {
      await assertLoads(bench, release, path, others);
    }
  });

  testWithReference(`0.16 loads a WIT package after insert and remove, ${form}`, async (bench) => {
    const path = await made(bench, { ...FULL, wit: WIT_BYTES }, form);
    await insert(path, { ...await signing(), binaries: inputs(ADDED), forceTarget: true });
    await remove(path, { ...await signing(), targets: Object.keys(ADDED) });
    const { "x86_64-linux": _replaced, ...left } = BINARIES;
    await assertLoads(bench, "0.16", path, left, WIT_BYTES);
  });

  testWithReference(`the references load what merge makes, ${form}`, async (bench) => {
    const paths = await Promise.all(
      Object.entries(BINARIES).map(([target, bytes]) =>
        made(bench, { ...FULL, binaries: { [target]: bytes } }, form, `${target}.par`)
      ),
    );
    for (const compress of [false, true]) {
      const destination = `${bench.folder}/merged-${compress}.par`;
      await merge(paths, { ...await signing(), destination, compress });
      for (const release of ["0.8", "0.16"] as const) {
        await assertLoads(bench, release, destination, BINARIES);
      }
    }
  });
}

/** The words that the references' command takes for the binaries, which are written to files. */
async function targetWords(bench: Bench, binaries: Binaries): Promise<string[]> {
  return await Promise.all(
    Object.entries(binaries).map(async ([target, bytes]) =>
      `${target}=${await bench.put(`${target}.input`, bytes)}`
    ),
  );
}

/** Extracts every target of an archive and compares the bytes. */
async function assertExtracts(bench: Bench, path: string, binaries: Binaries): Promise<void> {
  const outputs = Object.fromEntries(
    Object.keys(binaries).map((target) => [target, `${bench.folder}/${target}.output`]),
  );
  await extract(path, { outputs });
  for (const [target, bytes] of Object.entries(binaries)) {
    assert.deepEqual(await Deno.readFile(outputs[target] as string), bytes, target);
  }
}

/** Compares what is read of an archive that a reference wrote with what the reference reads. */
async function assertReads(
  bench: Bench,
  release: Release,
  path: string,
  binaries: Binaries,
  wit?: Uint8Array,
): Promise<VerifiedArchive> {
  const archive = await inspect(path);
  const sorted = Object.entries(digests(binaries)).sort(([a], [b]) => a < b ? -1 : 1);
  assert.deepEqual(
    archive.binaries,
    sorted.map(([target, entry]) => ({ target, ...entry })),
  );
  assert.deepEqual(archive.wit, wit && digest(wit));
  await assertLoads(bench, release, path, binaries, wit);
  await assertExtracts(bench, path, binaries);
  return archive;
}

const KNOWN = { "0.8": ["--capid", "examples:payments"], "0.16": ["--wit", "world.wasm"] } as const;

for (const release of ["0.8", "0.16"] as const) {
  for (const compress of [[], ["--compress"]]) {
    const form = compress.length > 0 ? "compressed" : "plain";
    const written = async (
      bench: Bench,
      binaries: Binaries,
      out: string,
      ...rest: string[]
    ): Promise<string> => {
      const words = await targetWords(bench, binaries);
      const named = ["--name", FULL.name, "--vendor", FULL.vendor];
      return await bench.write(release, out, ...named, ...compress, ...rest, ...words);
    };

    testWithReference(`what ${release} writes is read and changed, ${form}`, async (bench) => {
      await bench.put("world.wasm", WIT_BYTES);
      await bench.put("schema.json", JSON.stringify(SCHEMA));
      const wit = release === "0.16" ? WIT_BYTES : undefined;
      const described = ["--rev", "7", "--ver", "1.0", "--schema", "schema.json"];
      const path = await written(bench, WRITTEN, "a.par", ...described, ...KNOWN[release]);
      const before = await assertReads(bench, release, path, WRITTEN, wit);
      assert.equal(before.compressed, form === "compressed");
      const { target_hashes, ...wascap } = before.claims.wascap;
      assert.deepEqual(target_hashes, {
        ...Object.fromEntries(
          Object.entries(WRITTEN).map(([target, bytes]) => [target, claimsHash(bytes)]),
        ),
        ...(wit && { "world.wasm": claimsHash(wit) }),
      });
      assert.deepEqual(wascap, {
        name: FULL.name,
        vendor: FULL.vendor,
        ...(release === "0.8" && { capid: "examples:payments" }),
        rev: 7,
        ver: "1.0",
        config_schema: SCHEMA,
      });
      assert.equal(before.claims.iss, (await issuerPair()).publicKey);
      assert.equal(before.claims.sub, (await subjectPair()).publicKey);

      await insert(path, { ...await signing(), binaries: inputs(ADDED), forceTarget: true });
      const after = await assertReads(bench, release, path, { ...WRITTEN, ...ADDED }, wit);
      assert.deepEqual(kept(after.claims), kept(before.claims));
      assert.notEqual(after.claims.jti, before.claims.jti);

      await remove(path, { ...await signing(), targets: Object.keys(ADDED) });
      const { "x86_64-linux": _replaced, ...left } = WRITTEN;
      const last = await assertReads(bench, release, path, left, wit);
      assert.deepEqual(kept(last.claims), kept(before.claims));
    });

    testWithReference(`what ${release} writes is merged, ${form}`, async (bench) => {
      await bench.put("world.wasm", WIT_BYTES);
      const paths: string[] = [];
      for (const [target, bytes] of Object.entries(WRITTEN)) {
        const out = `${target}.par`;
        paths.push(await written(bench, { [target]: bytes }, out, ...KNOWN[release]));
      }
      const destination = `${bench.folder}/merged.par`;
      await merge(paths, { ...await signing(), destination });
      const wit = release === "0.16" ? WIT_BYTES : undefined;
      const { compressed } = await assertReads(bench, release, destination, WRITTEN, wit);
      assert.equal(compressed, form === "compressed");
    });
  }
}

/** The claims that no change of content touches. */
function kept({ iss, sub, wascap, wascap_revision }: Claims): unknown {
  const { target_hashes: _hashes, ...described } = wascap;
  return { iss, sub, wascap_revision, described };
}

for (const form of FORMS) {
  testWithReference(
    `a changed byte is refused here and by the references, ${form}`,
    async (bench) => {
      const binaries = { "aarch64-linux": noise(2000, 5), "x86_64-linux": noise(3000, 6) };
      const path = await made(bench, { ...FULL, binaries }, form);
      const file = await Deno.readFile(path);
      const tar = form === "plain" ? file : new Uint8Array(gunzipSync(file));
      for (const [target, bytes] of Object.entries(binaries)) {
        const at = indexOf(tar, bytes);
        for (const offset of [0, bytes.length - 1]) {
          const changed = tar.slice();
          changed[at + offset] = (changed[at + offset] as number) ^ 1;
          const tampered = await bench.put(
            "tampered.par",
            form === "plain" ? changed : gzipped(changed),
          );
          await assert.rejects(inspect(tampered), { code: "ERR_HASH_MISMATCH" }, target);
          for (const release of ["0.8", "0.16"]) {
            assert.match(await bench.refused("load", release, tampered), /do not match/, target);
          }
        }
      }
    },
  );
}

testWithReference("claims with another hash are refused here and there", async (bench) => {
  const binaries = { "x86_64-linux": noise(3000, 6) };
  const path = await made(bench, { ...FULL, binaries }, "plain");
  const other = await made(
    bench,
    { ...FULL, binaries: { "x86_64-linux": noise(3000, 7) } },
    "plain",
    "other.par",
  );
  const tokens = await Promise.all([path, other].map(async (each) => (await inspect(each)).token));
  const [token = "", stranger = ""] = tokens;
  assert.equal(token.length, stranger.length);
  const file = await Deno.readFile(path);
  file.set(concat(stranger), indexOf(file, concat(token)));
  const tampered = await bench.put("tampered.par", file);
  await assert.rejects(inspect(tampered), { code: "ERR_HASH_MISMATCH" });
  for (const release of ["0.8", "0.16"]) {
    assert.match(await bench.refused("load", release, tampered), /do not match/);
  }
});

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at + part.length <= bytes.length; at++) {
    if (part.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  throw new RangeError("the part is not there");
}

/** What wascap finds of a token. */
interface Verdict {
  readonly signature_valid: boolean;
  readonly expired: boolean;
  readonly cannot_use_yet: boolean;
}

const HOUR = 3_600_000;

/** Validity windows by the hours from now that they begin and end at. */
const WINDOWS = [
  { title: "for ever" },
  { title: "within its window", begins: -1, ends: 1 },
  { title: "expired", begins: -2, ends: -1, code: "ERR_TOKEN_EXPIRED" },
  { title: "not valid yet", begins: 1, ends: 2, code: "ERR_TOKEN_NOT_YET_VALID" },
  { title: "with an end alone", ends: 1 },
  { title: "with a beginning alone", begins: 1, code: "ERR_TOKEN_NOT_YET_VALID" },
] as const;

for (const window of WINDOWS) {
  testWithReference(
    `wascap agrees with verifyToken() on a token ${window.title}`,
    async (bench) => {
      const at = (hours: number): Date => new Date(Date.now() + hours * HOUR);
      const { token, claims } = await create({
        ...FULL,
        ...await signing(),
        binaries: inputs({ "x86_64-linux": noise(100) }),
        destination: `${bench.folder}/a.par`,
        ...("begins" in window && { notBefore: at(window.begins) }),
        ...("ends" in window && { expires: at(window.ends) }),
      });
      assert.equal(claims.nbf !== undefined, "begins" in window);
      assert.equal(claims.exp !== undefined, "ends" in window);
      const code = "code" in window ? window.code : undefined;
      if (code) await assert.rejects(verifyToken(token), { code });
      else await verifyToken(token);
      const file = await bench.put("token.jwt", token);
      for (const wascap of WASCAPS) {
        const verdict = await bench.ask<Verdict>("validate", file, "--wascap", wascap);
        assert.equal(verdict.signature_valid, true, wascap);
        assert.equal(verdict.expired, code === "ERR_TOKEN_EXPIRED", wascap);
        assert.equal(verdict.cannot_use_yet, code === "ERR_TOKEN_NOT_YET_VALID", wascap);
      }
    },
  );
}

testWithReference("wascap agrees with verifyToken() on a forged token", async (bench) => {
  const { token } = await create({
    ...FULL,
    ...await signing(),
    binaries: [],
    destination: `${bench.folder}/a.par`,
  });
  const [header, payload, signature = ""] = token.split(".");
  // The first character, because the last one's lowest bits are padding.
  const forged = `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
  const text = [header, payload, forged].join(".");
  await assert.rejects(verifyToken(text), { code: "ERR_TOKEN_SIGNATURE" });
  const file = await bench.put("forged.jwt", text);
  for (const wascap of WASCAPS) {
    const { signature_valid } = await bench.ask<Verdict>("validate", file, "--wascap", wascap);
    assert.equal(signature_valid, false, wascap);
  }
});

// The crate keeps curve keys in a type of its own, apart from those that sign.
for (const role of KEY_ROLES.filter((role) => role !== "curve")) {
  testWithReference(`the nkeys crate reads ${role} seeds as KeyPair does`, async (bench) => {
    for (let i = 0; i < 10; i++) {
      const pair = await KeyPair.generate(role);
      const file = await bench.put("seed.nk", pair.seed());
      assert.deepEqual(await bench.ask("keys", file), {
        public_key: pair.publicKey,
        seed_role: role,
      });
    }
  });
}

for (const role of ["account", "service"] as const) {
  testWithReference(`the nkeys crate accepts ${role} signatures`, async (bench) => {
    const other = await KeyPair.generate(role);
    for (const length of [0, 1, 64, 10_000]) {
      const pair = await KeyPair.generate(role);
      const message = noise(length, length + 1);
      await bench.put("message", message);
      await bench.put("changed", concat(message, "!"));
      await bench.put("signature", hex(await pair.sign(message)));
      const isValid = async (publicKey: string, file: string): Promise<boolean> =>
        (await bench.ask<{ valid: boolean }>("verify-key", publicKey, file, "signature")).valid;
      assert.equal(await isValid(pair.publicKey, "message"), true);
      assert.equal(await isValid(pair.publicKey, "changed"), false);
      assert.equal(await isValid(other.publicKey, "message"), false);
    }
  });
}
