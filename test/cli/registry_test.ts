import assert from "node:assert/strict";
import { installedLauncher } from "../../scripts/install.ts";
import { archiveOf, gzipped } from "../_archive.ts";
import { denoDir, type RunOptions, type Sandbox, sandbox, task } from "../_cli.ts";
import { type Output, ROOT, runTool } from "../_tools.ts";
import { testWith, type Tool } from "../examples/_example.ts";
import { startFaultProxy } from "../registry/_fault_proxy.ts";
import { startForwardProxy } from "../registry/_forward_proxy.ts";
import {
  hasDockerRegistry,
  hasHtpasswd,
  hasOpenssl,
  makeCertificate,
  startDockerRegistry,
} from "../registry/_registry.ts";
import { environment, lineFor, SCRIPT } from "./_terminal.ts";

const REGISTRY: Tool = { name: "docker-registry", isThere: () => hasDockerRegistry };
const HTPASSWD: Tool = { name: "htpasswd", isThere: () => hasHtpasswd };
const OPENSSL: Tool = { name: "openssl", isThere: () => hasOpenssl };

const USER = { user: "me", password: "correct horse" };
const LOGIN = ["-u", USER.user, "-p", USER.password];

/** A sandbox with an archive, and a run that must end well and gives what was printed. */
async function openBox() {
  const box = await sandbox();
  await box.write("fakepay.par.gz", gzipped(await archiveOf()));
  const done = async (args: readonly string[], options?: RunOptions): Promise<string> => {
    const { code, stdout, stderr } = await box.run(args, options);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  return { ...box, box, done, [Symbol.asyncDispose]: () => box[Symbol.asyncDispose]() };
}

/** Writes into the standard input of what is run. */
const typing = (text: string): RunOptions => ({
  through: ["sh", "-c", `printf '%s' '${text}' | "$0" "$@"`],
});

testWith(
  [REGISTRY, HTPASSWD],
  "par login stores what push, list and pull then use, until par logout",
  async () => {
    await using registry = await startDockerRegistry({ htpasswd: USER });
    await using box = await openBox();
    const { host } = registry;
    const reference = `${host}/payments/fakepay:1.0`;
    const denied = await box.run(["push", reference, "fakepay.par.gz"]);
    assert.match(denied.stderr, /ERR_REGISTRY_DENIED/);
    const wrong = await box.run(["login", host, "-u", "me", "--password-stdin"], typing("wrong"));
    assert.match(wrong.stderr, /the user or the password is wrong.*ERR_REGISTRY_DENIED/);

    const stdin = ["login", host, "-u", "me", "--password-stdin"];
    assert.equal(
      await box.done(stdin, typing(`${USER.password}\r\n`)),
      `Successfully logged in to ${host} as me; ${box.home}/.docker/config.json has the password\n`,
    );
    await box.done(["push", reference, "fakepay.par.gz"]);
    assert.equal(await box.done(["list", reference]), "1.0\n");
    await box.done(["pull", reference, "--destination", "pulled.par.gz"]);
    assert.deepEqual(await box.read("pulled.par.gz"), await box.read("fakepay.par.gz"));

    assert.equal(await box.done(["logout", host]), `Successfully logged out of ${host}\n`);
    assert.match((await box.run(["list", reference])).stderr, /ERR_REGISTRY_DENIED/);
    assert.match(await box.done(["logout", host]), /had no credentials for .*; nothing to do\n$/);
  },
);

testWith(
  [REGISTRY, HTPASSWD],
  "par takes the password of REGISTRY_AUTH_FILE, of podman's file, and of -p -",
  async () => {
    await using registry = await startDockerRegistry({ htpasswd: USER });
    await using box = await openBox();
    const { host } = registry;
    const reference = `${host}/payments/fakepay:1.0`;
    const args = ["push", reference, "fakepay.par.gz", "-u", "me", "-p", "-"];
    await box.done(args, typing(`${USER.password}\n`));
    assert.match((await box.run(args, typing("\n"))).stderr, /standard input has no password/);

    const env = { REGISTRY_AUTH_FILE: `${box.folder}/auth.json` };
    await box.done(["login", host, "-u", "me", "-p", USER.password], { env });
    assert.deepEqual(await box.list(), ["auth.json", "fakepay.par.gz"]);
    await box.done(["list", reference], { env });
    assert.equal((await box.run(["list", reference])).code, 1);
    await Deno.mkdir(`${box.home}/.config/containers`, { recursive: true });
    await Deno.rename(
      `${box.folder}/auth.json`,
      `${box.home}/.config/containers/auth.json`,
    );
    await box.done(["list", reference]);
    const { stderr } = await box.run(["logout", host]);
    assert.match(stderr, /^Note: .*\/containers\/auth\.json has credentials .*, which stay\.$/m);
  },
);

testWith(
  [REGISTRY, HTPASSWD, SCRIPT],
  "par login asks at a terminal, and does not show the password",
  async () => {
    await using registry = await startDockerRegistry({ htpasswd: USER });
    await using box = await openBox();
    const terminal = new Deno.Command("script", {
      args: ["-qec", lineFor(200, ["login", registry.host]), "/dev/null"],
      cwd: box.folder,
      env: await environment(box),
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const typist = terminal.stdin.getWriter();
    const typed = new Map([["Name: ", `${USER.user}\r`], [
      "Password: ",
      `${USER.password}é!\x7f\x7f\r`,
    ]]);
    let shown = "";
    for await (const text of terminal.stdout.pipeThrough(new TextDecoderStream())) {
      shown += text;
      for (const [question, answer] of typed) {
        if (!shown.endsWith(question)) continue;
        typed.delete(question);
        await typist.write(new TextEncoder().encode(answer));
      }
    }
    await typist.close();
    assert.equal((await terminal.status).code, 0, shown);
    assert.match(shown, /^Name: me\r\nPassword: \r\nSuccessfully logged in to /);
    await box.done(["push", `${registry.host}/payments/fakepay:1.0`, "fakepay.par.gz"]);
  },
);

Deno.test("par login says what is missing before it asks the registry", async () => {
  await using box = await sandbox();
  for (const args of [[], ["-u", "me"], ["-p", "x"]]) {
    const { code, stderr } = await box.run(["login", "127.0.0.1:9", ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /give a name \(--user\) and a password \(--password-stdin\)/);
  }
  const both = ["login", "127.0.0.1:9", "-u", "me", "-p", "x", "--password-stdin"];
  assert.match(
    (await box.run(both)).stderr,
    /Cannot use --password-stdin together with --password/,
  );
});

testWith([REGISTRY], "par push takes more tags, and says if all is there already", async () => {
  await using registry = await startDockerRegistry();
  await using box = await openBox();
  const reference = `${registry.host}/payments/fakepay:1.0.2`;
  const push = ["push", reference, "fakepay.par.gz", "--tag", "1.0.10", "--tag", "1"];
  const first = await box.done(push);
  assert(
    first.startsWith(`Successfully pushed fakepay.par.gz to ${reference}, 1.0.10, 1\ndigest: `),
  );
  assert.equal(await box.done(["list", `${registry.host}/payments/fakepay`]), "1\n1.0.2\n1.0.10\n");
  const again = await box.done(push);
  assert(
    again.startsWith(`Already there: fakepay.par.gz is ${reference}, 1.0.10, 1\ndigest: `),
    again,
  );
});

testWith([REGISTRY], "a reference without a host means --registry or WASH_REG_URL", async () => {
  await using registry = await startDockerRegistry();
  await using box = await openBox();
  const refused = await box.run(["push", "payments/fakepay:1.0", "fakepay.par.gz"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /it has no host.*docker\.io\/payments\/fakepay:1\.0/);
  const url = `${registry.host}/payments`;
  await box.done(["push", "fakepay:1.0", "fakepay.par.gz", "-r", url]);
  const env = { WASH_REG_URL: `http://${url}` };
  assert.equal(await box.done(["list", "fakepay"], { env }), "1.0\n");
  await box.done(["pull", "fakepay:1.0", "--destination", "a.par.gz"], { env });
  const inspect = ["inspect", "fakepay:1.0", "--jwt-only"];
  assert.match(await box.done(inspect, { env, remote: true }), /^ey/);
  // A host in the reference counts more.
  const other = { WASH_REG_URL: "127.0.0.1:9" };
  await box.done(["pull", `${url}/fakepay:1.0`, "--destination", "b.par.gz"], { env: other });
});

testWith([REGISTRY], "a refused latest shows the tags to choose from", async () => {
  await using registry = await startDockerRegistry();
  await using box = await openBox();
  const repository = `${registry.host}/payments/fakepay`;
  await box.done(["push", `${repository}:1.0`, "fakepay.par.gz", "--tag", "2.0"]);
  for (const verb of ["pull", "inspect", "verify", "extract"]) {
    const { code, stderr } = await box.run([verb, repository], { remote: true });
    assert.equal(code, 2);
    assert.match(
      stderr,
      /its tags are: 1\.0, 2\.0 \(see --allow-latest\) \[ERR_REFERENCE_LATEST\]/,
    );
  }
});

testWith([REGISTRY], "WASH_MONOLITHIC_PUSH sends an archive in one request", async () => {
  await using registry = await startDockerRegistry();
  await using box = await openBox();
  const noise = crypto.getRandomValues(new Uint8Array(65536));
  await box.write("large.par", await archiveOf({ binaries: { "x86_64-linux": noise } }));
  const patches = async (value: string, tag: string): Promise<number> => {
    await using proxy = startFaultProxy(registry.host, () => undefined);
    const env = { WASH_MONOLITHIC_PUSH: value };
    const reference = `${proxy.host}/payments/${tag}:1`;
    await box.done(["push", reference, "large.par", "--insecure", "--chunk-size", "64K"], { env });
    return proxy.requests.filter(({ method }) => method === "PATCH").length;
  };
  assert.equal(await patches("true", "a"), 0);
  assert.equal(await patches("1", "b"), 0);
  for (const value of ["", "0", "false", "No"]) {
    assert.equal(await patches(value, `c${value.toLowerCase()}x`), 2);
  }
});

testWith(
  [REGISTRY],
  "a file's name is no reference, but a folder's may be one, and oci:// makes it one",
  async () => {
    await using registry = await startDockerRegistry();
    await using box = await openBox();
    const reference = `${registry.host}/payments/fakepay:1.0`;
    await box.done(["push", reference, "fakepay.par.gz"]);
    const inspect = ["inspect", "--insecure", "--field", "issuer"];
    const remote = { remote: true };
    const issuer = await box.done([...inspect, "fakepay.par.gz"]);
    await Deno.mkdir(`${box.folder}/${reference}`, { recursive: true });
    assert.equal(await box.done([...inspect, reference], remote), issuer);
    await Deno.remove(`${box.folder}/${reference}`);
    await Deno.writeTextFile(`${box.folder}/${reference}`, "no archive");
    assert.match((await box.run([...inspect, reference], remote)).stderr, /ERR_ARCHIVE_TRUNCATED/);
    assert.equal(await box.done([...inspect, `oci://${reference}`], remote), issuer);
  },
);

testWith([REGISTRY], "par says why it waits", async () => {
  await using registry = await startDockerRegistry();
  await using box = await openBox();
  let refused = 0;
  await using proxy = startFaultProxy(
    registry.host,
    ({ method }) =>
      method === "POST" && refused++ === 0 ? { kind: "answer", status: 503 } : undefined,
  );
  const push = ["push", `${proxy.host}/payments/fakepay:1.0`, "fakepay.par.gz", "--insecure"];
  const { code, stderr } = await box.run(push);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^Note: .*503.*$/m);
});

testWith(
  [REGISTRY, OPENSSL],
  "par trusts SSL_CERT_FILE beside --ca-cert, and goes through HTTPS_PROXY",
  async () => {
    await using box = await openBox();
    const tls = await makeCertificate(box.home);
    await Deno.mkdir(`${box.home}/other`);
    const other = await makeCertificate(`${box.home}/other`);
    await box.write("other.pem", other.authority);
    await using registry = await startDockerRegistry({ tls });
    const env = { SSL_CERT_FILE: await box.write("authority.pem", tls.authority) };
    const push = ["push", `${registry.host}/payments/fakepay:1.0`, "fakepay.par.gz"];
    assert.match((await box.run(push)).stderr, /ERR_REGISTRY_CERTIFICATE/);
    await box.done(push, { env });
    await box.done([...push, "--ca-cert", "other.pem"], { env });

    await using proxy = startForwardProxy(registry.host);
    const pull = ["pull", "registry.example/payments/fakepay:1.0", "--destination", "a.par.gz"];
    await box.done(pull, { env: { ...env, HTTPS_PROXY: proxy.url } });
    assert.deepEqual([...new Set(proxy.requests)], ["CONNECT registry.example:443 HTTP/1.1"]);
    const direct = { ...env, HTTPS_PROXY: proxy.url, no_proxy: "registry.example" };
    assert.match((await box.run(pull, { env: direct })).stderr, /ERR_REGISTRY_UNREACHABLE/);
  },
);

testWith([REGISTRY], "par copy carries an archive over an air gap", async () => {
  await using registry = await startDockerRegistry();
  await using inner = await startDockerRegistry();
  await using box = await openBox();
  const reference = `${registry.host}/payments/fakepay:1.0`;
  const pushed = await box.done(["push", reference, "fakepay.par.gz"]);
  const digest = /digest: (sha256:\w+)/.exec(pushed)?.[1];
  for (const layout of ["oci:layout:1.0", "oci-archive:fakepay.tar:1.0"]) {
    assert.equal(
      await box.done(["copy", reference, layout]),
      `Successfully copied ${reference} to ${layout}\ndigest: ${digest}\n`,
    );
    // What reads a layout needs neither the network nor the environment.
    assert.match(await box.done(["inspect", layout, "--jwt-only"]), /^ey/);
    const { stdout, stderr } = await box.run(["verify", layout]);
    assert.match(stdout, /^ok /);
    assert.doesNotMatch(stderr, /were fetched/);
    await box.done(["extract", layout, "--arch", "x86_64-linux", "--output", "out.so"]);
    const unfit = await box.run(["inspect", layout, "--digest", "0".repeat(64)]);
    assert.match(unfit.stderr, /ERR_REGISTRY_DIGEST/);
    assert.equal(await box.done(["list", layout]), "1.0\n");
    await box.done(["pull", layout, "--destination", "again.par.gz"]);
    assert.deepEqual(await box.read("again.par.gz"), await box.read("fakepay.par.gz"));
    const to = `${inner.host}/${layout.startsWith("oci:") ? "a" : "b"}:1.0`;
    assert(await box.done(["copy", layout, to]).then((text) => text.endsWith(`${digest}\n`)));
    await box.done(["pull", `${to.replace(":1.0", "")}@${digest}`, "--destination", "x.par.gz"]);
  }
  await box.done(["push", "oci:pushed:1.0", "fakepay.par.gz", "--tag", "1"]);
  assert.equal(await box.done(["list", "oci:pushed"]), "1\n1.0\n");
  const hostless = await box.run(["copy", reference, "fakepay:1.0"]);
  assert.match(hostless.stderr, /it has no host/);
});

testWith(
  [REGISTRY, HTPASSWD],
  "par copy gives the password to the registry that it writes to, and to no other",
  async () => {
    await using open = await startDockerRegistry();
    await using locked = await startDockerRegistry({ htpasswd: USER });
    await using box = await openBox();
    await box.done(["push", `${open.host}/payments/fakepay:1.0`, "fakepay.par.gz"]);
    // A registry that asks for a password although it gives everything to everybody.
    await using from = startFaultProxy(
      open.host,
      ({ path, headers }) =>
        path.includes("/blobs/") && !headers.has("authorization")
          ? { kind: "answer", status: 401, headers: { "www-authenticate": "Basic realm=x" } }
          : undefined,
    );
    const to = `${locked.host}/payments/fakepay:1.0`;
    const copy = ["copy", `${from.host}/payments/fakepay:1.0`, to, "--from-insecure", ...LOGIN];
    assert.match((await box.run(copy)).stderr, /ERR_REGISTRY_DENIED/);
    assert(from.requests.every(({ headers }) => !headers.has("authorization")));
    from.rule = () => undefined;
    await box.done(copy);
    // From a registry to a layout, the password is for the registry.
    await box.done(["copy", to, "oci:layout:1.0", ...LOGIN]);
  },
);

Deno.test("a verb without the permissions of a registry says so, and which task has them", async () => {
  await using box = await sandbox();
  for (const verb of ["inspect", "verify", "extract"]) {
    const { code, stderr } = await box.run([verb, "registry.example/payments/fakepay:1.0"]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      new RegExp(
        "^Error: Cannot read .*: there is no such file, and Deno does not allow registries; " +
          `par ${verb} needs .*, and for a registry .*--allow-net.*, as the task par:remote:${verb} has it .*\n$`,
      ),
    );
  }
});

/** A credential helper, whose file and folder docker's configuration and the PATH name. */
async function installHelper({ home, folder }: Sandbox, host: string): Promise<string> {
  const bin = `${folder}/bin`;
  await Deno.mkdir(bin);
  const secret = JSON.stringify({ ServerURL: host, Username: USER.user, Secret: USER.password });
  for (const name of ["docker-credential-kept", "docker-credential-other"]) {
    await Deno.writeTextFile(
      `${bin}/${name}`,
      `#!/bin/sh\ncat >/dev/null\necho "$1" >>'${folder}/asked'\nprintf '%s' '${secret}'\n`,
    );
    await Deno.chmod(`${bin}/${name}`, 0o755);
  }
  await Deno.mkdir(`${home}/.docker`);
  const config = JSON.stringify({ auths: {}, credHelpers: { [host]: "kept" } }, null, "\t");
  await Deno.writeTextFile(`${home}/.docker/config.json`, config);
  return bin;
}

testWith(
  [REGISTRY, HTPASSWD],
  "tasks and the launcher let par start the credential helpers that docker's file names",
  async () => {
    await using registry = await startDockerRegistry({ htpasswd: USER });
    await using box = await openBox();
    const bin = await installHelper(box, registry.host);
    const reference = `${registry.host}/payments/fakepay:1.0`;
    const env = {
      HOME: box.home,
      PATH: `${bin}:${Deno.execPath().replace(/\/[^/]*$/, "")}:/usr/bin:/bin`,
      DENO_DIR: await denoDir(),
      INIT_CWD: box.folder,
      NO_COLOR: "1",
    };
    const run = (program: string, ...args: string[]): Promise<Output> =>
      runTool(program, args, { cwd: box.folder, env, clearEnv: true });
    const runTask = (name: string, ...args: string[]): Promise<Output> =>
      run("deno", "task", "--quiet", "--config", `${ROOT}/deno.json`, name, ...args);
    const pushed = await runTask("par:push", reference, "fakepay.par.gz");
    assert.equal(pushed.code, 0, pushed.stderr);
    const inspected = await runTask("par:remote:inspect", reference, "--jwt-only");
    assert.equal(inspected.code, 0, inspected.stderr);
    assert.equal((await runTask("par:login", registry.host, ...LOGIN)).code, 0);
    assert.equal((await runTask("par:logout", registry.host)).code, 0);
    assert.equal(await Deno.readTextFile(`${box.folder}/asked`), "get\nget\nstore\nerase\n");

    await box.write("par", installedLauncher(box.folder));
    await Deno.mkdir(`${box.folder}/scripts`);
    await Deno.mkdir(`${box.folder}/lib`);
    await Deno.symlink(Deno.execPath(), `${box.folder}/scripts/deno`);
    await box.write(
      "lib/cli.js",
      `import { main } from "${ROOT}/lib/cli/main.ts";\nDeno.exit(await main(Deno.args));\n`,
    );
    const listed = await run("sh", `${box.folder}/par`, "list", reference);
    assert.deepEqual([listed.code, listed.stdout], [0, "1.0\n"], listed.stderr);
    assert((await Deno.readTextFile(`${box.folder}/asked`)).endsWith("erase\nget\n"));

    // The launcher allows the one that is named, and nothing to what does not log in.
    await Deno.remove(`${box.folder}/scripts/deno`);
    await box.write("scripts/deno", '#!/bin/sh\nprintf "%s\\n" "$@"\n');
    await Deno.chmod(`${box.folder}/scripts/deno`, 0o755);
    const programs = async (verb: string): Promise<string[]> =>
      (await run("sh", `${box.folder}/par`, verb, "x")).stdout.match(/^--allow-run=.*$/gm) ?? [];
    assert.deepEqual(await programs("list"), ["--allow-run=docker-credential-kept"]);
    assert.deepEqual(await programs("insert"), []);
    assert(task("par:list").includes("--allow-read --allow-env scripts/par.ts"));
  },
);
