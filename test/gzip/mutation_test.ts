import assert from "node:assert/strict";
import { constants, crc32, createDeflateRaw, gunzipSync } from "node:zlib";
import { extract, insert, ParError } from "../../mod.ts";
import { entriesOf, gzipped } from "../_archive.ts";
import { concat, noise } from "../_bytes.ts";
import { TAR_END } from "../_tar.ts";
import { temporaryFolder } from "../_tools.ts";
import { assertFails, readContents, signers } from "../verbs/_fixtures.ts";
import {
  ALL_MASKS,
  cuts,
  FEW_MASKS,
  flips,
  headers,
  Judge,
  sampleArchive,
} from "../verbs/_mutations.ts";

for (const to of ["file", "stream"] as const) {
  Deno.test(`no byte of an archive compressed to a ${to} can be altered to another meaning`, async () => {
    const original = await sampleArchive(true, to);
    const judge = await Judge.of(original);
    await judge.within(300, async () => {
      for (const [what, altered] of flips(original, FEW_MASKS)) await judge.try(what, altered);
      for (const [what, altered] of cuts(original)) await judge.try(what, altered);
    });
    const { tried, refused } = judge;
    console.log(
      `mutations of an archive compressed to a ${to} tried: ${tried} (${refused} refused, ` +
        `${tried - refused} without effect), accepted wrongly: 0`,
    );
  });
}

Deno.test("no byte of a larger compressed archive can be altered to another meaning", async () => {
  // Too large for the short way that small archives take.
  const binaries = {
    "aarch64-linux": new Blob([noise(9000, 1)]),
    "x86_64-linux": new Blob([noise(9000, 2)]),
  };
  for (const to of ["file", "stream"] as const) {
    const original = await sampleArchive(true, to, binaries);
    assert(original.length > 17_000);
    const judge = await Judge.of(original);
    await judge.within(300, async () => {
      // All of the header, the index and the trailer, and of what is between them a part.
      const [front, back] = [400, original.length - 64];
      for (let at = 0; at < original.length; at++) {
        if (at > front && at < back && at % 29 > 0) continue;
        for (const mask of FEW_MASKS) {
          const altered = original.slice();
          altered[at] = (original[at] as number) ^ mask;
          await judge.try(`byte ${at} xor ${mask}`, altered);
        }
      }
      for (let length = 0; length < original.length; length += 97) {
        await judge.try(`the first ${length} bytes`, original.slice(0, length));
        await judge.try(
          `without byte ${length}`,
          concat(
            original.subarray(0, length),
            original.subarray(length + 1),
          ),
        );
      }
    });
    const { tried, refused } = judge;
    console.log(
      `mutations of a larger archive compressed to a ${to} tried: ${tried} (${refused} refused, ` +
        `${tried - refused} without effect), accepted wrongly: 0`,
    );
  }
});

Deno.test("a gzip member whose checksum or length is wrong is refused", async () => {
  const large = { "x86_64-linux": new Blob([noise(30_000)]) };
  for (const binaries of [undefined, large]) {
    for (const to of ["file", "stream"] as const) {
      const original = await sampleArchive(true, to, binaries);
      for (let at = original.length - 8; at < original.length; at++) {
        const altered = original.slice();
        altered[at] = (original[at] as number) ^ 0x10;
        await assertFails(readContents(altered), "ERR_GZIP_CORRUPT");
      }
    }
  }
});

Deno.test("what is altered inside of a gzip member is found as it is in a plain archive", async () => {
  const original = await sampleArchive(true);
  const tar = new Uint8Array(gunzipSync(original));
  const judge = await Judge.of(original);
  await judge.within(300, async () => {
    for (const [what, altered] of headers(tar, [0x01])) await judge.try(what, gzipped(altered));
    for (const [what, altered] of flips(tar, [0x80])) await judge.try(what, gzipped(altered));
  });
  const { tried, refused } = judge;
  console.log(
    `mutations inside of a gzip member tried: ${tried} (${refused} refused, ` +
      `${tried - refused} without effect), accepted wrongly: 0`,
  );
});

