import assert from "node:assert/strict";
import type { ParError } from "../../lib/errors.ts";
import type { RegistryOptions } from "../../lib/registry/options.ts";
import { registrySource, resolveReference } from "../../lib/registry/pull.ts";
import { pushArchive } from "../../lib/registry/push.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { collect, noise } from "../_bytes.ts";
import { ROOT, temporaryFolder } from "../_tools.ts";
import { startForwardProxy } from "./_forward_proxy.ts";
import {
  type Certificate,
  hasDockerRegistry,
  hasHtpasswd,
  hasOpenssl,
  instantClock,
  makeCertificate,
  run,
  startDockerRegistry,
} from "./_registry.ts";
import { ISSUER, SERVICE, startTokenServer, USER as TOKEN_USER } from "./_token_server.ts";

const BYTES = noise(3_000_000);
const SOURCE = blobSource(BYTES, "kv.par");
const USER = { user: "me", password: "correct horse" };

Deno.test({
  name: "a registry behind TLS is trusted by its authority, or for the asking",
  ignore: !hasDockerRegistry || !hasOpenssl || !hasHtpasswd,
  async fn() {
    await using folder = await temporaryFolder();
    const tls = await makeCertificate(folder.path);
    await using registry = await startDockerRegistry({ tls, htpasswd: USER });
    const clock = instantClock();
    const base: RegistryOptions = {
      clock,
      credentials: { kind: "password", username: USER.user, password: USER.password },
    };

    const trusting: RegistryOptions[] = [
      { ...base, caCert: tls.authority },
      { ...base, insecureSkipTlsVerify: true },
    ];
    for (const [index, options] of trusting.entries()) {
      for (const monolithic of [false, true]) {
        const reference = parseReference(`${registry.host}/kv-${index}${monolithic}:1`);
        const { digest } = await pushArchive(reference, SOURCE, {
          ...options,
          monolithic,
          chunkSize: 1_000_000,
        });
        using source = registrySource(reference, options);
        assert.equal((await source.resolve()).digest, digest);
        assert.deepEqual(await collect(source.open()), BYTES);
        assert.deepEqual(
          await collect(source.range(1_000_000, 10)),
          BYTES.slice(1_000_000, 1_000_010),
        );
      }
    }

    const reference = parseReference(`${registry.host}/kv-0true:1`);
    await Deno.mkdir(`${folder.path}/other`);
    const other = await makeCertificate(`${folder.path}/other`);
    for (const options of [base, { ...base, caCert: other.authority }]) {
      await assert.rejects(resolveReference(reference, options), (error: ParError) => {
        assert.equal(error.code, "ERR_REGISTRY_CERTIFICATE");
        assert.match(error.message, /certificate of 127\.0\.0\.1:\d+ is not trusted/);
        return true;
      });
    }
    assert.deepEqual(clock.waits, [], "what will not pass was tried again");

    // Plain HTTP to a port that speaks TLS: the registry says so.
    await assert.rejects(resolveReference(reference, { ...base, insecure: true }), {
      code: "ERR_REGISTRY_REFUSED",
      message: /HTTPS server/,
    });
  },
});

Deno.test("caCert refuses what is no certificate", async () => {
  const reference = parseReference("127.0.0.1:9/kv:1");
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  for (const caCert of ["", "garbage", broken]) {
    await assert.rejects(resolveReference(reference, { caCert }), {
      code: "ERR_REGISTRY_CERTIFICATE",
      message: /PEM/,
    });
  }
});

Deno.test({
  name: "TLS to a registry on plain HTTP ends at once, and says what to do",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    await using forward = startForwardProxy(registry.host);
    const reference = parseReference("registry.example/kv:1");
    const clock = instantClock();
    const proxy = { https: forward.url };
    for (const insecureSkipTlsVerify of [false, true]) {
      await assert.rejects(resolveReference(reference, { clock, proxy, insecureSkipTlsVerify }), {
        code: "ERR_REGISTRY_UNREACHABLE",
        message: /does not speak TLS.*insecure/,
      });
    }
    assert.deepEqual(clock.waits, []);
  },
});

Deno.test({
  name: "a registry on loopback is spoken to over plain HTTP if it does not speak TLS",
  ignore: !hasDockerRegistry || !hasOpenssl,
  async fn() {
    await using folder = await temporaryFolder();
    const certificate = await makeCertificate(folder.path);
    await using tokens = await startTokenServer(certificate);
    const rootCertificate = `${folder.path}/ca.crt`;
    await using registry = await startDockerRegistry({
      token: { realm: tokens.realm, service: SERVICE, issuer: ISSUER, rootCertificate },
    });
    const { username, password } = TOKEN_USER;
    const clock = instantClock();
    const port = registry.host.split(":")[1];
    for (const insecureSkipTlsVerify of [false, true]) {
      for (const host of [registry.host, `localhost:${port}`]) {
        const reference = parseReference(`${host}/org/kv:${insecureSkipTlsVerify}`);
        const credentials = { kind: "password", username, password } as const;
        const options = { clock, credentials, insecureSkipTlsVerify };
        const { digest } = await pushArchive(reference, SOURCE, options);
        using source = registrySource(reference, { ...options, digest });
        assert.deepEqual(await collect(source.open()), BYTES);
      }
    }
    assert.deepEqual(clock.waits, []);
  },
});

