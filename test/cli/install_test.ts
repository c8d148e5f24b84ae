import assert from "node:assert/strict";
import { bundleToScript } from "../../scripts/bundle.ts";
import { makeDist } from "../../scripts/dist.ts";
import { installedLauncher } from "../../scripts/install.ts";
import { permissionFlags } from "../../lib/cli/permissions.ts";
import { VERBS } from "../../lib/cli/verbs.ts";
import { denoDir } from "../_cli.ts";
import { elf } from "../_executable.ts";
import { type Output, ROOT, runTool, serveFolder, temporaryFolder } from "../_tools.ts";
import { MAKE, testWith } from "../examples/_example.ts";

/** A user of this machine, with nothing but Deno. */
interface User extends AsyncDisposable {
  readonly folder: string;
  run(program: string, ...args: string[]): Promise<Output>;
}

/** Deno downloads its bundler when it bundles for the first time. */
let bundler: Promise<unknown> | undefined;

async function newUser(): Promise<User> {
  const temporary = await temporaryFolder();
  const folder = `${temporary.path}/a user's folder`;
  await Deno.mkdir(`${folder}/home`, { recursive: true });
  await Deno.writeFile(`${folder}/libfakepay.so`, elf({ machine: 62 }));
  // Packages are those that are downloaded already, also for bundling; modules are this user's own.
  await (bundler ??= bundleToScript());
  await Deno.mkdir(`${folder}/deno`);
  await Deno.symlink(`${await denoDir()}/npm`, `${folder}/deno/npm`);
  const env = {
    HOME: `${folder}/home`,
    USER: "kevin",
    PATH: `${Deno.execPath().replace(/\/[^/]*$/, "")}:/usr/bin:/bin`,
    DENO_DIR: `${folder}/deno`,
    DENO_NO_UPDATE_CHECK: "1",
    NO_COLOR: "1",
  };
  return {
    folder,
    run: (program, ...args) => runTool(program, args, { cwd: folder, env, clearEnv: true }),
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  };
}

/** Every verb is loaded when it is asked for, so each is asked. */
async function expectPar(user: User, par: string): Promise<void> {
  const version = await user.run(par, "--version");
  assert.equal(version.stderr, "");
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  for (const verb of Object.keys(VERBS)) {
    const { code, stdout, stderr } = await user.run(par, verb, "--help");
    assert.deepEqual([code, stderr], [0, ""], verb);
    assert.match(stdout, new RegExp(`^Usage: par ${verb}`));
  }
  const archive = ["--name", "Fake Payments", "--vendor", "wasmCloud", "--binary", "libfakepay.so"];
  const created = await user.run(par, "create", ...archive, "--compress");
  assert.equal(created.code, 0, created.stderr);
  assert.equal(created.stdout, "Successfully created archive libfakepay.par.gz\n");
  const inspected = await user.run(par, "inspect", "libfakepay.par.gz");
  assert.equal(inspected.stderr, "");
  assert.match(inspected.stdout, /Fake Payments - Provider Archive[^]*x86_64-linux/);
  const verified = await user.run(par, "verify", "libfakepay.par.gz", "--max-age", "1");
  assert.equal(verified.code, 0, verified.stderr);
  const keys = await user.run(par, "keys", "list");
  assert.match(keys.stdout, /^kevin_account .*\nlibfakepay_service /);
}

testWith([MAKE], "make install puts a par into PREFIX/bin that needs no checkout", async () => {
  await using user = await newUser();
  const prefix = `${user.folder}/usr`;
  const make = ["-C", ROOT, "--no-print-directory", `PREFIX=${prefix}`];
  const { code, stdout, stderr } = await user.run("make", ...make, "install");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `Installed ${prefix}/bin/par\n`);
  assert(!(await Deno.readTextFile(`${prefix}/bin/par`)).includes(ROOT));
  await expectPar(user, `${prefix}/bin/par`);
  const again = await user.run("make", ...make, "install");
  assert.equal(again.code, 0, again.stderr);
});

testWith(
  [MAKE],
  "make install lets others run par, whoever may read the files of who installs",
  async () => {
    await using user = await newUser();
    const prefix = `${user.folder}/usr`;
    const script = 'umask 077; "$@"';
    const install = ["make", "-C", ROOT, `PREFIX=${prefix}`, "install"];
    const { code, stderr } = await user.run("sh", "-c", script, "sh", ...install);
    assert.equal(code, 0, stderr);
    const folders = [prefix];
    for (const folder of folders) {
      assert.equal(((await Deno.stat(folder)).mode ?? 0) & 0o777, 0o755, folder);
      for await (const { name, isDirectory } of Deno.readDir(folder)) {
        const path = `${folder}/${name}`;
        if (isDirectory) folders.push(path);
        else assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o444, 0o444, path);
      }
    }
    for (const path of ["bin/par", "share/par/scripts/deno"]) {
      assert.equal(((await Deno.stat(`${prefix}/${path}`)).mode ?? 0) & 0o777, 0o755, path);
    }
  },
);

