import assert from "node:assert/strict";
import { hex } from "../../lib/bytes/hex.ts";
import { publicKeyBytes } from "../../lib/signing/nkey.ts";
import { KEY_ROLES, roleOf } from "../../lib/signing/mod.ts";
import { inspect, KeyPair, parsePublicKey } from "../../mod.ts";
import { denoFlags } from "../../scripts/par.ts";
import { denoDir, REQUIRED, type Sandbox, sandbox } from "../_cli.ts";
import { ISSUER } from "../_keys.ts";
import { isInstalled, type Output, ROOT, runTool } from "../_tools.ts";
import { testWith, type Tool } from "../examples/_example.ts";
import { HOST, hostElf, listFolder } from "../verbs/_fixtures.ts";

const OPENSSL: Tool = { name: "openssl", isThere: () => isInstalled("openssl", "version") };

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

/** The folders of keys, by what sets them. */
async function washFolders(
  s: Sandbox,
): Promise<Record<"named" | "inData" | "data" | "old", string>> {
  const folders = {
    named: `${s.folder}/named`,
    inData: `${s.folder}/wash-data/keys`,
    data: `${s.home}/.local/share/wash/keys`,
    old: s.keys,
  };
  for (const folder of Object.values(folders)) await Deno.mkdir(folder, { recursive: true });
  return folders;
}

Deno.test("par finds keys in each folder that wash keeps them in, and says which it used", async () => {
  await using s = await sandbox();
  await s.write("lib.so", hostElf());
  const folders = await washFolders(s);
  const env = { WASH_KEYS_DIR: folders.named, WASH_DATA_DIR: `${s.folder}/wash-data/` };
  for (const folder of Object.values(folders)) {
    const account = (await s.run(["keys", "gen", "account", "-d", folder])).stdout.trim();
    const service = (await s.run(["keys", "gen", "provider", "--name", "lib", "-d", folder]))
      .stdout.trim();
    const create = ["create", ...REQUIRED, "-b", "lib.so", "--destination", "a.par"];
    const { code, stderr } = await s.run(create, { env });
    assert.equal(code, 0, stderr);
    assert(stderr.includes(`the issuer is ${account}, with the key "${folder}/kevin_account.nk"`));
    assert(stderr.includes(`the provider is ${service}, with the key "${folder}/lib_service.nk"`));
    assert.match(stderr, /, which all binaries of this name share\.$/m);
    assert.doesNotMatch(stderr, /No keypair found/);
    const { claims } = await inspect(`${s.folder}/a.par`);
    assert.deepEqual([claims.iss, claims.sub], [account, service]);
    // What signs again finds the seeds too, and so does keys.
    const removed = await s.run(["remove", "a.par", "-a", HOST, "--allow-empty"], { env });
    assert.equal(removed.code, 0, removed.stderr);
    const { stdout } = await s.run(["keys", "get", "--public", "kevin_account"], { env });
    assert.equal(stdout.trim(), account);
    await Deno.remove(`${folder}/kevin_account.nk`);
    await Deno.remove(`${folder}/lib_service.nk`);
  }
});

Deno.test("par refuses to choose between two folders' keys, and names both", async () => {
  await using s = await sandbox();
  await s.write("lib.so", hostElf());
  const { data, old } = await washFolders(s);
  const one = (await s.run(["keys", "gen", "account", "-d", data])).stdout.trim();
  const two = (await s.run(["keys", "gen", "account", "-d", old])).stdout.trim();
  const create = ["create", ...REQUIRED, "-b", "lib.so", "--destination", "a.par"];
  for (const args of [create, ["keys", "get", "--public", "kevin_account"]]) {
    const { code, stderr } = await s.run(args);
    assert.equal(code, 1);
    for (const part of [data, old, one, two, "--directory", "[ERR_KEY_AMBIGUOUS]"]) {
      assert(stderr.includes(part), `${stderr} does not say ${part}`);
    }
  }
  assert.deepEqual(await s.list(), ["lib.so", "named", "wash-data"]);
  const chosen = await s.run([...create, "-d", old]);
  assert.equal(chosen.code, 0, chosen.stderr);
  assert.equal((await inspect(`${s.folder}/a.par`)).claims.iss, two);
  // The same key twice is one key.
  await Deno.copyFile(`${old}/kevin_account.nk`, `${data}/kevin_account.nk`);
  assert.equal((await s.run(create)).code, 0);
});

