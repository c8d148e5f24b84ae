import assert from "node:assert/strict";
import { inspect as show } from "node:util";
import { create, findKey, insert, KeyPair, ParError } from "../../mod.ts";
import { listKeys } from "../../lib/system/mod.ts";
import { FIXED_KEYS, type Sandbox, sandbox } from "../_cli.ts";
import { ISSUER, OTHER_ISSUER, SUBJECT } from "../_keys.ts";
import { temporaryFolder } from "../_tools.ts";
import { richArchive, signers } from "../verbs/_fixtures.ts";

const SEEDS = [ISSUER.seed, OTHER_ISSUER.seed, SUBJECT.seed];

/** Checks that a text holds no part of a seed that would help anybody. */
function assertSecret(text: string, what: string): void {
  for (const seed of SEEDS) {
    for (let at = 3; at + 12 <= seed.length; at += 6) {
      const part = seed.slice(at, at + 12);
      assert(!text.toUpperCase().includes(part), `${what} shows a part of a seed: ${text}`);
    }
  }
}

/** Runs a command line, and fails with it where the sandbox or this test finds a seed in its output. */
async function assertKept(
  s: Sandbox,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { stdout, stderr } = await s.run(args, { env }).catch((cause) => {
    throw new Error(`par ${args.join(" ")} shows a seed`, { cause });
  });
  assertSecret(stdout + stderr, `par ${args.join(" ")}`);
}

/** A sandbox with an archive and a binary. */
async function workshop(): Promise<Sandbox> {
  const s = await sandbox();
  await s.write("a.par", await richArchive());
  await s.write("one", "1");
  return s;
}

Deno.test("a seed that stands where it does not belong is not shown", async () => {
  await using s = await workshop();
  const seed = ISSUER.seed;
  const misplaced: string[][] = [
    [seed],
    ["insert", seed, "-b", "one"],
    ["insert", "a.par", "-b", seed],
    ["insert", "a.par", "-b", `arm-linux=${seed}`],
    ["insert", "a.par", "-b", "one", "-a", seed],
    ["insert", "a.par", "-b", "arm-linux=one", "-d", seed],
    ["insert", "a.par", "-b", "arm-linux=one", "-i", SUBJECT.seed, "-s", seed],
    ["insert", "a.par", "-b", "arm-linux=one", "-i", seed.slice(0, -1), "-s", SUBJECT.seed],
    ["insert", "a.par", "-b", "arm-linux=one", "-i", `${seed}A`, "-s", SUBJECT.seed],
    ["insert", "a.par", "-b", "arm-linux=one", "-i", seed.toLowerCase(), "-s", SUBJECT.seed],
    ["insert", "a.par", "-b", "arm-linux=one", "-i", ` ${seed}x`, "-s", SUBJECT.seed],
    ["insert", "a.par", "-b", "arm-linux=one", "-i", seed.replace("T", "0"), "-s", SUBJECT.seed],
    ["insert", "a.par", "-b", "arm-linux=one", "-i", `keys/${seed}`, "-s", SUBJECT.seed],
    ["insert", "a.par", "-b", "arm-linux=one", "-i", OTHER_ISSUER.seed, "-s", SUBJECT.seed],
    ["insert", "a.par", seed, "-b", "arm-linux=one"],
    ["insert", "a.par", "--max-size", seed, "-b", "arm-linux=one"],
    ["insert", "a.par", "--output", seed, "-b", "arm-linux=one"],
    ["insert", "a.par", `--${seed}`, "-b", "arm-linux=one"],
    ["insert", "a.par", `--seed=${seed}`, "-b", "arm-linux=one"],
    ["remove", "a.par", "-a", seed, ...FIXED_KEYS],
    ["remove", "a.par", "-a", "mips-linux", "-i", seed, "-s", SUBJECT.seed],
    ["merge", "a.par", seed, "--destination", "out.par", ...FIXED_KEYS],
    ["merge", "a.par", "--destination", `${seed}/${seed}`, ...FIXED_KEYS],
    ["extract", "a.par", "-a", seed],
    ["extract", "a.par", "-a", "x86_64-linux", "--output", `${seed}/`],
    ["extract", "a.par", "--format", seed],
    ["verify", seed],
    ["verify", "a.par", "--trusted-issuer", seed],
    ["verify", "a.par", "--trusted-issuer", seed.slice(0, 50)],
    ["verify", "a.par", "--subject", SUBJECT.seed],
    ["verify", "a.par", "--require-arch", seed],
    ["verify", "a.par", "--max-age", seed],
    ["verify", "a.par", seed],
    ["keys", seed],
    ["keys", "gen", seed],
    ["keys", "get", seed],
    ["keys", "get", `${seed}.nk`],
    ["keys", "list", seed],
    ["keys", "list", "-d", "a.par"],
    [
      "create",
      "--name",
      "x",
      "--vendor",
      "y",
      "--destination",
      `${seed}.par`,
      "-b",
      "one",
      ...FIXED_KEYS,
    ],
    ["create", "--name", "x", "--vendor", "y", "--revision", seed, ...FIXED_KEYS],
    ["create", "--name", "x", "--vendor", "y", "--schema", seed, "--destination", "x.par"],
    ["create", "--name", "x", "--vendor", "y", "--expires-in", seed, "--destination", "x.par"],
  ];
  for (const args of misplaced) {
    await assertKept(s, [...args, "-o", "json", "--verbose"]);
  }
});

