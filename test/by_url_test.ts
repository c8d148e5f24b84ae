import assert from "node:assert/strict";
// With these in the graph of the tests, the packages they need are in the cache before any test runs.
import "../cli.ts";
import "../mod.ts";
import { denoDir } from "./_cli.ts";
import { type Output, ROOT, runTool, temporaryFolder } from "./_tools.ts";

/** A checkout served on loopback, and a folder in which nothing is known of it. */
interface Away extends AsyncDisposable {
  /** The address of the checkout, without a slash at its end. */
  readonly url: string;
  /** Its host and port, as permissions name them. */
  readonly host: string;
  /** The paths that were asked for. */
  readonly asked: readonly string[];
  /** What was asked of any other host, of which nothing is answered. */
  readonly strayed: readonly string[];
  /** Writes a program into the folder. */
  write(name: string, text: string): Promise<void>;
  /** Runs Deno there, with a cache that holds the pinned npm packages and no module. */
  deno(...args: readonly string[]): Promise<Output>;
  /** What permissions the programs asked for, as Deno records it: one JSON object a line. */
  needed(): Promise<string>;
  /** The names of the files in the folder. */
  list(): Promise<string[]>;
}

async function away(): Promise<Away> {
  await using stack = new AsyncDisposableStack();
  const temporary = stack.use(await temporaryFolder());
  const folder = `${temporary.path}/work`;
  const home = `${temporary.path}/home`;
  const cache = `${temporary.path}/cache`;
  const audit = `${temporary.path}/audit`;
  for (const path of [folder, home, cache]) await Deno.mkdir(path);
  await copyPackages(await denoDir(), cache);

  const asked: string[] = [];
  const checkout = stack.use(serve(async (request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    const found = /^\/(?!.*\.\.)[\w./-]+\.(ts|json)$/.test(pathname) &&
      await Deno.readTextFile(ROOT + pathname).catch(() => undefined);
    return found
      ? new Response(found, { headers: { "content-type": "text/plain; charset=utf-8" } })
      : new Response("not found", { status: 404 });
  }));
  const strayed: string[] = [];
  const proxy = stack.use(serve((request) => {
    strayed.push(`${request.method} ${request.url}`);
    return new Response("loopback alone", { status: 403 });
  }));
  const host = `127.0.0.1:${checkout.addr.port}`;
  const elsewhere = `http://127.0.0.1:${proxy.addr.port}`;
  const env = {
    HOME: home,
    USER: "kevin",
    PATH: Deno.env.get("PATH") ?? "",
    DENO_DIR: cache,
    DENO_AUDIT_PERMISSIONS: audit,
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
    HTTP_PROXY: elsewhere,
    HTTPS_PROXY: elsewhere,
    NO_PROXY: "127.0.0.1",
  };
  const owned = stack.move();
  return {
    url: `http://${host}`,
    host,
    asked,
    strayed,
    write: (name, text) => Deno.writeTextFile(`${folder}/${name}`, text),
    deno: (...args) => runTool(Deno.execPath(), args, { cwd: folder, env, clearEnv: true }),
    needed: async () => await isThere(audit) ? await Deno.readTextFile(audit) : "",
    list: async () => (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function serve(handler: Deno.ServeHandler): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
}

/** Copies the packages that the command and the library load, from one cache into another. */
async function copyPackages(from: string, to: string): Promise<void> {
  const args = ["info", "--json", "--no-lock", `${ROOT}/cli.ts`];
  const { npmPackages } = JSON.parse((await runTool(Deno.execPath(), args)).stdout);
  const packages = Object.values(npmPackages as Record<string, { localPath: string }>);
  assert(packages.length > 0, "cli.ts loads no package");
  for (const { localPath } of packages) {
    assert(localPath.startsWith(`${from}/`), localPath);
    const copy = to + localPath.slice(from.length);
    await copyFolder(localPath, copy);
    // What a registry says of all versions stands beside them.
    await Deno.copyFile(`${localPath}/../registry.json`, `${copy}/../registry.json`);
  }
}

function isThere(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, copy] = [`${from}/${name}`, `${to}/${name}`];
    await (isDirectory ? copyFolder(source, copy) : Deno.copyFile(source, copy));
  }
}

/** A program that makes archives in memory, and needs nothing but the module. */
const program = (module: string): string => `
import { createStream, inspect, KeyPair, verify } from ${JSON.stringify(module)};

const issuer: KeyPair = await KeyPair.generate("account");
const subject: KeyPair = await KeyPair.generate("service");
const binaries = ["x86_64-linux", "aarch64-linux"].map((target, i) => ({
  target,
  source: new Uint8Array(5_000_000).fill(i),
}));
for (const compress of [false, true]) {
  const { stream } = await createStream({
    name: "Fake Payments",
    vendor: "wasmCloud",
    issuer,
    subject,
    binaries,
    compress,
  });
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const archive = await inspect(bytes);
  const report = await verify(bytes, { trustedIssuers: [issuer.publicKey] });
  const targets: readonly string[] = archive.binaries.map(({ target }) => target);
  console.log(archive.compressed, report.trusted, ...targets);
}
`;