Deno.test("a name that does not resolve fails at once, and says to check it", async () => {
  // RFC 6761, section 6.4: no name of this domain exists.
  const reference = parseReference("nowhere.invalid/kv:1");
  for (const options of [{}, { insecure: true }, { insecureSkipTlsVerify: true }]) {
    const clock = instantClock();
    await assert.rejects(resolveReference(reference, { ...options, clock }), {
      code: "ERR_REGISTRY_UNREACHABLE",
      message: /name of nowhere\.invalid does not resolve .*check it for a typing error/,
    });
    assert.deepEqual(clock.waits, []);
  }
});

/** Registers a test with a server behind TLS that answers as the test says. */
function testServer(
  name: string,
  handler: (request: Request) => Response | Promise<Response>,
  body: (host: string, certificate: Certificate) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !hasOpenssl,
    async fn() {
      await using folder = await temporaryFolder();
      const certificate = await makeCertificate(folder.path);
      const controller = new AbortController();
      const server = Deno.serve({
        signal: controller.signal,
        hostname: "127.0.0.1",
        port: 0,
        cert: await Deno.readTextFile(certificate.certificate),
        key: await Deno.readTextFile(certificate.key),
        onListen() {},
        onError: () => new Response(null, { status: 500 }),
      }, handler);
      try {
        await body(`127.0.0.1:${server.addr.port}`, certificate);
      } finally {
        controller.abort();
        await server.finished;
      }
    },
  });
}

const plain = "http://127.0.0.1:9/elsewhere";

testServer(
  "nothing leads from TLS to plain HTTP",
  ({ method, headers }) => {
    if (method === "HEAD") return new Response(null, { status: 404 });
    if (method === "POST") return new Response(null, { status: 202, headers: { location: plain } });
    return headers.get("accept")?.includes("manifest")
      ? new Response(null, { status: 307, headers: { location: plain } })
      : new Response(null, { status: 500 });
  },
  async (host, { authority: caCert }) => {
    const reference = parseReference(`${host}/kv:1`);
    const message = /redirects to 127\.0\.0\.1:9 over plain HTTP/;
    const code = "ERR_REGISTRY_PROTOCOL";
    await assert.rejects(resolveReference(reference, { caCert }), { code, message });
    await assert.rejects(pushArchive(reference, SOURCE, { caCert }), { code, message });
  },
);

testServer(
  "credentials do not go to a token server on plain HTTP",
  () =>
    new Response(null, {
      status: 401,
      headers: { "www-authenticate": `Bearer realm="${plain}",service="x"` },
    }),
  async (host, { authority: caCert }) => {
    let asked = 0;
    await assert.rejects(
      resolveReference(parseReference(`${host}/kv:1`), {
        caCert,
        credentials: () => Promise.resolve(void asked++),
      }),
      { code: "ERR_REGISTRY_PROTOCOL", message: /credentials sent to 127\.0\.0\.1:9 over plain/ },
    );
    assert.equal(asked, 0);
  },
);

testServer(
  "insecureSkipTlsVerify keeps the time limits and the signal",
  ({ url }) =>
    url.endsWith("/manifests/stalls")
      ? new Response(new ReadableStream({ start: (body) => body.enqueue(Uint8Array.of(0x7b)) }))
      : new Promise(() => {}),
  async (host) => {
    const options = { insecureSkipTlsVerify: true, stallTimeout: 100, clock: instantClock() };
    for (const tag of ["stalls", "silent"]) {
      await assert.rejects(
        resolveReference(parseReference(`${host}/kv:${tag}`), { ...options, tries: 2 }),
        {
          code: "ERR_REGISTRY_UNREACHABLE",
          message: /(nothing moved .*|sent nothing) for 0\.1 sec/,
        },
      );
    }
    const controller = new AbortController();
    const work = resolveReference(parseReference(`${host}/kv:silent`), {
      insecureSkipTlsVerify: true,
      signal: controller.signal,
    });
    controller.abort();
    await assert.rejects(work, { code: "ERR_ABORTED" });
  },
);

Deno.test({
  name: "insecureSkipTlsVerify needs no permission but the network's",
  ignore: !hasDockerRegistry || !hasOpenssl,
  async fn() {
    await using folder = await temporaryFolder();
    const tls = await makeCertificate(folder.path);
    await using registry = await startDockerRegistry({ tls });
    const reference = `${registry.host}/kv:1`;
    const { digest, size: length } = await pushArchive(parseReference(reference), SOURCE, {
      caCert: tls.authority,
    });
    const printed = await run(Deno.execPath(), [
      ...["run", "--no-prompt", "--no-config", "--no-lock", `--allow-net=${registry.host}`],
      ...[`${ROOT}/test/registry/_resolve.ts`, reference, '{"insecureSkipTlsVerify":true}'],
    ]);
    assert.deepEqual(JSON.parse(printed), { digest, length, bytesRead: length });
  },
});
