import assert from "node:assert/strict";
import { authFiles, dockerConfigPath, findCredentials } from "../../lib/registry/credentials.ts";
import { ROOT, temporaryFolder } from "../_tools.ts";
import { run } from "./_registry.ts";

const PASSWORD = { kind: "password", username: "me", password: "pass:word" };

/** Finds credentials with a configuration of this content. */
async function find(registry: string, config: unknown) {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/config.json`;
  await Deno.writeTextFile(
    file,
    typeof config === "string" ? config : JSON.stringify(config),
  );
  return await findCredentials(registry, { authFiles: [file] });
}

Deno.test("findCredentials() takes user and password before anything else", async () => {
  const given = { user: "me", password: "pass:word", authFiles: ["/nowhere/config.json"] };
  assert.deepEqual(await findCredentials("h.example", given), PASSWORD);
});

Deno.test("findCredentials() refuses a user without password and a password without user", async () => {
  for (const given of [{ user: "me" }, { password: "secret" }, { user: "me", password: "" }]) {
    await assert.rejects(
      findCredentials("h.example", given),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "ERR_OPTION_INVALID");
        assert(!error.message.includes("secret"));
        return true;
      },
    );
  }
  assert.equal(await findCredentials("h.example", { user: "", password: "" }), undefined);
});

Deno.test("findCredentials() refuses what Basic authentication cannot carry", async () => {
  for (const [user, password] of [["a:b", "x"], ["me", "hunter2\n"], ["me\u0000", "x"]] as const) {
    await assert.rejects(findCredentials("h.example", { user, password }), (error: Error) => {
      assert.equal((error as { code?: string }).code, "ERR_REGISTRY_CREDENTIALS");
      assert(!error.message.includes("hunter2"));
      return true;
    });
  }
});

Deno.test("findCredentials() goes without where there is no configuration or no entry", async () => {
  assert.equal(await findCredentials("h.example"), undefined);
  const authFiles = ["/nowhere/config.json"];
  assert.equal(await findCredentials("h.example", { authFiles }), undefined);
  for (const config of [{}, { auths: {} }, { auths: { "other.example": { auth: btoa("a:b") } } }]) {
    assert.equal(await find("h.example", config), undefined);
  }
  assert.equal(await find("h.example", { auths: { "h.example": {} } }), undefined);
});

Deno.test("findCredentials() finds a host in auths by every spelling that Docker wrote", async () => {
  const auth = btoa("me:pass:word");
  const keys = ["h.example:5000", "https://h.example:5000", "https://h.example:5000/v1/"];
  for (const key of keys) {
    assert.deepEqual(await find("h.example:5000", { auths: { [key]: { auth } } }), PASSWORD, key);
    assert.equal(await find("h.example", { auths: { [key]: { auth } } }), undefined);
  }
  const hub = { auths: { "https://index.docker.io/v1/": { auth } } };
  assert.deepEqual(await find("docker.io", hub), PASSWORD);
  const both = { auths: { "https://h.example": { auth: btoa("a:b") }, "h.example": { auth } } };
  assert.deepEqual(await find("h.example", both), PASSWORD);
});

Deno.test("findCredentials() reads every kind of entry", async () => {
  const entries: [entry: unknown, found: unknown][] = [
    [{ auth: btoa("me:pass:word\0\0") }, PASSWORD],
    [{ username: "me", password: "pass:word" }, PASSWORD],
    [
      { auth: btoa("00000000-0000-0000-0000-000000000000:"), identitytoken: "refresh" },
      { kind: "identity", identityToken: "refresh" },
    ],
    [{ registrytoken: "access" }, { kind: "registry", registryToken: "access" }],
    [{ auth: btoa("m\xc3\xa9:\xe2\x82\xac") }, {
      kind: "password",
      username: "mé",
      password: "€",
    }],
  ];
  for (const [entry, found] of entries) {
    assert.deepEqual(await find("h.example", { auths: { "h.example": entry } }), found);
  }
});

Deno.test("findCredentials() refuses a broken configuration, and shows none of it", async () => {
  const broken: unknown[] = [
    '{"auths": {"h.example": {"auth": "aHVudGVyMg=="',
    "[]",
    "hunter2",
    '"hunter2"',
    "null",
    { auths: [] },
    { auths: "hunter2" },
    { credHelpers: "hunter2" },
    { auths: { "h.example": { auth: "hunter2!" } } },
    { auths: { "h.example": { auth: btoa("hunter2") } } },
    { auths: { "h.example": { auth: btoa("\xff\xfehunter2:x") } } },
  ];
  for (const config of broken) {
    await assert.rejects(find("h.example", config), (error: Error & { code?: string }) => {
      assert.equal(error.code, "ERR_REGISTRY_CREDENTIALS");
      assert.match(error.message, /^Cannot .*config\.json/);
      for (let shown: unknown = error; shown instanceof Error; shown = shown.cause) {
        assert.doesNotMatch(shown.message, /hunter2|aHVudGVyMg/);
      }
      return true;
    });
  }
});

Deno.test("findCredentials() passes over nulls and the broken entries of other hosts", async () => {
  const auth = btoa("me:pass:word");
  const config = {
    auths: {
      "a.example": null,
      "b.example": { auth: "hunter2!" },
      "c.example": 7,
      "h.example": { auth },
    },
    credHelpers: null,
    credsStore: null,
    HttpHeaders: null,
  };
  assert.deepEqual(await find("h.example", config), PASSWORD);
  assert.equal(await find("a.example", config), undefined);
  await assert.rejects(find("b.example", config), { code: "ERR_REGISTRY_CREDENTIALS" });
  assert.equal(await find("h.example", { auths: null }), undefined);
  assert.equal(await find("h.example", ""), undefined);
  const fields = { auth, identitytoken: null, username: null };
  assert.deepEqual(await find("h.example", { auths: { "h.example": fields } }), PASSWORD);
});

Deno.test("findCredentials() prefers podman's entry of the repository or its namespace", async () => {
  await using folder = await temporaryFolder();
  const file = `${folder.path}/auth.json`;
  const entry = (user: string) => ({ auth: btoa(`${user}:x`) });
  await Deno.writeTextFile(
    file,
    JSON.stringify({
      auths: {
        "h.example": entry("host"),
        "h.example/org": entry("org"),
        "h.example/org/kv": entry("kv"),
        "docker.io/org": entry("hub"),
      },
    }),
  );
  const user = async (registry: string, repository: string): Promise<string | undefined> => {
    const found = await findCredentials(registry, { authFiles: [file], repository });
    return found?.kind === "password" ? found.username : undefined;
  };
  assert.equal(await user("h.example", "org/kv"), "kv");
  assert.equal(await user("h.example", "org/other"), "org");
  assert.equal(await user("h.example", "orgs/kv"), "host");
  assert.equal(await user("docker.io", "org/kv"), "hub");
  assert.equal(await user("docker.io", "library/kv"), undefined);
});

Deno.test("findCredentials() takes the first file that has an entry, and reports a broken one last", async () => {
  await using folder = await temporaryFolder();
  const path = (name: string): string => `${folder.path}/${name}`;
  await Deno.writeTextFile(path("broken"), "hunter2");
  await Deno.writeTextFile(path("other"), JSON.stringify({ auths: { "o.example": {} } }));
  const auth = btoa("me:pass:word");
  await Deno.writeTextFile(path("good"), JSON.stringify({ auths: { "h.example": { auth } } }));
  const files = ["none", "broken", "other", "good"].map(path);
  assert.deepEqual(await findCredentials("h.example", { authFiles: files }), PASSWORD);
  await assert.rejects(findCredentials("x.example", { authFiles: files }), {
    code: "ERR_REGISTRY_CREDENTIALS",
  });
});

Deno.test("authFiles() names the files of docker and podman", () => {
  const files = (variables: Record<string, string>): string[] =>
    authFiles((name) => variables[name]);
  assert.deepEqual(
    files({
      HOME: "/h",
      XDG_RUNTIME_DIR: "/run/user/1",
      DOCKER_CONFIG: "/d",
      XDG_CONFIG_HOME: "/c",
    }),
    ["/d/config.json", "/run/user/1/containers/auth.json", "/c/containers/auth.json"],
  );
  assert.deepEqual(files({ REGISTRY_AUTH_FILE: "/a.json" }), ["/a.json"]);
  assert.deepEqual(files({}), []);
});

Deno.test("findCredentials() refuses a configuration that cannot be read", async () => {
  await using folder = await temporaryFolder();
  await assert.rejects(findCredentials("h.example", { authFiles: [folder.path] }), {
    code: "ERR_REGISTRY_CREDENTIALS",
    message: /^Cannot look for credentials: cannot read ".*": it is a directory/,
  });
});

Deno.test("dockerConfigPath() follows DOCKER_CONFIG, else the home folder", () => {
  const path = (variables: Record<string, string>): string | undefined =>
    dockerConfigPath((name) => variables[name]);
  assert.equal(path({ DOCKER_CONFIG: "/x", HOME: "/home/me" }), "/x/config.json");
  assert.equal(path({ HOME: "/home/me" }), "/home/me/.docker/config.json");
  assert.equal(path({ DOCKER_CONFIG: "", USERPROFILE: "C:/me" }), "C:/me/.docker/config.json");
  assert.equal(path({}), undefined);
});

/** Runs the finder in a process of its own, where a helper of this content is on the PATH. */
async function findWithHelper(
  registry: string,
  config: unknown,
  helper: string,
  allowed = "docker-credential-kept",
) {
  await using folder = await temporaryFolder();
  const path = (name: string): string => `${folder.path}/${name}`;
  await Deno.writeTextFile(path("docker-credential-kept"), `#!/bin/sh\n${helper}\n`, {
    mode: 0o755,
  });
  await Deno.writeTextFile(path("config.json"), JSON.stringify(config));
  return JSON.parse(
    await run(Deno.execPath(), [
      ...["run", "--no-prompt", "--no-config", "--no-lock", "--allow-read"],
      `--allow-run=${allowed}`,
      `${ROOT}/test/registry/_find_credentials.ts`,
      registry,
      path("config.json"),
    ], { env: { PATH: `${folder.path}:${Deno.env.get("PATH")}`, NO_COLOR: "1" } }),
  );
}

