import assert from "node:assert/strict";
import type { ErrorCode } from "../../lib/errors.ts";
import {
  archiveOf,
  type ArchiveParts,
  claimsHash,
  entriesOf,
  gzipped,
  ISSUED_AT,
  JOSE_HEADER,
  type Payload,
  payloadFor,
  tokenOf,
} from "../_archive.ts";
import { concat, noise } from "../_bytes.ts";
import { type Sandbox, sandbox } from "../_cli.ts";
import { ELF_AARCH64, ELF_X86_64 } from "../_executable.ts";
import { ISSUER, otherIssuerPair, SUBJECT } from "../_keys.ts";
import { TAR_END, tarEntry } from "../_tar.ts";

/** Characters that move a terminal's cursor, colour it, or turn its text around. */
// deno-lint-ignore no-control-regex -- these are what must not be there
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

function test(name: string, fn: (box: Sandbox) => Promise<void>): void {
  Deno.test(`inspect ${name}`, async () => {
    await using box = await sandbox();
    await fn(box);
  });
}

/** Makes an archive with the command, of fixed keys at a fixed time. */
async function make(box: Sandbox, ...flags: string[]): Promise<void> {
  await box.write("lib.so", ELF_X86_64);
  await box.write("arm.so", ELF_AARCH64);
  const { code, stderr } = await box.create(["--destination", "a.par", ...flags], {
    env: { SOURCE_DATE_EPOCH: String(ISSUED_AT) },
  });
  assert.equal(code, 0, stderr);
}

const FULL = "-b lib.so -b arm.so -c examples:payments --version 1.0 -r 1 --expires-in 36500";

