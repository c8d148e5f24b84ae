import assert from "node:assert/strict";
import { inspect } from "../../lib/verbs/inspect.ts";
import type { VerifiedArchive } from "../../lib/archive/reader.ts";
import { hostTarget } from "../../lib/target/target.ts";
import { claimsHash } from "../_archive.ts";
import { concat, noise } from "../_bytes.ts";
import { FIXED_KEYS, notesOf, REQUIRED, type Sandbox, sandbox } from "../_cli.ts";
import { elf, ELF_AARCH64, ELF_X86_64, fatMachO, pe } from "../_executable.ts";
import { ISSUER, OTHER_ISSUER, SUBJECT } from "../_keys.ts";
import { isInstalled, type Output, runTool } from "../_tools.ts";
import { WIT_BYTES } from "../_wit.ts";

const POSIX = Deno.build.os !== "windows";
const NO_CAPID = "Note: without --capid, wasmCloud hosts before 1.0 cannot load this archive.\n";

/** Runs a test in a sandbox with a binary, `lib.so`, for x86_64 Linux. */
function test(name: string, fn: (box: Sandbox) => Promise<void>, ignore = false): void {
  Deno.test({
    name: `create ${name}`,
    ignore,
    async fn() {
      await using box = await sandbox();
      await box.write("lib.so", ELF_X86_64);
      await fn(box);
    },
  });
}

/** Checks that a run ended well, and reads the archive. */
async function made(box: Sandbox, output: Output, file: string): Promise<VerifiedArchive> {
  assert.equal(output.code, 0, output.stderr);
  assert.equal(output.stdout, `Successfully created archive ${file}\n`);
  return await inspect(`${box.folder}/${file}`);
}

/** Checks that a run failed, said so in one line, and left nothing behind. */
async function failed(
  box: Sandbox,
  output: Output,
  code: number,
  error: string,
  files: readonly string[] = ["lib.so"],
): Promise<void> {
  assert.equal(output.code, code, output.stderr);
  assert.equal(output.stdout, "");
  assert.match(output.stderr, new RegExp(`^Error: Cannot .*\\[${error}\\]$`, "m"));
  assert.doesNotMatch(output.stderr, /^ +at /m, "a stack was printed");
  assert.deepEqual(await box.list(), files);
}

test("writes what every long flag says", async (box) => {
  await box.write("schema.json", '{"type": "object"}');
  await box.write("world.wasm", concat("\0asm", Uint8Array.of(0x0d, 0, 1, 0)));
  const output = await box.run([
    "create",
    ...FIXED_KEYS,
    ..."--vendor wasmCloud --capid examples:payments --version 1.0 --revision 7".split(" "),
    ..."--schema schema.json --arch x86_64-linux --binary lib.so --destination a.par".split(" "),
    ...["--name", "Fake Payments", "--output", "text"],
  ]);
  const { claims, compressed } = await made(box, output, "a.par");
  assert.equal(notesOf(output), "");
  assert.equal(compressed, false);
  assert.equal(claims.iss, ISSUER.publicKey);
  assert.equal(claims.sub, SUBJECT.publicKey);
  assert.deepEqual(claims.wascap, {
    name: "Fake Payments",
    capid: "examples:payments",
    vendor: "wasmCloud",
    rev: 7,
    ver: "1.0",
    target_hashes: { "x86_64-linux": claimsHash(ELF_X86_64) },
    config_schema: { type: "object" },
  });
});

test("takes every short name", async (box) => {
  await box.write("schema.json", "true");
  await box.write("issuer.nk", ISSUER.seed);
  await box.write("subject.nk", SUBJECT.seed);
  const output = await box.run([
    "create",
    ..."-n Short -v V -c a:b -r -3 -j schema.json -a x86_64-linux -b lib.so".split(" "),
    ..."-d keys -i issuer.nk -s subject.nk -o text --destination a.par".split(" "),
  ]);
  const { claims } = await made(box, output, "a.par");
  assert.equal(claims.wascap.rev, -3);
  assert.equal(claims.wascap.config_schema, true);
  assert.equal(claims.wascap.capid, "a:b");
});

test("takes every environment variable", async (box) => {
  await box.write("schema.json", "[1]");
  const output = await box.run(["create", ...REQUIRED, "-b", "lib.so"], {
    env: {
      WASH_ISSUER_KEY: ISSUER.seed,
      WASH_SUBJECT_KEY: SUBJECT.seed,
      WASH_JSON_SCHEMA: "schema.json",
    },
  });
  const { claims } = await made(box, output, "lib.par");
  assert.equal(claims.iss, ISSUER.publicKey);
  assert.equal(claims.sub, SUBJECT.publicKey);
  assert.deepEqual(claims.wascap.config_schema, [1]);
});

