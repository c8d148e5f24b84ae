import assert from "node:assert/strict";
import { archiveOf, ISSUED_AT } from "../_archive.ts";
import { FIXED_KEYS, type Sandbox, sandbox } from "../_cli.ts";
import { ISSUER, OTHER_ISSUER, SUBJECT } from "../_keys.ts";
import { FOREIGN, foreignElf, HOST, hostElf } from "../verbs/_fixtures.ts";
import { KeyPair } from "../../lib/signing/nkey.ts";

/** A sandbox with an archive `a.par` in it. */
async function workshop(): Promise<Sandbox> {
  const s = await sandbox();
  await s.write("a.par", await archiveOf({ binaries: { [HOST]: hostElf(), [FOREIGN]: "x" } }));
  return s;
}

Deno.test("par verify prints one line a check and ends with 0", async () => {
  await using s = await workshop();
  const { code, stdout, stderr } = await s.run([
    ...["verify", "a.par", "--trusted-issuer", ISSUER.publicKey, "--subject", SUBJECT.publicKey],
    ...["--require-arch", HOST, "--require-arch", FOREIGN, "--this-host", "--max-age", "36500"],
  ]);
  assert.equal(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.pop(), "Trusted: a.par passed every check.");
  assert.deepEqual(
    lines.map((line) => line.split(/ +/, 2)),
    [
      "archive",
      "signature",
      "validity",
      "binaries",
      "issuer",
      "subject",
      "target",
      "target",
      "host",
      "age",
    ].map((name) => ["ok", name]),
  );
  assert.equal(stderr, "");
});

Deno.test("par verify ends with 3 for each part of a policy that does not hold", async () => {
  await using s = await workshop();
  const days = Math.floor((Date.now() / 1000 - ISSUED_AT) / 86400);
  const stranger = (await KeyPair.generate("service")).publicKey;
  const refused: [string[], string][] = [
    [["--trusted-issuer", OTHER_ISSUER.publicKey], "ERR_ISSUER_UNTRUSTED"],
    [["--subject", stranger], "ERR_SUBJECT_MISMATCH"],
    [["--require-arch", "mips-linux"], "ERR_TARGET_REQUIRED"],
    [["--max-age", String(days - 1)], "ERR_TOO_OLD"],
  ];
  for (const [flags, expected] of refused) {
    const { code, stdout, stderr } = await s.run(["verify", "a.par", ...flags]);
    assert.equal(code, 3, stderr);
    assert.match(stdout, new RegExp(`^FAILED .*\\[${expected}\\]$`, "m"));
  }
});

Deno.test("par verify takes trusted issuers from flags, files and the environment", async () => {
  await using s = await workshop();
  await s.write("others.txt", `# others\n\n${OTHER_ISSUER.publicKey}\n`);
  await s.write("all.txt", `${OTHER_ISSUER.publicKey} # one\r\n  ${ISSUER.publicKey}\r\n`);
  const status = async (flags: string[], issuers?: string): Promise<number> => {
    const options = issuers === undefined ? {} : { env: { PAR_TRUSTED_ISSUERS: issuers } };
    return (await s.run(["verify", "a.par", ...flags], options)).code;
  };
  const flag = "--trusted-issuer";
  assert.equal(await status([]), 0);
  assert.equal(await status([flag, OTHER_ISSUER.publicKey, flag, ISSUER.publicKey]), 0);
  assert.equal(await status([flag, "all.txt"]), 0);
  assert.equal(await status([flag, "others.txt"]), 3);
  assert.equal(await status([flag, "others.txt", flag, ISSUER.publicKey]), 0);
  assert.equal(await status([], ISSUER.publicKey), 0);
  assert.equal(await status([], `${OTHER_ISSUER.publicKey},${ISSUER.publicKey}`), 0);
  assert.equal(await status([], `${OTHER_ISSUER.publicKey} all.txt`), 0);
  assert.equal(await status([], OTHER_ISSUER.publicKey), 3);
  // The command line is the nearer of the two.
  assert.equal(await status([flag, OTHER_ISSUER.publicKey], ISSUER.publicKey), 3);
});

Deno.test("par verify trusts nobody by mistake: a list it cannot read is an error", async () => {
  await using s = await workshop();
  await s.write("empty.txt", "# nobody yet\n");
  await s.write("wrong.txt", `${SUBJECT.publicKey}\n`);
  await s.write("mistyped.txt", `${ISSUER.publicKey.replace("A7R5", "A7R6")}\n`);
  for (
    const [list, expected] of [
      ["none.txt", "ERR_FILE_NOT_FOUND"],
      ["empty.txt", "ERR_OPTION_INVALID"],
      ["wrong.txt", "ERR_KEY_ROLE"],
      ["mistyped.txt", "ERR_KEY_CHECKSUM"],
      [ISSUER.publicKey.replace("A7R5", "A7R6"), "ERR_KEY_CHECKSUM"],
      [SUBJECT.publicKey, "ERR_KEY_ROLE"],
    ] as const
  ) {
    const { code, stdout, stderr } = await s.run(["verify", "a.par", "--trusted-issuer", list]);
    assert(code === 1 || code === 2, `${code}`);
    assert.equal(stdout, "");
    assert(stderr.includes(`[${expected}]`), stderr);
  }
});