test("draws the document's table", async (box) => {
  await make(box, ...FULL.split(" "));
  const { code, stdout, stderr } = await box.run(["inspect", "a.par"]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  assert.equal(
    stdout,
    `\
╔═══════════════════════════════════════════════════════════════════════════════════════╗
║                           Fake Payments - Provider Archive                            ║
╠════════════════════════╦══════════════════════════════════════════════════════════════╣
║ Public Key             ║     VBM5JMFOVUJDHGTOJSPUJ33ZGHCRCJ3LYHUJ3HND5ZMRVORYCMAVPZQF ║
╠════════════════════════╬══════════════════════════════════════════════════════════════╣
║ Issuer                 ║     AA7R5L74E45BJ4XVUYTELQ56P5VCOSPOAA474L7QWH4ZAILLKTZFWYYW ║
╠════════════════════════╬══════════════════════════════════════════════════════════════╣
║ Capability Contract ID ║                                            examples:payments ║
╠════════════════════════╬══════════════════════════════════════════════════════════════╣
║ Vendor                 ║                                                    wasmCloud ║
╠════════════════════════╬══════════════════════════════════════════════════════════════╣
║ Version                ║                                                          1.0 ║
╠════════════════════════╬══════════════════════════════════════════════════════════════╣
║ Revision               ║                                                            1 ║
╠════════════════════════╬══════════════════════════════════════════════════════════════╣
║ Signature              ║ valid since 2023-11-14T22:13:20Z, until 2123-10-21T22:13:20Z ║
╠════════════════════════╬══════════════════════════════════════════════════════════════╣
║ Size                   ║                                      4.5 KiB, not compressed ║
╠════════════════════════╩══════════════════════════════════════════════════════════════╣
║                            Supported Architecture Targets                             ║
╠═══════════════════════════════════════════════════════════════════════════════════════╣
║ aarch64-linux  64 B  E9E889138937B43D45E2DFD5489E6ECA62471DB779A5603297281BCE7A5FCB03 ║
║ x86_64-linux   64 B  D58548872DBB5A72D6A518237A170B8173E6A91212356F7D9B249CBF591DC713 ║
╚═══════════════════════════════════════════════════════════════════════════════════════╝
`,
  );
});

test("leaves out of the table what the archive does not say", async (box) => {
  await make(box, "-b", "lib.so", "--compress");
  const { code, stdout } = await box.run(["inspect", "a.par.gz"]);
  assert.equal(code, 0);
  assert.equal(
    stdout,
    `\
╔══════════════════════════════════════════════════════════════════════════════════════╗
║                           Fake Payments - Provider Archive                           ║
╠════════════╦═════════════════════════════════════════════════════════════════════════╣
║ Public Key ║                VBM5JMFOVUJDHGTOJSPUJ33ZGHCRCJ3LYHUJ3HND5ZMRVORYCMAVPZQF ║
╠════════════╬═════════════════════════════════════════════════════════════════════════╣
║ Issuer     ║                AA7R5L74E45BJ4XVUYTELQ56P5VCOSPOAA474L7QWH4ZAILLKTZFWYYW ║
╠════════════╬═════════════════════════════════════════════════════════════════════════╣
║ Vendor     ║                                                               wasmCloud ║
╠════════════╬═════════════════════════════════════════════════════════════════════════╣
║ Version    ║                                                                    None ║
╠════════════╬═════════════════════════════════════════════════════════════════════════╣
║ Revision   ║                                                                    None ║
╠════════════╬═════════════════════════════════════════════════════════════════════════╣
║ Signature  ║                           valid since 2023-11-14T22:13:20Z, without end ║
╠════════════╬═════════════════════════════════════════════════════════════════════════╣
║ Size       ║                                                       735 B, compressed ║
╠════════════╩═════════════════════════════════════════════════════════════════════════╣
║                            Supported Architecture Targets                            ║
╠══════════════════════════════════════════════════════════════════════════════════════╣
║ x86_64-linux  64 B  D58548872DBB5A72D6A518237A170B8173E6A91212356F7D9B249CBF591DC713 ║
╚══════════════════════════════════════════════════════════════════════════════════════╝
`,
  );
});

test("-o json prints the keys that people know, with their types, and more", async (box) => {
  await box.write("schema.json", '{"type": "object"}');
  await make(box, ...FULL.split(" "), "-j", "schema.json");
  const { code, stdout, stderr } = await box.run(["inspect", "-o", "json", "a.par"]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  const { claims, ...report } = JSON.parse(stdout);
  assert.deepEqual(report, {
    name: "Fake Payments",
    issuer: ISSUER.publicKey,
    service: SUBJECT.publicKey,
    capability_contract_id: "examples:payments",
    vendor: "wasmCloud",
    version: "1.0",
    revision: "1",
    targets: ["aarch64-linux", "x86_64-linux"],
    schema: { type: "object" },
    compressed: false,
    size: (await box.read("a.par")).length,
    target_details: [
      { name: "aarch64-linux", size: ELF_AARCH64.length, sha256: claimsHash(ELF_AARCH64) },
      { name: "x86_64-linux", size: ELF_X86_64.length, sha256: claimsHash(ELF_X86_64) },
    ],
    success: true,
  });
  const { jti, ...others } = claims;
  assert.match(jti, /^[0-9A-Za-z]{22}$/);
  assert.deepEqual(others, {
    exp: ISSUED_AT + 36500 * 86400,
    iat: ISSUED_AT,
    iss: ISSUER.publicKey,
    sub: SUBJECT.publicKey,
    wascap: {
      name: "Fake Payments",
      capid: "examples:payments",
      vendor: "wasmCloud",
      rev: 1,
      ver: "1.0",
      target_hashes: {
        "aarch64-linux": claimsHash(ELF_AARCH64),
        "x86_64-linux": claimsHash(ELF_X86_64),
      },
      config_schema: { type: "object" },
    },
    wascap_revision: 3,
  });
});

test('-o json says "None" where there is no version and no revision', async (box) => {
  await make(box, "-b", "lib.so", "--compress");
  const report = JSON.parse((await box.run(["inspect", "a.par.gz", "-ojson"])).stdout);
  assert.equal(report.version, "None");
  assert.equal(report.revision, "None");
  assert.equal(report.compressed, true);
  for (const key of ["schema", "capability_contract_id"]) assert(!(key in report), key);
});

test("keeps fields that it does not know in the claims it prints", async (box) => {
  await box.write("a.par", await archiveOf({ bend: (payload) => payload["aud"] = "everybody" }));
  const report = JSON.parse((await box.run(["inspect", "a.par", "-ojson"])).stdout);
  assert.equal(report.claims.aud, "everybody");
});

test("--jwt-only prints the token, and nothing else", async (box) => {
  await box.write("a.par", await archiveOf());
  const { code, stdout, stderr } = await box.run(["inspect", "--jwt-only", "a.par"]);
  assert.deepEqual({ code, stdout, stderr }, {
    code: 0,
    stdout: `${await tokenOf()}\n`,
    stderr: "",
  });
});

test("--jwt-only -o json prints the token as JSON, as wash does", async (box) => {
  await box.write("a.par", await archiveOf());
  const { code, stdout } = await box.run(["inspect", "--jwt-only", "-o", "json", "a.par"]);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), { token: await tokenOf(), success: true });
});