test("takes a flag before its variable, and an empty variable for none", async (box) => {
  await box.write("schema.json", "[1]");
  const output = await box.create(["-b", "lib.so", "-i", ISSUER.seed, "-s", SUBJECT.seed], {
    env: {
      WASH_ISSUER_KEY: OTHER_ISSUER.seed,
      WASH_SUBJECT_KEY: "",
      WASH_JSON_SCHEMA: "",
      WASH_KEYS: "",
      WIT_DIR: "",
      SOURCE_DATE_EPOCH: "",
    },
  });
  assert.equal((await made(box, output, "lib.par")).claims.iss, ISSUER.publicKey);
});

test("keeps keys in the folder that WASH_KEYS or --directory names", async (box) => {
  const env = { WASH_KEYS: `${box.folder}/env` };
  assert.equal((await box.run(["create", ...REQUIRED, "-b", "lib.so"], { env })).code, 0);
  const flags = ["-d", "flag"];
  assert.equal((await box.run(["create", ...REQUIRED, "-b", "lib.so", ...flags], { env })).code, 0);
  for (const folder of ["env", "flag"]) {
    const names = await Array.fromAsync(Deno.readDir(`${box.folder}/${folder}`), (e) => e.name);
    assert.deepEqual(names.sort(), ["kevin_account.nk", "lib_service.nk"]);
  }
  await assert.rejects(Deno.stat(box.keys), Deno.errors.NotFound);
});

for (
  const [flags, file, compressed] of [
    ["-b lib.so", "lib.par", false],
    ["-b ./lib.so --compress", "lib.par.gz", true],
    ["-b lib.so --destination out", "out", false],
    ["-b lib.so --destination out --compress", "out.gz", true],
    ["-b lib.so --destination out.par --compress", "out.par.gz", true],
    ["-b lib.so --destination out.gz --compress", "out.gz", true],
    ["-b lib.so --destination out.par.gz", "out.par.gz", false],
    ["--destination empty.par", "empty.par", false],
  ] as const
) {
  test(`${flags} writes ${file}`, async (box) => {
    const archive = await made(box, await box.create(flags.split(" ")), file);
    assert.equal(archive.compressed, compressed);
    assert.deepEqual(await box.list(), [file, "lib.so"].sort());
  });
}

test("pairs --arch with --binary in order", async (box) => {
  await box.write("arm.so", ELF_AARCH64);
  const output = await box.create(
    "-a x86_64-linux -b lib.so -b arm.so --arch aarch64-linux --destination a.par".split(" "),
  );
  const { binaries } = await made(box, output, "a.par");
  assert.deepEqual(binaries.map(({ target, sha256 }) => [target, sha256]), [
    ["aarch64-linux", claimsHash(ELF_AARCH64)],
    ["x86_64-linux", claimsHash(ELF_X86_64)],
  ]);
});

test("takes ARCH=PATH, beside binaries that are paired and binaries that say it themselves", async (box) => {
  await box.write("arm.so", ELF_AARCH64);
  await box.write("win=1.dll", pe(0x8664));
  await box.write("other", "a text");
  const output = await box.create([
    ..."-b aarch64-linux=arm.so -b lib.so -b ./win=1.dll -b s390x-linux=other".split(" "),
    ..."--destination a.par".split(" "),
  ]);
  const { binaries } = await made(box, output, "a.par");
  assert.deepEqual(binaries.map(({ target }) => target), [
    ..."aarch64-linux s390x-linux x86_64-linux x86_64-windows".split(" "),
  ]);
  const paired = await box.create([
    ..."-b aarch64-linux=arm.so -b lib.so -a x86_64-android --destination b.par".split(" "),
  ]);
  const second = await made(box, paired, "b.par");
  assert.deepEqual(second.binaries.map(({ target }) => target), [
    "aarch64-linux",
    "x86_64-android",
  ]);
});

test("refuses more or fewer --arch than --binary", async (box) => {
  for (
    const flags of ["-a x86_64-linux -a arm-linux -b lib.so", "-a x86_64-linux -b lib.so -b lib.so"]
  ) {
    await failed(box, await box.create(flags.split(" ")), 2, "ERR_USAGE");
  }
});

test("refuses a header that contradicts --arch, unless --force-arch is given", async (box) => {
  const flags = ["-a", "aarch64-linux", "-b", "lib.so"];
  const output = await box.create(flags);
  await failed(box, output, 1, "ERR_TARGET_MISMATCH");
  assert.match(output.stderr, /"lib\.so" for aarch64-linux: it is ELF for x86_64/);
  const forced = await box.create([...flags, "--force-arch"]);
  assert.deepEqual((await made(box, forced, "lib.par")).binaries[0]?.target, "aarch64-linux");
});

