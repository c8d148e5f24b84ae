import assert from "node:assert/strict";
import {
  countOf,
  ERROR_CODES,
  type ErrorCode,
  excerpt,
  inFile,
  ParError,
  printable,
  quote,
  redact,
} from "../lib/errors.ts";
import { KEY_ROLES, KeyPair } from "../lib/signing/nkey.ts";
import { payloadFor, signToken } from "./_archive.ts";
import { ISSUER, OTHER_ISSUER, SUBJECT } from "./_keys.ts";
import { ROOT } from "./_tools.ts";

Deno.test("ParError carries its code, category, message and cause", () => {
  const cause = new Error("why");
  const error = new ParError("ERR_FILE_NOT_FOUND", "Cannot read x", cause);
  assert(error instanceof Error);
  assert.equal(error.name, "ParError");
  assert.equal(error.code, "ERR_FILE_NOT_FOUND");
  assert.equal(error.category, "failed");
  assert.equal(error.message, "Cannot read x");
  assert.equal(error.cause, cause);
  assert(!Object.hasOwn(new ParError("ERR_USAGE", "Cannot"), "cause"));
});

Deno.test("ERROR_CODES gives each code a category and a meaning", () => {
  for (const [code, { category, meaning }] of Object.entries(ERROR_CODES)) {
    assert.match(code, /^ERR_[A-Z_0-9]+$/);
    assert.match(category, /^(usage|failed|untrusted)$/);
    assert.match(meaning, /^[A-Z].*\.$/);
  }
});

