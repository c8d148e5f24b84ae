import assert from "node:assert/strict";
import type { ParError } from "../../lib/errors.ts";
import { mergeScopes } from "../../lib/registry/auth.ts";
import type { Credentials } from "../../lib/registry/credentials.ts";
import type { RegistryOptions } from "../../lib/registry/options.ts";
import { registrySource, resolveReference } from "../../lib/registry/pull.ts";
import { pushArchive } from "../../lib/registry/push.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { collect, noise } from "../_bytes.ts";
import { temporaryFolder } from "../_tools.ts";
import { type FaultProxy, startFaultProxy } from "./_fault_proxy.ts";
import {
  hasDockerRegistry,
  hasHtpasswd,
  hasOpenssl,
  instantClock,
  makeCertificate,
  type Registry,
  startDockerRegistry,
} from "./_registry.ts";
import { ISSUER, SERVICE, startTokenServer, type TokenServer, USER } from "./_token_server.ts";

const BYTES = noise(300_000);
const SOURCE = blobSource(BYTES, "kv.par");
const { username, password } = USER;
const RIGHT: Credentials = { kind: "password", username, password };
const WRONG: Credentials = { kind: "password", username, password: "wrong horse" };

function options(credentials?: RegistryOptions["credentials"]): RegistryOptions {
  return { insecure: true, credentials, clock: instantClock() };
}

/** Expects to be turned away, without any secret being shown. */
async function assertDenied(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error: ParError) => {
    assert.equal(error.code, "ERR_REGISTRY_DENIED", error.message);
    assert.match(error.message, message);
    for (let shown: unknown = error; shown instanceof Error; shown = shown.cause) {
      assert.doesNotMatch(shown.message, /horse|refresh-me|eyJ|bWU6/);
    }
    return true;
  });
}

Deno.test("mergeScopes() joins the actions on one resource", () => {
  assert.deepEqual(
    mergeScopes([
      "repository:a/b:pull",
      "repository:a/b:push,pull",
      "",
      "repository(plugin):a/b:pull",
      "repository:h.example:5000/a:pull",
      "registry:catalog:*",
      "openid",
    ]),
    [
      "openid",
      "registry:catalog:*",
      "repository(plugin):a/b:pull",
      "repository:a/b:pull,push",
      "repository:h.example:5000/a:pull",
    ],
  );
});

Deno.test({
  name: "a registry with Basic authentication takes the right password alone",
  ignore: !hasDockerRegistry || !hasHtpasswd,
  async fn() {
    await using registry = await startDockerRegistry({ htpasswd: { user: username, password } });
    const reference = parseReference(`${registry.host}/kv:1`);
    const asked: string[] = [];
    await pushArchive(
      reference,
      SOURCE,
      options((host) => {
        asked.push(host);
        return Promise.resolve(RIGHT);
      }),
    );
    assert.deepEqual(asked, [registry.host]);
    using source = registrySource(reference, options(RIGHT));
    assert.deepEqual(await collect(source.open()), BYTES);

    await assertDenied(resolveReference(reference, options(WRONG)), /answered 401: UNAUTHORIZED/);
    await assertDenied(resolveReference(reference, options()), /docker login/);
    await assertDenied(pushArchive(reference, SOURCE, options()), /answered 401/);
    await assertDenied(
      resolveReference(reference, options({ kind: "identity", identityToken: "refresh-me" })),
      /answered 401/,
    );
  },
});

Deno.test({
  name: "a registry that asks for nothing is not given credentials, nor are they looked for",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    const proxy = startFaultProxy(registry.host, () => undefined);
    await using _ = proxy;
    const find = () => Promise.reject(new Error("nobody asked"));
    await pushArchive(parseReference(`${proxy.host}/kv:1`), SOURCE, options(find));
    await pushArchive(parseReference(`${proxy.host}/kv:2`), SOURCE, options(RIGHT));
    assert.deepEqual(authorizations(proxy), []);
  },
});

/** The credentials that passed a proxy, each kind once. */
function authorizations(proxy: FaultProxy): string[] {
  const schemes = proxy.requests.map(({ headers }) => headers.get("authorization"))
    .filter((header) => header !== undefined).map((header) => header.split(" ")[0] ?? "");
  return [...new Set(schemes)];
}

