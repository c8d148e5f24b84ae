import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";
import fc from "npm:fast-check@4.10.2";
import { readArchive, readClaims, type ReadOptions } from "../../lib/archive/reader.ts";
import { type ErrorCode, ParError } from "../../lib/errors.ts";
import { KEY_ROLES, KeyPair } from "../../lib/signing/nkey.ts";
import {
  archiveOf,
  type ArchiveParts,
  base64url,
  BINARIES,
  claimsHash,
  entriesOf,
  gzipped,
  ISSUED_AT,
  JOSE_HEADER,
  payloadFor,
  signToken,
  tokenOf,
} from "../_archive.ts";
import { chunked, concat, noise, watched } from "../_bytes.ts";
import { encodeKey, ISSUER, otherIssuerPair, SUBJECT } from "../_keys.ts";
import { base256, paxEntry, paxRecord, TAR_END, tarEntry, tarHeader } from "../_tar.ts";

type Made = Uint8Array | Promise<Uint8Array>;

/** Registers a test that plain and compressed archives are refused, each in several chunkings. */
function refuses(what: string, code: ErrorCode, make: () => Made, options?: ReadOptions): void {
  Deno.test(`readArchive() refuses ${what} with ${code}`, async () => {
    const plain = await make();
    for (const bytes of [plain, gzipped(plain)]) await assertRefused(bytes, code, options);
  });
}

async function assertRefused(
  bytes: Uint8Array,
  code: ErrorCode,
  options?: ReadOptions,
): Promise<void> {
  for (const lengths of [[bytes.length], [1000], [512, 0, 1, 511], [7]]) {
    const source = watched(chunked(bytes, ...lengths));
    await assert.rejects(readArchive(source, options), (error) => {
      assert(error instanceof ParError, String(error));
      assert.equal(error.code, code, error.message);
      assert.equal(error.category, "untrusted");
      assert.match(error.message, /^Cannot /);
      return true;
    });
    assert(source.closed, "the source was left open");
  }
}

/** Registers a test that plain and compressed archives are accepted. */
function accepts(what: string, make: () => Made, options?: ReadOptions): void {
  Deno.test(`readArchive() accepts ${what}`, async () => {
    const plain = await make();
    for (const [bytes, compressed] of [[plain, false], [gzipped(plain), true]] as const) {
      for (const lengths of [[bytes.length], [1000], [512, 0, 1, 511], [7]]) {
        const source = watched(chunked(bytes, ...lengths));
        const archive = await readArchive(source, options);
        assert.equal(archive.compressed, compressed);
        assert.equal(archive.size, bytes.length);
        assert(source.closed, "the source was left open");
      }
    }
  });
}

/** An archive of other entries than usual behind its claims. */
async function withEntries(...entries: Uint8Array[]): Promise<Uint8Array> {
  const [claims] = await entriesOf();
  return concat(claims as Uint8Array, ...entries, TAR_END);
}

Deno.test("readArchive() reports what was verified", async () => {
  const archive = await readArchive(chunked(await archiveOf(), 700));
  assert.deepEqual(archive.claims, payloadFor());
  assert.equal(archive.token, await tokenOf());
  assert.deepEqual(
    archive.binaries,
    Object.entries(BINARIES).map(([target, content]) => ({
      target,
      size: content.length,
      sha256: claimsHash(content),
    })),
  );
  assert.equal(archive.wit, undefined);
});

Deno.test("readArchive() hands each entry's bytes to whoever asks for them", async () => {
  const got: Record<string, string> = {};
  await readArchive(chunked(await archiveOf(), 3), {}, (entry, size) => {
    if (entry.kind !== "binary" || entry.target === "aarch64-linux") return undefined;
    assert.equal(size, BINARIES[entry.target]?.length);
    return (chunk): void => {
      got[entry.target] = (got[entry.target] ?? "") + new TextDecoder().decode(chunk);
    };
  });
  assert.deepEqual(got, { "x86_64-linux": BINARIES["x86_64-linux"] });
});

Deno.test("readArchive() hands over nothing of an entry that the claims before it do not list", async () => {
  const archive = await archiveOf({ bend: ({ wascap }) => wascap.target_hashes = {} });
  const reading = readArchive(chunked(archive, 3), {}, () => assert.fail("it was handed over"));
  await assert.rejects(reading, { code: "ERR_HASH_UNLISTED" });
});

Deno.test("readArchive() tells how far it is", async () => {
  const bytes = await archiveOf();
  const seen: number[] = [];
  await readArchive(chunked(bytes, 1000), { onProgress: (read) => seen.push(read) });
  assert.deepEqual(seen, [...seen].sort((a, b) => a - b));
  assert.equal(seen.at(-1), bytes.length);
});

Deno.test("readArchive() stops with ERR_ABORTED when it is told to", async () => {
  const reason = new Error("enough");
  const controller = new AbortController();
  const source = watched(chunked(await archiveOf(), 512));
  const reading = readArchive(source, {
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });
  await assert.rejects(reading, (error) => {
    assert(error instanceof ParError && error.code === "ERR_ABORTED");
    assert.equal(error.cause, reason);
    return true;
  });
  assert(source.closed);
  assert(source.read < (await archiveOf()).length);
});

accepts("an archive in order", () => archiveOf());
accepts("an archive without binaries", () => archiveOf({ binaries: {} }));
accepts("an empty binary", () => archiveOf({ binaries: { "x86_64-linux": "" } }));
accepts(
  "a target that no host is known to look for",
  () => archiveOf({ binaries: { "x86_64-testrunner": "x" } }),
);
accepts("the claims behind the binaries", async () => {
  const [claims, ...binaries] = await entriesOf();
  return concat(...binaries.reverse(), claims as Uint8Array, TAR_END);
});
accepts(
  "more than two zero blocks at the end, as GNU tar writes them",
  async () => concat(await archiveOf(), new Uint8Array(10240)),
);
accepts("a WIT package", async () => {
  const bend: ArchiveParts["bend"] = ({ wascap }) => {
    wascap.target_hashes["world.wasm"] = claimsHash("a world");
  };
  const [claims, ...binaries] = await entriesOf({ bend });
  const wit = tarEntry({ name: "world.wasm", content: "a world" });
  return concat(claims as Uint8Array, wit, ...binaries, TAR_END);
});
accepts(
  "claims of early archives, without a revision of their own and without a name",
  () =>
    archiveOf({
      bend: (payload) => {
        delete payload["wascap_revision"];
        delete payload["wascap"].name;
      },
    }),
);
accepts("fields that it does not know", () =>
  archiveOf({
    bend: (payload) => {
      payload["aud"] = "everybody";
      payload["wascap"].color = ["green"];
    },
  }));