test("takes a file of no known format for this machine's target, with a warning", async (box) => {
  await box.write("provider.sh", "#!/bin/sh\n");
  const output = await box.create(["-b", "provider.sh", "-c", "a:b"]);
  assert.equal((await made(box, output, "provider.par")).binaries[0]?.target, hostTarget());
  assert.match(notesOf(output), /^Warning: "provider\.sh" is not an ELF, Mach-O or PE file.*\n$/);
});

test("refuses to choose among the machines of one binary", async (box) => {
  await box.write("lib.dylib", fatMachO([0x01000007, 0x0100000c]));
  const output = await box.create(["-b", "lib.dylib"]);
  await failed(box, output, 1, "ERR_TARGET_UNKNOWN", ["lib.dylib", "lib.so"]);
  assert.match(output.stderr, /x86_64-macos or aarch64-macos/);
});

test("takes a Rust triple for its target, and says so", async (box) => {
  const output = await box.create(["-c", "a:b", "-b", "x86_64-unknown-linux-gnu=lib.so"]);
  assert.equal((await made(box, output, "lib.par")).binaries[0]?.target, "x86_64-linux");
  assert.equal(
    notesOf(output),
    "Note: the target of the Rust triple x86_64-unknown-linux-gnu is x86_64-linux\n",
  );
});

test("takes armv7-linux, and says what hosts look for", async (box) => {
  await box.write("lib.so", elf({ machine: 40, bits: 32 }));
  const output = await box.create(["-c", "a:b", "-a", "armv7-linux", "-b", "lib.so"]);
  assert.equal((await made(box, output, "lib.par")).binaries[0]?.target, "armv7-linux");
  assert.equal(notesOf(output), "Warning: hosts look for arm-linux, not for armv7-linux\n");
});

test("warns of an object file by its name", async (box) => {
  await box.write("lib.o", elf({ machine: 62, type: 1 }));
  const output = await box.create(["-c", "a:b", "-b", "lib.o"]);
  await made(box, output, "lib.par");
  assert.equal(
    notesOf(output),
    'Warning: "lib.o" is an object file, which is not linked (ELF for x86_64); no host can run or ' +
      "load it\n",
  );
});

test("warns of a target that no host is known to look for", async (box) => {
  const output = await box.create(["-c", "a:b", "-b", "x86_64-testrunner=lib.so"]);
  await made(box, output, "lib.par");
  assert.match(notesOf(output), /^Warning: .*x86_64-testrunner.*\n$/);
});

test("without --capid says who cannot load the archive, in one line", async (box) => {
  const output = await box.create(["-b", "lib.so"]);
  const { claims } = await made(box, output, "lib.par");
  assert.equal(notesOf(output), NO_CAPID);
  assert(!("capid" in claims.wascap));
});

test("--capid together with WIT says that older hosts panic", async (box) => {
  await box.write("w.wasm", WIT_BYTES);
  const both = await box.create(["-b", "lib.so", "-c", "a:b", "--wit", "w.wasm"]);
  await made(box, both, "lib.par");
  assert.match(
    notesOf(both),
    /^Warning: hosts before 1\.0, .* panic .*provider-archive 0\.8 .*\n$/,
  );
  for (const flags of [["-c", "a:b"], ["--wit", "w.wasm"]]) {
    assert.doesNotMatch((await box.create(["-b", "lib.so", ...flags])).stderr, /panic/);
  }
});

test("without a binary makes an archive to insert into, which inspect reads with a warning", async (box) => {
  const output = await box.create(["--destination", "empty.par", "-c", "a:b"]);
  assert.deepEqual((await made(box, output, "empty.par")).binaries, []);
  const inspected = await box.run(["inspect", "empty.par"]);
  assert.equal(inspected.code, 0);
  assert.match(inspected.stderr, /^Warning: .*no binaries/);
});

test("without a binary and without a destination says what is missing", async (box) => {
  const output = await box.create([]);
  await failed(box, output, 2, "ERR_OPTION_INVALID");
  assert.match(output.stderr, /give its destination/);
});

test("sets the validity window in days from now", async (box) => {
  const before = Math.floor(Date.now() / 1000);
  const output = await box.create([..."-b lib.so --expires-in 30 --valid-in 0.5".split(" ")]);
  assert.equal(output.code, 0, output.stderr);
  const inspected = await box.run(["inspect", "lib.par"]);
  assert.equal(inspected.code, 3);
  assert.match(inspected.stderr, /\[ERR_TOKEN_NOT_YET_VALID\]/);
  const { claims } = await inspect(`${box.folder}/lib.par`, {
    now: new Date((before + 86400) * 1000),
  });
  for (const [time, days] of [[claims.exp, 30], [claims.nbf, 0.5]] as const) {
    const late = (time ?? 0) - before - days * 86400;
    assert(late >= 0 && late < 60, `${late} seconds`);
  }
});

