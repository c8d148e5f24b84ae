import assert from "node:assert/strict";
import { ParError } from "../../lib/errors.ts";
import {
  findKey,
  type KeyLookup,
  keyPath,
  prepareKey,
  storeKey,
} from "../../lib/system/keystore.ts";
import { KeyPair } from "../../lib/signing/nkey.ts";
import { ISSUER, issuerPair, OTHER_ISSUER, otherIssuerPair, SUBJECT } from "../_keys.ts";
import { temporaryFolder } from "../_tools.ts";

const POSIX = Deno.build.os !== "windows";

/** Runs a test with a key directory that is not there yet. */
function withDirectory(
  name: string,
  fn: (
    lookup: KeyLookup & Readonly<Record<"directory" | "path", string>>,
    folder: string,
  ) => Promise<void>,
  ignore = false,
): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using folder = await temporaryFolder();
      const directory = `${folder.path}/.wash/keys`;
      const path = `${directory}/kevin_account.nk`;
      await fn({ role: "account", title: "issuer", directory, name: "kevin", path }, folder.path);
    },
  });
}

withDirectory("findKey() makes a missing key, and finds it the next time", async (lookup) => {
  const announced: string[] = [];
  const onGenerate = (path: string): void => void announced.push(path);
  const made = await findKey({ ...lookup, onGenerate });
  const found = await findKey({ ...lookup, onGenerate });
  assert.equal(found.publicKey, made.publicKey);
  assert.deepEqual(announced, [lookup.path]);
  assert.equal(await Deno.readTextFile(lookup.path), made.seed());
});

withDirectory("findKey() keeps keys where their owner alone reads", async (lookup, folder) => {
  await findKey(lookup);
  const modeOf = async (path: string): Promise<number> =>
    ((await Deno.stat(path)).mode ?? 0) & 0o777;
  assert.equal(await modeOf(`${folder}/.wash`), 0o700);
  assert.equal(await modeOf(lookup.directory), 0o700);
  assert.equal(await modeOf(lookup.path), 0o600);
}, !POSIX);

withDirectory("findKey() reads a seed with white space around it", async (lookup) => {
  await Deno.mkdir(lookup.directory, { recursive: true });
  await Deno.writeTextFile(lookup.path, `\n ${ISSUER.seed}\r\n`);
  assert.equal((await findKey(lookup)).publicKey, ISSUER.publicKey);
});

withDirectory("findKey() makes nothing where it may not, and says so", async (lookup, folder) => {
  await assert.rejects(findKey({ ...lookup, disableKeygen: true }), (error) => {
    assert(error instanceof ParError && error.code === "ERR_KEY_NOT_FOUND");
    assert.equal(
      error.message,
      `No keypair found in ${lookup.path}, please ensure key exists or supply one as a flag`,
    );
    return true;
  });
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
});

withDirectory(
  "prepareKey() stores a new key when it is asked to, and not before",
  async (lookup, folder) => {
    const announced: string[] = [];
    const { pair, store } = await prepareKey({
      ...lookup,
      onGenerate: (path) => announced.push(path),
    });
    assert.equal(pair.role, lookup.role);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
    assert.deepEqual(announced, []);
    assert.equal((await store()).publicKey, pair.publicKey);
    assert.deepEqual(announced, [lookup.path]);
    const again = await prepareKey({ ...lookup, onGenerate: () => assert.fail("it is there") });
    assert.equal(again.pair.publicKey, pair.publicKey);
    assert.equal((await again.store()).publicKey, pair.publicKey);
  },
);

withDirectory(
  "prepareKey() gives the key that another process has stored meanwhile",
  async (lookup) => {
    const [one, other] = [await prepareKey(lookup), await prepareKey(lookup)];
    assert.notEqual(one.pair.publicKey, other.pair.publicKey);
    const keys = await Promise.all([one.store(), other.store()]);
    assert.equal(keys[0].publicKey, keys[1].publicKey);
    assert.equal((await findKey(lookup)).publicKey, keys[0].publicKey);
  },
);