accepts("null for a field that may be absent, as readers in the field do", () =>
  archiveOf({
    bend: (payload) => {
      for (const field of ["exp", "nbf"]) payload[field] = null;
      for (const field of ["rev", "ver", "capid"]) payload["wascap"][field] = null;
    },
  }));
accepts(
  "a token header whose members stand in another order",
  () => archiveOf({ header: { alg: "Ed25519", typ: "jwt" } }),
);
accepts("headers of GNU tar's own and of historic form", async () => {
  const content = BINARIES["x86_64-linux"] as string;
  return concat(
    tarEntry({ name: "claims.jwt", content: await tokenOf(), magic: "gnu" }),
    tarEntry({ name: "aarch64-linux.bin", content: BINARIES["aarch64-linux"] ?? "", magic: "v7" }),
    tarEntry({ name: "x86_64-linux.bin", content, magic: "v7", type: "\0" }),
    TAR_END,
  );
});
accepts("a pax header that gives the header's name, and times", async () => {
  const [claims, first, second] = await entriesOf();
  const pax = paxEntry({ mtime: "1700000000.5", path: "x86_64-linux.bin" });
  return concat(claims as Uint8Array, first as Uint8Array, pax, second as Uint8Array, TAR_END);
});
accepts("empty fields of numbers, as the reference leaves them", async () => {
  const entry = (name: string, content: string): Uint8Array =>
    tarEntry({
      name,
      content,
      magic: "gnu",
      patch: (header) => header.fill(0, 100, 124).fill(0, 136, 148),
    });
  const binaries = Object.entries(BINARIES).map(([target, text]) => entry(`${target}.bin`, text));
  return concat(entry("claims.jwt", await tokenOf()), ...binaries, TAR_END);
});

// The claims entry.
refuses("an archive without claims", "ERR_CLAIMS_MISSING", async () => {
  const [, ...binaries] = await entriesOf();
  return concat(...binaries, TAR_END);
});
refuses("an archive of nothing but its end", "ERR_CLAIMS_MISSING", () => TAR_END);
refuses("claims twice", "ERR_CLAIMS_DUPLICATE", async () => {
  const [claims, ...binaries] = await entriesOf() as [Uint8Array, ...Uint8Array[]];
  return concat(claims, ...binaries, claims, TAR_END);
});
refuses(
  "claims of more than 1 MiB",
  "ERR_CLAIMS_TOO_LARGE",
  () => archiveOf({ token: "x".repeat(2 ** 20 + 1) }),
);
refuses(
  "claims that state 2 GiB, before it has read them",
  "ERR_CLAIMS_TOO_LARGE",
  () => tarHeader({ name: "claims.jwt", size: 2 ** 31 }),
);
accepts("claims of 1 MiB", async () => {
  const withSchema = (length: number): Promise<string> =>
    tokenOf({ bend: (payload) => payload["wascap"].config_schema = "x".repeat(length) });
  // Base64 makes four characters of three bytes: a few more bytes reach every length but one in four.
  const short = await withSchema(780_000);
  const token = await withSchema(780_000 + Math.floor((2 ** 20 - short.length) * 3 / 4));
  assert(token.length <= 2 ** 20 && token.length > 2 ** 20 - 3);
  return await archiveOf({ token });
});

// What is no token.
const MALFORMED: Readonly<Record<string, string | (() => string | Promise<string>)>> = {
  "an empty text": "",
  "a text of another kind": "These are no claims.",
  "two parts": () => tokenOf().then((token) => token.slice(0, token.lastIndexOf("."))),
  "four parts": async () => `${await tokenOf()}.`,
  "a line feed at its end": async () => `${await tokenOf()}\n`,
  "padding": async () => `${await tokenOf()}==`,
  "the alphabet of plain base64": () =>
    signToken(payloadFor()).then((token) => token.replace(/[-_]?.$/, "+")),
  "bits left over in its signature": async () => {
    const token = await tokenOf();
    const last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    return token.slice(0, -1) + last[last.indexOf(token.at(-1) as string) + 1];
  },
  "a payload that is not JSON": () => signToken("{"),
  "a payload with a byte order mark": () => signToken(`\ufeff${JSON.stringify(payloadFor())}`),
  "a payload that is not UTF-8": () => signToken(Uint8Array.of(0x22, 0xff, 0x22)),
  "a header that is not JSON": () => signToken(payloadFor(), { header: "alg: Ed25519" }),
  "a header that is no object": () => signToken(payloadFor(), { header: ["Ed25519"] }),
  "JSON instead of compact serialization": async () => {
    const [protect, payload, signature] = (await tokenOf()).split(".");
    return JSON.stringify({ protected: protect, payload, signature });
  },
};
for (const [what, token] of Object.entries(MALFORMED)) {
  refuses(
    `a token with ${what}`,
    "ERR_TOKEN_MALFORMED",
    async () => archiveOf({ token: typeof token === "string" ? token : await token() }),
  );
}

