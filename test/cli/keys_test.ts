import assert from "node:assert/strict";
import { KEY_ROLES, roleOf } from "../../lib/signing/mod.ts";
import { KeyPair, parsePublicKey } from "../../mod.ts";
import { denoFlags } from "../../scripts/par.ts";
import { denoDir, type Sandbox, sandbox } from "../_cli.ts";
import { ISSUER } from "../_keys.ts";
import { type Output, ROOT, runTool } from "../_tools.ts";
import { listFolder } from "../verbs/_fixtures.ts";

/** Each kind and its other names, with the letter of its public keys and its key files' ending. */
const KINDS: readonly (readonly [kind: string, letter: string, role: string])[] = [
  ["account", "A", "account"],
  ["service", "V", "service"],
  ["provider", "V", "service"],
  ["module", "M", "module"],
  ["component", "M", "module"],
  ["user", "U", "user"],
  ["server", "N", "server"],
  ["host", "N", "server"],
  ["operator", "O", "operator"],
  ["cluster", "C", "cluster"],
  ["curve", "X", "curve"],
  ["x25519", "X", "curve"],
];

/** Shows a seed on purpose, which is why it does not go through the sandbox and its scan. */
async function getSeed(s: Sandbox, ...args: string[]): Promise<Output> {
  return await runTool(
    Deno.execPath(),
    ["run", ...denoFlags(["keys", "get"]), `${ROOT}/cli.ts`, "keys", "get", ...args],
    {
      cwd: s.folder,
      clearEnv: true,
      env: { HOME: s.home, PATH: Deno.env.get("PATH") ?? "", DENO_DIR: await denoDir() },
    },
  );
}

Deno.test("par keys gen makes a key of every kind, by each of its names", async () => {
  await using s = await sandbox();
  for (const [kind, letter, role] of KINDS) {
    const { code, stdout, stderr } = await s.run(["keys", "gen", kind, "--name", kind]);
    assert.equal(code, 0, stderr);
    const key = parsePublicKey(stdout.trimEnd());
    assert.equal(`${key}\n`, stdout);
    assert.equal(key[0], letter);
    assert.equal(roleOf(key), role);
    const file = `${s.keys}/${kind}_${role}.nk`;
    const pair = await KeyPair.fromSeed(await Deno.readTextFile(file));
    assert.equal(pair.publicKey, key);
    assert(stderr.includes(file), stderr);
  }
  assert.deepEqual(new Set(KINDS.map(([, , role]) => role)), new Set<string>(KEY_ROLES));
});

Deno.test({
  name: "par keys gen makes folder and file for their owner alone",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using s = await sandbox();
    assert.equal((await s.run(["keys", "gen", "account"])).code, 0);
    const mode = async (path: string): Promise<number> =>
      ((await Deno.stat(path)).mode ?? 0) & 0o777;
    assert.equal(await mode(s.keys), 0o700);
    assert.equal(await mode(`${s.keys}/kevin_account.nk`), 0o600);
    assert.deepEqual(listFolder(s.keys), ["kevin_account.nk"]);
    assert.match(await Deno.readTextFile(`${s.keys}/kevin_account.nk`), /^SA[A-Z2-7]{56}$/);
  },
});

Deno.test("par keys gen names an account's file after the user, and others after their key", async () => {
  await using s = await sandbox();
  await s.run(["keys", "gen", "account"]);
  const { stdout } = await s.run(["keys", "gen", "provider", "-o", "json"]);
  const { public_key, file, success } = JSON.parse(stdout);
  assert(success);
  assert.equal(file, `${s.keys}/${public_key}_service.nk`);
  assert.deepEqual(listFolder(s.keys), ["kevin_account.nk", `${public_key}_service.nk`].sort());
});

Deno.test("par keys gen never overwrites a key", async () => {
  await using s = await sandbox();
  assert.equal((await s.run(["keys", "gen", "account"])).code, 0);
  const seed = await Deno.readTextFile(`${s.keys}/kevin_account.nk`);
  const again = await s.run(["keys", "gen", "account", "-o", "json"]);
  assert.equal(again.code, 1);
  assert.equal(JSON.parse(again.stdout).error.code, "ERR_FILE_UNWRITABLE");
  assert.match(again.stderr, /--name/);
  assert.equal(await Deno.readTextFile(`${s.keys}/kevin_account.nk`), seed);
  assert.deepEqual(listFolder(s.keys), ["kevin_account.nk"]);

  const runs = await Promise.all(
    Array.from({ length: 4 }, () => s.run(["keys", "gen", "user", "--name", "race"])),
  );
  const made = runs.filter(({ code }) => code === 0);
  assert.equal(made.length, 1);
  const pair = await KeyPair.fromSeed(await Deno.readTextFile(`${s.keys}/race_user.nk`));
  assert.equal(made[0]?.stdout, `${pair.publicKey}\n`);
  assert.deepEqual(listFolder(s.keys), ["kevin_account.nk", "race_user.nk"]);
});