Deno.test("ERROR_CODES has every code that the sources throw, and no other", async () => {
  const used = new Set<string>();
  for await (const source of sources(`${ROOT}/lib`)) {
    if (source.endsWith("/lib/errors.ts")) continue;
    const code = (await Deno.readTextFile(source))
      // What a comment says that something throws is no use of a code.
      .replace(/\/\*\*.*?\*\//gs, "");
    for (const [, name] of code.matchAll(/"(ERR_[A-Z_0-9]*[A-Z0-9])"/g)) used.add(name as string);
  }
  const known = new Set<string>(Object.keys(ERROR_CODES) as ErrorCode[]);
  assert.deepEqual([...used.difference(known)], []);
  assert.deepEqual([...known.difference(used)], []);
});

Deno.test("redact() takes out seeds of every role, wherever they stand", async () => {
  for (const role of KEY_ROLES) {
    const seed = (await KeyPair.generate(role)).seed();
    for (const text of [seed, `'${seed}'`, `--issuer=${seed}`, `a ${seed} b`, `/${seed}/x.nk`]) {
      const shown = redact(text);
      assert.equal(shown, text.replace(seed, "[a seed, not shown]"));
    }
  }
});

Deno.test("redact() takes out a seed in lower case, mistyped, or with its end lost", () => {
  const { seed } = ISSUER;
  const mistyped = seed.replace("T", "0");
  for (
    const text of [seed.toLowerCase(), mistyped, seed.slice(1), seed.slice(0, 50), seed + seed]
  ) {
    assert.equal(redact(text), "[a seed, not shown]");
  }
});

Deno.test("redact() takes out private keys in PEM form, and leaves the names of their lines", () => {
  for (const kind of ["", "EC ", "ENCRYPTED ", "ENCRYPTED SIGSTORE ", "RSA "]) {
    const [begin, end] = [`-----BEGIN ${kind}PRIVATE KEY-----`, `-----END ${kind}PRIVATE KEY-----`];
    const body = `${"MIGHAgEAMBMGByqGSM49AgEG".repeat(3)}\nN7L=`;
    const pem = `${begin}\n${body}\n${end}`;
    for (
      const text of [
        pem,
        pem.replaceAll("\n", "\r\n"),
        pem.replaceAll("\n", " "),
        JSON.stringify(pem),
      ]
    ) {
      const shown = redact(`Cannot read ${text}: no`);
      assert.match(shown, /^Cannot read "?\[a private key, not shown\]"?: no$/);
    }
    assert.equal(redact(pem.slice(0, -30)), "[a private key, not shown]");
    assert.equal(redact(`${pem}\n${pem}`).match(/not shown/g)?.length, 2);
    for (
      const text of [`it begins with ${begin}`, `give a key (${begin})`, `${begin} is its line`]
    ) {
      assert.equal(redact(text), text);
    }
  }
  const open = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
  assert.equal(redact(open), open);
});

Deno.test("redact() leaves public keys, digests, tokens and paths as they are", async () => {
  const texts = [ISSUER, OTHER_ISSUER, SUBJECT].map(({ publicKey }) => publicKey);
  for (const role of KEY_ROLES) {
    for (let round = 0; round < 20; round++) texts.push((await KeyPair.generate(role)).publicKey);
  }
  for (let round = 0; round < 50; round++) {
    const bytes = crypto.getRandomValues(new Uint8Array(64)).toHex();
    for (const digest of [bytes.slice(0, 40), bytes.slice(0, 64), bytes]) {
      texts.push(digest, digest.toUpperCase(), `h.example/kv:1@sha256:${digest}`);
    }
    texts.push(await signToken(payloadFor({ "x86_64-linux": bytes })));
  }
  texts.push(
    "x".repeat(100),
    "1".repeat(100),
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk",
  );
  texts.push("target/release/libfakepay_provider.so", "https://h.example/a@b", "kevin@h.example");
  for (const text of texts) assert.equal(redact(`key ${text}.`), `key ${text}.`);
});

Deno.test("redact() takes the user and the password out of an address", () => {
  for (const user of ["me:hunter2", "me:hun@ter2", ":hunter2", "me:"]) {
    assert.equal(redact(`at https://${user}@h.example/x.`), "at https://…@h.example/x.");
  }
});

Deno.test("ParError keeps the very object that led to it, without the seed in it", () => {
  const cause = new Deno.errors.NotFound(`there is no ${ISSUER.seed}`);
  const error = new ParError("ERR_FILE_NOT_FOUND", "Cannot read x", cause);
  assert.equal(error.cause, cause);
  assert(cause instanceof Deno.errors.NotFound);
  assert.equal(cause.message, "there is no [a seed, not shown]");
});

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

Deno.test("printable() keeps letters, line feeds and tabs, and shows what would hide", () => {
  assert.equal(printable("Zürich\n\t支付"), "Zürich\n\t支付");
  assert.equal(printable("a\u202eb\u0000c\u2066"), "a\ufffdb\ufffdc\ufffd");
  assert.equal(printable("\x1b[31m\r\x9b2J\u200f\u061c"), "\ufffd[31m\ufffd\ufffd2J\ufffd\ufffd");
});

Deno.test("countOf() counts one in the singular", () => {
  assert.deepEqual([0, 1, 2].map((count) => countOf(count, "target")), [
    ...["0 targets", "1 target", "2 targets"],
  ]);
});

Deno.test("inFile() names the file that an error is about, once", () => {
  const cause = new Error("why");
  const error = new ParError("ERR_TOKEN_EXPIRED", "Cannot trust the token: it expired", cause);
  const named = inFile(error, "$&.par");
  assert.equal(named.message, 'Cannot trust the token of "$&.par": it expired');
  assert.deepEqual([named.code, named.cause], [error.code, cause]);
  assert.equal(inFile(named, "$&.par"), named);
  const cut = new ParError("ERR_ARCHIVE_TRUNCATED", "Cannot read the archive to its end: it stops");
  assert.equal(inFile(cut, "a").message, 'Cannot read the archive "a" to its end: it stops');
  const other = new ParError("ERR_KEY_ROLE", "Cannot use the key as issuer: take an account");
  assert.equal(inFile(other, "a").message, 'Cannot use the key as issuer in "a": take an account');
});

Deno.test("quote() shows where a text ends, and its control characters", () => {
  assert.equal(quote('a "b" '), '"a \\"b\\" "');
  assert.equal(quote("a\n\x1b"), '"a\\n\\u001b"');
});

Deno.test("excerpt() cuts a text behind a length, and takes seeds out before it cuts", () => {
  assert.equal(excerpt("abcdef", 6), "abcdef");
  assert.equal(excerpt("abcdefg", 6), "abcdef…");
  for (let before = 0; before < 110; before++) {
    // A letter in front of the seed makes what a cut leaves of it look like a public key.
    const shown = redact(excerpt(`${" ".repeat(before)}A${ISSUER.seed}`));
    assert(!shown.includes(ISSUER.seed.slice(0, 16)), shown);
  }
});
