import assert from "node:assert/strict";
import { KeyPair, PREDICATE_TYPES, signerOf } from "../lib/signing/mod.ts";
import { makeDist } from "../scripts/dist.ts";
import { denoDir, FIXED_KEYS, REQUIRED, sandbox } from "./_cli.ts";
import { testWith, type Tool } from "./examples/_example.ts";
import { elf } from "./_executable.ts";
import { ISSUER } from "./_keys.ts";
import { hasCosign, hasOpenssl } from "./registry/_registry.ts";
import { type Output, ROOT, runTool, serveFolder, temporaryFolder } from "./_tools.ts";

const COSIGN: Tool = { name: "cosign", isThere: () => hasCosign };
const OPENSSL: Tool = { name: "openssl", isThere: () => hasOpenssl };

/** A release's folder, and a user of it who has Deno, and no network but loopback. */
interface Release extends AsyncDisposable {
  /** Where the release is. */
  readonly dist: string;
  /** Where the user works. */
  readonly folder: string;
  /** The address under which the release is served, without a slash at its end. */
  readonly url: string;
  /** What was asked of any other host, of which nothing is answered. */
  readonly strayed: readonly string[];
  /** Runs a program in the user's folder, where Deno has an empty cache. */
  run(program: string, ...args: string[]): Promise<Output>;
}