test("names a schema, and says how long it is", async (box) => {
  const schema = { title: "Payment settings", type: "object" };
  for (
    const [content, shown] of [
      [schema, "Payment settings, 44 B (--field schema prints it)"],
      [{ ...schema, title: 1, $id: "https://example.com/s" }, "https://example.com/s, "],
      [{ type: "object" }, "17 B (--field schema prints it)"],
      [[1, 2], "5 B "],
      [null, "4 B "],
    ] as const
  ) {
    await box.write("schema.json", JSON.stringify(content));
    await make(box, "-b", "lib.so", "--schema", "schema.json");
    const { stdout } = await box.run(["inspect", "a.par"]);
    const [, value = ""] = /║ Schema +║ +(.*) ║\n/.exec(stdout) ?? assert.fail(stdout);
    assert(value.startsWith(shown), value);
  }
  await make(box, "-b", "lib.so");
  assert.doesNotMatch((await box.run(["inspect", "a.par"])).stdout, /Schema/);
});

test("--jwt-only prints no token of an archive that does not verify", async (box) => {
  const bytes = await archiveOf();
  await box.write("a.par", bytes.fill(1, bytes.length - 1024 - 512, bytes.length - 1024 - 510));
  const { code, stdout } = await box.run(["inspect", "--jwt-only", "a.par"]);
  assert.deepEqual({ code, stdout }, { code: 3, stdout: "" });
});

const UNCHECKED = "Note: only the claims were read; the binaries were not checked.\n";

test("--claims-only reads the claims alone, and says so", async (box) => {
  const [claims] = await entriesOf() as [Uint8Array];
  await box.write("a.par", concat(claims, noise(2 ** 20)));
  assert.equal((await box.run(["inspect", "a.par"])).code, 3);
  const { code, stdout, stderr } = await box.run(["inspect", "--claims-only", "a.par"]);
  assert.equal(code, 0);
  assert.equal(stderr, UNCHECKED);
  assert.match(stdout, /Fake Payments - Provider Archive/);
  assert.match(stdout, /aarch64-linux/);
});

test("--claims-only is done at once on a file of any size", async (box) => {
  const [claims] = await entriesOf() as [Uint8Array];
  const path = await box.write("a.par", claims);
  // A hole as large as no disk is: nobody reads to its end.
  await Deno.truncate(path, 2 ** 42);
  const { code, stderr } = await box.run(["inspect", "--claims-only", "a.par"]);
  assert.equal(code, 0, stderr);
});

test("--claims-only finds the claims of a compressed archive that was cut off", async (box) => {
  const bytes = gzipped(await archiveOf({ binaries: { "x86_64-linux": noise(2 ** 20) } }));
  await box.write("a.par.gz", bytes.subarray(0, 2 ** 19));
  assert.equal((await box.run(["inspect", "a.par.gz"])).code, 3);
  const { code, stderr } = await box.run(["inspect", "--claims-only", "a.par.gz"]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, UNCHECKED);
});

test("--claims-only -o json leaves out what it cannot know", async (box) => {
  const [claims] = await entriesOf() as [Uint8Array];
  await box.write("a.par", concat(claims, noise(2 ** 20)));
  const { stdout } = await box.run(["inspect", "--claims-only", "a.par", "-o", "json"]);
  const report = JSON.parse(stdout);
  assert.deepEqual(report.targets, ["aarch64-linux", "x86_64-linux"]);
  assert.deepEqual(report.claims, payloadFor());
  for (const key of ["size", "target_details"]) assert(!(key in report), key);
});

test("--claims-only still refuses a token that does not verify", async (box) => {
  await box.write("a.par", await archiveOf({ signer: await otherIssuerPair() }));
  const { code, stderr } = await box.run(["inspect", "--claims-only", "a.par"]);
  assert.equal(code, 3);
  assert.match(stderr, /\[ERR_TOKEN_SIGNATURE\]/);
});