test("counts days from SOURCE_DATE_EPOCH where that is set", async (box) => {
  const output = await box.create([..."-b lib.so --expires-in 36500 --valid-in 1".split(" ")], {
    env: { SOURCE_DATE_EPOCH: "1700000000" },
  });
  const { claims } = await made(box, output, "lib.par");
  assert.equal(claims.iat, 1_700_000_000);
  assert.equal(claims.exp, 1_700_000_000 + 36500 * 86400);
  assert.equal(claims.nbf, 1_700_000_000 + 86400);
});

test("gives equal bytes with SOURCE_DATE_EPOCH, whatever the order of the flags", async (box) => {
  await box.write("arm.so", ELF_AARCH64);
  await box.write("large.so", concat(ELF_X86_64, noise(3_000_000)));
  await box.write("schema.json", '{"b": 1, "a": [2]}');
  const env = { SOURCE_DATE_EPOCH: "1700000000" };
  const one = [
    ..."-c a:b --version 1.0 -r 1 -j schema.json --compress".split(" "),
    ..."-b large.so -b arm.so -b s390x-linux=lib.so --force-arch".split(" "),
  ];
  const other = [
    ..."--force-arch -b aarch64-linux=arm.so -a s390x-linux -b lib.so --jobs 1".split(" "),
    ..."--compress -b x86_64-linux=large.so -j schema.json -r 1 --version 1.0 -c a:b".split(" "),
  ];
  await made(box, await box.create([...one, "--destination", "1.par.gz"], { env }), "1.par.gz");
  await made(box, await box.create([...other, "--destination", "2.par.gz"], { env }), "2.par.gz");
  assert.deepEqual(await box.read("2.par.gz"), await box.read("1.par.gz"));
});

test("gives each archive an id of its own without SOURCE_DATE_EPOCH", async (box) => {
  const ids = [];
  for (const file of ["1.par", "2.par"]) {
    const output = await box.create(["-b", "lib.so", "--destination", file]);
    ids.push((await made(box, output, file)).claims.jti);
  }
  assert.notEqual(ids[0], ids[1]);
});

test("-o json prints one object on standard output, and notes elsewhere", async (box) => {
  for (const flags of ["-o json", "-ojson", "--output json", "--output=json"]) {
    const output = await box.create(["-b", "lib.so", "--compress", ...flags.split(" ")]);
    assert.equal(output.code, 0, output.stderr);
    assert.deepEqual(JSON.parse(output.stdout), { file: "lib.par.gz", success: true });
    assert.equal(notesOf(output), NO_CAPID);
  }
});

test("-o json prints failures as an object too", async (box) => {
  for (
    const [flags, code, error] of [
      [["-b", "missing.so", ...REQUIRED], 1, "ERR_FILE_NOT_FOUND"],
      [["-b", "lib.so"], 2, "ERR_USAGE"],
      [["-b", "lib.so", ...REQUIRED, "--unknown"], 2, "ERR_USAGE"],
      [["-b", "lib.so", ...REQUIRED, "-r", "x"], 2, "ERR_OPTION_INVALID"],
    ] as const
  ) {
    const output = await box.run(["create", ...FIXED_KEYS, ...flags, "-o", "json"]);
    assert.equal(output.code, code, output.stderr);
    const { success, error: failure, ...rest } = JSON.parse(output.stdout);
    assert.equal(success, false);
    assert.equal(failure.code, error);
    assert.deepEqual(Object.keys(failure), ["code", "message"]);
    assert.deepEqual(rest, {});
    assert.notEqual(output.stderr, "");
  }
});

test("replaces an archive that is there", async (box) => {
  await box.write("lib.par", "old");
  await made(box, await box.create(["-b", "lib.so"]), "lib.par");
});

test("tells where the archive's name and --compress do not go together", async (box) => {
  const stderr = async (...flags: string[]): Promise<string> =>
    notesOf(await box.create(["-b", "lib.so", "-c", "a:b", ...flags]));
  assert.equal(
    await stderr("--destination", "a.par", "--compress"),
    'Note: the archive is "a.par.gz", because --compress adds .gz to the name.\n',
  );
  assert.equal(
    await stderr("--destination", "b.par.gz"),
    'Warning: "b.par.gz" is not compressed, and its name ends in .gz (see --compress)\n',
  );
  assert.equal(await stderr("--destination", "c.par.gz", "--compress"), "");
  assert.equal(await stderr("--compress"), "");
  assert.deepEqual(await box.list(), ["a.par.gz", "b.par.gz", "c.par.gz", "lib.par.gz", "lib.so"]);
});

