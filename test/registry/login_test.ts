import assert from "node:assert/strict";
import { findCredentials } from "../../lib/registry/credentials.ts";
import { login, logout } from "../../lib/registry/login.ts";
import { resolveReference } from "../../lib/registry/pull.ts";
import { pushArchive } from "../../lib/registry/push.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { noise } from "../_bytes.ts";
import { ROOT, temporaryFolder } from "../_tools.ts";
import {
  hasDockerRegistry,
  hasHtpasswd,
  hasOpenssl,
  hasOras,
  hasSkopeo,
  instantClock,
  makeCertificate,
  run,
  startDockerRegistry,
} from "./_registry.ts";
import { ISSUER, SERVICE, startTokenServer, USER as TOKEN_USER } from "./_token_server.ts";

const USER = { user: "me", password: "correct horse" };
const SOURCE = blobSource(noise(1000), "kv.par");

/** Registers a test with a registry that takes one password, and a file for credentials. */
function test(
  name: string,
  present: boolean,
  body: (host: string, authFile: string) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !hasDockerRegistry || !hasHtpasswd || !present,
    async fn() {
      await using registry = await startDockerRegistry({ htpasswd: USER });
      await using folder = await temporaryFolder();
      await body(registry.host, `${folder.path}/new/config.json`);
    },
  });
}

test(
  "login() checks the password, stores it, and logout() removes it",
  true,
  async (host, authFile) => {
    const options = { ...USER, insecure: true, authFile };
    await assert.rejects(login(host, { ...options, password: "wrong horse" }), (error: Error) => {
      assert.equal((error as { code?: string }).code, "ERR_REGISTRY_DENIED");
      assert.match(error.message, /^Cannot log in to .*password is wrong/);
      assert.doesNotMatch(error.message, /horse/);
      return true;
    });
    await assert.rejects(Deno.stat(authFile), Deno.errors.NotFound);

    assert.equal(await login(host, options), undefined);
    if (Deno.build.os !== "windows") {
      assert.equal(((await Deno.stat(authFile)).mode ?? 0) & 0o777, 0o600);
    }
    assert.deepEqual(await findCredentials(host, { authFiles: [authFile] }), {
      kind: "password",
      username: USER.user,
      password: USER.password,
    });
    assert.equal(await logout(host, { authFile }), true);
    assert.equal(await logout(host, { authFile }), false);
    assert.equal(await findCredentials(host, { authFiles: [authFile] }), undefined);
  },
);

test("login() and logout() leave the rest of the file as it is", true, async (host, authFile) => {
  await Deno.mkdir(authFile.slice(0, authFile.lastIndexOf("/")));
  const before = {
    auths: {
      "o.example": { auth: btoa("a:b"), email: "x" },
      [`https://${host}/v1/`]: { auth: "" },
    },
    HttpHeaders: { "User-Agent": "x" },
    credHelpers: { "p.example": "gone" },
    psFormat: "{{.ID}}",
  };
  await Deno.writeTextFile(authFile, JSON.stringify(before));
  await login(host, { ...USER, insecure: true, authFile });
  const read = async () => JSON.parse(await Deno.readTextFile(authFile));
  const { [`https://${host}/v1/`]: _, ...others } = before.auths;
  const auth = btoa(`${USER.user}:${USER.password}`);
  assert.deepEqual(await read(), { ...before, auths: { ...others, [host]: { auth } } });
  await logout(host, { authFile });
  assert.deepEqual(await read(), { ...before, auths: others });

  await Deno.writeTextFile(authFile, '{"auths": hunter2');
  await assert.rejects(login(host, { ...USER, insecure: true, authFile }), (error: Error) => {
    assert.equal((error as { code?: string }).code, "ERR_REGISTRY_CREDENTIALS");
    assert(!error.message.includes("hunter2"));
    return true;
  });
  assert.equal(await Deno.readTextFile(authFile), '{"auths": hunter2');
});

test(
  "oras reads what login() wrote, and we read what oras wrote",
  hasOras,
  async (host, authFile) => {
    await login(host, { ...USER, insecure: true, authFile });
    const credentials = (registry: string, repository: string) =>
      findCredentials(registry, { authFiles: [authFile], repository });
    const reference = parseReference(`${host}/org/kv:1`);
    const { digest } = await pushArchive(reference, SOURCE, { insecure: true, credentials });
    const config = ["--plain-http", "--registry-config", authFile];
    assert.equal((await run("oras", ["resolve", ...config, `${host}/org/kv:1`])).trim(), digest);
    await run("oras", ["logout", "--registry-config", authFile, host]);
    assert.equal(await findCredentials(host, { authFiles: [authFile] }), undefined);
    await run("oras", ["login", ...config, "-u", USER.user, "-p", USER.password, host]);
    assert.equal(
      (await resolveReference(reference, { insecure: true, credentials })).digest,
      digest,
    );
  },
);