// The token's header.
refuses(
  "an unsigned token",
  "ERR_TOKEN_ALGORITHM",
  () =>
    archiveOf({ token: `${base64url({ typ: "jwt", alg: "none" })}.${base64url(payloadFor())}.` }),
);
refuses("a token keyed with the public key as a secret", "ERR_TOKEN_ALGORITHM", () => {
  const signed = `${base64url({ typ: "jwt", alg: "HS256" })}.${base64url(payloadFor())}`;
  const mac = createHmac("sha256", ISSUER.publicKey).update(signed).digest();
  return archiveOf({ token: `${signed}.${base64url(new Uint8Array(mac))}` });
});
for (const alg of ["none", "EdDSA", "HS256", "ed25519", "ES256", "Ed448", 1, null, undefined]) {
  refuses(
    `the algorithm ${JSON.stringify(alg)} over a good signature`,
    "ERR_TOKEN_ALGORITHM",
    () => archiveOf({ header: { typ: "jwt", alg } }),
  );
}
for (const typ of ["JWT", "jws", "at+jwt", "", null, undefined]) {
  refuses(
    `the type ${JSON.stringify(typ)}`,
    "ERR_TOKEN_TYPE",
    () => archiveOf({ header: { typ, alg: "Ed25519" } }),
  );
}
const EXTRA_PARAMETERS = {
  jwk: { kty: "OKP", crv: "Ed25519", x: base64url(new Uint8Array(32)) },
  kid: "1",
  jku: "https://example.com/keys",
  x5c: [],
  crit: ["exp"],
  zip: "DEF",
  b64: false,
};
for (const [name, value] of Object.entries(EXTRA_PARAMETERS)) {
  refuses(
    `a header with ${name}`,
    "ERR_TOKEN_HEADER",
    () => archiveOf({ header: { ...JOSE_HEADER, [name]: value } }),
  );
}

// The signature.
refuses(
  "a signature by another key",
  "ERR_TOKEN_SIGNATURE",
  async () => archiveOf({ signer: await otherIssuerPair() }),
);
refuses(
  "another account as the issuer of a token that it did not sign",
  "ERR_TOKEN_SIGNATURE",
  () =>
    archiveOf({
      bend: (payload) => {
        payload["iss"] = "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2";
      },
    }),
);
refuses("a payload that was exchanged, binaries and all", "ERR_TOKEN_SIGNATURE", async () => {
  const [header, , signature] = (await tokenOf()).split(".");
  const binaries = { "x86_64-linux": "something else" };
  const token = `${header}.${base64url(payloadFor(binaries))}.${signature}`;
  return await archiveOf({ token, binaries });
});
for (
  const [what, change] of Object.entries<(signature: Uint8Array) => Uint8Array>({
    "an empty signature": () => new Uint8Array(0),
    "a signature of zeros": () => new Uint8Array(64),
    "a signature with one bit flipped": (signature) =>
      signature.with(5, signature[5] as number ^ 1),
    "a signature cut short": (signature) => signature.subarray(0, 63),
    "a signature with a byte more": (signature) => concat(signature, "\0"),
  })
) {
  refuses(what, "ERR_TOKEN_SIGNATURE", async () => {
    const token = await tokenOf();
    const at = token.lastIndexOf(".") + 1;
    const text = token.slice(at).replaceAll("-", "+").replaceAll("_", "/");
    const signature = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    return await archiveOf({ token: token.slice(0, at) + base64url(change(signature)) });
  });
}
refuses(
  "an issuer of small order, whose signature holds for any message",
  "ERR_TOKEN_SIGNATURE",
  () =>
    archiveOf({
      // The identity point as A, and as R with S = 0: then R = S·B − h·A for every h.
      token: `${base64url(JOSE_HEADER)}.${
        base64url({ ...payloadFor(), iss: encodeKey(Uint8Array.of(0, 1, ...new Uint8Array(31))) })
      }.${base64url(Uint8Array.of(1, ...new Uint8Array(63)))}`,
    }),
);

// Issuer and subject.
const KEYS = Object.fromEntries(
  await Promise.all(KEY_ROLES.map(async (role) => [role, await KeyPair.generate(role)] as const)),
);
for (const role of KEY_ROLES) {
  const signer = KEYS[role] as KeyPair;
  if (role !== "account") {
    refuses(`an issuer of role ${role}`, "ERR_TOKEN_ISSUER", () =>
      archiveOf({
        bend: (payload) => payload["iss"] = signer.publicKey,
        ...(role !== "curve" && { signer }),
      }));
  }
  if (role !== "service") {
    refuses(
      `a subject of role ${role}`,
      "ERR_TOKEN_SUBJECT",
      () => archiveOf({ bend: (payload) => payload["sub"] = signer.publicKey }),
    );
  }
}
for (
  const [field, code, key] of [
    ["iss", "ERR_TOKEN_ISSUER", ISSUER],
    ["sub", "ERR_TOKEN_SUBJECT", SUBJECT],
  ] as const
) {
  for (
    const [what, text] of Object.entries({
      "a seed": key.seed,
      "a mistyped character": key.publicKey.replace(/.$/, "A"),
      "lower case": key.publicKey.toLowerCase(),
      "a missing character": key.publicKey.slice(1),
      "a space": `${key.publicKey} `,
      "nothing": "",
    })
  ) {
    refuses(
      `${field} with ${what}`,
      code,
      () => archiveOf({ bend: (payload) => payload[field] = text }),
    );
  }
}

