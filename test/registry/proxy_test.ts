import assert from "node:assert/strict";
import type { RegistryOptions } from "../../lib/registry/options.ts";
import { findProxy, proxySettings } from "../../lib/registry/proxy.ts";
import { registrySource } from "../../lib/registry/pull.ts";
import { pushArchive } from "../../lib/registry/push.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { collect, noise } from "../_bytes.ts";
import { ROOT, temporaryFolder } from "../_tools.ts";
import { startForwardProxy } from "./_forward_proxy.ts";
import {
  hasDockerRegistry,
  hasOpenssl,
  makeCertificate,
  run,
  startDockerRegistry,
} from "./_registry.ts";

const BYTES = noise(3_000_000);
const SOURCE = blobSource(BYTES, "kv.par");
const PROXY = "http://proxy.example:3128";

Deno.test("findProxy() gives NO_PROXY the meaning that Go gives it", async () => {
  const cases: [noProxy: string, url: string, direct: boolean][] = [
    ["", "https://registry.example/", false],
    ["", "https://localhost/", true],
    ["", "https://127.8.9.1:5000/", true],
    ["", "http://[::1]:5000/", true],
    ["", "https://localhost.example/", false],
    ["*", "https://registry.example/", true],
    ["registry.example", "https://registry.example/", true],
    ["registry.example", "https://a.registry.example:5000/", true],
    ["registry.example", "https://myregistry.example/", false],
    ["EXAMPLE", "https://registry.example/", true],
    [".example", "https://registry.example/", true],
    [".registry.example", "https://registry.example/", false],
    ["*.registry.example", "https://a.registry.example/", true],
    ["*.registry.example", "https://registry.example/", false],
    ["registry.example:5000", "https://registry.example:5000/", true],
    ["registry.example:5000", "https://registry.example/", false],
    ["registry.example:443", "https://registry.example/", true],
    ["registry.example:80", "http://registry.example/", true],
    ["registry.example:80", "https://registry.example/", false],
    ["other.example, registry.example", "https://registry.example/", true],
    ["10.0.0.0/8", "https://10.1.2.3/", true],
    ["10.0.0.0/8", "https://11.1.2.3/", false],
    ["10.1.2.3", "https://10.1.2.3:5000/", true],
    ["10.1.2.3:5000", "https://10.1.2.3:5000/", true],
    ["10.1.2.3:5000", "https://10.1.2.3:5001/", false],
    ["fd00::/8", "https://[fd00::1]/", true],
    ["fd00::1", "https://[fd00:0::1]/", true],
    ["[fd00::1]:5000", "https://[fd00::1]:5000/", true],
    ["10.0.0.0/8", "https://registry.example/", false],
    [":5000,,", "https://registry.example:5000/", false],
  ];
  for (const [noProxy, url, direct] of cases) {
    const found = await findProxy(new URL(url), { http: PROXY, https: PROXY, noProxy });
    assert.equal(found?.href, direct ? undefined : `${PROXY}/`, `${noProxy} ${url}`);
  }
  const bare = await findProxy(new URL("http://registry.example/"), { http: "proxy.example:3128" });
  assert.equal(bare?.href, `${PROXY}/`);
  assert.equal(await findProxy(new URL("http://registry.example/"), { https: PROXY }), undefined);
  await assert.rejects(
    findProxy(new URL("http://registry.example/"), { http: "ftp://me:hunter2@x" }),
    (error: Error) => {
      assert.equal((error as { code?: string }).code, "ERR_OPTION_INVALID");
      assert(!error.message.includes("hunter2"));
      return true;
    },
  );
});

Deno.test("proxySettings() reads both spellings, and no HTTP_PROXY in a CGI program", () => {
  const read = (env: Record<string, string>) => proxySettings((name) => env[name]);
  assert.deepEqual(read({ HTTP_PROXY: "a", https_proxy: "b", no_proxy: "c", NO_PROXY: "" }), {
    http: "a",
    https: "b",
    noProxy: "c",
  });
  assert.equal(read({ HTTP_PROXY: "a", REQUEST_METHOD: "GET" }).http, undefined);
});

/** Pushes and pulls at a name that only the proxy knows. */
async function move(options: RegistryOptions): Promise<void> {
  const reference = parseReference("registry.example/kv:1");
  const { digest } = await pushArchive(reference, SOURCE, { ...options, chunkSize: 1_000_000 });
  using source = registrySource(reference, { ...options, digest });
  assert.deepEqual(await collect(source.open()), BYTES);
}