/** Answers what it was asked for, as the user's name, if it was called as it should be. */
const ECHO = `[ "$1" = get ] && printf '{"Username":"%s","Secret":"s3cret"}' "$(cat)"`;

Deno.test("findCredentials() asks the helper of the host, else that of all hosts", async () => {
  const answer = (username: string) => ({ kind: "password", username, password: "s3cret" });
  const [named, stored, hub, fallback] = await Promise.all([
    findWithHelper("h.example", {
      credHelpers: { "h.example": "kept" },
      credsStore: "missing",
      auths: { "h.example": { auth: btoa("not:this") } },
    }, ECHO),
    findWithHelper("h.example", { credHelpers: { "o.example": "no" }, credsStore: "kept" }, ECHO),
    findWithHelper("docker.io", { credsStore: "kept" }, ECHO.replace('%s",', 'hub",')),
    findWithHelper(
      "h.example",
      { credsStore: "kept", auths: { "h.example": { auth: btoa("me:pass:word") } } },
      "cat > /dev/null; echo credentials not found in native keychain; exit 1",
    ),
  ]);
  assert.deepEqual(named, answer("h.example"));
  assert.deepEqual(stored, answer("h.example"));
  assert.deepEqual(hub, answer("hub"));
  assert.deepEqual(fallback, PASSWORD);
});

