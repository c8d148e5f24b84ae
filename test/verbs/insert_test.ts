import assert from "node:assert/strict";
import { create, insert, remove } from "../../mod.ts";
import { archiveOf, claimsHash, gzipped, type Payload } from "../_archive.ts";
import { ISSUER, OTHER_ISSUER, otherIssuerPair, SUBJECT } from "../_keys.ts";
import { temporaryFolder } from "../_tools.ts";
import {
  assertFails,
  elf,
  foreignElf,
  lasting,
  listFolder,
  readContents,
  richArchive,
  signers,
} from "./_fixtures.ts";
import { KeyPair } from "../../lib/signing/nkey.ts";

const NAMED = { name: "Fake Payments", vendor: "wasmCloud" };
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const binary = (content: string, target: string): { source: Blob; target: string } => ({
  source: new Blob([content]),
  target,
});

for (const compressed of [false, true]) {
  const kind = compressed ? "a compressed archive" : "a plain archive";

  Deno.test(`insert() adds a target to ${kind} and keeps everything else`, async () => {
    await using folder = await temporaryFolder();
    const archive = `${folder.path}/a.par`;
    await Deno.writeFile(archive, await richArchive({ compressed }));
    const before = await readContents(archive);
    const began = Math.floor(Date.now() / 1000);

    const result = await insert(archive, {
      ...await signers(),
      binaries: [binary("a windows binary", "x86_64-windows")],
    });

    const after = await readContents(archive);
    assert.deepEqual(result.targets, ["aarch64-linux", "x86_64-linux", "x86_64-windows"]);
    assert.deepEqual(result.claims, after.claims);
    assert.deepEqual(lasting(after.claims), lasting(before.claims));
    assert.equal(after.compressed, compressed);
    const { "x86_64-windows": added, ...kept } = after.bytes;
    assert.equal(text(added), "a windows binary");
    assert.deepEqual(kept, before.bytes);
    assert.notEqual(after.claims.jti, before.claims.jti);
    assert.match(after.claims.jti, /^[0-9A-Za-z]{22}$/);
    assert(after.claims.iat >= began && after.claims.iat <= Date.now() / 1000);
    assert.deepEqual(listFolder(folder.path), ["a.par"]);
  });

  Deno.test(`insert() replaces a target of ${kind}`, async () => {
    await using folder = await temporaryFolder();
    const archive = `${folder.path}/a.par`;
    await Deno.writeFile(archive, await richArchive({ compressed }));
    const before = await readContents(archive);

    const notes: string[] = [];
    const onNote = (note: string): void => void notes.push(note);
    const source = elf("x86_64", "better");
    const binaries = [{ source, target: "x86_64-linux" }];
    await insert(archive, { ...await signers(), binaries, onNote });

    const after = await readContents(archive);
    const short = (bytes: Uint8Array | undefined): string =>
      claimsHash(bytes ?? "").slice(0, 12).toLowerCase();
    const old = before.bytes["x86_64-linux"];
    assert.deepEqual(notes, [
      `x86_64-linux was ${old?.length} bytes with the SHA-256 ${short(old)}…, and is now ` +
      `${source.length} bytes with the SHA-256 ${short(source)}…`,
    ]);
    assert.deepEqual(lasting(after.claims), lasting(before.claims));
    assert.deepEqual(Object.keys(after.bytes).sort(), Object.keys(before.bytes).sort());
    assert.deepEqual(after.bytes["x86_64-linux"], source);
    assert.equal(text(after.bytes["aarch64-linux"]), "an aarch64 binary");
    assert.equal(text(after.bytes["world.wasm"]), "\0asm a WIT package");
  });
}

Deno.test("insert() replaces a binary by a file of no known format where that is forced", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const original = await richArchive();
  await Deno.writeFile(archive, original);
  const script = { ...await signers(), binaries: [binary("#!/bin/sh\n", "x86_64-linux")] };
  await assertFails(insert(archive, script), "ERR_BINARY_FORMAT", "x86_64-linux");
  assert.deepEqual(await Deno.readFile(archive), original);
  await insert(archive, { ...script, forceTarget: true });
  assert.equal(text((await readContents(archive)).bytes["x86_64-linux"]), "#!/bin/sh\n");
  // The same again takes nothing away, and is told as that.
  const notes: string[] = [];
  await insert(archive, { ...script, onNote: (note) => notes.push(note) });
  assert.match(notes.join(), /^x86_64-linux did not change: it is the same binary of 10 bytes/);
});