test(
  "skopeo reads what login() wrote, and we read what skopeo wrote",
  hasSkopeo,
  async (host, authFile) => {
    await login(host, { ...USER, insecure: true, authFile });
    const credentials = (registry: string, repository: string) =>
      findCredentials(registry, { authFiles: [authFile], repository });
    const reference = parseReference(`${host}/org/kv:1`);
    const { digest } = await pushArchive(reference, SOURCE, { insecure: true, credentials });
    const options = ["--tls-verify=false", "--authfile", authFile];
    const raw = await run("skopeo", ["inspect", ...options, "--raw", `docker://${host}/org/kv:1`]);
    assert.equal(JSON.parse(raw).schemaVersion, 2);
    await run("skopeo", ["logout", "--authfile", authFile, host]);
    assert.equal(await findCredentials(host, { authFiles: [authFile] }), undefined);
    // An entry of the namespace alone, as podman writes it.
    await run("skopeo", ["login", ...options, "-u", USER.user, "-p", USER.password, `${host}/org`]);
    assert.equal(
      (await resolveReference(reference, { insecure: true, credentials })).digest,
      digest,
    );
  },
);

test("login() says which folder it cannot make", true, async (host, authFile) => {
  const folder = authFile.slice(0, authFile.lastIndexOf("/"));
  await Deno.symlink("nowhere", folder);
  await assert.rejects(login(host, { ...USER, insecure: true, authFile }), {
    code: "ERR_FILE_UNWRITABLE",
    message: new RegExp(`^Cannot make the folder "${folder}": .*os error`),
  });
});

Deno.test("login() refuses a registry's name that is none, and half a pair of credentials", async () => {
  for (const registry of ["", "h.example/kv", "h..example", "h.example:99999"]) {
    await assert.rejects(login(registry, { ...USER, authFile: "/nowhere/x" }), {
      code: "ERR_REFERENCE_INVALID",
    });
  }
  await assert.rejects(login("h.example", { ...USER, password: "", authFile: "/nowhere/x" }), {
    code: "ERR_OPTION_INVALID",
  });
});

async function testBrokenHelper(): Promise<void> {
  await using folder = await temporaryFolder();
  const certificate = await makeCertificate(folder.path);
  await using tokens = await startTokenServer(certificate);
  await using registry = await startDockerRegistry({
    token: {
      realm: tokens.realm,
      service: SERVICE,
      issuer: ISSUER,
      rootCertificate: `${folder.path}/ca.crt`,
    },
  });
  const { username, password } = TOKEN_USER;
  const options = { insecure: true, clock: instantClock() };
  const right = { ...options, credentials: { kind: "password", username, password } as const };
  const open = parseReference(`${registry.host}/public/kv:1`);
  const closed = parseReference(`${registry.host}/org/kv:1`);
  for (const reference of [open, closed]) await pushArchive(reference, SOURCE, right);

  const authFile = `${folder.path}/config.json`;
  await Deno.writeTextFile(authFile, JSON.stringify({ credsStore: "that-is-not-installed" }));
  const credentials = (host: string) => findCredentials(host, { authFiles: [authFile] });
  const broken = { ...options, credentials };
  await resolveReference(open, broken);
  for (const work of [resolveReference(closed, broken), pushArchive(closed, SOURCE, broken)]) {
    await assert.rejects(work, {
      code: "ERR_REGISTRY_CREDENTIALS",
      message: /docker-credential-that-is-not-installed.*no such program/,
    });
  }
}

Deno.test({
  name: "findCredentials() with a helper that fails matters only if a request is denied",
  ignore: !hasDockerRegistry || !hasOpenssl,
  fn: testBrokenHelper,
});

test("login() and logout() use the helper that the file names", true, async (host, authFile) => {
  const folder = authFile.slice(0, authFile.lastIndexOf("/"));
  await Deno.mkdir(folder);
  // Keeps what it was given beside itself, as `store` and `erase` of a real one would.
  const program = `${folder}/docker-credential-kept`;
  await Deno.writeTextFile(program, `#!/bin/sh\nprintf '%s ' "$1" >> "$0.log"; cat >> "$0.log"\n`, {
    mode: 0o755,
  });
  await Deno.writeTextFile(authFile, JSON.stringify({ credHelpers: { [host]: "kept" } }));
  const script = `
    import { login, logout } from ${JSON.stringify(`file://${ROOT}/lib/registry/login.ts`)};
    const options = ${JSON.stringify({ ...USER, insecure: true, authFile })};
    console.log(await login("${host}", options), await logout("${host}", options));`;
  const printed = await run(Deno.execPath(), ["eval", "--no-config", "--no-lock", script], {
    env: { PATH: `${folder}:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
  });
  assert.equal(printed.trim(), "kept true");
  const stored = JSON.stringify({ ServerURL: host, Username: USER.user, Secret: USER.password });
  assert.equal(await Deno.readTextFile(`${program}.log`), `store ${stored}erase ${host}`);
  assert(!(await Deno.readTextFile(authFile)).includes("horse"));
});