Deno.test("a seed that is glued to a flag or to another word is not shown", async () => {
  await using s = await workshop();
  const seed = ISSUER.seed;
  for (
    const args of [
      ["insert", "a.par", `--issuer${seed}`, "-b", "arm-linux=one"],
      ["insert", "a.par", `--issuer:${seed}`, "-b", "arm-linux=one"],
      ["insert", "a.par", `--issuer ${seed}`, "-b", "arm-linux=one"],
      ["insert", "a.par", `-issuer${seed}`, "-b", "arm-linux=one"],
      ["verify", "a.par", `-i${seed}`],
      ["verify", "a.par", `-s${SUBJECT.seed}`],
      ["extract", "a.par", `-i${seed}`],
      ["keys", "list", `-i${seed}`],
      ["verify", "a.par", `issuer${seed}`],
      ["keys", "get", `kevin${seed}`],
      [`x${seed}`],
      [`1${seed.toLowerCase()}`],
    ]
  ) await assertKept(s, args);
});

Deno.test("a seed in the environment or in a broken file is not shown", async () => {
  await using s = await workshop();
  const env = { WASH_ISSUER_KEY: ISSUER.seed, WASH_SUBJECT_KEY: SUBJECT.seed };
  const insertion = ["insert", "a.par", "-b", "arm-linux=one"];
  await s.write("glued.nk", `${ISSUER.seed}${SUBJECT.seed}`);
  await s.write("json.nk", JSON.stringify({ seed: ISSUER.seed }));
  await s.write("mistyped.nk", ISSUER.seed.replace("TT", "TU"));
  await s.write("swapped.nk", SUBJECT.seed);
  const runs: [string[], Record<string, string>][] = [
    [["insert", "--help"], env],
    [["insert", "a.par", "--issuer"], env],
    [["keys", "--help"], env],
    [[...insertion, "--no-such-flag"], env],
    [insertion, { ...env, WASH_ISSUER_KEY: ISSUER.seed.slice(0, -1) }],
    [insertion, { ...env, WASH_SUBJECT_KEY: ISSUER.seed }],
    [insertion, { ...env, WASH_ISSUER_KEY: OTHER_ISSUER.seed }],
    [insertion, { WASH_KEYS: ISSUER.seed }],
    [insertion, { PAR_TRUSTED_ISSUERS: ISSUER.seed }],
    [["verify", "a.par"], { PAR_TRUSTED_ISSUERS: ISSUER.seed }],
    [["verify", "a.par"], { PAR_TRUSTED_ISSUERS: `${ISSUER.publicKey},${ISSUER.seed}` }],
    [["verify", "a.par", "--trusted-issuer", "swapped.nk"], {}],
    [["keys", "list", "-d", "."], {}],
    [["keys", "get", "glued", "-d", "."], {}],
    [["keys", "get", "json", "--public", "-d", "."], {}],
    [["keys", "gen", "account", "-d", "a.par"], {}],
  ];
  for (const name of ["glued", "json", "mistyped", "swapped"]) {
    runs.push([[...insertion, "-i", `${name}.nk`, "-s", SUBJECT.seed], {}]);
  }
  for (const [args, environment] of runs) {
    await assertKept(s, [...args, "-o", "json", "--verbose"], environment);
  }
});

