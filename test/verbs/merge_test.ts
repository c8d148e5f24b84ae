import assert from "node:assert/strict";
import { create, merge } from "../../mod.ts";
import { archiveOf, gzipped, type Payload } from "../_archive.ts";
import { FIXED_KEYS, sandbox } from "../_cli.ts";
import { OTHER_ISSUER, otherIssuerPair } from "../_keys.ts";
import { temporaryFolder } from "../_tools.ts";
import {
  assertFails,
  lasting,
  listFolder,
  readContents,
  richArchive,
  signers,
} from "./_fixtures.ts";
import { KeyPair } from "../../lib/signing/nkey.ts";

interface Workshop extends AsyncDisposable {
  readonly path: string;
  /** Writes an archive with binaries, its payload bent. */
  add(
    name: string,
    binaries: Record<string, string>,
    bend?: (payload: Payload) => void,
    signer?: KeyPair,
  ): Promise<string>;
}

async function workshop(): Promise<Workshop> {
  const folder = await temporaryFolder();
  return {
    path: folder.path,
    async add(name, binaries, bend, signer): Promise<string> {
      const path = `${folder.path}/${name}`;
      const archive = await archiveOf({
        binaries,
        ...(bend && { bend }),
        ...(signer && { signer }),
      });
      await Deno.writeFile(path, name.endsWith(".gz") ? gzipped(archive) : archive);
      return path;
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

Deno.test("merge() brings the targets of all archives together", async () => {
  await using w = await workshop();
  const archives = [
    await w.add("a.par", { "x86_64-linux": "1", "arm-linux": "2" }),
    await w.add("b.par.gz", { "x86_64-macos": "3" }),
    await w.add("c.par", { "x86_64-windows": "4", "arm-linux": "2" }),
  ];
  const before = await readContents(archives[0] as string);
  const destination = `${w.path}/all.par`;
  const result = await merge(archives, { ...await signers(), destination });
  const after = await readContents(destination);
  assert.deepEqual(result.targets, ["arm-linux", "x86_64-linux", "x86_64-macos", "x86_64-windows"]);
  assert.deepEqual(result.claims, after.claims);
  assert.deepEqual(lasting(after.claims), lasting(before.claims));
  const texts = Object.entries(after.bytes).map(([target, bytes]) => [
    target,
    new TextDecoder().decode(bytes),
  ]);
  assert.deepEqual(Object.fromEntries(texts), {
    "arm-linux": "2",
    "x86_64-linux": "1",
    "x86_64-macos": "3",
    "x86_64-windows": "4",
  });
  assert.equal(after.compressed, false);
  assert.notEqual(after.claims.jti, before.claims.jti);
  assert.deepEqual(listFolder(w.path), ["a.par", "all.par", "b.par.gz", "c.par"]);
});

Deno.test("merge() compresses as the first archive is, or as it is told", async () => {
  await using w = await workshop();
  const plain = await w.add("a.par", { "x86_64-linux": "1" });
  const packed = await w.add("b.par.gz", { "x86_64-macos": "2" });
  const destination = `${w.path}/out`;
  for (
    const [archives, compress, expected] of [
      [[plain, packed], undefined, false],
      [[packed, plain], undefined, true],
      [[plain, packed], true, true],
      [[packed, plain], false, false],
    ] as const
  ) {
    await merge(archives, { ...await signers(), destination, compress });
    assert.equal((await readContents(destination)).compressed, expected);
  }
});

Deno.test("merge() keeps the WIT package and unknown claims, of one archive as of several", async () => {
  await using w = await workshop();
  const first = `${w.path}/rich.par`;
  await Deno.writeFile(first, await richArchive());
  const before = await readContents(first);
  const destination = `${w.path}/out.par`;
  await merge([first, first], { ...await signers(), destination });
  const after = await readContents(destination);
  assert.deepEqual(lasting(after.claims), lasting(before.claims));
  assert.deepEqual(after.bytes, before.bytes);
});

Deno.test("merge() may write over one of the archives it reads", async () => {
  await using w = await workshop();
  const first = await w.add("a.par", { "x86_64-linux": "1" });
  const second = await w.add("b.par", { "x86_64-macos": "2" });
  await merge([first, second], { ...await signers(), destination: first });
  const { bytes } = await readContents(first);
  assert.deepEqual(Object.keys(bytes).sort(), ["x86_64-linux", "x86_64-macos"]);
  assert.deepEqual(listFolder(w.path), ["a.par", "b.par"]);
});

const DISAGREEMENTS: Readonly<Record<string, (payload: Payload) => void>> = {
  name: (payload) => payload["wascap"].name = "Real Payments",
  vendor: (payload) => payload["wascap"].vendor = "somebody",
  "capability contract id": (payload) => payload["wascap"].capid = "examples:other",
  version: (payload) => payload["wascap"].ver = "2.0",
  schema: (payload) => payload["wascap"].config_schema = { type: "object" },
};

for (const [what, bend] of Object.entries(DISAGREEMENTS)) {
  Deno.test(`merge() refuses archives that disagree about the ${what}`, async () => {
    await using w = await workshop();
    const archives = [
      await w.add("a.par", { "x86_64-linux": "1" }),
      await w.add("b.par", { "x86_64-macos": "2" }, bend),
    ];
    const destination = `${w.path}/out.par`;
    for (const order of [archives, archives.toReversed()]) {
      await assertFails(
        merge(order, { ...await signers(), destination }),
        "ERR_MERGE_CONFLICT",
        what,
        "a.par",
        "b.par",
      );
    }
    assert.deepEqual(listFolder(w.path), ["a.par", "b.par"]);
  });
}

Deno.test("merge() refuses archives where one lacks what the other states", async () => {
  await using w = await workshop();
  for (const field of ["name", "capid", "ver"]) {
    const archives = [
      await w.add("a.par", { "x86_64-linux": "1" }),
      await w.add("b.par", { "x86_64-macos": "2" }, (payload) => delete payload["wascap"][field]),
    ];
    await assertFails(
      merge(archives, { ...await signers(), destination: `${w.path}/out.par` }),
      "ERR_MERGE_CONFLICT",
    );
  }
});

Deno.test("merge() refuses archives of two subjects or two issuers, unless they become a third's", async () => {
  await using w = await workshop();
  const subject = await KeyPair.generate("service");
  const other = await otherIssuerPair();
  const first = await w.add("a.par", { "x86_64-linux": "1" });
  const ofSubject = await w.add(
    "b.par",
    { "x86_64-macos": "2" },
    (payload) => payload["sub"] = subject.publicKey,
  );
  const ofIssuer = await w.add(
    "c.par",
    { "x86_64-windows": "3" },
    (payload) => payload["iss"] = OTHER_ISSUER.publicKey,
    other,
  );
  const destination = `${w.path}/out.par`;
  const keys = await signers();
  await assertFails(
    merge([first, ofSubject], { ...keys, destination }),
    "ERR_MERGE_CONFLICT",
    "subject",
    subject.publicKey,
  );
  await assertFails(
    merge([first, ofIssuer], { ...keys, destination }),
    "ERR_MERGE_CONFLICT",
    "issuer",
    OTHER_ISSUER.publicKey,
  );
  assert.deepEqual(listFolder(w.path), ["a.par", "b.par", "c.par"]);
  const { targets, claims } = await merge([first, ofSubject, ofIssuer], {
    issuer: other,
    subject,
    destination,
    newIdentity: true,
  });
  assert.equal(targets.length, 3);
  assert.deepEqual([claims.iss, claims.sub], [OTHER_ISSUER.publicKey, subject.publicKey]);
});

Deno.test("merge() refuses keys that are not the archives'", async () => {
  await using w = await workshop();
  const archives = [await w.add("a.par", { "x86_64-linux": "1" })];
  const { subject } = await signers();
  await assertFails(
    merge(archives, { issuer: await otherIssuerPair(), subject, destination: `${w.path}/out.par` }),
    "ERR_KEY_MISMATCH",
    OTHER_ISSUER.publicKey,
  );
});

Deno.test("merge() refuses two binaries for one target, and two WIT packages", async () => {
  await using w = await workshop();
  const archives = [
    await w.add("a.par", { "x86_64-linux": "1", "arm-linux": "2" }),
    await w.add("b.par", { "x86_64-macos": "3", "arm-linux": "another" }),
  ];
  const destination = `${w.path}/out.par`;
  const keys = await signers();
  await assertFails(
    merge(archives, { ...keys, destination }),
    "ERR_MERGE_CONFLICT",
    "arm-linux",
    "b.par",
  );
  const named = { name: "Fake Payments", vendor: "wasmCloud" };
  for (const name of ["c.par", "d.par"]) {
    const wit = new TextEncoder().encode(`\0asm of ${name}`);
    await create({ ...named, ...keys, binaries: [], wit, destination: `${w.path}/${name}` });
  }
  await assertFails(
    merge([`${w.path}/c.par`, `${w.path}/d.par`], { ...keys, destination }),
    "ERR_MERGE_CONFLICT",
    "WIT",
  );
  assert.deepEqual(listFolder(w.path), ["a.par", "b.par", "c.par", "d.par"]);
});

Deno.test("merge() verifies every archive, and merges nothing rather than a part", async () => {
  await using w = await workshop();
  const good = await w.add("a.par", { "x86_64-linux": "1" });
  const bad = await w.add("b.par", { "x86_64-macos": "22222" });
  const bytes = await Deno.readFile(bad);
  bytes[new TextDecoder("latin1").decode(bytes).lastIndexOf("22222")] = 0x33;
  await Deno.writeFile(bad, bytes);
  const destination = `${w.path}/out.par`;
  const keys = await signers();
  await Deno.writeTextFile(destination, "what was here before");
  await assertFails(merge([good, bad], { ...keys, destination }), "ERR_HASH_MISMATCH");
  await assertFails(
    merge([good, `${w.path}/none`], { ...keys, destination }),
    "ERR_FILE_NOT_FOUND",
  );
  await assertFails(merge([], { ...keys, destination }), "ERR_OPTION_INVALID");
  assert.equal(await Deno.readTextFile(destination), "what was here before");
  assert.deepEqual(listFolder(w.path), ["a.par", "b.par", "out.par"]);
});

Deno.test("merge() keeps the highest revision and the common validity", async () => {
  await using w = await workshop();
  const now = Math.floor(Date.now() / 1000);
  const archives = [
    await w.add("a.par", { "x86_64-linux": "1" }, (payload) => {
      Object.assign(payload, { exp: now + 3000, nbf: now - 3000 });
      payload["wascap"].rev = 7;
    }),
    await w.add("b.par", { "x86_64-macos": "2" }, (payload) => {
      Object.assign(payload, { exp: now + 2000, nbf: now - 1000 });
      payload["wascap"].rev = -1;
    }),
    await w.add("c.par", { "x86_64-windows": "3" }, (payload) => delete payload["wascap"].rev),
  ];
  const destination = `${w.path}/out.par`;
  for (const order of [archives, archives.toReversed()]) {
    const { claims } = await merge(order, { ...await signers(), destination });
    assert.deepEqual(
      [claims.wascap.rev, claims.exp, claims.nbf],
      [7, now + 2000, now - 1000],
    );
  }
});

Deno.test("par merge writes one archive of several and says so", async () => {
  await using s = await sandbox();
  await s.write("a.par", await archiveOf({ binaries: { "x86_64-linux": "1" } }));
  await s.write("b.par.gz", gzipped(await archiveOf({ binaries: { "x86_64-macos": "2" } })));
  const { code, stdout, stderr } = await s.run(
    ["merge", "--destination", "all.par.gz", "--compress", "a.par", "b.par.gz", ...FIXED_KEYS],
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "Successfully merged 2 archives into all.par.gz\n");
  assert.equal(stderr, "");
  const { compressed, bytes } = await readContents(`${s.folder}/all.par.gz`);
  assert(compressed);
  assert.deepEqual(Object.keys(bytes).sort(), ["x86_64-linux", "x86_64-macos"]);
  const json = await s.run(
    ["merge", "b.par.gz", "a.par", "--destination", "x.par", "-o", "json", ...FIXED_KEYS],
  );
  assert.deepEqual(JSON.parse(json.stdout), { file: "x.par", success: true }, json.stderr);
  assert((await readContents(`${s.folder}/x.par`)).compressed);
  assert.equal(
    json.stderr,
    'Warning: "x.par" is compressed, and its name does not end in .gz (see --compress)\n',
  );
});

Deno.test("par merge finds the keys by their public halves", async () => {
  await using s = await sandbox();
  for (const target of ["x86_64-linux", "arm-linux"]) {
    await s.write("lib.so", target);
    const created = await s.create(
      ["-d", s.keys, "-a", target, "-b", "lib.so", "--destination", `${target}.par`],
    );
    assert.equal(created.code, 0, created.stderr);
  }
  await Deno.rename(`${s.keys}/lib_service.nk`, `${s.keys}/renamed.nk`);
  const { code, stderr } = await s.run(
    ["merge", "--destination", "all.par", "x86_64-linux.par", "arm-linux.par"],
  );
  assert.equal(code, 0, stderr);
  assert.equal(Object.keys((await readContents(`${s.folder}/all.par`)).bytes).length, 2);
});

Deno.test("par merge tells wrong usage, conflicts and broken archives apart", async () => {
  await using s = await sandbox();
  await s.write("a.par", await archiveOf({ binaries: { "x86_64-linux": "1" } }));
  await s.write("b.par", await archiveOf({ binaries: { "x86_64-linux": "2" } }));
  await s.write("bad.par", (await richArchive()).subarray(0, 3000));
  const run = async (...args: string[]): Promise<[number, string]> => {
    const { code, stdout } = await s.run(["merge", "-o", "json", ...args, ...FIXED_KEYS]);
    return [code, JSON.parse(stdout).error.code];
  };
  assert.deepEqual(await run("a.par"), [2, "ERR_USAGE"]);
  assert.deepEqual(await run("--destination", "o.par"), [2, "ERR_USAGE"]);
  assert.deepEqual(await run("--destination", "o.par", "a.par", "b.par"), [
    1,
    "ERR_MERGE_CONFLICT",
  ]);
  assert.equal((await run("--destination", "o.par", "a.par", "bad.par"))[0], 3);
  for (const archives of [["a.par", "bad.par"], ["bad.par", "a.par"]]) {
    const args = ["merge", "--destination", "o.par", ...archives, ...FIXED_KEYS];
    assert.match((await s.run(args)).stderr, /^Error: Cannot .* "bad\.par"/);
  }
  assert.deepEqual(await s.list(), ["a.par", "b.par", "bad.par"]);
});