async function release(): Promise<Release> {
  await using stack = new AsyncDisposableStack();
  const { path } = stack.use(await temporaryFolder());
  const [dist, folder, bin] = [`${path}/a release`, `${path}/work`, `${path}/bin`];
  await makeDist(dist);
  for (const name of [folder, bin, `${path}/home`]) await Deno.mkdir(name);
  await Deno.symlink(Deno.execPath(), `${bin}/deno`);
  const served = stack.use(serveFolder(dist));
  const strayed: string[] = [];
  const proxy = stack.use(
    Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      strayed.push(`${request.method} ${request.url}`);
      return new Response(null, { status: 403 });
    }),
  );
  const elsewhere = `http://127.0.0.1:${proxy.addr.port}`;
  const env = {
    HOME: `${path}/home`,
    USER: "kevin",
    PATH: `${bin}:/usr/bin:/bin`,
    DENO_DIR: `${path}/cache`,
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
    SOURCE_DATE_EPOCH: "1700000000",
    HTTP_PROXY: elsewhere,
    HTTPS_PROXY: elsewhere,
    NO_PROXY: "127.0.0.1",
  };
  const owned = stack.move();
  return {
    dist,
    folder,
    url: `http://127.0.0.1:${served.addr.port}`,
    strayed,
    run: (program, ...args) => runTool(program, args, { cwd: folder, env, clearEnv: true }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A binary that is compressed in several blocks. */
function largeBinary(): Uint8Array {
  const header = elf({ machine: 62 });
  const bytes = new Uint8Array(6_000_000);
  bytes.set(header);
  for (let at = header.length; at < bytes.length; at++) bytes[at] = (at * at) >> 7;
  return bytes;
}

/** Tells on standard error how many answers workers gave. */
const COUNT_ANSWERS = `
let answers = 0;
globalThis.Worker = class extends Worker {
  set onmessage(take) { super.onmessage = (event) => { answers++; take(event); }; }
};
addEventListener("unload", () => console.error(answers + " answers"));
`;

const CREATE = [
  ...["create", ...REQUIRED, ...FIXED_KEYS],
  ...["--binary", "lib.so", "--destination", "a.par.gz", "--compress", "--jobs", "2"],
];

/** Runs `par.js` from an address or a path, with all that it is promised to do without a network. */
async function expectPar(user: Release, ...command: readonly string[]): Promise<void> {
  const [deno = "", ...words] = command;
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const printed = await user.run(deno, ...words, "--version");
  assert.deepEqual(printed, { code: 0, stdout: `${version}\n`, stderr: "" });

  await using box = await sandbox();
  for (const folder of [box.folder, user.folder]) {
    await Deno.writeFile(`${folder}/lib.so`, largeBinary());
  }
  const created = await user.run(deno, ...words, ...CREATE);
  assert.equal(created.code, 0, created.stderr);
  assert.equal(created.stdout, "Successfully created archive a.par.gz\n");
  const own = await box.run(CREATE, { env: { SOURCE_DATE_EPOCH: "1700000000" } });
  assert.equal(own.code, 0, own.stderr);
  assert.deepEqual(await Deno.readFile(`${user.folder}/a.par.gz`), await box.read("a.par.gz"));

  for (const verb of ["inspect", "verify"]) {
    const { code, stdout, stderr } = await user.run(deno, ...words, verb, "a.par.gz");
    assert.equal(code, 0, stderr);
    assert.equal(stdout, (await box.run([verb, "a.par.gz"])).stdout);
  }
  assert.deepEqual(user.strayed, []);
}

Deno.test("par.js of a release runs from a file, and fetches nothing", async () => {
  await using user = await release();
  const offline = ["--no-prompt", "--no-remote", "--no-npm", "-RWE"];
  await expectPar(user, "deno", "run", ...offline, `${user.dist}/par.js`);
});

Deno.test("par.js of a release runs from a URL, and fetches nothing else", async () => {
  await using user = await release();
  await expectPar(user, "deno", "run", "--no-prompt", "--quiet", "-RWE", `${user.url}/par.js`);
});

Deno.test("par.js of a release compresses in workers, from a file and from a URL", async () => {
  await using user = await release();
  await Deno.writeFile(`${user.folder}/lib.so`, largeBinary());
  await Deno.writeTextFile(`${user.folder}/count.js`, COUNT_ANSWERS);
  for (const place of [user.dist, user.url]) {
    const run = ["run", "--no-prompt", "--quiet", "-RWE", "--preload", "./count.js"];
    const { code, stderr } = await user.run("deno", ...run, `${place}/par.js`, ...CREATE);
    assert.equal(code, 0, stderr);
    // Six blocks of 1 MiB; shorter segments are not sent to workers.
    assert.match(stderr, /^[6-9] answers$/m);
  }
});

Deno.test("par of a release runs the par.js beside it, also through a link", async () => {
  await using user = await release();
  await Deno.symlink(`${user.dist}/par`, `${user.folder}/link`);
  await expectPar(user, `${user.dist}/par`);
  await expectPar(user, `${user.folder}/link`);
});

Deno.test("par of a release asks for a Deno that is new enough", async () => {
  await using user = await release();
  for (const print of ["deno 2.5.3", "deno 1.46.3", ""]) {
    const text = `#!/bin/sh\necho "${print}"\n`;
    const deno = await Deno.realPath(user.folder) + "/deno";
    await Deno.writeTextFile(deno, text);
    await Deno.chmod(deno, 0o755);
    const line = `PATH="$PWD:$PATH" "${user.dist}/par" --version`;
    const { code, stdout, stderr } = await user.run("sh", "-c", line);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^Cannot find Deno \d+\.\d+\.\d+ or newer on the PATH: install it /);
  }
});

Deno.test("SHA256SUMS of a release has the digest of every other file", async () => {
  await using user = await release();
  const check = ["-c", `cd "${user.dist}" && sha256sum --check --strict SHA256SUMS`];
  const { code, stdout, stderr } = await user.run("sh", ...check);
  assert.equal(code, 0, stderr);
  const named = stdout.trimEnd().split("\n").map((line) => line.replace(/: OK$/, ""));
  assert.deepEqual([...named, "SHA256SUMS"].sort(), await filesOf(user.dist));
  for (const path of ["par", "par.js", "mod.ts", "cli.ts", "deno.json", "lib/errors.ts"]) {
    assert(named.includes(path), path);
  }
});

Deno.test("a release has the same bytes wherever it is made", async () => {
  await using user = await release();
  // Another checkout, whose packages are in another place.
  const [checkout, cache] = [`${user.folder}/a checkout`, `${user.folder}/cache`];
  for (const name of ["cli.lock", "cli.ts", "deno.json", "deno.lock", "lib", "LICENSE", "mod.ts"]) {
    await copy(`${ROOT}/${name}`, `${checkout}/${name}`);
  }
  await copy(`${ROOT}/scripts`, `${checkout}/scripts`);
  await Deno.mkdir(cache);
  for (const name of ["npm", "dl"]) {
    await Deno.symlink(`${await denoDir()}/${name}`, `${cache}/${name}`);
  }
  const script = ["run", "--quiet", "-A", `${checkout}/scripts/dist.ts`, "there"];
  const { code, stderr } = await runTool(Deno.execPath(), script, {
    cwd: user.folder,
    env: { DENO_DIR: cache },
  });
  assert.equal(code, 0, stderr);
  const files = await filesOf(user.dist);
  assert.deepEqual(await filesOf(`${user.folder}/there`), files);
  for (const file of files) {
    const [here, there] = await Promise.all(
      [user.dist, `${user.folder}/there`].map((folder) => Deno.readTextFile(`${folder}/${file}`)),
    );
    assert(here === there, file);
  }
  // Paths of this machine would be what differs on others.
  const text = await Deno.readTextFile(`${user.dist}/par.js`);
  for (const path of [ROOT, await denoDir(), "/npm/"]) assert(!text.includes(path), path);
});

Deno.test("LICENSES.txt of a release names every package that is in par.js", async () => {
  await using user = await release();
  const text = await Deno.readTextFile(`${user.dist}/LICENSES.txt`);
  const { npm } = JSON.parse(await Deno.readTextFile(`${ROOT}/cli.lock`));
  for (const id of Object.keys(npm)) assert.match(text, new RegExp(`^${id}: .+$`, "m"));
  assert.match(text, /Permission is hereby granted/);
});

/** The keys that a release may be signed with, by how openssl makes them; the last is an nkey's seed. */
const KEYS: readonly (readonly [name: string, args: readonly string[]])[] = [
  ["ECDSA with P-256", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]],
  ["Ed25519", ["-algorithm", "ed25519"]],
  ["an nkey", []],
];