withDirectory("prepareKey() refuses at once what findKey() refuses", async (lookup) => {
  await assert.rejects(prepareKey({ ...lookup, disableKeygen: true }), {
    code: "ERR_KEY_NOT_FOUND",
  });
  await assert.rejects(prepareKey({ ...lookup, given: SUBJECT.seed }), { code: "ERR_KEY_ROLE" });
});

withDirectory("findKey() ends with one key however many ask at once", async (lookup) => {
  const pairs = await Promise.all(Array.from({ length: 20 }, () => findKey(lookup)));
  assert.deepEqual([...new Set(pairs.map(({ publicKey }) => publicKey))].length, 1);
  assert.equal(await Deno.readTextFile(lookup.path), pairs[0]?.seed());
  const names = await Array.fromAsync(Deno.readDir(lookup.directory), ({ name }) => name);
  assert.deepEqual(names, ["kevin_account.nk"]);
});

withDirectory(
  "findKey() takes a given seed, or a given file, before the directory's",
  async (lookup) => {
    await storeKey(lookup.path, await otherIssuerPair());
    const file = `${lookup.directory}/any name`;
    await Deno.writeTextFile(file, ISSUER.seed);
    assert.equal((await findKey({ ...lookup, given: ISSUER.seed })).publicKey, ISSUER.publicKey);
    assert.equal(
      (await findKey({ ...lookup, given: ` ${ISSUER.seed}\n` })).publicKey,
      ISSUER.publicKey,
    );
    assert.equal((await findKey({ ...lookup, given: file })).publicKey, ISSUER.publicKey);
    assert.equal((await findKey(lookup)).publicKey, OTHER_ISSUER.publicKey);
  },
);

withDirectory("findKey() does not make a key where a given file is missing", async (lookup) => {
  const given = `${lookup.directory}/missing.nk`;
  await assert.rejects(findKey({ ...lookup, given }), { code: "ERR_FILE_NOT_FOUND" });
});

withDirectory("findKey() refuses a key of another role with ERR_KEY_ROLE", async (lookup) => {
  const wrong = { code: "ERR_KEY_ROLE" };
  await assert.rejects(findKey({ ...lookup, given: SUBJECT.seed }), wrong);
  await Deno.mkdir(lookup.directory, { recursive: true });
  await Deno.writeTextFile(lookup.path, SUBJECT.seed);
  await assert.rejects(findKey(lookup), wrong);
  await assert.rejects(findKey({ ...lookup, given: lookup.path }), wrong);
});

for (
  const [what, content, code] of [
    ["an empty file", "", "ERR_KEY_"],
    ["another text", "this is no seed", "ERR_KEY_INVALID"],
    ["a seed with a character changed", ISSUER.seed.replace(/.$/, "A"), "ERR_KEY_CHECKSUM"],
    ["a seed with a character lost", ISSUER.seed.slice(0, -1), "ERR_KEY_"],
    ["two seeds", `${ISSUER.seed}\n${SUBJECT.seed}`, "ERR_KEY_INVALID"],
    ["a public key", ISSUER.publicKey, "ERR_KEY_INVALID"],
    ["a file of another kind", "x".repeat(100_000), "ERR_FILE_UNREADABLE"],
    ["bytes that are no text", "\xff\xfe\0\0", "ERR_KEY_INVALID"],
  ] as const
) {
  withDirectory(`findKey() refuses ${what} for a key file, and leaves it alone`, async (lookup) => {
    await Deno.mkdir(lookup.directory, { recursive: true });
    await Deno.writeTextFile(lookup.path, content);
    for (const given of [undefined, lookup.path]) {
      await assert.rejects(findKey({ ...lookup, given }), (error) => {
        assert(error instanceof ParError);
        assert(error.code.startsWith(code), error.code);
        assert(error.message.includes(lookup.path), error.message);
        assert(!Deno.inspect(error).includes(ISSUER.seed.slice(10, 40)), "the seed is shown");
        return true;
      });
    }
    assert.equal(await Deno.readTextFile(lookup.path), content);
  });
}

