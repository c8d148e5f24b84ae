import assert from "node:assert/strict";
import { archiveOf } from "../_archive.ts";
import { denoDir } from "../_cli.ts";
import { elf } from "../_executable.ts";
import { ISSUER, OTHER_ISSUER, SUBJECT } from "../_keys.ts";
import { ROOT, temporaryFolder } from "../_tools.ts";
import { inspect } from "../../lib/verbs/inspect.ts";

const FOLDER = `${ROOT}/examples/library`;

/** Names of the programs, each with the test that runs it below. */
const PROGRAMS = [
  "create_from_memory",
  "inspect_url",
  "serve_verified",
  "sign_with_environment_key",
  "verify_in_pipeline",
];

/** The flags for Deno in the command line that a program's first comment gives. */
async function flagsOf(program: string): Promise<string[]> {
  const text = await Deno.readTextFile(`${FOLDER}/${program}.ts`);
  const flags = new RegExp(`^ \\*     deno run (.*)${program}\\.ts`, "m").exec(text)?.[1];
  assert(flags !== undefined, `${program} does not say how to run it`);
  return flags.split(" ").filter((flag) => flag !== "");
}

interface Result {
  readonly code: number;
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: string;
}

interface Run {
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: Uint8Array<ArrayBuffer>;
}

async function start(
  program: string,
  { args = [], cwd = ROOT, env = {}, stdin }: Run,
): Promise<Deno.ChildProcess> {
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--no-config", ...await flagsOf(program)],
      ...[`${FOLDER}/${program}.ts`, ...args],
    ],
    cwd,
    clearEnv: true,
    env: { DENO_DIR: await denoDir(), DENO_NO_UPDATE_CHECK: "1", ...env },
    stdin: stdin ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs a program with the permissions that its comment gives it, and no variable but those given. */
async function run(program: string, options: Run = {}): Promise<Result> {
  const child = await start(program, options);
  const { stdin } = options;
  const [{ code, stdout, stderr }] = await Promise.all([
    child.output(),
    stdin && new Blob([stdin]).stream().pipeTo(child.stdin),
  ]);
  return { code, stdout, stderr: new TextDecoder().decode(stderr) };
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

Deno.test("examples/library has the programs that are run here", async () => {
  const names = await Array.fromAsync(Deno.readDir(FOLDER), ({ name }) => name);
  assert.deepEqual(names.sort(), PROGRAMS.map((name) => `${name}.ts`));
});

Deno.test("create_from_memory.ts makes and reads an archive without any permission", async () => {
  const { code, stdout, stderr } = await run("create_from_memory");
  assert.equal(code, 0, stderr);
  assert.equal(
    text(stdout),
    "Fake Payments by wasmCloud\naarch64-linux: 19 bytes\nx86_64-linux: 23 bytes\n",
  );
});

Deno.test("inspect_url.ts says what is at a URL, and that it is not to be trusted where it is not", async () => {
  const archive = await archiveOf();
  const damaged = archive.slice();
  damaged[damaged.indexOf(0x61, 2000)] = 0x62;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/fakepay.par") return new Response(archive);
      if (pathname === "/damaged.par") return new Response(damaged);
      return new Response(null, { status: 404 });
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const { code, stdout, stderr } = await run("inspect_url", { args: [`${url}/fakepay.par`] });
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(text(stdout)), {
    name: "Fake Payments",
    issuer: ISSUER.publicKey,
    size: archive.length,
    targets: ["aarch64-linux", "x86_64-linux"],
  });
  const bad = await run("inspect_url", { args: [`${url}/damaged.par`] });
  assert.equal(bad.code, 3);
  assert.match(bad.stderr, /\[ERR_HASH_MISMATCH\]/);
  const missing = await run("inspect_url", { args: [`${url}/none.par`] });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /answers 404/);
});

Deno.test("verify_in_pipeline.ts lets through what a trusted issuer signed, and not a byte else", async () => {
  const stdin = await archiveOf();
  const good = await run("verify_in_pipeline", { args: [ISSUER.publicKey], stdin });
  assert.equal(good.code, 0, good.stderr);
  assert.deepEqual(good.stdout, stdin);
  const others: readonly Run[] = [
    { args: [OTHER_ISSUER.publicKey], stdin },
    { args: [ISSUER.publicKey], stdin: stdin.slice(0, -1024) },
    { args: [], stdin },
  ];
  for (const options of others) {
    const { code, stdout, stderr } = await run("verify_in_pipeline", options);
    assert.deepEqual([code, stdout.length], [3, 0], stderr);
    assert.match(stderr, /^FAILED /m);
  }
});

Deno.test("sign_with_environment_key.ts signs with the environment's keys, and with no other", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeFile(`${folder.path}/libfakepay.so`, elf({ machine: 62 }));
  const options = { args: ["libfakepay.so", "fakepay.par.gz"], cwd: folder.path };
  const env = { WASH_ISSUER_KEY: ISSUER.seed, WASH_SUBJECT_KEY: SUBJECT.seed };
  const { code, stdout, stderr } = await run("sign_with_environment_key", { ...options, env });
  assert.equal(code, 0, stderr);
  assert.equal(text(stdout), `fakepay.par.gz: x86_64-linux, signed by ${ISSUER.publicKey}\n`);
  const { claims, compressed } = await inspect(`${folder.path}/fakepay.par.gz`);
  assert.deepEqual([claims.sub, compressed], [SUBJECT.publicKey, true]);
  assert((claims.exp ?? 0) > Date.now() / 1000);

  const wrong: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ WASH_SUBJECT_KEY: SUBJECT.seed }, /set WASH_ISSUER_KEY.*ERR_KEY_NOT_FOUND/],
    [{ ...env, WASH_ISSUER_KEY: SUBJECT.seed }, /Cannot use WASH_ISSUER_KEY.*ERR_KEY_ROLE/],
  ];
  for (const [env, message] of wrong) {
    const failed = await run("sign_with_environment_key", { ...options, env });
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, message);
    assert(!failed.stderr.includes(SUBJECT.seed.slice(4, 20)));
  }
});

Deno.test("serve_verified.ts serves what a trusted issuer signed, and refuses the rest", async () => {
  await using folder = await temporaryFolder();
  const archive = await archiveOf();
  await Deno.writeFile(`${folder.path}/good.par`, archive);
  await Deno.writeFile(`${folder.path}/bad.par`, archive.slice(0, -512));
  await Deno.writeTextFile(`${folder.path}/notes.txt`, "private");
  const child = await start("serve_verified", { args: [ISSUER.publicKey], cwd: folder.path });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const url = (await reader.read()).value?.trim() ?? "";
    const good = await fetch(`${url}good.par`);
    assert.equal(good.status, 200);
    assert.deepEqual(await good.bytes(), archive);
    const bad = await fetch(`${url}bad.par`);
    assert.equal(bad.status, 403);
    assert.equal((await bad.json()).code, "ERR_ARCHIVE_TRUNCATED");
    for (const path of ["none.par", "notes.txt", "..%2fgood.par", ""]) {
      const { status, body } = await fetch(`${url}${path}`);
      assert.equal(status, 404, path);
      await body?.cancel();
    }
  } finally {
    child.kill();
    await Promise.all([child.status, reader.cancel(), child.stderr.cancel()]);
  }
});