Deno.test("findCredentials() knows a helper's identity token", async () => {
  const found = await findWithHelper(
    "h.example",
    { credsStore: "kept" },
    `cat > /dev/null; echo '{"Username":"<token>","Secret":"refresh"}'`,
  );
  assert.deepEqual(found, { kind: "identity", identityToken: "refresh" });
});

Deno.test("findCredentials() says what keeps a helper from helping, and never what it printed", async () => {
  const ours = { credsStore: "kept" };
  const cases: [message: RegExp, config: unknown, helper: string, allowed?: string][] = [
    [/permission to run docker-credential-kept/, ours, ECHO, "docker-credential-other"],
    [/no such program/, { credsStore: "gone" }, ECHO, "docker-credential-gone"],
    [/failed with status 3/, ours, "echo s3cret; echo s3cret >&2; exit 3"],
    [/not a JSON object/, ours, "echo s3cret"],
    [/no Username and Secret/, ours, `echo '{"Secret":"s3cret"}'`],
    [/not a JSON object/, ours, "echo null"],
    [/not a valid helper name/, { credsStore: "../evil" }, ECHO],
  ];
  await Promise.all(cases.map(async ([message, ...rest]) => {
    const error = await findWithHelper("h.example", ...rest);
    assert.equal(error.code, "ERR_REGISTRY_CREDENTIALS");
    assert.match(error.message, message);
    assert(!error.message.includes("s3cret"), error.message);
  }));
});
