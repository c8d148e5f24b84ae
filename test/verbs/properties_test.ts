import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "npm:fast-check@4.10.2";
import { create, createStream, extract, insert, inspect, remove } from "../../mod.ts";
import { claimsHash } from "../_archive.ts";
import { anyClaimsJson, isClaimsText } from "../_text.ts";
import { temporaryFolder } from "../_tools.ts";
import { listFolder, readContents, signers } from "./_fixtures.ts";

/** Text of any kind: words, emoji, control characters. */
const anyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    maxLength: 40,
  }),
  fc.constantFrom("", "__proto__", "constructor", "null", "\u202eevil", "a\nb", '"', "\\"),
).filter(isClaimsText);

/** Names that entries can have, unusual ones among them. */
const targetName = fc.oneof(
  fc.constantFrom(
    ...["x86_64-linux", "aarch64-linux", "arm-linux", "x86_64-macos", "x86_64-windows"],
    ...["constructor", "toString", "hasOwnProperty", "valueOf", "0", "1", "007", "claims.jwt.bin"],
    "world-linux",
  ),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,95}$/),
).filter((name) => name.length <= 96 && !["claims", "world", "world.wasm"].includes(name));

/** Lengths around the edges of tar's blocks and of a stream's chunks. */
const length = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(1, 511, 512, 513, 1023, 1024, 1025, 10240) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 3000 }) },
  { weight: 1, arbitrary: fc.constantFrom(65535, 65536, 262143, 262144, 262145) },
);

/** Contents of a length: the same byte again and again, or bytes that do not compress. */
const content = fc.tuple(length, fc.integer({ min: 0, max: 256 })).map(([size, seed]) => {
  const bytes = new Uint8Array(size).fill(seed);
  if (seed === 256) { for (let i = 0; i < size; i++) bytes[i] = (i * 2654435761) >>> 13; }
  return bytes;
});

const binaries = (maxLength: number): fc.Arbitrary<[string, Uint8Array<ArrayBuffer>][]> =>
  fc.uniqueArray(fc.tuple(targetName, content), {
    maxLength,
    selector: ([target]) => target,
    size: "max",
  });

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const description = fc.record({
  name: anyText,
  vendor: anyText,
  capid: optional(anyText),
  version: optional(anyText),
  revision: optional(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  schema: optional(anyClaimsJson()),
  compress: fc.boolean(),
});

const inputs = (all: readonly [string, Uint8Array<ArrayBuffer>][]) =>
  all.map(([target, source]) => ({ target, source, forceTarget: true }));

Deno.test("createStream() then inspect() gives back every claim and the hash of every binary", async () => {
  const keys = await signers();
  await fc.assert(
    fc.asyncProperty(description, binaries(64), async (described, all) => {
      const { stream } = await createStream({ ...keys, ...described, binaries: inputs(all) });
      const { claims, binaries, compressed } = await inspect(stream);
      assert.equal(compressed, described.compress);
      const { wascap } = claims;
      assert.equal(wascap.name, described.name);
      assert.equal(wascap.vendor, described.vendor);
      assert.equal(wascap.capid, described.capid);
      assert.equal(wascap.ver, described.version);
      assert.equal(wascap.rev, described.revision);
      assert.deepEqual(wascap.config_schema, described.schema);
      assert.deepEqual(
        binaries.map(({ target, size, sha256 }) => [target, size, sha256]),
        all.map(([target, bytes]) => [target, bytes.length, claimsHash(bytes)] as const)
          .sort(([a], [b]) => a < b ? -1 : 1),
      );
    }),
    { numRuns: 120 },
  );
});

Deno.test("create() then extract() gives back every binary", async () => {
  const keys = await signers();
  await fc.assert(
    fc.asyncProperty(description, binaries(12), async (described, all) => {
      await using folder = await temporaryFolder();
      const archive = `${folder.path}/archive`;
      await create({ ...keys, ...described, binaries: inputs(all), destination: archive });
      const outputs = Object.fromEntries(
        all.map(([target], i) => [target, `${folder.path}/${i}.out`]),
      );
      await extract(archive, { outputs });
      for (const [i, [target, bytes]] of all.entries()) {
        const extracted = await Deno.readFile(`${folder.path}/${i}.out`);
        assert.equal(Buffer.compare(extracted, bytes), 0, target);
      }
      assert.equal(listFolder(folder.path).length, all.length + 1);
    }),
    { numRuns: 30 },
  );
});

Deno.test("create(), insert() and remove() give back the same targets and claims", async () => {
  const keys = await signers();
  const twoSets = binaries(10).chain((all) =>
    fc.tuple(fc.constant(all), fc.nat(all.length), fc.nat(all.length))
  );
  await fc.assert(
    fc.asyncProperty(description, twoSets, async (described, [all, cut, replaced]) => {
      await using folder = await temporaryFolder();
      const archive = `${folder.path}/archive`;
      const [first, second] = [all.slice(0, cut), all.slice(cut)];
      await create({ ...keys, ...described, binaries: inputs(first), destination: archive });
      const before = await readContents(archive);
      // Some of those that are there already are given again: they are replaced by themselves.
      const again = first.slice(replaced);
      await insert(archive, { ...keys, binaries: inputs([...second, ...again]) });
      const full = await readContents(archive);
      assert.deepEqual(Object.keys(full.bytes).sort(), all.map(([target]) => target).sort());
      for (const [target, bytes] of all) {
        assert.equal(Buffer.compare(full.bytes[target] ?? Buffer.from("missing"), bytes), 0);
      }
      const targets = second.map(([target]) => target);
      if (targets.length > 0) await remove(archive, { ...keys, targets, allowEmpty: true });
      const after = await readContents(archive);
      assert.deepEqual(after.bytes, before.bytes);
      assert.deepEqual(after.claims.wascap, before.claims.wascap);
      assert.equal(after.compressed, before.compressed);
      assert.deepEqual(listFolder(folder.path), ["archive"]);
    }),
    { numRuns: 60 },
  );
});

Deno.test("equal inputs give equal bytes, in any order", async () => {
  const keys = await signers();
  await fc.assert(
    fc.asyncProperty(description, binaries(8), async (described, all) => {
      await using folder = await temporaryFolder();
      const results: Uint8Array[] = [];
      for (const order of [all, all.toReversed()]) {
        const destination = `${folder.path}/${results.length}`;
        const sourceDateEpoch = 1_700_000_000;
        await create({
          ...keys,
          ...described,
          binaries: inputs(order),
          destination,
          sourceDateEpoch,
        });
        results.push(await Deno.readFile(destination));
      }
      assert.equal(Buffer.compare(results[0] as Uint8Array, results[1] as Uint8Array), 0);
    }),
    { numRuns: 15 },
  );
});