Deno.test("a password that stands in a reference is not shown", async () => {
  await using s = await workshop();
  const seen: string[] = [];
  for (const at of ["", "oci://", "https://", "http://"]) {
    for (const place of ["h.example/kv:1", "h.example", "127.0.0.1:9/kv"]) {
      const reference = `${at}me:hun/ter2@${place}`;
      for (
        const args of [
          ["inspect", reference],
          ["push", reference, "a.par"],
          ["pull", reference],
          ["list", reference],
          ["copy", reference, "127.0.0.1:9/kv:1"],
          ["copy", "127.0.0.1:9/kv:1", reference],
          ["login", reference, "--password-stdin"],
          ["logout", reference],
        ]
      ) {
        const { code, stdout, stderr } = await s.run([...args, "-o", "json", "--verbose"]);
        assert.notEqual(code, 0);
        seen.push(stdout + stderr);
      }
    }
  }
  assert.doesNotMatch(seen.join(), /hun|ter2/);
});

Deno.test("no error, no key pair and no result of the library shows a seed", async () => {
  await using folder = await temporaryFolder();
  const directory = folder.path;
  await Deno.writeTextFile(`${directory}/broken_account.nk`, ISSUER.seed.replace("TT", "TU"));
  await Deno.writeTextFile(`${directory}/kevin_account.nk`, SUBJECT.seed);
  await Deno.writeTextFile(`${directory}/fine_account.nk`, ISSUER.seed);
  const { issuer, subject } = await signers();
  const archive = `${directory}/a.par`;
  await Deno.writeFile(archive, await richArchive());
  const look = (given: string): Promise<KeyPair> =>
    findKey({ role: "account", title: "issuer", given, directory, name: "kevin" });
  const seed = ISSUER.seed;
  const attempts: (() => Promise<unknown>)[] = [
    () => KeyPair.fromSeed(seed.slice(0, -1)),
    () => KeyPair.fromSeed(`${seed}A`),
    () => KeyPair.fromSeed(seed.toLowerCase()),
    () => KeyPair.fromSeed(seed.replace("TT", "TU")),
    () => KeyPair.fromSeed(seed, "service"),
    () => KeyPair.fromSeed(`${seed.slice(0, 20)}!${seed.slice(20)}`),
    () => look(seed.slice(0, -1)),
    () => look(seed.replace("TT", "TU")),
    () => look(SUBJECT.seed),
    () => look(`${directory}/broken_account.nk`),
    () => findKey({ role: "account", title: "issuer", directory, name: "kevin" }),
    () => insert(archive, { issuer: subject, subject: issuer, binaries: [] }),
    () =>
      create({
        name: "x",
        vendor: "y",
        issuer: subject,
        subject: issuer,
        binaries: [],
        destination: archive,
      }),
  ];
  for (const attempt of attempts) {
    const error = await attempt().then(() => undefined, (reason) => reason);
    assert(error instanceof ParError, `${attempt}: ${error}`);
    assertSecret(show(error, { depth: 10, showHidden: true }), `${attempt}`);
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      assertSecret(cause.message + cause.stack, `${attempt}`);
    }
  }
  const warnings: ParError[] = [];
  const keys = await listKeys(directory, (error) => warnings.push(error));
  assert.equal(keys.length, 2);
  assert.equal(warnings.length, 1);
  const result = await insert(archive, { issuer, subject, binaries: [] });
  for (const value of [keys, warnings, result, issuer, { ...issuer }, [subject]]) {
    assertSecret(show(value, { depth: 10, showHidden: true }), "a value");
    assertSecret(JSON.stringify(value), "a value as JSON");
    assertSecret(Deno.inspect(value, { depth: 10, showHidden: true }), "a value");
    assertSecret(String(value), "a value as text");
  }
});