Deno.test("par verify --this-host reads the binary's header", async () => {
  await using s = await sandbox();
  await s.write("lib.so", foreignElf());
  const forced = ["-a", HOST, "-b", "lib.so", "--force-arch", "--destination", "a.par"];
  assert.equal((await s.create(forced)).code, 0);
  assert.equal((await s.run(["verify", "a.par"])).code, 0);
  const { code, stdout } = await s.run(["verify", "a.par", "--this-host"]);
  assert.equal(code, 3);
  assert.match(stdout, /^FAILED +host .*ELF for riscv64.*\[ERR_HOST_INCOMPATIBLE\]$/m);

  await s.write("lib.so", hostElf());
  const replaced = await s.run(["insert", "a.par", "-a", HOST, "-b", "lib.so", ...FIXED_KEYS]);
  assert.equal(replaced.code, 0, replaced.stderr);
  const fits = await s.run(["verify", "a.par", "--this-host"]);
  assert.equal(fits.code, 0, fits.stdout);
});

Deno.test("par verify -o json prints the checks and the first failure", async () => {
  await using s = await workshop();
  const good = await s.run(["verify", "a.par", "-o", "json"]);
  assert.equal(good.code, 0);
  const report = JSON.parse(good.stdout);
  assert.equal(report.success, true);
  assert.equal(report.issuer, ISSUER.publicKey);
  assert.equal(report.service, SUBJECT.publicKey);
  assert.equal(report.error, undefined);
  assert.deepEqual(
    report.checks.map(({ name, passed }: Record<string, unknown>) => [name, passed]),
    [["archive", true], ["signature", true], ["validity", true], ["binaries", true]],
  );

  const bad = await s.run(
    ["verify", "a.par", "--require-arch", "mips-linux", "--max-age", "1", "-o", "json"],
  );
  assert.equal(bad.code, 3);
  const { success, error, checks } = JSON.parse(bad.stdout);
  assert.deepEqual([success, error.code], [false, "ERR_TARGET_REQUIRED"]);
  assert.equal(checks.filter(({ passed }: { passed: boolean }) => !passed).length, 2);
});

Deno.test("par verify tells an archive that is broken from one that is not there", async () => {
  await using s = await workshop();
  const bytes = await s.read("a.par");
  await s.write("short.par", bytes.subarray(0, -600));
  bytes[bytes.length - 1024 - 512] = 1;
  await s.write("tampered.par", bytes);
  for (const name of ["short.par", "tampered.par"]) {
    const { code, stdout } = await s.run(["verify", name]);
    assert.equal(code, 3);
    assert.match(stdout, /^FAILED /);
    const json = await s.run(["verify", name, "-o", "json"]);
    assert.equal(json.code, 3);
    const { success, error, issuer } = JSON.parse(json.stdout);
    assert.equal(success, false);
    assert.match(error.code, /^ERR_/);
    assert.equal(issuer, undefined);
  }
  assert.equal((await s.run(["verify", "none.par"])).code, 1);
  assert.equal((await s.run(["verify"])).code, 2);
  assert.equal((await s.run(["verify", "a.par", "--max-age", "soon"])).code, 2);
  // A mistyped key is a mistake in the policy, and no verdict on the archive.
  const mistyped = SUBJECT.publicKey.replace("VBM5", "VBM6");
  assert.equal((await s.run(["verify", "a.par", "--subject", mistyped])).code, 1);
  assert.equal((await s.run(["verify", "a.par", "--require-arch", "a/b"])).code, 2);
});

Deno.test("par verify ends with one line that is the verdict", async () => {
  await using s = await workshop();
  const last = async (...args: string[]): Promise<string> =>
    (await s.run(["verify", "a.par", ...args])).stdout.trimEnd().split("\n").at(-1) ?? "";
  assert.equal(
    await last(),
    "Valid: a.par passed every check, but no issuer was asked for; say whom you trust " +
      "(--trusted-issuer).",
  );
  const trusted = ["--trusted-issuer", ISSUER.publicKey];
  assert.equal(await last(...trusted), "Trusted: a.par passed every check.");
  assert.equal(
    await last(...trusted, "--require-arch", "mips-linux", "--max-age", "1"),
    "Not trusted: a.par failed: target, age.",
  );
});

Deno.test("par verify goes on after a bad archive, and ends with the worst status", async () => {
  await using s = await workshop();
  await s.write("broken.par", (await s.read("a.par")).subarray(0, -600));
  const verdicts = async (...archives: string[]): Promise<[number, string[], string]> => {
    const { code, stdout, stderr } = await s.run(["verify", ...archives]);
    return [code, stdout.match(/^(Not trusted|Valid): \w+\.par/gm) ?? [], stderr];
  };
  const missing = 'Error: Cannot read "none.par": there is no such file [ERR_FILE_NOT_FOUND]\n';
  const bad = "Not trusted: broken.par";
  const good = "Valid: a.par";
  assert.deepEqual(await verdicts("a.par", "a.par"), [0, [good, good], ""]);
  assert.deepEqual(await verdicts("none.par", "a.par"), [1, [good], missing]);
  assert.deepEqual(await verdicts("broken.par", "none.par", "a.par"), [3, [bad, good], missing]);
});

Deno.test("par verify -o json prints one line for each of several archives, which names it", async () => {
  await using s = await workshop();
  await s.write("broken.par", (await s.read("a.par")).subarray(0, -600));
  const archives = ["broken.par", "none.par", "a.par"];
  const { code, stdout } = await s.run(["verify", ...archives, "-o", "json"]);
  assert.equal(code, 3);
  const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ archive, success }) => [archive, success]), [
    ["broken.par", false],
    ["none.par", false],
    ["a.par", true],
  ]);
  assert.equal(lines[1].error.code, "ERR_FILE_NOT_FOUND");
});

Deno.test("par verify -q prints what failed, and nothing else", async () => {
  await using s = await workshop();
  assert.deepEqual(await s.run(["verify", "a.par", "-q"]), { code: 0, stdout: "", stderr: "" });
  const { stdout } = await s.run(["verify", "a.par", "-q", "--require-arch", "mips-linux"]);
  assert.match(stdout, /^FAILED +target .*\nNot trusted: a\.par failed: target\.\n$/);
});
