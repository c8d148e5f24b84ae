import assert from "node:assert/strict";
import { insert, inspect } from "../../mod.ts";
import { parseTarget } from "../../lib/target/mod.ts";
import { claimsHash, entriesOf, gzipped, payloadFor, signToken, tokenOf } from "../_archive.ts";
import { collect, concat, watched } from "../_bytes.ts";
import { type Sandbox, sandbox } from "../_cli.ts";
import { base256, paxEntry, TAR_END, tarEntry, tarHeader } from "../_tar.ts";
import { gzipBomb, writeChunks } from "./_bombs.ts";
import { assertFails, once, readContents, signers } from "./_fixtures.ts";
import { letGo, startHelper } from "./_process.ts";

const GIBIBYTE = 2 ** 30;
const MEBIBYTE = 2 ** 20;

/** The claims of an archive, and the header of a binary of a size. */
async function frontOf(size: number): Promise<Uint8Array<ArrayBuffer>> {
  const payload = payloadFor({});
  payload["wascap"].target_hashes = { "x86_64-linux": claimsHash("whatever") };
  return concat(
    tarEntry({ name: "claims.jwt", content: await signToken(payload) }),
    // A size that the header's eleven digits cannot hold is a pax record's.
    ...(size < 2 ** 33
      ? [tarHeader({ name: "x86_64-linux.bin", size })]
      : [paxEntry({ size: String(size) }), tarHeader({ name: "x86_64-linux.bin", size: 0 })]),
  );
}

/** Reads an archive in a process of its own: the codes, and the most memory it ever had, in bytes. */
async function readApart(s: Sandbox, ...args: string[]): Promise<[codes: string[], peak: number]> {
  const running = await startHelper(s, "inspect", "_reading.ts", args);
  await running.says("ready");
  const status = await Deno.readTextFile(`/proc/${running.process.pid}/status`);
  await letGo(running);
  const { stdout } = await running.output;
  const codes = JSON.parse(stdout.split("\n")[0] as string) as string[];
  return [codes, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024];
}

Deno.test({
  name: "a gzip member of 10 MB that unpacks to 10 GB is refused within bounds, in flat memory",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using s = await sandbox();
    // One huge binary, nothing but zeros behind an empty archive's end, and nothing but zeros.
    const bombs: readonly (readonly [string, Uint8Array, number])[] = [
      ["binary", await frontOf(10 * GIBIBYTE), 10 * GIBIBYTE],
      [
        "trailing",
        tarEntry({ name: "claims.jwt", content: await tokenOf({ binaries: {} }) }),
        2 * GIBIBYTE,
      ],
      ["zeros", new Uint8Array(0), 2 * GIBIBYTE],
    ];
    const peaks: number[] = [];
    for (const [name, front, zeros] of bombs) {
      const path = `${s.folder}/${name}.par.gz`;
      const length = writeChunks(path, gzipBomb(front, zeros));
      if (name === "binary") assert(length > 9 * MEBIBYTE && length < 12 * MEBIBYTE, `${length}`);
      const began = performance.now();
      const [codes, peak] = await readApart(s, path, `${100 * MEBIBYTE}`);
      assert(performance.now() - began < 120_000);
      // An archive's claims can be in order while the rest is a bomb that nobody unpacks.
      const claims = name === "zeros" ? "ERR_CLAIMS_MISSING" : "ok";
      assert.equal(codes[0], "ERR_LIMIT_SIZE");
      assert(codes[1] === claims || codes[1] === "ERR_LIMIT_SIZE", codes[1]);
      assert.equal(codes[2], "ERR_LIMIT_SIZE");
      assert(peak < 200 * MEBIBYTE, `${name}: ${peak}`);
      peaks.push(peak);
    }
    // The limits that hold where none is set.
    const [codes, peak] = await readApart(s, `${s.folder}/binary.par.gz`);
    assert.match(codes[0] ?? "", /^ERR_LIMIT_(RATIO|SIZE)$/);
    assert.match(codes[2] ?? "", /^ERR_LIMIT_(RATIO|SIZE)$/);
    // They let through a gibibyte and more, of which no more than a part is ever held.
    assert(peak < 400 * MEBIBYTE, `${peak}`);
    const most = Math.round(Math.max(...peaks) / MEBIBYTE);
    console.log(`gzip bombs refused: ${peaks.length}, the most memory taken: ${most} MiB`);
  },
});