test("ends with size, targets, issuer and the next command, for people", async (box) => {
  const args = ["-b", "lib.so", "-c", "a:b", "--destination", "it's.par"];
  const { stdout, stderr } = await box.create(args);
  assert.equal(stdout, "Successfully created archive it's.par\n");
  const size = (await box.read("it's.par")).length / 1024;
  assert.equal(
    stderr,
    `  size     ${size.toFixed(1)} KiB\n  targets  x86_64-linux\n` +
      `  issuer   ${ISSUER.publicKey}\n  next     par inspect 'it'\\''s.par'\n`,
  );
  for (const flags of [["-q"], ["-o", "json"]]) {
    assert.equal((await box.create([...args, ...flags])).stderr, "");
  }
  assert.equal((await box.create([...args, "-q"])).stdout, "");
});

test("writes to standard output when asked to, and nothing else there", async (box) => {
  const output = await box.create(["-b", "lib.so", "--destination", "-"]);
  assert.equal(output.code, 0, output.stderr);
  assert.equal(output.stdout.slice(0, 10), "claims.jwt");
  assert.doesNotMatch(output.stdout, /Successfully/);
  assert.deepEqual(await box.list(), ["lib.so"]);
});

// Keys.
const announcement = (path: string): string =>
  `No keypair found in "${path}".\n` +
  "We will generate one for you and place it there.\n" +
  "If you'd like to use alternative keys, you can supply them as a flag.\n\n";

test("makes missing keys, in the document's words, and uses them the next time", async (box) => {
  const run = (): Promise<Output> => box.run(["create", ...REQUIRED, "-c", "a:b", "-b", "lib.so"]);
  const first = await run();
  const { claims } = await made(box, first, "lib.par");
  const [issuer, subject] = [`${box.keys}/kevin_account.nk`, `${box.keys}/lib_service.nk`];
  const signedWith = (end: string): string =>
    `Note: the issuer is ${claims.iss}, with the key "${issuer}".\n` +
    `Note: the provider is ${claims.sub}, with the key "${subject}"${end}.\n`;
  assert.equal(notesOf(first), announcement(issuer) + announcement(subject) + signedWith(""));
  const second = await run();
  const shared = ", which all binaries of this name share";
  assert.equal(notesOf(second), signedWith(shared));
  const again = await made(box, second, "lib.par");
  assert.equal(again.claims.iss, claims.iss);
  assert.equal(again.claims.sub, claims.sub);
});

test("keeps keys where their owner alone reads, the seed and nothing else", async (box) => {
  assert.equal((await box.run(["create", ...REQUIRED, "-b", "lib.so"])).code, 0);
  const modeOf = async (path: string): Promise<number> =>
    ((await Deno.stat(path)).mode ?? 0) & 0o777;
  assert.equal(await modeOf(box.keys), 0o700);
  for (const [name, letters] of [["kevin_account.nk", "SA"], ["lib_service.nk", "SV"]]) {
    const path = `${box.keys}/${name}`;
    assert.equal(await modeOf(path), 0o600);
    assert.match(await Deno.readTextFile(path), new RegExp(`^${letters}[A-Z2-7]{56}$`));
  }
}, !POSIX);

test("names the issuer's key after the user, or after nobody", async (box) => {
  for (
    const [env, unset, name] of [
      [{ USER: "ada" }, [], "ada_account.nk"],
      [{}, ["USER"], "user_account.nk"],
      [{ USER: "" }, [], "user_account.nk"],
    ] as const
  ) {
    const output = await box.run(["create", ...REQUIRED, "-b", "lib.so"], { env, unset });
    assert.equal(output.code, 0, output.stderr);
    assert((await Deno.stat(`${box.keys}/${name}`)).isFile);
  }
}, !POSIX);

test("says what to do where there is no home directory", async (box) => {
  const output = await box.run(["create", ...REQUIRED, "-b", "lib.so"], { unset: ["HOME"] });
  await failed(box, output, 2, "ERR_OPTION_INVALID");
  assert.match(output.stderr, /--directory or WASH_KEYS/);
}, !POSIX);