Deno.test("par puts a new key into the folder that wash would, or that is there", async () => {
  await using s = await sandbox();
  const gen = async (env: Record<string, string> = {}): Promise<string> => {
    const { code, stdout, stderr } = await s.run(["keys", "gen", "user", "-o", "json"], { env });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).file.replace(/\/[^/]*$/, "");
  };
  assert.equal(await gen(), s.keys);
  await Deno.remove(`${s.home}/.wash`, { recursive: true });
  const data = `${s.home}/.local/share/wash/keys`;
  await Deno.mkdir(data, { recursive: true });
  assert.equal(await gen(), data);
  const XDG_DATA_HOME = `${s.folder}/data`;
  await Deno.mkdir(`${XDG_DATA_HOME}/wash/keys`, { recursive: true });
  assert.equal(await gen({ XDG_DATA_HOME }), `${XDG_DATA_HOME}/wash/keys`);
  const WASH_DATA_DIR = `${s.folder}/wash`;
  assert.equal(await gen({ WASH_DATA_DIR, XDG_DATA_HOME }), `${WASH_DATA_DIR}/keys`);
  const WASH_KEYS_DIR = `${s.folder}/keys`;
  assert.equal(await gen({ WASH_KEYS_DIR, WASH_DATA_DIR }), WASH_KEYS_DIR);
  const WASH_KEYS = `${s.folder}/the only one`;
  assert.equal(await gen({ WASH_KEYS, WASH_KEYS_DIR }), WASH_KEYS);
});

Deno.test("par keys gen makes no second key of a name in another folder", async () => {
  await using s = await sandbox();
  const { data, old } = await washFolders(s);
  await s.run(["keys", "gen", "account", "-d", old]);
  const { code, stderr } = await s.run(["keys", "gen", "account"]);
  assert.equal(code, 1);
  assert(stderr.includes(`${old}/kevin_account.nk`), stderr);
  assert.deepEqual(listFolder(data), []);
});

Deno.test("par keys list lists all folders, and tells them apart where it must", async () => {
  await using s = await sandbox();
  const { data, old } = await washFolders(s);
  const one = (await s.run(["keys", "gen", "account", "-d", data])).stdout.trim();
  assert.equal((await s.run(["keys", "list"])).stdout, `kevin_account  ${one}\n`);
  const two = (await s.run(["keys", "gen", "account", "-d", old])).stdout.trim();
  const { stdout } = await s.run(["keys", "list"]);
  assert.equal(stdout, `kevin_account  ${one}  ${data}\nkevin_account  ${two}  ${old}\n`);
  const { keys } = JSON.parse((await s.run(["keys", "list", "-o", "json"])).stdout);
  assert.deepEqual(keys.map(({ file }: { file: string }) => file), [
    `${data}/kevin_account.nk`,
    `${old}/kevin_account.nk`,
  ]);
});

testWith(
  [OPENSSL],
  "par keys get --public --pem prints what openssl reads as the same key",
  async () => {
    await using s = await sandbox();
    for (const kind of ["account", "service"]) {
      const { stdout: key } = await s.run(["keys", "gen", kind, "--name", "x"]);
      const got = await s.run(["keys", "get", `x_${kind}`, "--public", "--pem"]);
      assert.equal(got.code, 0, got.stderr);
      const file = await s.write("x.pem", got.stdout);
      const { code, stdout, stderr } = await runTool("openssl", [
        ...["pkey", "-pubin", "-in", file, "-noout", "-text"],
      ]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^ED25519 Public-Key:/);
      const shown = stdout.replace(/^.*\npub:/s, "").replace(/[\s:]/g, "");
      assert.equal(shown, hex(publicKeyBytes(parsePublicKey(key.trim()))));
      const json = await s.run(["keys", "get", `x_${kind}`, "--public", "--pem", "-o", "json"]);
      assert.equal(`${JSON.parse(json.stdout).pem}\n`, got.stdout);
    }
    const seed = await s.run(["keys", "get", "x_account", "--pem"]);
    assert.equal(seed.code, 2);
    assert.match(seed.stderr, /--public.*\[ERR_USAGE\]/);
  },
);

testWith([OPENSSL], "openssl verifies an archive's signature with what --pem prints", async () => {
  await using s = await sandbox();
  await s.write("lib.so", hostElf());
  const create = ["create", ...REQUIRED, "-b", "lib.so", "--destination", "a.par"];
  assert.equal((await s.run(create)).code, 0);
  const { stdout: pem } = await s.run(["keys", "get", "--public", "--pem", "kevin_account"]);
  const { stdout: token } = await s.run(["inspect", "--jwt-only", "a.par"]);
  const [header, payload, signature = ""] = token.trim().split(".");
  await s.write("key.pem", pem);
  await s.write("signed", `${header}.${payload}`);
  await s.write("signature", Uint8Array.fromBase64(signature, { alphabet: "base64url" }));
  const { code, stdout, stderr } = await runTool("openssl", [
    ...["pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin"],
    ...["-in", "signed", "-sigfile", "signature"],
  ], { cwd: s.folder });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Signature Verified Successfully/);
});