const PRINTED = "false true aarch64-linux x86_64-linux\ntrue true aarch64-linux x86_64-linux\n";

Deno.test("mod.ts is used by URL from an empty folder, without configuration", async () => {
  await using there = await away();
  await there.write("main.ts", program(`${there.url}/mod.ts`));
  const allow = `--allow-import=${there.host}`;
  const { code, stdout, stderr } = await there.deno(
    "run",
    "--no-prompt",
    "--check",
    allow,
    "main.ts",
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, PRINTED);
  assert.deepEqual(await there.list(), ["main.ts"]);
  assert(there.asked.includes("/mod.ts"));
  assert.deepEqual(there.asked.filter((path) => !/^\/(mod\.ts$|lib\/)/.test(path)), []);
  assert.deepEqual(there.strayed, []);
});

Deno.test("lib/signing/mod.ts is used by URL, and brings nothing of archives along", async () => {
  await using there = await away();
  await there.write(
    "main.ts",
    `import { KeyPair, parsePublicKey } from "${there.url}/lib/signing/mod.ts";
    const pair: KeyPair = await KeyPair.generate("account");
    console.log(parsePublicKey(String(pair), "account") === pair.publicKey);\n`,
  );
  const allow = `--allow-import=${there.host}`;
  const { code, stdout, stderr } = await there.deno(
    ...["run", "--no-prompt", "--check", allow, "main.ts"],
  );
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "true\n");
  const inside = /^\/lib\/(?:(?:signing|target|bytes|runtime)\/|errors\.ts$)/;
  assert.deepEqual(there.asked.filter((path) => !inside.test(path)), []);
  assert.deepEqual(there.strayed, []);
});

Deno.test("that check finds what is asked of another host", async () => {
  await using there = await away();
  await there.write("main.ts", 'import "npm:a-package-that-no-cache-holds@1.0.0";\n');
  const { code } = await there.deno("run", "--no-prompt", "main.ts");
  assert.equal(code, 1);
  assert.notDeepEqual(there.strayed, []);
});

Deno.test("nothing is imported by URL without permission to", async () => {
  await using there = await away();
  await there.write("main.ts", program(`${there.url}/mod.ts`));
  const { code, stdout, stderr } = await there.deno("run", "--no-prompt", "main.ts");
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /Requires import access/);
  assert.deepEqual(there.asked, []);
});

Deno.test("mod.ts is used from disk without any permission", async () => {
  await using there = await away();
  await there.write("main.ts", program(new URL("../mod.ts", import.meta.url).href));
  const { code, stdout, stderr } = await there.deno("run", "--no-prompt", "main.ts");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, PRINTED);
  assert.deepEqual([...there.asked, ...there.strayed], []);
  assert.equal(await there.needed(), "");
});

Deno.test("importing mod.ts asks Deno for nothing", async () => {
  await using there = await away();
  const module = new URL("../mod.ts", import.meta.url).href;
  await there.write(
    "main.ts",
    `import * as library from ${JSON.stringify(module)};\nconsole.log(typeof library.create);\n`,
  );
  const { code, stdout, stderr } = await there.deno("run", "--no-prompt", "main.ts");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "function\n");
  assert.equal(await there.needed(), "");
});

Deno.test("that check finds what a program asks for and gets along without", async () => {
  await using there = await away();
  await there.write("main.ts", 'try {\n  Deno.env.get("HOME");\n} catch {\n  // denied\n}\n');
  const { code, stderr } = await there.deno("run", "--no-prompt", "main.ts");
  assert.equal(code, 0, stderr);
  assert.match(await there.needed(), /"permission":"env"/);
});

Deno.test("cli.ts runs by URL", async () => {
  await using there = await away();
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const { code, stdout, stderr } = await there.deno(
    ...["run", "--no-prompt", `--allow-import=${there.host}`, `${there.url}/cli.ts`, "--version"],
  );
  assert.equal(code, 0, stderr);
  assert(stdout.split(/\s+/).includes(version), `${stdout} does not name ${version}`);
  assert.deepEqual(await there.list(), []);
  assert.deepEqual(there.asked.filter((path) => !/^\/(cli\.ts$|deno\.json$|lib\/)/.test(path)), []);
  assert.deepEqual(there.strayed, []);
});