Deno.test("--max-size bounds what every verb unpacks, in whatever unit", async () => {
  await using s = await sandbox();
  const path = "bomb.par.gz";
  writeChunks(`${s.folder}/${path}`, gzipBomb(await frontOf(GIBIBYTE), GIBIBYTE));
  const original = await s.read(path);
  const verbs = [
    ["inspect", path],
    ["verify", path, "-o", "json"],
    ["extract", path, "-a", "x86_64-linux"],
    ["insert", path, "-b", `mips-linux=${path}`],
    ["remove", path, "-a", "x86_64-linux"],
    ["merge", path, "--destination", "out.par"],
  ];
  const { issuer, subject } = await signers();
  const env = { WASH_ISSUER_KEY: issuer.seed(), WASH_SUBJECT_KEY: subject.seed() };
  const resigning = ["insert", "remove", "merge"];
  for (const [i, args] of verbs.entries()) {
    const size = ["10485760", "10M", "10240k", "10MiB", "10mb", "10m"][i] as string;
    const { code, stdout, stderr } = await s.run(
      [...args, "--max-size", size],
      resigning.includes(args[0] as string) ? { env } : {},
    );
    assert.equal(code, 3, stderr);
    assert.match(stdout + stderr, /ERR_LIMIT_SIZE/);
    assert.deepEqual(await s.list(), [path]);
  }
  assert.deepEqual(await s.read(path), original);
  for (const size of ["", "much", "-1", "1e3", "1.5G", "10X", "99999999999T"]) {
    const { code } = await s.run(["inspect", path, "--max-size", size]);
    assert.equal(code, 2, size);
  }
});

Deno.test("--max-size lets through what is exactly as large", async () => {
  const archive = concat(...await entriesOf(), TAR_END);
  const at = (maxSize: number): { limits: { maxSize: number } } => ({ limits: { maxSize } });
  for (const bytes of [archive, gzipped(archive)]) {
    await readContents(bytes, at(archive.length));
    await assertFails(readContents(bytes, at(archive.length - 1)), "ERR_LIMIT_SIZE");
    await assertFails(readContents(bytes, at(0)), "ERR_LIMIT_SIZE");
  }
});

Deno.test("a million entries are refused after some thousand of them", async () => {
  const kinds = {
    binaries: (i: number): Uint8Array => tarEntry({ name: `cpu${i}-linux.bin` }),
    "pax headers": (i: number): Uint8Array =>
      concat(paxEntry({ comment: "nothing" }), tarEntry({ name: `cpu${i}-linux.bin` })),
  };
  for (const [kind, entry] of Object.entries(kinds)) {
    const million = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 1_000_000; i++) yield entry(i);
      yield TAR_END;
    };
    const stream = watched(million());
    await assertFails(
      inspect({ name: kind, open: () => stream }),
      "ERR_LIMIT_ENTRIES",
    );
    assert(stream.read < 16 * MEBIBYTE, `${kind}: ${stream.read}`);
    assert(stream.closed);
  }
});

Deno.test("claims that are too large are refused by their header, and never read", async () => {
  for (const size of [2 * GIBIBYTE, MEBIBYTE + 1]) {
    const archive = async function* (): AsyncGenerator<Uint8Array> {
      yield tarHeader({ name: "claims.jwt", size });
      for (let at = 0; at < size; at += 65536) yield new Uint8Array(65536).fill(0x41);
    };
    const stream = watched(archive());
    await assertFails(inspect({ name: "large", open: () => stream }), "ERR_CLAIMS_TOO_LARGE");
    assert(stream.read < 200_000, `${stream.read}`);
    assert(stream.closed);
    await assertFails(
      readContents(gzipped(tarHeader({ name: "claims.jwt", size }))),
      "ERR_CLAIMS_TOO_LARGE",
    );
  }
});