test("--max-size sets how much an archive may unpack to", async (box) => {
  const bytes = await archiveOf();
  await box.write("a.par.gz", gzipped(bytes));
  for (const [size, code] of [["1k", 3], ["8GiB", 0], [String(bytes.length), 0]] as const) {
    const output = await box.run(["inspect", "a.par.gz", "--max-size", size]);
    assert.equal(output.code, code, output.stderr);
    if (code === 3) assert.match(output.stderr, /\[ERR_LIMIT_SIZE\]/);
  }
  const { code, stderr } = await box.run(["inspect", "a.par.gz", "--max-size", "much"]);
  assert.equal(code, 2);
  assert.match(stderr, /\[ERR_OPTION_INVALID\]/);
});

for (
  const [what, code, mark, bend] of [
    [
      "an expired archive",
      "ERR_TOKEN_EXPIRED",
      "EXPIRED, was valid since 2023-11-14T22:13:20Z, until 2023-11-14T22:13:21Z",
      (payload: Payload) => payload["exp"] = ISSUED_AT + 1,
    ],
    [
      "an archive that is not valid yet",
      "ERR_TOKEN_NOT_YET_VALID",
      "NOT YET valid since +036812-02-20T00:36:16Z, without end",
      (payload: Payload) => payload["nbf"] = 2 ** 40,
    ],
  ] as const
) {
  test(`shows ${what}, marked, and ends with exit status 3`, async (box) => {
    await box.write("a.par", await archiveOf({ bend }));
    for (const flags of [[], ["--claims-only"]]) {
      const text = await box.run(["inspect", "a.par", ...flags]);
      assert.equal(text.code, 3);
      assert.match(text.stdout, /║ Signature +║ +(EXPIRED|NOT YET)/);
      assert(text.stdout.includes(`${mark} ║`), text.stdout);
      assert(text.stderr.endsWith(`[${code}]\n`), text.stderr);
      const json = await box.run(["inspect", "a.par", "-o", "json", ...flags]);
      assert.equal(json.code, 3);
      const { success, error, name, claims } = JSON.parse(json.stdout);
      assert.deepEqual([success, error.code, name], [false, code, "Fake Payments"]);
      assert.equal(claims.sub, SUBJECT.publicKey);
    }
    // Programs get nothing that they could take for a valid archive's.
    for (const flags of [["--jwt-only"], ["--field", "name"]]) {
      const { code, stdout } = await box.run(["inspect", "a.par", ...flags]);
      assert.deepEqual([code, stdout], [3, ""]);
    }
  });
}

test("--field prints one value alone", async (box) => {
  await box.write("schema.json", '{"type": "object", "a.b": {"c": [1]}}');
  await make(box, ...FULL.split(" "), "-j", "schema.json");
  const values: Readonly<Record<string, string>> = {
    name: "Fake Payments",
    issuer: ISSUER.publicKey,
    service: SUBJECT.publicKey,
    capability_contract_id: "examples:payments",
    vendor: "wasmCloud",
    version: "1.0",
    revision: "1",
    targets: "aarch64-linux\nx86_64-linux",
    compressed: "false",
    size: String((await box.read("a.par")).length),
    schema: '{"type":"object","a.b":{"c":[1]}}',
    "schema.a.b.c": "1",
    "claims.iat": String(ISSUED_AT),
    "claims.wascap.target_hashes.x86_64-linux": claimsHash(ELF_X86_64),
  };
  for (const [name, value] of Object.entries(values)) {
    const { code, stdout, stderr } = await box.run(["inspect", "--field", name, "a.par"]);
    assert.deepEqual([code, stdout, stderr], [0, `${value}\n`, ""], name);
  }
  const json = await box.run(["inspect", "--field=targets", "a.par", "-ojson"]);
  assert.equal(json.stdout, '["aarch64-linux","x86_64-linux"]\n');
});

test("--field fails for a name that the archive has not, and lists those it has", async (box) => {
  await make(box, "-b", "lib.so");
  for (const name of ["schema", "claims.exp", "constructor", "name.length", "", "targets."]) {
    const { code, stdout, stderr } = await box.run(["inspect", `--field=${name}`, "a.par"]);
    assert.deepEqual([code, stdout], [1, ""], name);
    assert.match(stderr, /the archive has name, issuer, .*\[ERR_FIELD_NOT_FOUND\]\n$/);
  }
});