testWith(
  [MAKE],
  "a checkout whose path has spaces can be installed, and used from tasks and Makefiles",
  async () => {
    await using user = await newUser();
    const checkout = `${user.folder}/my check out`;
    await Deno.mkdir(checkout);
    const files = [
      ...["LICENSE", "Makefile", "cli.lock", "cli.ts", "deno.json", "deno.lock", "lib", "mod.ts"],
      ...["scripts", "examples/provider.mk"],
    ];
    const copied = await user.run(
      ...["sh", "-c", 'cd "$0" && to=$1 && shift && tar c "$@" | tar xC "$to"', ROOT] as const,
      ...[checkout, ...files],
    );
    assert.equal(copied.code, 0, copied.stderr);

    const prefix = `${user.folder}/my usr`;
    const installed = await user.run("make", "-C", checkout, `PREFIX=${prefix}`, "install");
    assert.equal(installed.code, 0, installed.stderr);
    await expectPar(user, `${prefix}/bin/par`);

    const task = ["task", "--quiet", "--config", `${checkout}/deno.json`, "par:inspect"];
    const inspected = await user.run("deno", ...task, "libfakepay.par.gz");
    assert.match(inspected.stdout, /Fake Payments - Provider Archive/, inspected.stderr);

    const escaped = checkout.replaceAll(" ", "\\ ");
    for (
      const [what, line] of Object.entries({
        checkout: `include ${escaped}/examples/provider.mk`,
        installed: `PAR = ${prefix}/bin/par\ninclude ${escaped}/examples/provider.mk`,
      })
    ) {
      await Deno.writeTextFile(
        `${user.folder}/Makefile`,
        `dest_par = libfakepay.par.gz\n${line}\n`,
      );
      for (const [goal, shown] of [["inspect", "Fake Payments"], ["help", "make par "]] as const) {
        const made = await user.run("make", goal);
        assert.equal(made.code, 0, `${what} ${goal}: ${made.stderr}`);
        assert(made.stdout.includes(shown), made.stdout);
      }
    }
  },
);

testWith([MAKE], "the installed par needs no network and no cache", async () => {
  await using user = await newUser();
  const prefix = `${user.folder}/usr`;
  const installed = await user.run("make", "-C", ROOT, `PREFIX=${prefix}`, "install");
  assert.equal(installed.code, 0, installed.stderr);
  const nowhere = "http://127.0.0.1:1/";
  const offline: User = {
    ...user,
    run: (program, ...args) =>
      user.run(
        "env",
        `DENO_DIR=${user.folder}/empty`,
        ...["HTTP_PROXY", "HTTPS_PROXY", "NPM_CONFIG_REGISTRY"].map((name) => `${name}=${nowhere}`),
        program,
        ...args,
      ),
  };
  await expectPar(offline, `${prefix}/bin/par`);
  const slip = await offline.run(`${prefix}/bin/par`, "inspect", "--jwt-onli");
  assert.equal(slip.code, 2);
  assert.match(slip.stderr, /did you mean --jwt-only/);
});

testWith(
  [MAKE],
  "the installed par says that standard output is closed, before any work",
  async () => {
    await using user = await newUser();
    const prefix = `${user.folder}/usr`;
    const installed = await user.run("make", "-C", ROOT, `PREFIX=${prefix}`, "install");
    assert.equal(installed.code, 0, installed.stderr);
    const create = ["create", "--name", "a", "--vendor", "b", "--binary", "libfakepay.so"];
    const closed = ["sh", "-c", 'exec "$@" >&-', "sh", `${prefix}/bin/par`, ...create] as const;
    const { code, stderr } = await user.run(...closed);
    assert.equal(code, 1);
    assert.match(stderr, /^Cannot print anything: standard output is closed; .*\n$/);
    await assert.rejects(Deno.stat(`${user.folder}/libfakepay.par`), Deno.errors.NotFound);
  },
);