Deno.test("sizes that are negative, overflow or cannot be are refused", async () => {
  const [claims = new Uint8Array(0)] = await entriesOf({ binaries: { "x86_64-linux": "" } });
  const negative = new Uint8Array(12).fill(0xff);
  const sizes: [string, string | Uint8Array][] = [
    ["a negative octal number", "-0000000001\0"],
    ["a negative number in base 256", negative],
    ["a large negative number in base 256", base256(1n, 0xff)],
    ["a number beyond 64 bits", base256(2n ** 70n)],
    ["a number that has no exact value here", base256(2n ** 53n)],
    ["all digits", "777777777777"],
    ["the largest of eleven digits", "77777777777\0"],
    ["the largest with an exact value", base256(2n ** 53n - 1n)],
    ["digits that are none", "00000000008\0"],
    ["hexadecimal digits", "0x000000010\0"],
    ["nothing", "\0\0\0\0\0\0\0\0\0\0\0\0"],
    ["spaces", "            "],
    ["a number and something else", "00000000001Z"],
    ["a plus sign", "+0000000001\0"],
    ["a marker of base 256 with other bits", base256(1n, 0xc0)],
  ];
  for (const [what, size] of sizes) {
    for (const name of ["x86_64-linux.bin", "claims.jwt"]) {
      const front = name === "claims.jwt" ? [] : [claims];
      const archive = concat(...front, tarHeader({ name, size }), new Uint8Array(4096));
      for (const bytes of [archive, gzipped(archive)]) {
        const error = await inspect({ name: what, open: () => once(bytes) })
          .then(() => undefined, (reason) => reason);
        assert.match(
          String(error?.code),
          /^ERR_(HEADER_SIZE|HEADER_INVALID|ARCHIVE_TRUNCATED|CLAIMS_TOO_LARGE|LIMIT_SIZE)$/,
          `${what}: ${error}`,
        );
      }
    }
  }
});

Deno.test("claims with a great many targets are told missing, in time", async () => {
  const payload = payloadFor({});
  for (let i = 0; i < 8000; i++) payload["wascap"].target_hashes[`t${i}`] = "0".repeat(64);
  const archive = concat(
    tarEntry({ name: "claims.jwt", content: await signToken(payload) }),
    TAR_END,
  );
  await assertFails(inspect(archive), "ERR_ENTRY_MISSING");
});

Deno.test("claims nested as deep as they may be long crash nothing", async () => {
  await using s = await sandbox();
  const depth = 100_000;
  for (const [open, close] of [["[", "]"], ['{"a":', "}"]] as const) {
    const schema = `${open.repeat(depth)}1${close.repeat(depth)}`;
    const text = JSON.stringify(payloadFor()).replace('"rev":1', `"config_schema":${schema}`);
    const token = [
      btoa('{"typ":"jwt","alg":"Ed25519"}').replaceAll("=", ""),
      btoa(text).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_"),
    ].join(".");
    const { issuer } = await signers();
    const signature = await issuer.sign(new TextEncoder().encode(token));
    const signed = `${token}.${
      btoa(String.fromCharCode(...signature))
        .replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_")
    }`;
    await s.write("deep.par", concat(...await entriesOf({ token: signed }), TAR_END));
    for (const args of [["-o", "json"], [], ["--jwt-only"]]) {
      const { code, stderr } = await s.run(["inspect", "deep.par", ...args]);
      assert.doesNotMatch(stderr, /RangeError|call stack| at /, args.join(" "));
      assert(code === 0 || code === 3, `${args.join(" ")}: ${code}`);
    }
    const binaries = [{ source: new Blob(["x"]), target: parseTarget("mips-linux") }];
    const error = await insert(`${s.folder}/deep.par`, { ...await signers(), binaries })
      .then(() => undefined, (reason) => reason);
    assert(error === undefined || error.category === "untrusted", String(error));
    assert.deepEqual(await s.list(), ["deep.par"]);
  }
});

Deno.test("a bomb that is made of gzip members is refused at its second", async () => {
  const member = await collect(async function* () {
    yield* gzipBomb(await frontOf(MEBIBYTE), MEBIBYTE);
  }());
  await assertFails(
    readContents(concat(gzipped(concat(...await entriesOf(), TAR_END)), member)),
    "ERR_GZIP_SECOND_MEMBER",
  );
});