withDirectory("findKey() refuses a directory in a key file's place", async (lookup) => {
  await Deno.mkdir(lookup.path, { recursive: true });
  await assert.rejects(findKey(lookup), { code: "ERR_FILE_UNREADABLE" });
});

withDirectory("findKey() refuses a file in the key directory's place", async (lookup, folder) => {
  await Deno.writeTextFile(`${folder}/.wash`, "");
  await assert.rejects(findKey(lookup), { category: "failed" });
});

withDirectory("findKey() refuses a mistyped seed without showing it", async (lookup) => {
  for (
    const given of [
      ISSUER.seed.replace(/.$/, "A"),
      ISSUER.seed.slice(1),
      ISSUER.seed.slice(0, 40),
      ISSUER.seed.toLowerCase(),
      ISSUER.seed.replace("T", "1"),
      ISSUER.seed.replace("G", "8"),
      `${ISSUER.seed.slice(0, 29)}\n${ISSUER.seed.slice(29)}`,
      `${ISSUER.seed.slice(0, 29)} ${ISSUER.seed.slice(29)}`,
      `"${ISSUER.seed}"`,
    ]
  ) {
    await assert.rejects(findKey({ ...lookup, given }), (error) => {
      assert(error instanceof ParError);
      const shown = Deno.inspect(error).toUpperCase();
      for (const part of [[4, 24], [32, 52]] as const) {
        assert(!shown.includes(ISSUER.seed.slice(...part)), `${error.message} shows the seed`);
      }
      return true;
    });
  }
});

withDirectory("storeKey() makes a file once", async (lookup) => {
  assert.equal(await storeKey(lookup.path, await issuerPair()), true);
  assert.equal(await storeKey(lookup.path, await otherIssuerPair()), false);
  assert.equal(await Deno.readTextFile(lookup.path), ISSUER.seed);
});

withDirectory("storeKey() does not follow a link that leads nowhere", async (lookup, folder) => {
  await Deno.mkdir(lookup.directory, { recursive: true });
  await Deno.symlink(`${folder}/elsewhere`, lookup.path);
  assert.equal(await storeKey(lookup.path, await issuerPair()), false);
  await assert.rejects(Deno.lstat(`${folder}/elsewhere`), Deno.errors.NotFound);
}, !POSIX);

Deno.test("keyPath() names a key file after its owner and role", () => {
  assert.equal(keyPath("/keys", "kevin", "account"), "/keys/kevin_account.nk");
  assert.equal(keyPath("/keys/", "lib.x", "service"), "/keys/lib.x_service.nk");
  assert.equal(keyPath("", "kevin", "account"), "kevin_account.nk");
});

withDirectory("findKey() finds a key that a relative directory holds", async (_, folder) => {
  const before = Deno.cwd();
  Deno.chdir(folder);
  try {
    for (const directory of [".", "keys", "./keys/", ""]) {
      const lookup = { role: "service", title: "subject", directory, name: "x" } as const;
      const made = await findKey(lookup);
      assert.equal((await findKey({ ...lookup, disableKeygen: true })).publicKey, made.publicKey);
      assert(made instanceof KeyPair);
    }
  } finally {
    Deno.chdir(before);
  }
});

withDirectory(
  "findKey() refuses different keys of one name in two folders, and takes equal ones",
  async ({ path, ...lookup }, folder) => {
    const other = `${folder}/other`;
    const lookups = { ...lookup, directory: [lookup.directory, other] };
    await storeKey(path, await issuerPair());
    await storeKey(keyPath(other, "kevin", "account"), await otherIssuerPair());
    await assert.rejects(findKey(lookups), { code: "ERR_KEY_AMBIGUOUS" });
    await Deno.copyFile(path, keyPath(other, "kevin", "account"));
    assert.equal((await findKey(lookups)).publicKey, ISSUER.publicKey);
  },
);

withDirectory("findKey() says that no file can have a name so long", async (lookup) => {
  await assert.rejects(findKey({ ...lookup, name: "é".repeat(125) }), {
    code: "ERR_KEY_NOT_FOUND",
    message: /no file can have a name as long/,
  });
});