Deno.test("insert() refuses an empty binary, and leaves the archive", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const original = await richArchive();
  await Deno.writeFile(archive, original);
  const source = `${folder.path}/lib.so`;
  await Deno.writeTextFile(source, "");
  const binaries = [{ source, target: "arm-linux" }];
  await assertFails(
    insert(archive, { ...await signers(), binaries }),
    "ERR_BINARY_EMPTY",
    JSON.stringify(source),
  );
  assert.deepEqual(await Deno.readFile(archive), original);
});

Deno.test("insert() and remove() keep an empty entry that another writer made", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const binaries = { "arm-linux": "", "x86_64-linux": "x" };
  for (const compressed of [false, true]) {
    const bytes = await archiveOf({ binaries });
    await Deno.writeFile(archive, compressed ? gzipped(bytes) : bytes);
    await insert(archive, { ...await signers(), binaries: [binary("m", "mips-linux")] });
    await remove(archive, { ...await signers(), targets: ["x86_64-linux"] });
    const { bytes: left } = await readContents(archive);
    assert.deepEqual(Object.keys(left), ["arm-linux", "mips-linux"]);
    assert.equal(left["arm-linux"]?.length, 0);
  }
});

Deno.test("insert() fills an archive that was created empty", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  await create({ ...NAMED, ...await signers(), binaries: [], destination: archive });
  assert.deepEqual((await readContents(archive)).bytes, {});
  await insert(archive, {
    ...await signers(),
    binaries: [binary("one", "x86_64-linux"), binary("two", "x86_64-macos")],
  });
  const { bytes } = await readContents(archive);
  assert.deepEqual(Object.keys(bytes).sort(), ["x86_64-linux", "x86_64-macos"]);
});

Deno.test("insert() refuses keys that are not the archive's, naming both", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const original = await richArchive();
  await Deno.writeFile(archive, original);
  const { issuer, subject } = await signers();
  const stranger = await KeyPair.generate("service");
  const binaries = [binary("x", "x86_64-windows")];

  await assertFails(
    insert(archive, { issuer: await otherIssuerPair(), subject, binaries }),
    "ERR_KEY_MISMATCH",
    ISSUER.publicKey,
    OTHER_ISSUER.publicKey,
  );
  await assertFails(
    insert(archive, { issuer, subject: stranger, binaries }),
    "ERR_KEY_MISMATCH",
    SUBJECT.publicKey,
    stranger.publicKey,
  );
  assert.deepEqual(await Deno.readFile(archive), original);
  assert.deepEqual(listFolder(folder.path), ["a.par"]);
});

Deno.test("insert() signs with other keys where that is asked for", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  await Deno.writeFile(archive, await richArchive());
  const before = await readContents(archive);
  const subject = await KeyPair.generate("service");
  const binaries = [binary("x", "x86_64-windows")];
  await insert(archive, { issuer: await otherIssuerPair(), subject, binaries, newIdentity: true });
  const { claims, bytes } = await readContents(archive);
  assert.equal(claims.iss, OTHER_ISSUER.publicKey);
  assert.equal(claims.sub, subject.publicKey);
  assert.deepEqual(claims.wascap.config_schema, before.claims.wascap.config_schema);
  assert.equal(text(bytes["x86_64-windows"]), "x");
});

Deno.test("insert() takes an archive that is not valid yet, and keeps its window", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const nbf = Math.floor(Date.now() / 1000) + 86400;
  await Deno.writeFile(
    archive,
    await richArchive({ bend: (payload) => Object.assign(payload, { nbf, exp: nbf + 60 }) }),
  );
  await insert(archive, { ...await signers(), binaries: [binary("x", "x86_64-windows")] });
  await assertFails(readContents(archive), "ERR_TOKEN_NOT_YET_VALID");
  const { claims } = await readContents(archive, { allowEarly: true });
  assert.deepEqual([claims.nbf, claims.exp], [nbf, nbf + 60]);
});

Deno.test("insert() signs nothing that does not verify", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const whole = await richArchive();
  const tampered = whole.slice();
  const at = text(whole).lastIndexOf("an x86_64 binary");
  tampered[at] = 0x41;
  const expired = await richArchive({ bend: (payload) => payload["exp"] = 1_700_000_001 });
  const other = await richArchive({ bend: (payload) => payload["iss"] = OTHER_ISSUER.publicKey });
  for (
    const [bytes, code] of [
      [tampered, "ERR_HASH_MISMATCH"],
      [whole.subarray(0, -700), "ERR_ARCHIVE_TRUNCATED"],
      [expired, "ERR_TOKEN_EXPIRED"],
      [other, "ERR_TOKEN_SIGNATURE"],
      [new Uint8Array(0), "ERR_ARCHIVE_EMPTY"],
    ] as const
  ) {
    await Deno.writeFile(archive, bytes);
    await assertFails(
      insert(archive, { ...await signers(), binaries: [binary("x", "x86_64-windows")] }),
      code,
    );
    assert.deepEqual(await Deno.readFile(archive), new Uint8Array(bytes));
    assert.deepEqual(listFolder(folder.path), ["a.par"]);
  }
});