// The payload's shape.
const MISSHAPEN: Readonly<Record<string, NonNullable<ArchiveParts["bend"]>>> = {
  "no iat": (payload) => delete payload["iat"],
  "a text for iat": (payload) => payload["iat"] = "1700000000",
  "a fraction for exp": (payload) => payload["exp"] = 4e9 + 0.5,
  "a text for exp": (payload) => payload["exp"] = "never",
  "a negative nbf": (payload) => payload["nbf"] = -1,
  "a number for jti": (payload) => payload["jti"] = 1,
  "no iss": (payload) => delete payload["iss"],
  "no sub": (payload) => delete payload["sub"],
  "no wascap": (payload) => delete payload["wascap"],
  "a list for wascap": (payload) => payload["wascap"] = [],
  "no vendor": (payload) => delete payload["wascap"].vendor,
  "a number for ver": (payload) => payload["wascap"].ver = 1,
  "a fraction for rev": (payload) => payload["wascap"].rev = 1.5,
  "a rev past 32 bits": (payload) => payload["wascap"].rev = 2 ** 31,
  "no target_hashes": (payload) => delete payload["wascap"].target_hashes,
  "a list for target_hashes": (payload) => payload["wascap"].target_hashes = [],
  "a hash in lower case": ({ wascap }) => {
    wascap.target_hashes["x86_64-linux"] = wascap.target_hashes["x86_64-linux"].toLowerCase();
  },
  "a hash cut short": ({ wascap }) => {
    wascap.target_hashes["x86_64-linux"] = wascap.target_hashes["x86_64-linux"].slice(1);
  },
  "a number for a hash": ({ wascap }) => wascap.target_hashes["x86_64-linux"] = 1,
};
for (const [what, bend] of Object.entries(MISSHAPEN)) {
  refuses(`claims with ${what}`, "ERR_CLAIMS_INVALID", () => archiveOf({ bend }));
}
for (const payload of ["null", "1", "[]", '"text"']) {
  refuses(
    `the payload ${payload}`,
    "ERR_CLAIMS_INVALID",
    async () => archiveOf({ token: await signToken(payload) }),
  );
}

// The validity window.
const at = (seconds: number): ReadOptions => ({ now: new Date(seconds * 1000) });
const until: ArchiveParts["bend"] = (payload) => payload["exp"] = ISSUED_AT + 100;
const from: ArchiveParts["bend"] = (payload) => payload["nbf"] = ISSUED_AT + 100;
refuses(
  "a token at the second it expires",
  "ERR_TOKEN_EXPIRED",
  () => archiveOf({ bend: until }),
  at(ISSUED_AT + 100),
);
refuses("a token after it expired", "ERR_TOKEN_EXPIRED", () => archiveOf({ bend: until }));
accepts(
  "a token a millisecond before it expires",
  () => archiveOf({ bend: until }),
  at(ISSUED_AT + 99.999),
);
refuses(
  "a token a millisecond before it is valid",
  "ERR_TOKEN_NOT_YET_VALID",
  () => archiveOf({ bend: from }),
  at(ISSUED_AT + 99.999),
);
accepts(
  "a token at the second it becomes valid",
  () => archiveOf({ bend: from }),
  at(ISSUED_AT + 100),
);
refuses(
  "a token that becomes valid in a thousand years",
  "ERR_TOKEN_NOT_YET_VALID",
  () => archiveOf({ bend: (payload) => payload["nbf"] = 33_000_000_000 }),
);

// Hashes.
refuses("a binary that the claims do not list", "ERR_HASH_UNLISTED", async () => {
  const entries = await entriesOf();
  return concat(...entries, tarEntry({ name: "mips-linux.bin", content: "x" }), TAR_END);
});
refuses("a binary that claims behind it do not list", "ERR_HASH_UNLISTED", async () => {
  const entries = await entriesOf();
  return concat(tarEntry({ name: "mips-linux.bin", content: "x" }), ...entries, TAR_END);
});
refuses("a WIT package that the claims do not list", "ERR_HASH_UNLISTED", async () => {
  const entries = await entriesOf();
  return concat(...entries, tarEntry({ name: "world.wasm", content: "x" }), TAR_END);
});
for (const target of ["constructor", "toString", "hasOwnProperty"]) {
  refuses(`an unlisted binary named ${target}`, "ERR_HASH_UNLISTED", async () => {
    const entries = await entriesOf();
    return concat(...entries, tarEntry({ name: `${target}.bin`, content: "x" }), TAR_END);
  });
}
refuses("a binary with one bit flipped", "ERR_HASH_MISMATCH", async () => {
  const bytes = await archiveOf();
  const at = bytes.length - TAR_END.length - 512;
  return bytes.with(at, bytes[at] as number ^ 1);
});
refuses("a changed binary before its claims", "ERR_HASH_MISMATCH", async () => {
  const [claims, , second] = await entriesOf() as [Uint8Array, Uint8Array, Uint8Array];
  const changed = tarEntry({ name: "aarch64-linux.bin", content: "AN aarch64 binary" });
  return concat(changed, second, claims, TAR_END);
});
refuses("two binaries that took each other's place", "ERR_HASH_MISMATCH", async () => {
  const [claims] = await entriesOf() as [Uint8Array];
  const [one, two] = Object.keys(BINARIES) as [string, string];
  return concat(
    claims,
    tarEntry({ name: `${one}.bin`, content: BINARIES[two] as string }),
    tarEntry({ name: `${two}.bin`, content: BINARIES[one] as string }),
    TAR_END,
  );
});
refuses("a binary twice", "ERR_ENTRY_DUPLICATE", async () => {
  const entries = await entriesOf();
  return concat(...entries, entries[1] as Uint8Array, TAR_END);
});
refuses("a binary twice before its claims", "ERR_ENTRY_DUPLICATE", async () => {
  const [claims, ...binaries] = await entriesOf() as [Uint8Array, ...Uint8Array[]];
  return concat(...binaries, ...binaries, claims, TAR_END);
});
refuses("a target in the claims without a binary", "ERR_ENTRY_MISSING", async () => {
  const [claims, first] = await entriesOf() as [Uint8Array, Uint8Array];
  return concat(claims, first, TAR_END);
});
refuses("a WIT package in the claims that is not there", "ERR_ENTRY_MISSING", () =>
  archiveOf({
    bend: ({ wascap }) => wascap.target_hashes["world.wasm"] = claimsHash("a world"),
  }));
refuses("a hash in the claims under the name __proto__", "ERR_TOKEN_MALFORMED", () => {
  const json = JSON.stringify(payloadFor()).replace('"aarch64-linux"', '"__proto__"');
  return signToken(json).then((token) =>
    archiveOf({ token, binaries: { "x86_64-linux": BINARIES["x86_64-linux"] as string } })
  );
});