testWith(
  [COSIGN, OPENSSL],
  "cosign verifies each file of a signed release, and no other file",
  async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    const openssl = (...args: string[]) => runTool("openssl", args, { cwd: path });
    for (const [name, args] of KEYS) {
      if (args.length === 0) {
        await Deno.writeTextFile(`${path}/key`, `${ISSUER.seed}\n`);
        const { key } = await signerOf(await KeyPair.fromSeed(ISSUER.seed));
        await Deno.writeTextFile(`${path}/key.pub`, key.pem());
      } else {
        await openssl("genpkey", ...args, "-out", "key");
        await openssl("pkey", "-in", "key", "-pubout", "-out", "key.pub");
      }
      const script = ["run", "--quiet", "-A", `${ROOT}/scripts/dist.ts`, "--key", "key", "dist"];
      const made = await runTool(Deno.execPath(), script, { cwd: path });
      assert.equal(made.code, 0, made.stderr);
      await Deno.writeTextFile(`${path}/dist/other`, "");
      const verify = (file: string): Promise<Output> =>
        runTool("cosign", [
          ...["verify-blob-attestation", "--key", "../key.pub", "--insecure-ignore-tlog"],
          ...["--bundle", "SHA256SUMS.sigstore.json", "--type", PREDICATE_TYPES.signature, file],
        ], { cwd: `${path}/dist`, env: { HOME: path } });
      for (const file of ["SHA256SUMS", "par", "par.js", "lib/errors.ts"]) {
        const { code, stderr } = await verify(file);
        assert.equal(code, 0, `${name}: ${file}: ${stderr}`);
      }
      const { code, stderr } = await verify("other");
      assert.equal(code, 1);
      assert.match(stderr, /do not match/);
    }
  },
);

/** The files of a folder, by their paths in it. */
async function filesOf(folder: string, prefix = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    const path = prefix + name;
    if (isDirectory) files.push(...await filesOf(folder, `${path}/`));
    else files.push(path);
  }
  return files.sort();
}

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isDirectory) {
    for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
  } else {
    await Deno.mkdir(to.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.copyFile(from, to);
  }
}
