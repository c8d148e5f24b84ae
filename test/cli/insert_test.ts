import assert from "node:assert/strict";
import { FIXED_KEYS, sandbox } from "../_cli.ts";
import { ISSUER, OTHER_ISSUER, SUBJECT } from "../_keys.ts";
import { elf, readContents, richArchive } from "../verbs/_fixtures.ts";

Deno.test("par insert adds a binary and says so in the words people know", async () => {
  await using s = await sandbox();
  await s.write("a.par.gz", await richArchive({ compressed: true }));
  await s.write("lib.so", elf("riscv64", "library"));
  const { code, stdout, stderr } = await s.run([
    "insert",
    "a.par.gz",
    "-b",
    "lib.so",
    ...FIXED_KEYS,
  ]);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "Successfully inserted lib.so into archive a.par.gz\n");
  const { claims, compressed, bytes } = await readContents(`${s.folder}/a.par.gz`);
  assert(compressed);
  assert.deepEqual(bytes["riscv64-linux"], elf("riscv64", "library"));
  assert.equal(claims.iss, ISSUER.publicKey);
  assert.equal(claims.wascap.rev, 1);
});

Deno.test("par insert pairs --arch with --binary, and takes ARCH=PATH", async () => {
  await using s = await sandbox();
  await s.write("a.par", await richArchive());
  await s.write("one", "1");
  await s.write("two", "2");
  await s.write("three", "3");
  const { code, stdout, stderr } = await s.run([
    ...["insert", "a.par", "-a", "arm-linux", "-b", "one", "-b", "mips-linux=two"],
    ...["--arch", "x86_64-macos", "--binary", "three", ...FIXED_KEYS],
  ]);
  assert.equal(code, 0, stderr);
  assert.equal(
    stdout,
    ["one", "two", "three"].map((name) => `Successfully inserted ${name} into archive a.par\n`)
      .join(""),
  );
  const { bytes } = await readContents(`${s.folder}/a.par`);
  const texts = ["arm-linux", "mips-linux", "x86_64-macos"].map((target) =>
    new TextDecoder().decode(bytes[target])
  );
  assert.deepEqual(texts, ["1", "2", "3"]);
});

Deno.test("par insert -o json prints the file and success", async () => {
  await using s = await sandbox();
  await s.write("a.par", await richArchive());
  await s.write("one", "1");
  const args = ["insert", "a.par", "-b", "arm-linux=one", "-o", "json", ...FIXED_KEYS];
  const { stdout, stderr } = await s.run(args);
  assert.deepEqual(JSON.parse(stdout), { file: "a.par", success: true }, stderr);
});

Deno.test("par insert finds the archive's keys by their public halves, whatever their files are called", async () => {
  await using s = await sandbox();
  const created = await s.create(
    [
      "-d",
      s.keys,
      "-a",
      "x86_64-linux",
      "-b",
      await s.write("linux.so", "1"),
      "--destination",
      "a.par",
    ],
  );
  assert.equal(created.code, 0, created.stderr);
  const before = await readContents(`${s.folder}/a.par`);
  await Deno.rename(`${s.keys}/kevin_account.nk`, `${s.keys}/somebody.nk`);
  await Deno.rename(`${s.keys}/linux_service.nk`, `${s.keys}/a b c_account.nk`);
  // Keys under the names that are looked for first elsewhere, and a file that is no key.
  for (const kind of ["account", "service"]) {
    const name = kind === "account" ? "kevin" : "android";
    assert.equal((await s.run(["keys", "gen", kind, "--name", name])).code, 0);
  }
  await Deno.writeTextFile(`${s.keys}/notes.nk`, "no seed at all");
  await s.write("android.so", "2");

  const { code, stderr } = await s.run([
    "insert",
    "a.par",
    "-a",
    "aarch64-android",
    "-b",
    "android.so",
  ]);

  assert.equal(code, 0, stderr);
  const after = await readContents(`${s.folder}/a.par`);
  assert.deepEqual([after.claims.iss, after.claims.sub], [before.claims.iss, before.claims.sub]);
  assert.deepEqual(Object.keys(after.bytes).sort(), ["aarch64-android", "x86_64-linux"]);
});

Deno.test("par insert takes keys from files and from the environment", async () => {
  await using s = await sandbox();
  await s.write("a.par", await richArchive());
  await s.write("one", "1");
  await s.write("issuer.nk", `${ISSUER.seed}\n`);
  const { code, stderr } = await s.run(
    ["insert", "a.par", "-b", "arm-linux=one", "-i", "issuer.nk"],
    { env: { WASH_SUBJECT_KEY: SUBJECT.seed } },
  );
  assert.equal(code, 0, stderr);
  assert.equal((await readContents(`${s.folder}/a.par`)).claims.sub, SUBJECT.publicKey);
});

Deno.test("par insert refuses other keys than the archive's, naming both", async () => {
  await using s = await sandbox();
  const original = await richArchive();
  await s.write("a.par", original);
  await s.write("one", "1");
  const flags = ["insert", "a.par", "-b", "arm-linux=one"];
  const given = await s.run([...flags, "-i", OTHER_ISSUER.seed, "-s", SUBJECT.seed]);
  assert.equal(given.code, 1);
  assert.match(given.stderr, /\[ERR_KEY_MISMATCH\]/);
  for (const key of [ISSUER.publicKey, OTHER_ISSUER.publicKey]) assert(given.stderr.includes(key));
  // Nothing fits in the key directory either, and nothing is made there.
  const searched = await s.run([...flags, "-o", "json"]);
  assert.equal(searched.code, 1);
  const { success, error } = JSON.parse(searched.stdout);
  assert.deepEqual([success, error.code], [false, "ERR_KEY_NOT_FOUND"]);
  assert(error.message.includes(ISSUER.publicKey), error.message);
  await assert.rejects(Deno.stat(s.keys), Deno.errors.NotFound);
  assert.deepEqual(await s.read("a.par"), original);
});