// Entries that are no regular files.
const ENTRY_TYPES = {
  "a hard link": "1",
  "a symbolic link": "2",
  "a character device": "3",
  "a block device": "4",
  "a directory": "5",
  "a fifo": "6",
  "a contiguous file": "7",
  "GNU's long name": "L",
  "GNU's long link": "K",
  "GNU's sparse file": "S",
  "GNU's directory dump": "D",
  "GNU's volume label": "V",
  "GNU's continued file": "M",
  "a vendor's type": "A",
  "Solaris' extended header": "X",
};
for (const [what, type] of Object.entries(ENTRY_TYPES)) {
  refuses(
    what,
    "ERR_ENTRY_TYPE",
    () => withEntries(tarEntry({ name: "x86_64-linux.bin", type, link: "claims.jwt" })),
  );
}
refuses(
  "claims that are a link",
  "ERR_ENTRY_TYPE",
  () => concat(tarEntry({ name: "claims.jwt", type: "2", link: "x" }), TAR_END),
);
for (const keyword of ["linkpath", "GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.realsize"]) {
  refuses(`a pax header with ${keyword}`, "ERR_ENTRY_TYPE", async () => {
    const [claims, first, second] = await entriesOf() as [Uint8Array, Uint8Array, Uint8Array];
    return concat(claims, paxEntry({ [keyword]: "1" }), first, second, TAR_END);
  });
}

// Names.
for (
  const name of [
    "bin/x86_64-linux.bin",
    "./x86_64-linux.bin",
    "../x86_64-linux.bin",
    "/x86_64-linux.bin",
    "x86_64-linux.bin/",
    "bin\\x86_64-linux.bin",
    "./claims.jwt",
  ]
) {
  refuses(`the name ${name}`, "ERR_ENTRY_PATH", () => withEntries(tarEntry({ name })));
  refuses(
    `the name ${name} in a pax header`,
    "ERR_HEADER_AMBIGUOUS",
    () => withEntries(paxEntry({ path: name }), tarEntry({ name: "x86_64-linux.bin" })),
  );
}
refuses(
  "a path in the header's prefix",
  "ERR_ENTRY_PATH",
  () => withEntries(tarEntry({ name: "x86_64-linux.bin", prefix: "bin" })),
);
for (
  const name of [
    "README.md",
    "",
    ".bin",
    "x86_64-linux",
    "x86_64-linux.so",
    "x86_64-linux.bin ",
    "X86_64-LINUX.BIN",
    "Claims.jwt",
    "claims.jwt.bin.txt",
    // Readers in the field go by the stem: they take these for the claims and for the WIT.
    "claims.bin",
    "world.bin",
    "world.wasm.bin",
    "claims.txt",
    "-linux.bin",
    "x86 64.bin",
    "x86_64-linux\u001b[2J.bin",
    "x86_64-línux.bin",
  ]
) {
  refuses(
    `the name ${JSON.stringify(name)}`,
    "ERR_ENTRY_UNKNOWN",
    () => withEntries(tarEntry({ name })),
  );
}

// Truncation.
Deno.test("readArchive() refuses a plain archive that is cut anywhere with ERR_ARCHIVE_TRUNCATED", async () => {
  const bytes = await archiveOf();
  const cuts = [1, 2, 511, 512, 513, 1000, 1024, 2048, bytes.length - 1];
  for (let cut = 1536; cut < bytes.length; cut += 512) cuts.push(cut - 1, cut, cut + 1);
  for (const cut of cuts) {
    await assert.rejects(
      readArchive(chunked(bytes.subarray(0, cut), 400)),
      { code: "ERR_ARCHIVE_TRUNCATED" },
      `cut at ${cut} of ${bytes.length}`,
    );
  }
});
refuses(
  "a single zero block at the end",
  "ERR_ARCHIVE_TRUNCATED",
  async () => (await archiveOf()).slice(0, -512),
);
refuses(
  "a pax header without the file it is for, and no end",
  "ERR_ARCHIVE_TRUNCATED",
  () => paxEntry({ path: "claims.jwt" }),
);

Deno.test("readArchive() refuses an empty input with ERR_ARCHIVE_EMPTY", async () => {
  await assertRefused(new Uint8Array(0), "ERR_ARCHIVE_EMPTY");
});

// What follows.
refuses(
  "a byte behind the tar stream",
  "ERR_ARCHIVE_TRAILING_DATA",
  async () => concat(await archiveOf(), "x"),
);
refuses(
  "a byte far behind the tar stream",
  "ERR_ARCHIVE_TRAILING_DATA",
  async () => concat(await archiveOf(), new Uint8Array(300_000), "x"),
);
refuses(
  "a second archive behind the first",
  "ERR_ARCHIVE_TRAILING_DATA",
  async () => concat(await archiveOf(), await archiveOf()),
);
refuses(
  "an entry behind a single zero block",
  "ERR_ARCHIVE_TRAILING_DATA",
  async () => concat((await archiveOf()).subarray(0, -512), tarEntry({ name: "x.bin" }), TAR_END),
);
refuses(
  "a filled block behind a single zero block",
  "ERR_HEADER_INVALID",
  async () => concat((await archiveOf()).subarray(0, -512), new Uint8Array(512).fill(1)),
);
for (const filler of [1, 0x20, 0xff]) {
  refuses(`padding of 0x${filler.toString(16)}`, "ERR_ARCHIVE_TRAILING_DATA", async () => {
    const [claims, , second] = await entriesOf() as [Uint8Array, Uint8Array, Uint8Array];
    const content = BINARIES["aarch64-linux"] as string;
    const entry = tarEntry({ name: "aarch64-linux.bin", content, filler });
    return concat(claims, entry, second, TAR_END);
  });
}