Deno.test("an index that says anything else than what is there is refused", async () => {
  const original = await sampleArchive(true);
  const flags = original[3] ?? 0;
  assert.equal(flags, 4, "a compressed archive in a file has an extra field");
  const extraLength = (original[10] ?? 0) | ((original[11] ?? 0) << 8);
  // Behind the subfield's id, its length and its version there are names and lengths alone.
  const [begin, end] = [12 + 5, 12 + extraLength];
  let tried = 0;
  for (let at = begin; at < end; at++) {
    for (const mask of ALL_MASKS) {
      const altered = original.slice();
      altered[at] = (original[at] as number) ^ mask;
      const error = await readContents(altered).then(() => undefined, (reason) => reason);
      assert.equal(error?.code, "ERR_INDEX_MISMATCH", `byte ${at} xor ${mask}: ${error}`);
      tried++;
    }
  }
  console.log(`mutations of an index tried: ${tried}, accepted wrongly: 0`);
});

/** Deflates parts up to a byte's boundary each; all from the second on may lean on those before. */
async function deflateParts(
  parts: readonly Uint8Array[],
  leaning: boolean,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const deflated: Uint8Array<ArrayBuffer>[] = [];
  let stream = createDeflateRaw({ level: 9 });
  for (const part of parts) {
    if (!leaning) stream = createDeflateRaw({ level: 9 });
    const chunks: Uint8Array[] = [];
    stream.removeAllListeners("data").on("data", (chunk: Uint8Array) => chunks.push(chunk));
    stream.write(part);
    await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, resolve));
    deflated.push(concat(...chunks));
  }
  return deflated;
}

/** Puts tar entries, deflated before, into one gzip member with an index. */
function withIndex(
  entries: readonly Uint8Array[],
  parts: Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const names = entries.map((entry) => /^[^\0]*/.exec(new TextDecoder().decode(entry))?.[0] ?? "");
  const tar = concat(...entries);
  const last = parts.length - 1;
  parts[last] = concat(parts[last] as Uint8Array, Uint8Array.of(3, 0));
  const index = names.map((name, i) => {
    const lengths = new DataView(new ArrayBuffer(16));
    lengths.setBigUint64(0, BigInt(parts[i]?.length ?? 0), true);
    lengths.setBigUint64(8, BigInt(entries[i]?.length ?? 0), true);
    return concat(Uint8Array.of(name.length), name, new Uint8Array(lengths.buffer));
  });
  const data = concat(Uint8Array.of(1), ...index);
  const word = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8);
  const extra = concat("PA", word(data.length), data);
  const trailer = new DataView(new ArrayBuffer(8));
  trailer.setUint32(0, crc32(tar), true);
  trailer.setUint32(4, tar.length, true);
  return concat(
    Uint8Array.of(0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 2, 0xff),
    word(extra.length),
    extra,
    ...parts,
    new Uint8Array(trailer.buffer),
  );
}

function isUntrusted(error: unknown): boolean {
  return error instanceof ParError && error.category === "untrusted";
}

Deno.test("an archive whose segments lean on each other is refused, or read as what it is", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/a.par.gz`;
  for (const large of [false, true]) {
    const binaries = {
      "aarch64-linux": large ? noise(100_000) : "the very same words",
      "x86_64-linux": large ? noise(100_000) : "the very same words",
    };
    const entries = [...await entriesOf({ binaries }), TAR_END];
    const alone = withIndex(entries, await deflateParts(entries, false));
    const leaning = withIndex(entries, await deflateParts(entries, true));
    assert(leaning.length < alone.length);
    const before = await readContents(alone);
    await assert.rejects(readContents(leaning), isUntrusted);
    for (const archive of [alone, leaning]) {
      await Deno.writeFile(path, archive);
      const mayFail = (error: unknown): void => {
        assert(archive === leaning && isUntrusted(error), `${error}`);
      };
      for (const [target, bytes] of Object.entries(before.bytes)) {
        const output = `${folder.path}/${target}`;
        await extract(path, { outputs: { [target]: output } }).then(
          async () => assert.deepEqual(await Deno.readFile(output), new Uint8Array(bytes)),
          mayFail,
        );
      }
      const binaries = [{ source: new Blob(["new"]), target: "mips-linux" }];
      await insert(path, { ...await signers(), binaries }).then(async () => {
        const { "mips-linux": _added, ...kept } = (await readContents(path)).bytes;
        assert.deepEqual(kept, before.bytes);
      }, mayFail);
    }
  }
});