test("ends with one key of each kind, however many run at once", async (box) => {
  const outputs = await Promise.all(
    Array.from(
      { length: 4 },
      (_, i) => box.run(["create", ...REQUIRED, "-b", "lib.so", "--destination", `${i}.par`]),
    ),
  );
  const keys = new Set<string>();
  for (const [i, output] of outputs.entries()) {
    const { claims } = await made(box, output, `${i}.par`);
    keys.add(`${claims.iss} ${claims.sub}`);
  }
  assert.equal(keys.size, 1);
  const names = await Array.fromAsync(Deno.readDir(box.keys), ({ name }) => name);
  assert.deepEqual(names.sort(), ["kevin_account.nk", "lib_service.nk"]);
});

test("--disable-keygen fails where a key is missing, in the words people know", async (box) => {
  const output = await box.run(["create", ...REQUIRED, "-b", "lib.so", "--disable-keygen"]);
  assert.equal(output.code, 1);
  assert.equal(
    output.stderr,
    `Error: No keypair found in ${box.keys}/kevin_account.nk, please ensure key exists or supply ` +
      `one as a flag; it is not in ${box.home}/.local/share/wash/keys/kevin_account.nk either ` +
      "(see --issuer, --subject, --directory) [ERR_KEY_NOT_FOUND]\n",
  );
  assert.deepEqual(await box.list(), ["lib.so"]);
  await assert.rejects(Deno.stat(box.keys), Deno.errors.NotFound);
});