/** Small members and large ones are decompressed in ways of their own. */
const MEMBERS = {
  "a small gzip member": gzipped(await archiveOf()),
  "a large gzip member": gzipped(await archiveOf({ binaries: { "x86_64-linux": noise(200_000) } })),
};
const SMALL = MEMBERS["a small gzip member"];
for (const [member, compressed] of Object.entries(MEMBERS)) {
  // What follows may come with the member's end or apart from it.
  const { length } = compressed;
  const cuts = [2 ** 24, 65536, length, length - 1, length - 3, length - 8, length - 9];
  for (
    const [what, code, rest] of [
      ["a byte", "ERR_ARCHIVE_TRAILING_DATA", concat("x")],
      ["a zero", "ERR_ARCHIVE_TRAILING_DATA", new Uint8Array(1)],
      ["the first byte of a gzip member", "ERR_ARCHIVE_TRAILING_DATA", Uint8Array.of(0x1f)],
      ["1 MiB of noise", "ERR_ARCHIVE_TRAILING_DATA", noise(2 ** 20)],
      ["1 MiB of zeros", "ERR_ARCHIVE_TRAILING_DATA", new Uint8Array(2 ** 20)],
      ["an empty second member", "ERR_GZIP_SECOND_MEMBER", gzipped(new Uint8Array(0))],
      ["a second member", "ERR_GZIP_SECOND_MEMBER", gzipped(await archiveOf())],
      ["a second member of 1 MiB", "ERR_GZIP_SECOND_MEMBER", gzipped(noise(2 ** 20))],
      ["two bytes that only begin a member", "ERR_GZIP_SECOND_MEMBER", Uint8Array.of(0x1f, 0x8b)],
    ] as const
  ) {
    Deno.test(`readArchive() refuses ${what} behind ${member} with ${code}`, async () => {
      const bytes = concat(compressed, rest);
      for (const cut of [...cuts, ...(bytes.length < 10_000 ? [1, 100] : [])]) {
        const reading = readArchive(chunked(bytes, cut));
        await assert.rejects(reading, { code }, `in chunks of ${cut}`);
      }
    });
  }

  const flip = (at: number): Uint8Array =>
    compressed.with(at, (compressed.at(at) as number) ^ 0x10);
  for (
    const [what, bytes] of Object.entries({
      "a wrong checksum": flip(-8),
      "a wrong length": flip(-1),
      "another compression method": compressed.with(2, 7),
      "reserved flags": compressed.with(3, 0x20),
      "a flipped bit in its data": flip(60),
      "a block type that does not exist": concat(
        compressed.subarray(0, 10),
        Uint8Array.of(7),
        compressed.subarray(11),
      ),
      "a name in its header that does not end": concat(
        compressed.subarray(0, 3),
        "\x08",
        compressed.subarray(4, 10),
        "x".repeat(70_000),
      ),
    })
  ) {
    Deno.test(`readArchive() refuses ${what} in ${member} with ERR_GZIP_CORRUPT`, async () => {
      await assertRefused(bytes, "ERR_GZIP_CORRUPT");
    });
  }

  Deno.test(`readArchive() refuses ${member} that is cut anywhere with ERR_ARCHIVE_TRUNCATED`, async () => {
    const ends = new Set<number>();
    for (let cut = 1; cut < 700; cut++) ends.add(cut).add(length - cut);
    for (let cut = 1; cut < length; cut += 9973) ends.add(cut);
    for (const end of ends) {
      for (const lengths of end > length - 20 ? [[end], [2 ** 16], [end - 3]] : [[2 ** 16]]) {
        await assert.rejects(
          readArchive(chunked(compressed.subarray(0, end), ...lengths)),
          { code: "ERR_ARCHIVE_TRUNCATED" },
          `cut at ${end} of ${length}`,
        );
      }
    }
  });

  Deno.test(`readArchive() accepts ${member} however its bytes are cut`, async () => {
    for (const cut of [...cuts, 1000, 997, length - 2, length - 7]) {
      assert.equal((await readArchive(chunked(compressed, cut))).size, length, `chunks of ${cut}`);
    }
  });
}
Deno.test("readArchive() reads past every optional part of a gzip header", async () => {
  const extra = concat("PX", Uint8Array.of(3, 0), "abc");
  const parts = [
    [4, concat(Uint8Array.of(extra.length, 0), extra)],
    [8, concat("fakepay.par\0")],
    [16, concat("made by hand\0")],
  ] as const;
  for (let choice = 0; choice < 16; choice++) {
    const chosen = parts.filter((_, i) => choice & (1 << i));
    const withChecksum = choice >= 8;
    const flags = chosen.reduce((sum, [flag]) => sum | flag, withChecksum ? 2 : 0);
    const fixed = SMALL.slice(0, 10).with(3, flags);
    const header = concat(fixed, ...chosen.map(([, part]) => part));
    const sum = crc32(header);
    const checksum = withChecksum ? Uint8Array.of(sum & 0xff, (sum >> 8) & 0xff) : "";
    const bytes = concat(header, checksum, SMALL.subarray(10));
    assert.equal((await readArchive(chunked(bytes, 5))).size, bytes.length);
    if (!withChecksum) continue;
    const wrong = bytes.with(header.length, sum & 0xff ^ 1);
    await assert.rejects(readArchive(chunked(wrong, 5)), { code: "ERR_GZIP_CORRUPT" });
  }
});