Deno.test({
  name: "a registry on plain HTTP is reached through a proxy, which gets its password",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    await using proxy = startForwardProxy(registry.host);
    const http = proxy.url.replace("http://", "http://me:hunter2@");
    await move({ insecure: true, proxy: { http } });
    assert(proxy.requests.length > 5);
    assert(proxy.requests.every((line) => line.includes(" http://registry.example/v2/")));
    assert.deepEqual([...new Set(proxy.authorizations)], [`Basic ${btoa("me:hunter2")}`]);
  },
});

Deno.test({
  name:
    "a registry behind TLS is reached through a proxy, with TLS or without, its certificate checked or not",
  ignore: !hasDockerRegistry || !hasOpenssl,
  async fn() {
    await using folder = await temporaryFolder();
    const tls = await makeCertificate(folder.path);
    await using registry = await startDockerRegistry({ tls });
    for (const trust of [{ caCert: tls.authority }, { insecureSkipTlsVerify: true }]) {
      for (const own of [undefined, tls]) {
        await using proxy = startForwardProxy(registry.host, own);
        const https = proxy.url.replace("://", "://me:hunter2@");
        await move({ ...trust, proxy: { https } });
        assert(proxy.requests.length > 0);
        assert.deepEqual([...new Set(proxy.requests)], ["CONNECT registry.example:443 HTTP/1.1"]);
        assert.deepEqual([...new Set(proxy.authorizations)], [`Basic ${btoa("me:hunter2")}`]);
      }
    }
    await assert.rejects(
      move({ insecureSkipTlsVerify: true, proxy: { https: "socks5://me:hunter2@127.0.0.1:9" } }),
      { code: "ERR_OPTION_INVALID", message: /SOCKS/ },
    );
  },
});

Deno.test({
  name: "registryEnvironment() keeps loopback away from the proxies in the environment",
  ignore: !hasDockerRegistry || !hasOpenssl,
  async fn() {
    await using folder = await temporaryFolder();
    const tls = await makeCertificate(folder.path);
    await using registry = await startDockerRegistry({ tls });
    await using plain = await startDockerRegistry();
    await using proxy = startForwardProxy(plain.host);
    await pushArchive(parseReference(`${registry.host}/kv:1`), SOURCE, { caCert: tls.authority });
    await pushArchive(parseReference(`${plain.host}/kv:1`), SOURCE, { insecure: true });
    const env = {
      HTTP_PROXY: proxy.url,
      https_proxy: proxy.url,
      ALL_PROXY: proxy.url,
      DENO_NO_UPDATE_CHECK: "1",
      SSL_CERT_FILE: `${folder.path}/ca.crt`,
    };
    const resolve = async (host: string, options: RegistryOptions): Promise<number> => {
      const printed = await run(Deno.execPath(), [
        ...["run", "--no-prompt", "--no-config", "--no-lock", "-A"],
        ...[
          `${ROOT}/test/registry/_resolve.ts`,
          `${host}/kv:1`,
          JSON.stringify(options),
          "",
          "yes",
        ],
      ], { env });
      return JSON.parse(printed).length;
    };
    assert.equal(await resolve(registry.host, {}), BYTES.length);
    assert.equal(await resolve(registry.host, { insecureSkipTlsVerify: true }), BYTES.length);
    assert.equal(await resolve(plain.host, { insecure: true }), BYTES.length);
    assert.deepEqual(proxy.requests, []);
    // The same environment, and a name that is not loopback.
    assert.equal(await resolve("registry.example", { insecure: true }), BYTES.length);
    assert(proxy.requests.length > 0);
  },
});

Deno.test({
  name: "SSL_CERT_FILE and DENO_TLS_CA_STORE=system are trusted",
  ignore: !hasDockerRegistry || !hasOpenssl || Deno.build.os !== "linux",
  async fn() {
    await using folder = await temporaryFolder();
    const tls = await makeCertificate(folder.path);
    await using registry = await startDockerRegistry({ tls });
    await pushArchive(parseReference(`${registry.host}/kv:1`), SOURCE, { caCert: tls.authority });
    const resolve = (environment: string, env: Record<string, string>): Promise<string> =>
      run(Deno.execPath(), [
        ...["run", "--no-prompt", "--no-config", "--no-lock", "-A"],
        ...[`${ROOT}/test/registry/_resolve.ts`, `${registry.host}/kv:1`, "{}", "", environment],
      ], { env });
    const SSL_CERT_FILE = `${folder.path}/ca.crt`;
    await resolve("yes", { SSL_CERT_FILE });
    await resolve("", { SSL_CERT_FILE, DENO_TLS_CA_STORE: "system" });
    await assert.rejects(resolve("yes", { SSL_CERT_FILE: "/nowhere" }), /is not trusted/);
  },
});