Deno.test("par keys gen refuses kinds that are none", async () => {
  await using s = await sandbox();
  for (const kind of ["", "acount", "constructor", "__proto__", "A"]) {
    const { code, stderr } = await s.run(["keys", "gen", kind]);
    assert.equal(code, 2, kind);
    assert.match(stderr, /\[ERR_OPTION_INVALID\]/);
  }
  assert.equal((await s.run(["keys", "gen"])).code, 2);
  assert.equal((await s.run(["keys", "make"])).code, 2);
  await assert.rejects(Deno.stat(s.keys), Deno.errors.NotFound);
});

Deno.test("par keys list shows public keys alone, and tells which files hold none", async () => {
  await using s = await sandbox();
  const empty = await s.run(["keys", "list"]);
  assert.deepEqual([empty.code, empty.stdout], [0, ""]);
  assert.deepEqual(JSON.parse((await s.run(["keys", "list", "-o", "json"])).stdout).keys, []);
  await s.run(["keys", "gen", "account", "--name", "b"]);
  await s.run(["keys", "gen", "curve", "--name", "a"]);
  await Deno.writeTextFile(`${s.keys}/broken.nk`, `${ISSUER.seed.slice(0, -1)}A`);
  await Deno.writeTextFile(`${s.keys}/readme.txt`, "no key");
  const { code, stdout, stderr } = await s.run(["keys", "list"]);
  assert.equal(code, 0);
  assert.match(stdout, /^a_curve {4}X[A-Z2-7]{55}\nb_account {2}A[A-Z2-7]{55}\n$/);
  assert.match(stderr, /broken\.nk/);
  assert.doesNotMatch(stderr, /readme/);
  const { keys, success } = JSON.parse((await s.run(["keys", "list", "-o", "json"])).stdout);
  assert(success);
  assert.deepEqual(
    keys.map(({ name, role }: Record<string, string>) => [name, role]),
    [["a_curve", "curve"], ["b_account", "account"]],
  );
});

Deno.test("par keys get prints the seed, and with --public the public key alone", async () => {
  await using s = await sandbox();
  const made = await s.run(["keys", "gen", "account"]);
  const key = made.stdout;
  const seed = await Deno.readTextFile(`${s.keys}/kevin_account.nk`);
  assert.equal((await s.run(["keys", "get", "kevin_account", "--public"])).stdout, key);
  assert.equal((await s.run(["keys", "get", "--public", "kevin_account.nk"])).stdout, key);
  const shown = await s.run(["keys", "get", "kevin_account", "--public", "-o", "json"]);
  assert.deepEqual(JSON.parse(shown.stdout), { public_key: key.trimEnd(), success: true });

  assert.equal((await getSeed(s, "kevin_account")).stdout, `${seed}\n`);
  const json = JSON.parse((await getSeed(s, "kevin_account", "-o", "json")).stdout);
  assert.deepEqual(json, { public_key: key.trimEnd(), seed, success: true });

  const missing = await s.run(["keys", "get", "nobody", "-o", "json"]);
  assert.equal(missing.code, 1);
  assert.equal(JSON.parse(missing.stdout).error.code, "ERR_FILE_NOT_FOUND");
});

Deno.test("par keys takes the directory from its flag, else the environment, else HOME", async () => {
  await using s = await sandbox();
  const env = { WASH_KEYS: `${s.folder}/from-env` };
  const name = ["--name", "x"];
  await s.run(["keys", "gen", "account", ...name], { env });
  await s.run(["keys", "gen", "user", ...name, "-d", `${s.folder}/from-flag/deep`], { env });
  await s.run(["keys", "gen", "module", ...name]);
  assert.deepEqual(listFolder(`${s.folder}/from-env`), ["x_account.nk"]);
  assert.deepEqual(listFolder(`${s.folder}/from-flag/deep`), ["x_user.nk"]);
  assert.deepEqual(listFolder(s.keys), ["x_module.nk"]);
  const { stdout } = await s.run(["keys", "list", "--directory", "from-flag/deep/"], { env });
  assert.match(stdout, /^x_user {2}U/);
  const homeless = await s.run(["keys", "list"], { unset: ["HOME"] });
  assert.equal(homeless.code, 2);
  assert.match(homeless.stderr, /\[ERR_OPTION_INVALID\]/);
});