Deno.test("par insert --new-identity signs with the user's own keys, made where they are missing", async () => {
  await using s = await sandbox();
  await s.write("a.par", await richArchive());
  await s.write("one.so", "1");
  const flags = ["insert", "a.par", "-b", "arm-linux=one.so", "--new-identity"];
  const refused = await s.run([...flags, "--disable-keygen"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /\[ERR_KEY_NOT_FOUND\]/);
  const { code, stderr } = await s.run(flags);
  assert.equal(code, 0, stderr);
  assert.equal(stderr.match(/No keypair found in/g)?.length, 2);
  const { claims } = await readContents(`${s.folder}/a.par`);
  const keys = JSON.parse((await s.run(["keys", "list", "-o", "json"])).stdout).keys;
  assert.deepEqual(
    keys.map(({ name, public_key }: Record<string, string>) => [name, public_key]),
    [["kevin_account", claims.iss], ["one_service", claims.sub]],
  );
});

Deno.test("verbs that sign anew make no keys where they are refused", async () => {
  await using s = await sandbox();
  await s.write("a.par", await richArchive());
  await s.write("bad.par", (await richArchive()).subarray(0, 3000));
  await s.write("one.so", "1");
  await s.write("empty.so", "");
  await s.write("other.par", await richArchive({ bend: (payload) => payload["wascap"].ver = "2" }));
  const files = await s.list();
  for (
    const [args, error] of [
      ["insert bad.par -b arm-linux=one.so", "ERR_ARCHIVE_TRUNCATED"],
      ["insert a.par -b arm-linux=empty.so", "ERR_BINARY_EMPTY"],
      ["insert a.par -b x86_64-linux=one.so", "ERR_BINARY_FORMAT"],
      ["insert a.par -b arm-linux=two.so", "ERR_FILE_NOT_FOUND"],
      ["remove a.par -a mips-linux", "ERR_TARGET_NOT_FOUND"],
      ["remove a.par -a aarch64-linux -a x86_64-linux", "ERR_TARGET_LAST"],
      ["merge a.par other.par --destination b.par", "ERR_MERGE_CONFLICT"],
      ["merge a.par --destination missing/b.par", "ERR_FILE_UNWRITABLE"],
    ] as const
  ) {
    const { stderr } = await s.run([...args.split(" "), "--new-identity"]);
    assert(stderr.includes(`[${error}]`), `${args}: ${stderr}`);
    await assert.rejects(Deno.stat(s.keys), Deno.errors.NotFound, args);
    assert.deepEqual(await s.list(), files);
  }
});

Deno.test("par insert says what it replaced by what, in one line", async () => {
  await using s = await sandbox();
  await s.write("a.par", await richArchive());
  await s.write("lib.so", elf("x86_64", "library"));
  const { code, stderr } = await s.run(["insert", "a.par", "-b", "lib.so", ...FIXED_KEYS]);
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /^Note: x86_64-linux was 16 bytes with the SHA-256 [0-9a-f]{12}…, and is now 71 bytes with the SHA-256 [0-9a-f]{12}…\n$/,
  );
});

Deno.test("par insert replaces no binary by a text, unless --force-arch is given", async () => {
  await using s = await sandbox();
  const original = await richArchive();
  await s.write("a.par", original);
  await s.write("one", "1");
  const args = ["insert", "a.par", "-b", "x86_64-linux=one", ...FIXED_KEYS];
  const { code, stderr } = await s.run(args);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /Cannot replace the binary for x86_64-linux with "one": .*\(see --force-arch\) \[ERR_BINARY_FORMAT\]/,
  );
  assert.deepEqual(await s.read("a.par"), original);
  assert.equal((await s.run([...args, "--force-arch"])).code, 0);
});

Deno.test("par insert prepares an archive that becomes valid tomorrow", async () => {
  await using s = await sandbox();
  await s.write("one", "1");
  const flags = ["-b", "arm-linux=one", "--destination", "a.par", "--valid-in", "1"];
  assert.equal((await s.create(flags)).code, 0);
  const { code, stderr } = await s.run(["insert", "a.par", "-b", "mips-linux=one", ...FIXED_KEYS]);
  assert.equal(code, 0, stderr);
  const verified = await s.run(["verify", "a.par"]);
  assert.equal(verified.code, 3);
  assert.match(verified.stdout, /ERR_TOKEN_NOT_YET_VALID/);
});

Deno.test("par insert tells wrong usage from what failed and from what cannot be trusted", async () => {
  await using s = await sandbox();
  await s.write("a.par", await richArchive());
  await s.write("bad.par", (await richArchive()).subarray(0, 3000));
  await s.write("one", "1");
  const status = async (...args: string[]): Promise<number> =>
    (await s.run(["insert", ...args, ...FIXED_KEYS])).code;
  assert.equal(await status("a.par"), 2);
  assert.equal(await status("a.par", "-b", "one", "-a", "arm-linux", "-a", "mips-linux"), 2);
  assert.equal(await status("a.par", "-b", "arm-linux=two"), 1);
  assert.equal(await status("none.par", "-b", "arm-linux=one"), 1);
  assert.equal(await status("bad.par", "-b", "arm-linux=one"), 3);
  assert.equal(await status("a.par", "-b", "arm-linux=one", "--max-size", "1k"), 3);
  assert.deepEqual(await s.list(), ["a.par", "bad.par", "one"]);
});