/** Registers a test with a registry that verifies tokens, and the server that signs them. */
function testTokens(
  name: string,
  body: (registry: Registry, tokens: TokenServer) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !hasDockerRegistry || !hasOpenssl,
    async fn() {
      await using folder = await temporaryFolder();
      const certificate = await makeCertificate(folder.path);
      await using tokens = await startTokenServer(certificate);
      const rootCertificate = `${folder.path}/ca.crt`;
      await using registry = await startDockerRegistry({
        token: { realm: tokens.realm, service: SERVICE, issuer: ISSUER, rootCertificate },
      });
      await body(registry, tokens);
    },
  });
}

testTokens("a token is fetched once, for all that the work needs", async (registry, tokens) => {
  const reference = parseReference(`${registry.host}/org/kv:1`);
  await pushArchive(reference, SOURCE, { ...options(RIGHT), chunkSize: 65_536 });
  assert.equal(tokens.requests.length, 1);
  const [request] = tokens.requests;
  assert.equal(request?.method, "GET");
  assert.deepEqual(request?.parameters.getAll("scope"), ["repository:org/kv:pull,push"]);
  assert.equal(request?.parameters.get("service"), SERVICE);
  assert.equal(request?.parameters.get("account"), username);

  using source = registrySource(reference, options(RIGHT));
  assert.deepEqual(await collect(source.open()), BYTES);
  assert.equal(tokens.requests.length, 2);
  assert.deepEqual(tokens.requests[1]?.parameters.getAll("scope"), ["repository:org/kv:pull"]);
});

testTokens("without credentials a token may do what everybody may", async (registry, tokens) => {
  const open = parseReference(`${registry.host}/public/kv:1`);
  const closed = parseReference(`${registry.host}/org/kv:1`);
  for (const reference of [open, closed]) await pushArchive(reference, SOURCE, options(RIGHT));
  using source = registrySource(open, options());
  assert.deepEqual(await collect(source.open()), BYTES);
  assert.equal(tokens.requests.at(-1)?.authorization, null);
  await assertDenied(resolveReference(closed, options()), /answered 401: UNAUTHORIZED/);
  const other = blobSource(noise(1000, 2), "other.par");
  await assertDenied(pushArchive(open, other, options()), /answered 401: UNAUTHORIZED/);
});

testTokens("an identity token is changed into an access token", async (registry, tokens) => {
  const reference = parseReference(`${registry.host}/org/kv:1`);
  const { identityToken } = USER;
  await pushArchive(reference, SOURCE, options({ kind: "identity", identityToken }));
  assert.equal(tokens.requests.length, 1);
  assert.equal(tokens.requests[0]?.method, "POST");
  assert.equal(tokens.requests[0]?.authorization, null);
  assert.equal(tokens.requests[0]?.parameters.get("scope"), "repository:org/kv:pull,push");
  await assertDenied(
    resolveReference(reference, options({ kind: "identity", identityToken: "refresh-me-not" })),
    /answered 401/,
  );
});

