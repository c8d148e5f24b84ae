import assert from "node:assert/strict";
import fc from "npm:fast-check@4.10.2";
import { diff, type Difference } from "../../lib/verbs/diff.ts";
import { archiveOf, claimsHash, gzipped, ISSUED_AT, type Payload } from "../_archive.ts";
import { concat } from "../_bytes.ts";
import { sandbox } from "../_cli.ts";
import { assertFails } from "./_fixtures.ts";

/** Differences without the container's hash and size, which always come with others. */
async function found(
  before: Uint8Array<ArrayBuffer>,
  after: Uint8Array<ArrayBuffer>,
): Promise<Difference[]> {
  const differences = await diff(before, after);
  return differences.filter(({ path }) => !/^container\.(size|sha256)$/.test(path));
}

Deno.test("diff() finds the claims that differ, at any time, by their paths", async () => {
  const before = await archiveOf();
  const bend = (payload: Payload): void => {
    payload["exp"] = ISSUED_AT + 1;
    payload["aud"] = ["a"];
    payload["wascap"].ver = "2.0";
    delete payload["wascap"].rev;
    payload["wascap"].config_schema = { b: 1, a: 2 };
  };
  const after = await archiveOf({ bend });
  assert.deepEqual(
    (await found(before, after)).sort((a, b) => a.path < b.path ? -1 : 1),
    [
      { path: "claims.aud", after: ["a"] },
      { path: "claims.exp", after: ISSUED_AT + 1 },
      { path: "claims.wascap.config_schema", after: { b: 1, a: 2 } },
      { path: "claims.wascap.rev", before: 1 },
      { path: "claims.wascap.ver", before: "1.0", after: "2.0" },
    ],
  );
  const reordered = await archiveOf({
    bend: (payload) => {
      bend(payload);
      payload["wascap"].config_schema = { a: 2, b: 1 };
    },
  });
  // The bytes differ, though nothing that they say does.
  assert.deepEqual(await found(after, reordered), []);
  assert.deepEqual((await diff(after, reordered)).map(({ path }) => path), ["container.sha256"]);
});

Deno.test("diff() finds the targets that are missing, new or other, with size and hash", async () => {
  const fact = (bytes: string): unknown => ({ size: bytes.length, sha256: claimsHash(bytes) });
  const before = await archiveOf({ binaries: { "arm-linux": "1", "x86_64-linux": "2" } });
  const after = await archiveOf({ binaries: { "x86_64-linux": "22", "x86_64-macos": "3" } });
  assert.deepEqual(await found(before, after), [
    { path: "targets.arm-linux", before: fact("1") },
    { path: "targets.x86_64-linux", before: fact("2"), after: fact("22") },
    { path: "targets.x86_64-macos", after: fact("3") },
  ]);
});

Deno.test("diff() finds what differs in the container", async () => {
  const plain = await archiveOf();
  const packed = gzipped(plain);
  assert.deepEqual(
    (await diff(plain, packed)).map(({ path, before, after }) => [path, typeof before, after]),
    [
      ["container.compressed", "boolean", true],
      ["container.size", "number", packed.length],
      ["container.sha256", "string", claimsHash(packed)],
    ],
  );
});

Deno.test("diff() finds nothing exactly where the bytes are equal", async () => {
  const archives = [
    await archiveOf(),
    await archiveOf({ binaries: { "x86_64-linux": "1" } }),
    await archiveOf({ bend: (payload) => payload["jti"] = "1".repeat(22) }),
  ];
  const all = [...archives, ...archives.map((bytes) => gzipped(bytes))];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...all), fc.constantFrom(...all), async (one, other) => {
      assert.equal((await diff(one, concat(other))).length === 0, one === other);
    }),
    { numRuns: 60 },
  );
});

Deno.test("diff() refuses what does not verify, and says which archive it is", async () => {
  await using box = await sandbox();
  const good = await box.write("a.par", await archiveOf());
  const bad = await box.write("bad.par", (await archiveOf()).subarray(0, 3000));
  for (const pair of [[good, bad], [bad, good]] as const) {
    const error = await assertFails(diff(...pair), "ERR_ARCHIVE_TRUNCATED");
    assert(error.message.includes(JSON.stringify(bad)), error.message);
  }
  await assertFails(diff(await archiveOf(), new Uint8Array(2048)), "ERR_CLAIMS_MISSING");
});

Deno.test("par diff ends with 0, 1, 2 or 3, as diff does, and prints its lines", async () => {
  await using box = await sandbox();
  const bytes = await archiveOf({ binaries: { "x86_64-linux": "1" } });
  await box.write("a.par", bytes);
  await box.write("same.par", bytes);
  await box.write("bad.par", bytes.subarray(0, 3000));
  await box.write(
    "b.par",
    await archiveOf({
      binaries: { "arm-linux": "22" },
      bend: (payload) => {
        payload["exp"] = 2 ** 31;
        payload["wascap"].ver = "2.0\u001b[2J";
      },
    }),
  );
  const same = await box.run(["diff", "a.par", "same.par"]);
  assert.deepEqual(same, {
    code: 0,
    stdout: "",
    stderr: "Note: the archives are equal, byte for byte.\n",
  });
  const { code, stdout, stderr } = await box.run(["diff", "a.par", "b.par"]);
  assert.deepEqual([code, stderr], [1, ""]);
  assert.equal(
    stdout.replace(/\ncontainer[^]*/, "\n"),
    `\
--- a.par
+++ b.par
claims.wascap.ver
- 1.0
+ 2.0\ufffd[2J
claims.exp
+ 2147483648 (2038-01-19T03:14:08Z)
targets.x86_64-linux
- 1 B  ${claimsHash("1")}
targets.arm-linux
+ 2 B  ${claimsHash("22")}
`,
  );
  assert.deepEqual(await box.run(["diff", "-q", "a.par", "b.par"]), {
    code: 1,
    stdout: "",
    stderr: "",
  });
  for (
    const [args, code, error] of [
      [["a.par", "none.par"], 2, "ERR_FILE_NOT_FOUND"],
      [["a.par"], 2, "ERR_USAGE"],
      [["a.par", "bad.par"], 3, "ERR_ARCHIVE_TRUNCATED"],
    ] as const
  ) {
    const output = await box.run(["diff", ...args]);
    assert.equal(output.code, code, output.stderr);
    assert(output.stderr.includes(`[${error}]`), output.stderr);
  }
});
