import assert from "node:assert/strict";
import { OLDEST_DENO } from "../../lib/cli/doctor.ts";
import { denoDir, type Sandbox, sandbox } from "../_cli.ts";
import { ISSUER } from "../_keys.ts";
import { type Output, ROOT, runTool } from "../_tools.ts";

interface Check {
  readonly name: string;
  readonly outcome: string;
  readonly message: string;
}

/** Runs the doctor, with an executable of each name on the PATH and nothing else. */
async function examine(
  box: Sandbox,
  programs: Readonly<Record<string, string>> = {},
  ...args: string[]
): Promise<{ code: number; checks: Record<string, Check>; success: boolean }> {
  const bin = `${box.folder}/bin`;
  await Deno.mkdir(bin, { recursive: true });
  for (const [name, script] of Object.entries(programs)) {
    await Deno.writeTextFile(`${bin}/${name}`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  const { code, stdout, stderr } = await box.run(["doctor", "-o", "json", ...args], {
    env: { PATH: bin },
  });
  assert.notEqual(stdout, "", stderr);
  const { checks, success } = JSON.parse(stdout);
  const byName = Object.fromEntries(checks.map((check: Check) => [check.name, check]));
  return { code, checks: byName, success };
}

Deno.test("par doctor finds a machine ready that has everything", async () => {
  await using box = await sandbox();
  await Deno.mkdir(box.keys, { recursive: true });
  await Deno.writeTextFile(`${box.keys}/kevin_account.nk`, ISSUER.seed, { mode: 0o600 });
  const { code, checks, success } = await examine(box, { "wasm-tools": "echo wasm-tools 1.2.3" });
  assert.deepEqual([code, success], [0, true]);
  const outcomes = Object.values(checks).map(({ name, outcome }) => [name, outcome]);
  assert.deepEqual(outcomes, [
    ["deno", "ok"],
    ["permissions", "ok"],
    ["keys", "ok"],
    ["wasm-tools", "ok"],
    ["credentials", "ok"],
  ]);
  assert.equal(checks["wasm-tools"]?.message, "wasm-tools 1.2.3");
  assert(checks["deno"]?.message.startsWith(Deno.version.deno));
  assert.equal(
    checks["keys"]?.message,
    `1 key in ${box.keys}, the issuer's is kevin_account.nk`,
  );
});

Deno.test("par doctor warns of what is missing, and of keys that others can read", async () => {
  await using box = await sandbox();
  const bare = await examine(box);
  assert.equal(bare.code, 0);
  assert.match(
    bare.checks["keys"]?.message ?? "",
    /^0 keys in .*, and none of them is kevin_account\.nk; par create makes it/,
  );
  assert.match(bare.checks["wasm-tools"]?.message ?? "", /^not on the PATH; .*cargo install/);
  assert.equal(bare.checks["wasm-tools"]?.outcome, "warning");
  await Deno.mkdir(box.keys, { recursive: true });
  const path = `${box.keys}/kevin_account.nk`;
  await Deno.writeTextFile(path, ISSUER.seed);
  await Deno.chmod(path, 0o644);
  const { checks } = await examine(box);
  assert.deepEqual(checks["keys"], {
    name: "keys",
    outcome: "warning",
    message: `others can read ${path}; take that from them: chmod go= FILE`,
  });
});

Deno.test("par doctor fails where credentials or a registry cannot be used", async () => {
  await using box = await sandbox();
  await Deno.mkdir(`${box.home}/.docker`);
  const config = `${box.home}/.docker/config.json`;
  await Deno.writeTextFile(config, "no JSON");
  const broken = await examine(box);
  assert.deepEqual([broken.code, broken.success], [1, false]);
  assert.equal(broken.checks["credentials"]?.outcome, "failed");
  assert(broken.checks["credentials"]?.message.includes(config));

  await Deno.writeTextFile(config, "{}");
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const away = await examine(box, {}, `127.0.0.1:${port}`);
  assert.equal(away.code, 1);
  assert.equal(away.checks["credentials"]?.message, config);
  assert.equal(away.checks["registry"]?.outcome, "failed");
});

Deno.test("par doctor asks a registry, with its credentials", async () => {
  await using box = await sandbox();
  const seen: (string | null)[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    seen.push(request.headers.get("authorization"));
    return request.headers.has("authorization")
      ? new Response("{}")
      : new Response("", { status: 401, headers: { "www-authenticate": 'Basic realm="r"' } });
  });
  const host = `127.0.0.1:${server.addr.port}`;
  const given = await examine(box, {}, host, "-u", "me", "-p", "secret");
  assert.deepEqual(given.checks["registry"], {
    name: "registry",
    outcome: "ok",
    message: `${host} answers`,
  });
  assert.equal(seen.at(-1), `Basic ${btoa("me:secret")}`);
  const anonymous = await examine(box, {}, host);
  assert.deepEqual([anonymous.code, anonymous.checks["registry"]?.outcome], [1, "failed"]);
});

Deno.test("par doctor prints a line a check, and a last one that is the verdict", async () => {
  await using box = await sandbox();
  const { stdout } = await box.run(["doctor"]);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0] ?? "", /^ok {7}deno {9}[0-9.]+ on /);
  assert.equal(lines.at(-1), "Ready.");
  await Deno.mkdir(`${box.home}/.docker`);
  await Deno.writeTextFile(`${box.home}/.docker/config.json`, "[]");
  const quiet = await box.run(["doctor", "-q"]);
  assert.equal(quiet.code, 1);
  assert.doesNotMatch(quiet.stdout, /^ok /m);
  assert.match(quiet.stdout, /^FAILED {3}credentials .*\nNot ready: see to credentials\.\n$/m);
});

Deno.test("par doctor says what Deno does not let it check, and how to let it", async () => {
  await using box = await sandbox();
  const output: Output = await runTool(Deno.execPath(), [
    ..."run --no-prompt --no-config --no-lock --allow-env".split(" "),
    ...[`${ROOT}/cli.ts`, "doctor"],
  ], { env: { HOME: box.home, DENO_DIR: await denoDir() } });
  assert.match(
    output.stdout,
    /^warning +permissions +Deno does not allow --allow-read, --allow-net, --allow-run.*par:doctor/m,
  );
  assert.match(output.stdout, /^warning +wasm-tools +not checked: Requires run access/m);
  assert.doesNotMatch(output.stderr, /^ +at /m);
});

Deno.test("par doctor knows the oldest Deno that scripts/deno takes", async () => {
  const script = await Deno.readTextFile(`${ROOT}/scripts/deno`);
  assert.equal(/^minimum=(.*)$/m.exec(script)?.[1], OLDEST_DENO);
});