// Limits.
refuses("more entries than allowed", "ERR_LIMIT_ENTRIES", () => archiveOf(), {
  limits: { maxEntries: 2 },
});
accepts("as many entries as allowed", () => archiveOf(), { limits: { maxEntries: 3 } });
refuses("more pax headers than allowed", "ERR_LIMIT_ENTRIES", async () => {
  const entries = (await entriesOf()).flatMap((entry) => [paxEntry({ comment: "x" }), entry]);
  return concat(...entries, TAR_END);
}, { limits: { maxEntries: 5 } });
refuses("more bytes than allowed", "ERR_LIMIT_SIZE", () => archiveOf(), {
  limits: { maxSize: 2000 },
});
Deno.test("readArchive() accepts exactly as many bytes as allowed", async () => {
  const bytes = await archiveOf();
  await readArchive(chunked(bytes, 100), { limits: { maxSize: bytes.length } });
  await assert.rejects(
    readArchive(chunked(bytes, 100), { limits: { maxSize: bytes.length - 1 } }),
    { code: "ERR_LIMIT_SIZE" },
  );
});
Deno.test("readArchive() refuses a bomb with ERR_LIMIT_RATIO once it passed a GiB", async () => {
  const zeros = deflateRawSync(new Uint8Array(2 ** 24), { level: 9, finishFlush: 2 });
  const front = concat(
    (await entriesOf())[0] as Uint8Array,
    tarHeader({ name: "x86_64-linux.bin", size: 2 ** 32 }),
  );
  const bomb = async function* (): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255);
    yield deflateRawSync(front, { finishFlush: 2 });
    while (true) yield zeros;
  };
  const source = watched(bomb());
  await assert.rejects(readArchive(source), { code: "ERR_LIMIT_RATIO" });
  assert(source.read < 2 ** 21, `${source.read} bytes were read`);
  assert(source.closed);
});

// Sizes that cannot be believed.
const SIZES: Readonly<Record<string, number | string | Uint8Array>> = {
  "a size in base-256": base256(1n),
  "a negative size in base-256": base256(-1n, 0xff),
  "another marker than base-256 has": base256(1n, 0x81),
  "a size in base-256 past what numbers hold exactly": base256(2n ** 60n),
  "a minus sign": "-0000000001\0",
  "decimal digits": "00000000018\0",
  "letters": "zzzzzzzzzzz\0",
  "no size": "\0\0\0\0\0\0\0\0\0\0\0\0",
  "spaces for a size": "            ",
  "digits behind a NUL": "00001\x0000001\0",
  "a plus sign": "+0000000001\0",
  "hexadecimal": "0x000000001\0",
};
for (const [what, size] of Object.entries(SIZES)) {
  refuses(
    what,
    "ERR_HEADER_SIZE",
    () => withEntries(tarEntry({ name: "aarch64-linux.bin", content: "x", size })),
  );
}
refuses(
  "a size that reaches past the end",
  "ERR_ARCHIVE_TRUNCATED",
  () => withEntries(tarEntry({ name: "aarch64-linux.bin", content: "x", size: 0o77777777777 })),
);
refuses(
  "a pax header that states 2 GiB",
  "ERR_HEADER_SIZE",
  () => withEntries(tarHeader({ name: "PaxHeader", type: "x", size: 2 ** 31 })),
);

// A pax size that contradicts the header's: CVE-2025-62518.
const SMUGGLED = tarEntry({ name: "mips-linux.bin", content: "smuggled" });
for (
  const [what, pax, stated] of [
    ["smaller than", "0", SMUGGLED.length],
    ["larger than", String(SMUGGLED.length), 0],
    ["by one larger than", String(SMUGGLED.length + 1), SMUGGLED.length],
    // The tar library under the reference keeps it for all later entries.
    ["equal to", String(SMUGGLED.length), SMUGGLED.length],
  ] as const
) {
  refuses(`a pax size ${what} the header's`, "ERR_HEADER_SIZE", async () => {
    const bend: ArchiveParts["bend"] = ({ wascap }) => {
      wascap.target_hashes = { "x86_64-linux": claimsHash(pax === "0" ? "" : SMUGGLED) };
    };
    const [claims] = await entriesOf({ bend }) as [Uint8Array];
    const outer = tarEntry({ name: "x86_64-linux.bin", content: SMUGGLED, size: stated });
    return concat(claims, paxEntry({ size: pax }), outer, TAR_END);
  });
}
Deno.test("readArchive() takes what looks like entries inside a binary for the binary's bytes", async () => {
  const bend: ArchiveParts["bend"] = ({ wascap }) => {
    wascap.target_hashes = { "x86_64-linux": claimsHash(SMUGGLED) };
  };
  const [claims] = await entriesOf({ bend }) as [Uint8Array];
  const outer = tarEntry({ name: "x86_64-linux.bin", content: SMUGGLED });
  const archive = await readArchive(chunked(concat(claims, outer, TAR_END), 600));
  assert.deepEqual(archive.binaries.map(({ target }) => target), ["x86_64-linux"]);
  assert.equal(archive.binaries[0]?.size, SMUGGLED.length);
});
for (const size of ["-1", "", "1e3", "0x10", " 16", "16 ", "99999999999999999999"]) {
  refuses(
    `the pax size ${JSON.stringify(size)}`,
    "ERR_HEADER_SIZE",
    () => withEntries(paxEntry({ size }), tarEntry({ name: "aarch64-linux.bin", content: "x" })),
  );
}
// Readers differ in which of two records they believe, so neither may be.
for (const keyword of ["path", "size"]) {
  const values = keyword === "path"
    ? ["mips-linux.bin", "x86_64-linux.bin"]
    : ["0", String(BINARIES["x86_64-linux"]?.length)];
  const records = values.map((value) => paxRecord(keyword, value));
  refuses(`a pax header that gives ${keyword} twice`, "ERR_HEADER_INVALID", async () => {
    const [claims, first, second] = await entriesOf() as [Uint8Array, Uint8Array, Uint8Array];
    return concat(claims, first, paxEntry(records.join("")), second, TAR_END);
  });
  refuses(`two pax headers in a row, each with a ${keyword}`, "ERR_HEADER_AMBIGUOUS", async () => {
    const [claims, first, second] = await entriesOf() as [Uint8Array, Uint8Array, Uint8Array];
    const headers = records.map((record) => paxEntry(record));
    return concat(claims, first, ...headers, second, TAR_END);
  });
}
refuses("a pax value that holds a line with another record", "ERR_HEADER_INVALID", async () => {
  const [claims, first, second] = await entriesOf() as [Uint8Array, Uint8Array, Uint8Array];
  const hidden = `x\n${paxRecord("path", "mips-linux.bin").trimEnd()}`;
  return concat(claims, first, paxEntry({ comment: hidden }), second, TAR_END);
});
refuses("a NUL in a pax path", "ERR_HEADER_INVALID", async () => {
  const [claims, first, second] = await entriesOf() as [Uint8Array, Uint8Array, Uint8Array];
  return concat(claims, first, paxEntry({ path: "x86_64-linux.bin\0" }), second, TAR_END);
});
for (
  const [what, raw] of Object.entries({
    "no length": "path=x\n",
    "a length of 0": "0 path=x\n",
    "a length that is too small": "8 path=x\n",
    "a length past its end": "99 path=x\n",
    "no line feed": "10 path=xy",
    "no equals sign": "8 pathx\n",
    "no keyword": "6 =xy\n",
    "a signed length": "+10 path=x\n",
    "a length with a zero before it": "010 path=x\n",
    "bytes behind its records": `${paxRecord("comment", "x")}\0\0`,
  })
) {
  refuses(
    `a pax header with ${what}`,
    "ERR_HEADER_INVALID",
    () => withEntries(paxEntry(raw), tarEntry({ name: "aarch64-linux.bin", content: "x" })),
  );
}
for (const records of [{ size: "1" }, { path: "x86_64-linux.bin" }, { comment: "x" }, {}]) {
  const what = Object.keys(records).join() || "nothing";
  refuses(`a global pax header with ${what}`, "ERR_HEADER_AMBIGUOUS", async () => {
    const [claims, ...binaries] = await entriesOf() as [Uint8Array, ...Uint8Array[]];
    return concat(claims, paxEntry(records, "g"), ...binaries, TAR_END);
  });
}
refuses("a pax header without a file behind it", "ERR_HEADER_AMBIGUOUS", async () => {
  return concat(...await entriesOf(), paxEntry({ comment: "x" }), TAR_END);
});
refuses("a pax header with a name that is not the header's", "ERR_HEADER_AMBIGUOUS", async () => {
  const [claims, first, second] = await entriesOf() as [Uint8Array, Uint8Array, Uint8Array];
  return concat(claims, first, paxEntry({ path: "mips-linux.bin" }), second, TAR_END);
});

