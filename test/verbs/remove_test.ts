import assert from "node:assert/strict";
import { insert, remove } from "../../mod.ts";
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

for (const compressed of [false, true]) {
  const kind = compressed ? "a compressed archive" : "a plain archive";

  Deno.test(`remove() takes a target out of ${kind} and keeps everything else`, async () => {
    await using folder = await temporaryFolder();
    const archive = `${folder.path}/a.par`;
    await Deno.writeFile(archive, await richArchive({ compressed }));
    const before = await readContents(archive);
    const result = await remove(archive, { ...await signers(), targets: ["x86_64-linux"] });
    const after = await readContents(archive);
    assert.deepEqual(result.targets, ["aarch64-linux"]);
    assert.deepEqual(result.claims, after.claims);
    assert.deepEqual(lasting(after.claims), lasting(before.claims));
    assert.equal(after.compressed, compressed);
    const { "x86_64-linux": _removed, ...kept } = before.bytes;
    assert.deepEqual(after.bytes, kept);
    assert.deepEqual(
      Object.keys(after.claims.wascap.target_hashes).sort(),
      ["aarch64-linux", "world.wasm"],
    );
    assert.notEqual(after.claims.jti, before.claims.jti);
    assert.deepEqual(listFolder(folder.path), ["a.par"]);
  });
}

Deno.test("remove() takes the last target only where that is allowed", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const original = await richArchive();
  await Deno.writeFile(archive, original);
  const keys = await signers();
  const targets = ["x86_64-linux", "aarch64-linux"];
  await assertFails(remove(archive, { ...keys, targets }), "ERR_TARGET_LAST", "a.par");
  assert.deepEqual(await Deno.readFile(archive), original);
  const empty = await remove(archive, { ...keys, targets, allowEmpty: true });
  assert.deepEqual(empty.targets, []);
  assert.deepEqual(Object.keys((await readContents(archive)).bytes), ["world.wasm"]);
  const binaries = [{ source: new Blob(["again"]), target: "arm-linux" }];
  assert.deepEqual((await insert(archive, { ...keys, binaries })).targets, ["arm-linux"]);
});

Deno.test("remove() refuses a target that is not there, and a name that is none", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  const original = await richArchive();
  await Deno.writeFile(archive, original);
  const take = (...targets: string[]): Promise<unknown> =>
    signers().then((keys) => remove(archive, { ...keys, targets }));
  await assertFails(
    take("x86_64-linux", "mips-linux"),
    "ERR_TARGET_NOT_FOUND",
    "mips-linux",
    "aarch64-linux, x86_64-linux",
  );
  await assertFails(take("x86_64-linux", "x86_64-linux"), "ERR_TARGET_NOT_FOUND");
  await assertFails(take("../claims"), "ERR_TARGET_INVALID");
  await assertFails(take("world.wasm"), "ERR_TARGET_INVALID");
  assert.deepEqual(await Deno.readFile(archive), original);
  assert.deepEqual(listFolder(folder.path), ["a.par"]);
});

Deno.test("remove() keeps the identity, unless another is asked for", async () => {
  await using folder = await temporaryFolder();
  const archive = `${folder.path}/a.par`;
  await Deno.writeFile(archive, await richArchive());
  const { subject } = await signers();
  const options = { issuer: await otherIssuerPair(), subject, targets: ["x86_64-linux"] };
  await assertFails(remove(archive, options), "ERR_KEY_MISMATCH", OTHER_ISSUER.publicKey);
  const { claims } = await remove(archive, { ...options, newIdentity: true });
  assert.equal(claims.iss, OTHER_ISSUER.publicKey);
});

Deno.test("par remove takes targets out and says so", async () => {
  await using s = await sandbox();
  await s.write("a.par.gz", await richArchive({ compressed: true }));
  const { code, stdout, stderr } = await s.run(
    ["remove", "a.par.gz", "--arch", "x86_64-linux", ...FIXED_KEYS],
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "Successfully removed x86_64-linux from archive a.par.gz\n");
  const { compressed, bytes } = await readContents(`${s.folder}/a.par.gz`);
  assert(compressed);
  assert.deepEqual(Object.keys(bytes).sort(), ["aarch64-linux", "world.wasm"]);

  const last = await s.run([
    "remove",
    "a.par.gz",
    "-a",
    "aarch64-linux",
    "-o",
    "json",
    ...FIXED_KEYS,
  ]);
  assert.equal(last.code, 1);
  assert.equal(JSON.parse(last.stdout).error.code, "ERR_TARGET_LAST");
  assert.match(last.stderr, /--allow-empty/);
  const empty = await s.run(
    ["remove", "a.par.gz", "-a", "aarch64-linux", "--allow-empty", "-o", "json", ...FIXED_KEYS],
  );
  assert.deepEqual(JSON.parse(empty.stdout), { file: "a.par.gz", success: true }, empty.stderr);
});

Deno.test("par remove tells wrong usage, missing targets, missing keys and broken archives apart", async () => {
  await using s = await sandbox();
  await s.write("a.par", await richArchive());
  await s.write("bad.par", (await richArchive()).subarray(0, 3000));
  const run = async (...args: string[]): Promise<[number, string]> => {
    const { code, stderr } = await s.run(["remove", ...args]);
    return [code, /\[(ERR_[A-Z_]+)\]/.exec(stderr)?.[1] ?? ""];
  };
  assert.deepEqual(await run("a.par", ...FIXED_KEYS), [2, "ERR_USAGE"]);
  assert.deepEqual(await run("a.par", "-a", "mips-linux", ...FIXED_KEYS), [
    1,
    "ERR_TARGET_NOT_FOUND",
  ]);
  assert.deepEqual(await run("a.par", "-a", "../x", ...FIXED_KEYS), [2, "ERR_TARGET_INVALID"]);
  assert.deepEqual(await run("a.par", "-a", "x86_64-linux"), [1, "ERR_KEY_NOT_FOUND"]);
  const [code] = await run("bad.par", "-a", "x86_64-linux", ...FIXED_KEYS);
  assert.equal(code, 3);
  assert.deepEqual(await s.list(), ["a.par", "bad.par"]);
});