test("goes on after a bad archive, names it, and ends with the worst status", async (box) => {
  await make(box, "-b", "lib.so");
  await box.write("bad.par", (await box.read("a.par")).subarray(0, -600));
  const { code, stdout, stderr } = await box.run(["inspect", "bad.par", "none.par", "a.par"]);
  assert.equal(code, 3);
  assert.match(stdout, /^a\.par:\n╔═+╗\n║ +Fake Payments - Provider Archive +║\n/);
  const [first = "", second = ""] = stderr.split("\n");
  assert.match(
    first,
    /^Error: Cannot read the archive "bad\.par" to its end: .*\[ERR_ARCHIVE_TRUNCATED\]$/,
  );
  assert.match(second, /^Error: Cannot read "none\.par": .*\[ERR_FILE_NOT_FOUND\]$/);
  const json = await box.run(["inspect", "bad.par", "a.par", "-o", "json"]);
  assert.deepEqual(
    json.stdout.trimEnd().split("\n").map((line) => JSON.parse(line)).map((
      { archive, success, error, name },
    ) => [archive, success, error?.code, name]),
    [
      ["bad.par", false, "ERR_ARCHIVE_TRUNCATED", undefined],
      ["a.par", true, undefined, "Fake Payments"],
    ],
  );
});

// What is not to be trusted.
const REFUSED: readonly [string, ErrorCode, ArchiveParts][] = [
  ["a bad signature", "ERR_TOKEN_SIGNATURE", { signer: await otherIssuerPair() }],
  ["another algorithm", "ERR_TOKEN_ALGORITHM", { header: { typ: "jwt", alg: "none" } }],
  ["another hash", "ERR_HASH_MISMATCH", {
    bend: ({ wascap }) => wascap.target_hashes["x86_64-linux"] = claimsHash(""),
  }],
  ["a subject as issuer", "ERR_TOKEN_ISSUER", {
    bend: (payload) => payload["iss"] = SUBJECT.publicKey,
  }],
];
for (const [what, error, parts] of REFUSED) {
  test(`refuses ${what} with ${error} and exit status 3`, async (box) => {
    await box.write("a.par", await archiveOf(parts));
    const text = await box.run(["inspect", "a.par"]);
    assert.equal(text.code, 3);
    assert.equal(text.stdout, "");
    assert.match(text.stderr, new RegExp(`^Error: Cannot .*\\[${error}\\]\\n$`));
    const json = await box.run(["inspect", "a.par", "-o", "json"]);
    assert.equal(json.code, 3);
    assert.equal(json.stderr, text.stderr);
    const report = JSON.parse(json.stdout);
    assert.deepEqual(report, {
      success: false,
      error: { code: error, message: report.error.message },
    });
    assert(text.stderr.includes(report.error.message));
  });
}

for (
  const [what, content, error] of [
    ["an empty file", "", "ERR_ARCHIVE_EMPTY"],
    ["a text", "This is no archive.\n".repeat(100), "ERR_HEADER_INVALID"],
    ["a short text", "This is no archive.\n", "ERR_ARCHIVE_TRUNCATED"],
    [
      "a tar file of something else",
      concat(tarEntry({ name: "README" }), TAR_END),
      "ERR_ENTRY_UNKNOWN",
    ],
    ["a gzip file of something else", gzipped(concat("x".repeat(1000))), "ERR_HEADER_INVALID"],
  ] as const
) {
  test(`refuses ${what} with ${error} and exit status 3`, async (box) => {
    await box.write("a.par", content);
    const { code, stderr } = await box.run(["inspect", "a.par"]);
    assert.equal(code, 3);
    assert.match(stderr, new RegExp(`\\[${error}\\]\\n$`));
  });
}

test("fails with exit status 1 where there is no file, or a folder", async (box) => {
  for (const [path, error] of [["no.par", "ERR_FILE_NOT_FOUND"], [".", "ERR_FILE_UNREADABLE"]]) {
    const { code, stderr, stdout } = await box.run(["inspect", path as string]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(`^Error: Cannot read .*\\[${error}\\]\\n$`));
  }
});