// Headers.
for (
  const [what, checksum] of Object.entries({
    "a checksum that is off by one": "000001\0 ",
    "no checksum": "\0\0\0\0\0\0\0\0",
    "letters for a checksum": "abcdef\0 ",
  })
) {
  refuses(
    what,
    "ERR_HEADER_INVALID",
    () => withEntries(tarEntry({ name: "aarch64-linux.bin", content: "x", checksum })),
  );
}
refuses(
  "a name that is not UTF-8",
  "ERR_HEADER_INVALID",
  () => withEntries(tarEntry({ name: "", patch: (header) => header.set([0xff, 0xfe]) })),
);

Deno.test("readArchive() refuses random bytes, whatever they are", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 4096 }), async (bytes) => {
      for (const input of [bytes, gzipped(bytes), concat(SMALL.subarray(0, 10), bytes)]) {
        await assert.rejects(readArchive(chunked(input, 512)), { category: "untrusted" });
      }
    }),
    { numRuns: 200 },
  );
});
Deno.test("readArchive() refuses random bytes behind an entry in order", async () => {
  const [claims] = await entriesOf() as [Uint8Array];
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2048 }), async (bytes) => {
      await assert.rejects(readArchive(chunked(concat(claims, bytes), 512)), {
        category: "untrusted",
      });
    }),
    { numRuns: 200 },
  );
});

// The claims alone.
Deno.test("readClaims() verifies the token and reads no further", async () => {
  const [claims] = await entriesOf() as [Uint8Array];
  const source = watched(chunked(concat(claims, noise(2 ** 20)), 512));
  const found = await readClaims(source);
  assert.deepEqual(found.claims, payloadFor());
  assert.equal(found.token, await tokenOf());
  assert.equal(found.compressed, false);
  assert(source.closed);
  assert(source.read <= claims.length + 512, `${source.read} bytes were read`);
});
Deno.test("readClaims() reads little of a compressed archive", async () => {
  const bytes = gzipped(await archiveOf({ binaries: { "x86_64-linux": noise(2 ** 22) } }));
  const source = watched(chunked(bytes, 4096));
  const found = await readClaims(source);
  assert.equal(found.compressed, true);
  assert(source.closed);
  assert(source.read < 2 ** 21, `${source.read} bytes were read`);
});
Deno.test("readClaims() finds claims behind the binaries", async () => {
  const [claims, ...binaries] = await entriesOf() as [Uint8Array, ...Uint8Array[]];
  const found = await readClaims(chunked(concat(...binaries, claims, TAR_END), 100));
  assert.equal(found.token, await tokenOf());
});
for (
  const [what, code, parts, options] of [
    ["a bad signature", "ERR_TOKEN_SIGNATURE", { signer: await otherIssuerPair() }, {}],
    ["an expired token", "ERR_TOKEN_EXPIRED", { bend: until }, {}],
    ["an early token", "ERR_TOKEN_NOT_YET_VALID", { bend: from }, at(ISSUED_AT)],
    ["a token of another kind", "ERR_TOKEN_TYPE", { header: { ...JOSE_HEADER, typ: "JWT" } }, {}],
    ["large claims", "ERR_CLAIMS_TOO_LARGE", { token: "x".repeat(2 ** 20 + 1) }, {}],
  ] satisfies [string, ErrorCode, ArchiveParts, ReadOptions][]
) {
  Deno.test(`readClaims() refuses ${what} with ${code}`, async () => {
    await assert.rejects(readClaims(chunked(await archiveOf(parts), 999), options), { code });
  });
}
Deno.test("readClaims() refuses an archive without claims with ERR_CLAIMS_MISSING", async () => {
  const [, ...binaries] = await entriesOf() as Uint8Array[];
  const bytes = concat(...binaries, TAR_END);
  await assert.rejects(readClaims(chunked(bytes, 999)), { code: "ERR_CLAIMS_MISSING" });
});