testTokens("a registry token goes to the registry as it is", async (registry, tokens) => {
  const reference = parseReference(`${registry.host}/org/kv:1`);
  await pushArchive(reference, SOURCE, options(RIGHT));
  const answer = await fetch(
    `${tokens.realm}?service=${encodeURIComponent(SERVICE)}&scope=repository:org/kv:pull`,
    { headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` } },
  );
  const { token } = await answer.json();
  const before = tokens.requests.length;
  await resolveReference(reference, options({ kind: "registry", registryToken: token }));
  await assertDenied(
    resolveReference(reference, options({ kind: "registry", registryToken: "eyJub25lIn0" })),
    /answered 401/,
  );
  assert.equal(tokens.requests.length, before);
});

testTokens("a token is renewed when its life is over", async (registry, tokens) => {
  const reference = parseReference(`${registry.host}/org/kv:1`);
  let now = Date.now();
  const clock = { ...instantClock(), now: () => now };
  await pushArchive(reference, SOURCE, { ...options(RIGHT), clock });
  using source = registrySource(reference, { ...options(RIGHT), clock });
  await source.resolve();
  assert.equal(tokens.requests.length, 2);
  await collect(source.range(0, 10));
  assert.equal(tokens.requests.length, 2);
  now += 300_000;
  await collect(source.range(0, 10));
  assert.equal(tokens.requests.length, 3);
});

testTokens(
  "a token that the registry no longer takes is replaced once",
  async (registry, tokens) => {
    const reference = parseReference(`${registry.host}/org/kv:1`);
    await pushArchive(reference, SOURCE, options(RIGHT));
    const proxy = startFaultProxy(registry.host, () => undefined);
    await using _ = proxy;
    const before = tokens.requests.length;
    let refused = 0;
    proxy.rule = ({ headers, path }) =>
      headers.has("authorization") && path.includes("/blobs/") && refused++ === 0
        ? {
          kind: "answer",
          status: 401,
          headers: {
            "www-authenticate": `Bearer realm="${tokens.realm}",service="${SERVICE}",` +
              `scope="repository:org/kv:pull",error="invalid_token"`,
          },
        }
        : undefined;
    using source = registrySource(parseReference(`${proxy.host}/org/kv:1`), options(RIGHT));
    assert.deepEqual(await collect(source.open()), BYTES);
    assert.equal(tokens.requests.length, before + 2);
  },
);

testTokens("a token server's failures are told from refusals", async (registry, tokens) => {
  const reference = parseReference(`${registry.host}/org/kv:1`);
  await assertDenied(pushArchive(reference, SOURCE, options(WRONG)), /401: UNAUTHORIZED: wrong/);
  let failures = 3;
  tokens.intercept = () => failures-- > 0 ? new Response(null, { status: 503 }) : undefined;
  await pushArchive(reference, SOURCE, options(RIGHT));

  const answers = [
    () => Response.json({}),
    () => Response.json({ token: "two words" }),
    () => Response.json({ token: "line\nbreak" }),
    () => Response.json(null),
    () => new Response("<html>"),
    () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:9/" } }),
  ];
  for (const answer of answers) {
    tokens.intercept = answer;
    await assert.rejects(resolveReference(reference, options(RIGHT)), (error: ParError) => {
      assert.match(error.code, /^ERR_REGISTRY_(PROTOCOL|REFUSED)$/);
      return true;
    });
  }
});

testTokens(
  "a server that sends back what it was sent shows no secret",
  async (registry, tokens) => {
    const reference = parseReference(`${registry.host}/org/kv:1`);
    tokens.intercept = ({ authorization }) =>
      Response.json({
        errors: [{ code: "DENIED", message: `${authorization} is ${password}, ${password}!` }],
      }, { status: 403 });
    await assertDenied(pushArchive(reference, SOURCE, options(RIGHT)), /DENIED: Basic … is …, …!/);
    tokens.intercept = undefined;
    await pushArchive(reference, SOURCE, options(RIGHT));
    const proxy = startFaultProxy(registry.host, ({ headers }) =>
      headers.has("authorization")
        ? {
          kind: "answer",
          status: 403,
          headers: { "content-type": "text/plain" },
          body: `no: ${headers.get("authorization")}`,
        }
        : undefined);
    await using _ = proxy;
    await assertDenied(
      resolveReference(parseReference(`${proxy.host}/org/kv:1`), options(RIGHT)),
      /answered 403: no: Bearer …;/,
    );
  },
);

testTokens(
  "a token server that sends back an identity token shows none",
  async (registry, tokens) => {
    const reference = parseReference(`${registry.host}/org/kv:1`);
    const identityToken = "refresh me/horse=";
    for (const echo of [identityToken, new URLSearchParams({ a: identityToken }).toString()]) {
      tokens.intercept = () =>
        Response.json({ errors: [{ message: `no: ${echo}` }] }, { status: 403 });
      const given: Credentials = { kind: "identity", identityToken };
      await assertDenied(resolveReference(reference, options(given)), /: no: (a=)?…;/);
    }
  },
);

testTokens("a token that no header can hold is refused without being shown", async (registry) => {
  const reference = parseReference(`${registry.host}/org/kv:1`);
  for (const registryToken of ["correct horse\n", "corréct-horse", "correct horse"]) {
    const given: Credentials = { kind: "registry", registryToken };
    await assert.rejects(resolveReference(reference, options(given)), (error: ParError) => {
      assert.equal(error.code, "ERR_REGISTRY_CREDENTIALS");
      assert.match(error.message, /^Cannot log in to 127\.0\.0\.1:\d+: its token has characters/);
      assert.doesNotMatch(Deno.inspect(error, { depth: 10 }), /horse/);
      return true;
    });
  }
});

Deno.test("a token server is reached at a web address without a user alone", async () => {
  const elsewhere = startFaultProxy(undefined, () => ({ kind: "answer", status: 403 }));
  await using _elsewhere = elsewhere;
  const { host } = elsewhere;
  const realms = ["/token", `me@${host}/`, `http://me@${host}/`, `http://:x@${host}/`, "ftp://h/"];
  for (const realm of realms) {
    const proxy = startFaultProxy(undefined, () => ({
      kind: "answer",
      status: 401,
      headers: { "www-authenticate": `Bearer realm="${realm}"` },
    }));
    await using _ = proxy;
    await assert.rejects(
      resolveReference(parseReference(`${proxy.host}/org/kv:1`), options(RIGHT)),
      {
        code: "ERR_REGISTRY_PROTOCOL",
        message: /names a token server without a plain web address/,
      },
      realm,
    );
  }
  assert.equal(elsewhere.requests.length, 0);
});

Deno.test({
  name: "credentials do not follow a redirect to another host",
  ignore: !hasDockerRegistry || !hasHtpasswd,
  async fn() {
    await using registry = await startDockerRegistry({ htpasswd: { user: username, password } });
    await pushArchive(parseReference(`${registry.host}/kv:1`), SOURCE, options(RIGHT));
    // The storage host gives the bytes to everybody; the front sends whoever wants a blob there.
    const storage = startFaultProxy(
      undefined,
      () => ({ kind: "answer", status: 200, body: BYTES }),
    );
    await using _storage = storage;
    const front = startFaultProxy(
      registry.host,
      ({ path }) =>
        path.includes("/blobs/")
          ? { kind: "answer", status: 307, headers: { location: `http://${storage.host}/b?sig=x` } }
          : undefined,
    );
    await using _front = front;
    const reference = parseReference(`${front.host}/kv:1`);
    using source = registrySource(reference, options(RIGHT));
    assert.deepEqual(await collect(source.open()), BYTES);
    assert.deepEqual(authorizations(front), ["Basic"]);
    assert(storage.requests.length > 0);
    assert.deepEqual(authorizations(storage), []);
    assert(storage.requests.some(({ headers }) => headers.has("range")));

    // Even where the other host asks for them, or sends us back.
    storage.rule = () => ({
      kind: "answer",
      status: 401,
      headers: { "www-authenticate": 'Basic realm="give me"' },
    });
    await assertDenied(collect(source.range(0, 10)), /answered 401/);
    assert.deepEqual(authorizations(storage), []);

    const passed = front.requests.length;
    storage.rule = () => ({
      kind: "answer",
      status: 307,
      headers: { location: `http://${front.host}/v2/` },
    });
    await assertDenied(collect(source.range(0, 10)), /answered 401/);
    const back = front.requests.slice(passed).filter(({ path }) => path === "/v2/");
    assert.equal(back.length, 1);
    assert(!back[0]?.headers.has("authorization"));
  },
});

Deno.test({
  name: "credentials do not go to an upload's address on another host",
  ignore: !hasDockerRegistry || !hasHtpasswd,
  async fn() {
    await using registry = await startDockerRegistry({ htpasswd: { user: username, password } });
    const other = startFaultProxy(undefined, () => ({ kind: "answer", status: 403 }));
    await using _other = other;
    const front = startFaultProxy(
      registry.host,
      ({ method, headers }) =>
        method === "POST" && headers.has("authorization")
          ? {
            kind: "answer",
            status: 202,
            headers: { location: `http://${other.host}/up?state=x` },
          }
          : undefined,
    );
    await using _front = front;
    await assertDenied(
      pushArchive(parseReference(`${front.host}/kv:1`), SOURCE, options(RIGHT)),
      /answered 403/,
    );
    assert.equal(other.requests.length, 1);
    assert.deepEqual(authorizations(other), []);
  },
});

Deno.test("a registry's redirect of a chunk is followed with the chunk", async () => {
  const bodies: string[] = [];
  const other = startFaultProxy(undefined, ({ method, headers }) => {
    bodies.push(`${method} ${headers.get("content-length")}`);
    return { kind: "answer", status: 201 };
  });
  await using _other = other;
  const front = startFaultProxy(undefined, ({ method, path }) => {
    if (method === "HEAD") return { kind: "answer", status: path.includes("44136fa") ? 200 : 404 };
    if (method === "POST") return { kind: "answer", status: 202, headers: { location: "/up" } };
    return path.startsWith("/up")
      ? { kind: "answer", status: 307, headers: { location: `http://${other.host}${path}` } }
      : { kind: "answer", status: 201 };
  });
  await using _front = front;
  await pushArchive(parseReference(`${front.host}/kv:1`), SOURCE, options());
  assert.deepEqual(bodies, ["PUT 300000"]);
});

for (const status of [401, 403, 404]) {
  Deno.test({
    name: `a registry that states its challenge at /v2/ alone gets credentials (status ${status})`,
    ignore: !hasDockerRegistry || !hasHtpasswd,
    async fn() {
      await using registry = await startDockerRegistry({ htpasswd: { user: username, password } });
      const proxy = startFaultProxy(
        registry.host,
        ({ path, headers }) =>
          path === "/v2/" || headers.has("authorization") ? undefined : { kind: "answer", status },
      );
      await using _ = proxy;
      const reference = parseReference(`${proxy.host}/kv:1`);
      await pushArchive(reference, SOURCE, options(RIGHT));
      using source = registrySource(reference, options(RIGHT));
      assert.deepEqual(await collect(source.open()), BYTES);
      // Once for the push and once for the source.
      assert.equal(proxy.requests.filter(({ path }) => path === "/v2/").length, 2);
      await assert.rejects(resolveReference(reference, options(WRONG)), {
        code: "ERR_REGISTRY_DENIED",
        message: /the user or the password is wrong/,
      });
    },
  });
}

testTokens("an empty token beside an access token does no harm", async (registry, tokens) => {
  const reference = parseReference(`${registry.host}/org/kv:1`);
  await pushArchive(reference, SOURCE, options(RIGHT));
  const answer = await fetch(
    `${tokens.realm}?service=${encodeURIComponent(SERVICE)}&scope=repository:org/kv:pull`,
    { headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` } },
  );
  const { token } = await answer.json();
  for (const body of [{ token: "", access_token: token }, { token: null, access_token: token }]) {
    tokens.intercept = () => Response.json(body);
    await resolveReference(reference, options(RIGHT));
  }
});

testTokens(
  "a wrong password, a missing one and a missing permission have messages of their own",
  async (registry, tokens) => {
    const reference = parseReference(`${registry.host}/org/kv:1`);
    await assertDenied(resolveReference(reference, options(WRONG)), /password is wrong/);
    await assertDenied(resolveReference(reference, options()), /no credentials were sent/);
    const answer = await fetch(
      `${tokens.realm}?service=${encodeURIComponent(SERVICE)}&scope=repository:org/kv:pull`,
      { headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` } },
    );
    const { token } = await answer.json();
    // The token server takes the password, and gives a token that may only pull.
    tokens.intercept = () => Response.json({ token });
    await assertDenied(
      pushArchive(reference, SOURCE, options(RIGHT)),
      /credentials are valid, but this account may not/,
    );
  },
);

Deno.test({
  name: "pushArchive() says that a tag may not be overwritten, and accepts what it names already",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    const reference = parseReference(`${registry.host}/kv:1`);
    const { digest } = await pushArchive(reference, SOURCE, options());
    const other = blobSource(noise(1000, 2), "kv.par");
    for (const status of [400, 403, 405, 409, 412]) {
      const proxy = startFaultProxy(
        registry.host,
        ({ method, path }) =>
          method === "PUT" && path.includes("/manifests/") ? { kind: "answer", status } : undefined,
      );
      await using _ = proxy;
      const there = parseReference(`${proxy.host}/kv:1`);
      await assert.rejects(pushArchive(there, other, options()), (error: ParError) => {
        assert.equal(error.code, "ERR_REGISTRY_REFUSED", error.message);
        assert.match(error.message, /the tag exists and names sha256:.*\(.* answered \d+\); push/);
        assert(error.message.includes(digest) && error.message.includes(`${status}`));
        return true;
      });
      assert((await pushArchive(there, SOURCE, options())).unchanged);
      // Another reason is reported as it is.
      const { rule: refusal } = proxy;
      proxy.rule = ({ method, path }) =>
        method === "PUT" && path.includes("/manifests/")
          ? { kind: "answer", status, body: '{"errors":[{"code":"MANIFEST_INVALID"}]}' }
          : undefined;
      await assert.rejects(pushArchive(there, other, options()), /answered \d+: MANIFEST_INVALID/);
      proxy.rule = refusal;
      // Somebody else pushes the same archive between the first look and the last request.
      let looks = 0;
      const { rule } = proxy;
      proxy.rule = (request) =>
        request.method === "HEAD" && request.path.includes("/manifests/") && looks++ === 0
          ? { kind: "answer", status: 404 }
          : rule(request);
      assert.equal((await pushArchive(there, SOURCE, options())).digest, digest);
    }
  },
});