test("fails with exit status 2 without an archive, or with an unknown flag", async (box) => {
  await box.write("a.par", await archiveOf());
  for (const args of [[], ["a.par", "--unknown"], ["a.par", "-o", "xml"]]) {
    const { code, stdout, stderr } = await box.run(["inspect", ...args]);
    assert.equal(code, 2, args.join(" "));
    assert.equal(stdout, "");
    assert.notEqual(stderr, "");
  }
});

test("names the key it does not trust in full", async (box) => {
  // This public key holds an S with many letters behind it, as a seed would.
  const key = "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2";
  await box.write("a.par", await archiveOf({ bend: (payload) => payload["iss"] = key }));
  const { stderr } = await box.run(["inspect", "a.par"]);
  assert(stderr.includes(key), stderr);
});

test("lets no control character through to the terminal", async (box) => {
  const evil = "x\u001b[2J\u009b31m\u202etxt.exe\u0007\r\t\u0000y";
  const bend: ArchiveParts["bend"] = ({ wascap }) => {
    for (const field of ["name", "vendor", "ver", "capid"]) wascap[field] = evil;
    wascap.target_hashes[evil] = claimsHash("");
  };
  await box.write("a.par", await archiveOf({ bend }));
  for (const args of [["--claims-only"], [], ["-o", "json"], ["-o", "json", "--claims-only"]]) {
    const { stdout, stderr } = await box.run(["inspect", "a.par", ...args]);
    assert.doesNotMatch(stdout, CONTROL, `standard output of ${args.join(" ")}`);
    assert.doesNotMatch(stderr, CONTROL, `standard error of ${args.join(" ")}`);
  }
});

test("lets no control character through in an error", async (box) => {
  const evil = "x\u001b[2J\u009b31m\u202e\r\ny";
  const archives: ArchiveParts[] = [
    { header: { ...JOSE_HEADER, [evil]: 1 } },
    { header: { ...JOSE_HEADER, alg: evil } },
    { header: { ...JOSE_HEADER, typ: evil } },
    { bend: (payload) => payload["iss"] = evil },
    { bend: ({ wascap }) => wascap.target_hashes[evil] = "x" },
    { bend: ({ wascap }) => wascap.target_hashes[evil] = claimsHash("") },
  ];
  const files = await Promise.all(archives.map((parts) => archiveOf(parts)));
  files.push(concat(tarEntry({ name: evil }), TAR_END));
  for (const bytes of files) {
    await box.write("a.par", bytes);
    const { code, stdout, stderr } = await box.run(["inspect", "a.par", "-o", "json"]);
    assert.equal(code, 3);
    assert.doesNotMatch(stderr, CONTROL, stderr);
    assert.equal(stderr.split("\n").length, 2, "an error takes one line");
    assert.doesNotMatch(stdout, CONTROL, stdout);
  }
});

test("draws no lines of the table that an archive puts into its texts", async (box) => {
  const forged = "Good\n╠═══╣\n║ Issuer ║ AAAA ║";
  await box.write(
    "a.par",
    await archiveOf({ bend: ({ wascap }) => wascap.name = wascap.vendor = wascap.ver = forged }),
  );
  const { stdout } = await box.run(["inspect", "a.par"]);
  const rows = stdout.split("\n").filter((line) => /^║ (Issuer|Vendor|Version) /.test(line));
  assert.equal(rows.length, 3);
  assert.equal(stdout.split("\n").filter((line) => /Issuer/.test(line)).length, 4, stdout);
  // Title, eight rows, heading and two targets, and twelve lines of frame.
  assert.equal(stdout.trimEnd().split("\n").length, 12 + 12, stdout);
});

Deno.test("par inspect takes oci:// for a reference, though there is a file of that path", async () => {
  await using box = await sandbox();
  await Deno.mkdir(`${box.folder}/oci:/registry.invalid`, { recursive: true });
  await box.write("oci:/registry.invalid/fakepay:1.0", "");
  const file = await box.run(["inspect", "./oci:/registry.invalid/fakepay:1.0"]);
  assert.match(file.stderr, /ERR_ARCHIVE_EMPTY/);
  const reference = await box.run(["inspect", "oci://registry.invalid/fakepay:1.0"]);
  assert.notEqual(reference.code, 0);
  assert.doesNotMatch(reference.stderr, /ERR_ARCHIVE_EMPTY/);
});