testWith([MAKE], "make install puts what a package is made of under DESTDIR", async () => {
  await using user = await newUser();
  const stage = `${user.folder}/stage`;
  const { code, stderr } = await user.run(
    "make",
    "-C",
    ROOT,
    `DESTDIR=${stage}`,
    "PREFIX=/usr",
    "install",
  );
  assert.equal(code, 0, stderr);
  assert.match(await Deno.readTextFile(`${stage}/usr/bin/par`), /^share='\/usr\/share\/par'$/m);
  for (const file of ["lib/cli.js", "LICENSE", "LICENSES.txt"]) {
    assert((await Deno.stat(`${stage}/usr/share/par/${file}`)).isFile);
  }
});

Deno.test("launcher() gives each verb its permissions, and no verb few", async () => {
  await using user = await newUser();
  const share = `${user.folder}/a'b`;
  await Deno.mkdir(`${share}/scripts`, { recursive: true });
  // In place of Deno, what tells what it was called with.
  await Deno.writeTextFile(`${share}/scripts/deno`, '#!/bin/sh\nprintf "%s\\n" "$@"\n');
  await Deno.chmod(`${share}/scripts/deno`, 0o755);
  await Deno.writeTextFile(`${user.folder}/par`, installedLauncher(share));
  const permissions = async (...words: string[]): Promise<string[]> => {
    const { stdout } = await user.run("sh", "par", ...words);
    const lines = stdout.trimEnd().split("\n");
    assert.deepEqual(lines.slice(-words.length - 1), [`${share}/lib/cli.js`, ...words]);
    return lines.filter((line) => line.startsWith("--allow-"));
  };
  // Whatever reads no file reads the files of the command.
  const flags = (line: readonly string[]): string[] => {
    const needed = permissionFlags(line, true);
    return needed.includes("--allow-read") ? needed : [...needed, `--allow-read=${share}/lib`];
  };
  for (const [name, verb] of Object.entries(VERBS)) {
    const lines = "verbs" in verb
      ? Object.keys(verb.verbs).map((inner) => [name, inner])
      : [[name]];
    for (const line of lines) {
      assert.deepEqual(await permissions(...line, "a b"), flags(line));
    }
  }
  for (const before of [["par"], ["-o", "json"], ["-ojson", "par"], ["--experimental", "reg"]]) {
    assert.deepEqual(
      await permissions(...before, "insert", "a"),
      flags(["insert"]),
    );
  }
  for (
    const line of [["--help"], ["-V"], ["keys"], ["unknown"], ["-o"], [
      "__complete",
      "bash",
      "create",
    ]]
  ) {
    assert.deepEqual(await permissions(...line), flags(line));
  }
});

Deno.test("cli.lock has what the command needs, as deno.lock does, and nothing for tests", async () => {
  const [cli, all] = await Promise.all(
    ["cli.lock", "deno.lock"].map(async (name) =>
      JSON.parse(await Deno.readTextFile(`${ROOT}/${name}`))
    ),
  );
  await using user = await newUser();
  const lock = `--lock=${ROOT}/cli.lock`;
  const cache = ["cache", "--quiet", "--no-config", lock, "--frozen"];
  const { code, stderr } = await user.run("deno", ...cache, `${ROOT}/cli.ts`, `${ROOT}/mod.ts`);
  assert.equal(code, 0, stderr);
  for (const [id, entry] of Object.entries(cli.npm)) assert.deepEqual(entry, all.npm[id], id);
  assert(!Object.keys(cli.specifiers).some((name) => /fast-check|ajv|playwright/.test(name)));
});

/** What `docs/install.md` gives `deno install` beside the module. */
const INSTALL = [
  ...["install", "--global", "--quiet", "--name", "par"],
  ...["-RWEN", "--allow-run=wasm-tools"],
];

Deno.test("deno install -g installs par from a checkout", async () => {
  await using user = await newUser();
  const { code, stderr } = await user.run("deno", ...INSTALL, `${ROOT}/cli.ts`);
  assert.equal(code, 0, stderr);
  await expectPar(user, `${user.folder}/home/.deno/bin/par`);
});

for (const module of ["cli.ts", "par.js"]) {
  Deno.test(`deno install -g installs par from the URL of ${module}, which it needs no more then`, async () => {
    await using user = await newUser();
    {
      await makeDist(`${user.folder}/dist`);
      await using server = serveFolder(`${user.folder}/dist`);
      const url = `http://127.0.0.1:${server.addr.port}/${module}`;
      const { code, stderr } = await user.run("deno", ...INSTALL, url);
      assert.equal(code, 0, stderr);
      const ran = await user.run("deno", "run", "-RWEN", "--quiet", url, "--version");
      assert.equal(ran.code, 0, ran.stderr);
    }
    await expectPar(user, `${user.folder}/home/.deno/bin/par`);
  });
}