Deno.test("insert() refuses a binary for the wrong target, unless that is forced", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  await Deno.writeFile(archive, await richArchive());
  const binaries = [{ source: foreignElf(), target: "x86_64-linux" }];
  await assertFails(
    insert(archive, { ...await signers(), binaries }),
    "ERR_TARGET_MISMATCH",
    "riscv64",
    "x86_64-linux",
  );
  await insert(archive, { ...await signers(), binaries, forceTarget: true });
  const { bytes } = await readContents(archive);
  assert.deepEqual(bytes["x86_64-linux"], foreignElf());
});

Deno.test("insert() reads the target from a binary's header", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  await Deno.writeFile(archive, await richArchive());
  const { targets } = await insert(archive, {
    ...await signers(),
    binaries: [{ source: elf("riscv64") }],
  });
  assert(targets.includes("riscv64-linux" as typeof targets[number]));
});

Deno.test("insert() refuses two binaries for one target, a missing one, and a missing archive", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const original = await richArchive();
  await Deno.writeFile(archive, original);
  const keys = await signers();
  const twice = [binary("1", "arm-linux"), binary("2", "arm-linux")];
  await assertFails(insert(archive, { ...keys, binaries: twice }), "ERR_TARGET_DUPLICATE");
  const missing = [{ source: `${folder.path}/none.so`, target: "arm-linux" }];
  await assertFails(
    insert(archive, { ...keys, binaries: missing }),
    "ERR_FILE_NOT_FOUND",
    "none.so",
  );
  const nowhere = `${folder.path}/nowhere.par`;
  await assertFails(
    insert(nowhere, { ...keys, binaries: [] }),
    "ERR_FILE_NOT_FOUND",
    "nowhere.par",
  );
  assert.deepEqual(await Deno.readFile(archive), original);
  assert.deepEqual(listFolder(folder.path), ["a.par"]);
});

Deno.test("insert() gives equal bytes for equal input and SOURCE_DATE_EPOCH's time", async () => {
  await using folder = await temporaryFolder();
  const results: Uint8Array[] = [];
  for (const name of ["a.par", "b.par"]) {
    const archive = `${folder.path}/${name}`;
    await Deno.writeFile(archive, await richArchive());
    const binaries = [binary("x", "x86_64-windows"), binary("y", "arm-linux")];
    if (name === "b.par") binaries.reverse();
    await insert(archive, { ...await signers(), binaries, sourceDateEpoch: 1_710_000_000 });
    results.push(await Deno.readFile(archive));
  }
  assert.deepEqual(results[0], results[1]);
  assert.equal((await readContents(results[0] as Uint8Array)).claims.iat, 1_710_000_000);
});

Deno.test({
  name: "insert() keeps the archive's permissions, and replaces the file a link leads to",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using folder = await temporaryFolder();
    await Deno.mkdir(`${folder.path}/real`);
    const archive = `${folder.path}/real/a.par`;
    const link = `${folder.path}/link.par`;
    await Deno.writeFile(archive, await richArchive());
    await Deno.chmod(archive, 0o640);
    await Deno.symlink("real/a.par", link);
    await insert(link, { ...await signers(), binaries: [binary("x", "x86_64-windows")] });
    assert.equal((await Deno.lstat(link)).isSymlink, true);
    assert.equal(((await Deno.stat(archive)).mode ?? 0) & 0o777, 0o640);
    assert((await readContents(archive)).bytes["x86_64-windows"]);
    assert.deepEqual(listFolder(folder.path), ["link.par", "real"]);
    assert.deepEqual(listFolder(`${folder.path}/real`), ["a.par"]);
  },
});

Deno.test("insert() with a signal that was given before leaves nothing behind", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const original = await richArchive();
  await Deno.writeFile(archive, original);
  const binaries = [binary("x", "x86_64-windows")];
  const signal = AbortSignal.abort("enough");
  await assertFails(insert(archive, { ...await signers(), binaries, signal }), "ERR_ABORTED");
  assert.deepEqual(await Deno.readFile(archive), original);
  assert.deepEqual(listFolder(folder.path), ["a.par"]);
});

Deno.test("insert() keeps an end that is past what dates reach", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const exp = Number.MAX_SAFE_INTEGER;
  const bend = (payload: Payload): unknown => payload["exp"] = exp;
  await Deno.writeFile(archive, await richArchive({ bend }));
  await insert(archive, { ...await signers(), binaries: [binary("x", "x86_64-windows")] });
  assert.equal((await readContents(archive)).claims.exp, exp);
});