test("makes no keys for an archive that it cannot make", async (box) => {
  await box.write("empty.so", "");
  await box.write("fat.dylib", fatMachO([0x01000007, 0x0100000c]));
  await box.write("text.json", "no JSON");
  await Deno.mkdir(`${box.folder}/folder`);
  const files = await box.list();
  for (
    const [flags, error] of [
      ["-b missing.so", "ERR_FILE_NOT_FOUND"],
      ["-b .", "ERR_FILE_UNREADABLE"],
      ["-b empty.so", "ERR_BINARY_EMPTY"],
      ["-b lib.so -b empty.so", "ERR_BINARY_EMPTY"],
      ["-b fat.dylib", "ERR_TARGET_UNKNOWN"],
      ["-b lib.so -a aarch64-linux", "ERR_TARGET_MISMATCH"],
      ["-b lib.so -a x/y", "ERR_TARGET_INVALID"],
      ["-b lib.so -b lib.so", "ERR_TARGET_DUPLICATE"],
      ["-b lib.so -r x", "ERR_OPTION_INVALID"],
      ["-b lib.so -r 2147483648", "ERR_OPTION_INVALID"],
      ["-b lib.so --expires-in 1 --valid-in 2", "ERR_OPTION_INVALID"],
      ["-b lib.so --compress --compress-level 10", "ERR_OPTION_INVALID"],
      ["-b lib.so --jobs 0", "ERR_OPTION_INVALID"],
      ["-b lib.so --schema text.json", "ERR_SCHEMA_INVALID"],
      ["-b lib.so --wit text.json", "ERR_WIT_INVALID"],
      ["-b lib.so --destination missing/a.par", "ERR_FILE_UNWRITABLE"],
      ["-b lib.so --destination lib.so/a.par", "ERR_FILE_UNWRITABLE"],
      ["-b lib.so --destination folder", "ERR_FILE_UNWRITABLE"],
      [`-b lib.so -i ${ISSUER.seed} --disable-keygen`, "ERR_KEY_NOT_FOUND"],
      ["-b lib.so -i missing.nk", "ERR_FILE_NOT_FOUND"],
      ["-b lib.so -s missing.nk", "ERR_FILE_NOT_FOUND"],
    ] as const
  ) {
    const output = await box.run(["create", ...REQUIRED, ...flags.split(" ")]);
    assert(output.stderr.includes(`[${error}]`), `${flags}: ${output.stderr}`);
    assert.doesNotMatch(output.stderr, /No keypair found in "/);
    await assert.rejects(Deno.stat(box.keys), Deno.errors.NotFound, flags);
    assert.deepEqual(await box.list(), files);
  }
});

test("makes no key of one kind where that of the other cannot be used", async (box) => {
  await Deno.mkdir(box.keys, { recursive: true });
  await Deno.writeTextFile(`${box.keys}/lib_service.nk`, "no seed");
  const output = await box.run(["create", ...REQUIRED, "-b", "lib.so"]);
  await failed(box, output, 1, "ERR_KEY_INVALID");
  const names = await Array.fromAsync(Deno.readDir(box.keys), ({ name }) => name);
  assert.deepEqual(names, ["lib_service.nk"]);
});

for (
  const [what, flags, error] of [
    ["a subject's seed as issuer", ["-i", SUBJECT.seed, "-s", SUBJECT.seed], "ERR_KEY_ROLE"],
    ["an issuer's seed as subject", ["-i", ISSUER.seed, "-s", ISSUER.seed], "ERR_KEY_ROLE"],
    [
      "a checksum that is off by one character",
      ["-i", ISSUER.seed.slice(0, -1) + "A", "-s", SUBJECT.seed],
      "ERR_KEY_CHECKSUM",
    ],
    [
      "a key file that is not there",
      ["-i", "missing.nk", "-s", SUBJECT.seed],
      "ERR_FILE_NOT_FOUND",
    ],
    ["a key file that is a folder", ["-i", ".", "-s", SUBJECT.seed], "ERR_FILE_UNREADABLE"],
    ["a key file of another kind", ["-i", "lib.so", "-s", SUBJECT.seed], "ERR_KEY_INVALID"],
  ] as const
) {
  test(`refuses ${what}`, async (box) => {
    await failed(box, await box.create(["-b", "lib.so", ...flags]), 1, error);
  });
}

test("never shows a seed that was put in the wrong place or mistyped", async (box) => {
  const { seed } = ISSUER;
  for (
    const args of [
      ["create", seed],
      [seed],
      ["create", `--isuer=${seed}`],
      ["create", "--isuer", seed],
      ["create", ...REQUIRED, "-b", seed],
      ["create", ...REQUIRED, "-b", "lib.so", "-a", seed],
      ["create", ...REQUIRED, "-b", "lib.so", "-r", seed],
      ["create", ...REQUIRED, "-b", "lib.so", "-j", seed],
      ["create", ...REQUIRED, "-b", "lib.so", "-i", seed.slice(1), "-s", seed],
      ["create", ...REQUIRED, "-b", "lib.so", "-i", `${seed.slice(0, 30)} ${seed.slice(30)}`],
      ["create", ...REQUIRED, "-b", "lib.so", "-i", `"${seed}"`],
      ["create", ...REQUIRED, "-b", "lib.so", "-d", seed, "--disable-keygen"],
      ["inspect", seed],
    ]
  ) {
    for (const json of [[], ["-o", "json"]]) {
      // The sandbox looks through what is printed.
      const run = box.run([...args, ...json]);
      await assert.doesNotReject(run, args.map((arg) => arg.replaceAll(seed, "SEED")).join(" "));
      assert.notEqual((await run).code, 0);
    }
  }
});

// Bad input.
for (
  const [what, flags, code, error] of [
    ["a binary that is not there", "-b missing.so", 1, "ERR_FILE_NOT_FOUND"],
    ["a folder as binary", "-b .", 1, "ERR_FILE_UNREADABLE"],
    ["a target that cannot be a name", "-b lib.so -a ../x", 2, "ERR_TARGET_INVALID"],
    ["a target twice", "-b lib.so -b x86_64-linux=lib.so", 2, "ERR_TARGET_DUPLICATE"],
    ["a revision that is a word", "-b lib.so -r one", 2, "ERR_OPTION_INVALID"],
    ["a revision that is a fraction", "-b lib.so -r 1.0", 2, "ERR_OPTION_INVALID"],
    ["a revision past 32 bits", "-b lib.so -r 2147483648", 2, "ERR_OPTION_INVALID"],
    ["a schema that is not there", "-b lib.so -j schema.json", 1, "ERR_FILE_NOT_FOUND"],
    ["a schema that is not JSON", "-b lib.so -j lib.so", 1, "ERR_SCHEMA_INVALID"],
    ["a negative number of days", "-b lib.so --expires-in=-1", 2, "ERR_OPTION_INVALID"],
    ["a word for days", "-b lib.so --valid-in soon", 2, "ERR_OPTION_INVALID"],
    ["no days at all", "-b lib.so --expires-in 0", 2, "ERR_OPTION_INVALID"],
    [
      "an end before the beginning",
      "-b lib.so --expires-in 1 --valid-in 2",
      2,
      "ERR_OPTION_INVALID",
    ],
    [
      "a destination in a missing folder",
      "-b lib.so --destination no/a.par",
      1,
      "ERR_FILE_UNWRITABLE",
    ],
    ["a destination that is a folder", "-b lib.so --destination .", 1, "ERR_FILE_UNWRITABLE"],
    ["a destination below a file", "-b lib.so --destination lib.so/a", 1, "ERR_FILE_UNWRITABLE"],
  ] as const
) {
  test(`refuses ${what}`, async (box) => {
    await failed(box, await box.create(flags.split(" ")), code, error);
  });
}

test("refuses a SOURCE_DATE_EPOCH that is no time", async (box) => {
  for (const text of ["yesterday", "1.5", "-1", "99999999999999999999"]) {
    const output = await box.create(["-b", "lib.so"], { env: { SOURCE_DATE_EPOCH: text } });
    await failed(box, output, 2, "ERR_OPTION_INVALID");
  }
});

test("refuses an end that is past all dates, instead of leaving it out", async (box) => {
  const output = await box.create(["-b", "lib.so", "--expires-in", "1"], {
    env: { SOURCE_DATE_EPOCH: "9000000000000000" },
  });
  await failed(box, output, 2, "ERR_OPTION_INVALID");
});

test("leaves an archive that is there as it is where it fails", async (box) => {
  await box.write("lib.par", "old");
  for (
    const flags of [["-b", "missing.so", "--destination", "lib.par"], [
      "-b",
      "lib.so",
      "-a",
      "arm-linux",
    ]]
  ) {
    assert.notEqual((await box.create(flags)).code, 0);
    assert.equal(new TextDecoder().decode(await box.read("lib.par")), "old");
    assert.deepEqual(await box.list(), ["lib.par", "lib.so"]);
  }
});

test("says what is missing of the required flags", async (box) => {
  const output = await box.run(["create", "-b", "lib.so", "-n", "x"]);
  assert.equal(output.code, 2);
  assert.match(output.stderr, /--vendor/);
  assert.equal(output.stdout, "");
});

/** Runs a shell's words in a mount namespace of its own, where a small disk may be mounted. */
const NAMESPACE = ["unshare", "--map-root-user", "--mount", "sh", "-c"];
const SMALL_DISK = 'mount -t tmpfs -o size=256k tmpfs disk && echo old > disk/a.par && "$@"\n' +
  "code=$?; ls -A disk > left; cp disk/a.par kept; exit $code";
const mayMount = (await runTool(NAMESPACE[0] as string, [
  ...NAMESPACE.slice(1),
  "mount -t tmpfs tmpfs /tmp",
]).catch(() => ({ code: 1 }))).code === 0;

test(
  "reports a full disk, leaves no part of a file and the old archive (needs unshare)",
  async (box) => {
    await Deno.mkdir(`${box.folder}/disk`);
    await box.write("large", noise(1_000_000));
    for (const compress of [[], ["--compress"]]) {
      const output = await box.create(
        ["-b", "x86_64-linux=large", "--destination", "disk/a.par", ...compress],
        { through: [...NAMESPACE, SMALL_DISK, "sh"] },
      );
      assert.equal(output.code, 1, output.stderr);
      assert.match(output.stderr, /No space left on device.*\[ERR_FILE_UNWRITABLE\]/);
      assert.equal(await Deno.readTextFile(`${box.folder}/left`), "a.par\n");
      assert.equal(await Deno.readTextFile(`${box.folder}/kept`), "old\n");
    }
  },
  !mayMount,
);

/** Root reads and writes whatever the permissions say, unless it gives these powers up. */
const PLAIN = Deno.uid() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
const permissionsCount = POSIX && (Deno.uid() !== 0 || isInstalled("setpriv"));

test(
  "reports a folder that it may not write to (needs setpriv where root runs it)",
  async (box) => {
    await Deno.mkdir(`${box.folder}/closed`);
    await Deno.writeTextFile(`${box.folder}/closed/a.par`, "old");
    await Deno.chmod(`${box.folder}/closed`, 0o555);
    const output = await box.create(["-b", "lib.so", "--destination", "closed/a.par"], {
      through: PLAIN,
    });
    await failed(box, output, 1, "ERR_FILE_UNWRITABLE", ["closed", "lib.so"]);
    assert.match(output.stderr, /Permission denied/);
    assert.equal(await Deno.readTextFile(`${box.folder}/closed/a.par`), "old");
  },
  !permissionsCount,
);

test("reports files that it may not read (needs setpriv where root runs it)", async (box) => {
  await Deno.chmod(await box.write("closed", ISSUER.seed), 0);
  for (
    const flags of [["-b", "closed"], ["-b", "lib.so", "-i", "closed"], [
      "-b",
      "lib.so",
      "-j",
      "closed",
    ]]
  ) {
    const output = await box.create(flags, { through: PLAIN });
    await failed(box, output, 1, "ERR_FILE_UNREADABLE", ["closed", "lib.so"]);
    assert.match(output.stderr, /Permission denied/);
  }
}, !permissionsCount);

Deno.test("create refuses a key directory that is named like an archive, and makes none", async () => {
  await using box = await sandbox();
  await box.write("lib.so", ELF_X86_64);
  for (const name of ["kv.par", "kv.par.gz"]) {
    const { code, stderr } = await box.run(["create", ...REQUIRED, "-b", "lib.so", "-d", name]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /named like an archive; give the archive with --destination/);
  }
  assert.deepEqual(await box.list(), ["lib.so"]);
});
