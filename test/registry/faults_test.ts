import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { ErrorCode, ParError } from "../../lib/errors.ts";
import { pullArchive, registrySource, resolveReference } from "../../lib/registry/pull.ts";
import { pushArchive, type PushArchiveOptions } from "../../lib/registry/push.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import { blobSource } from "../../lib/bytes/source.ts";
import { collect, concat, noise } from "../_bytes.ts";
import { temporaryFolder } from "../_tools.ts";
import { type Fault, type FaultProxy, first, type Rule, startFaultProxy } from "./_fault_proxy.ts";
import { hasDockerRegistry, instantClock, startDockerRegistry } from "./_registry.ts";
import { startUploadRegistry } from "./_upload_registry.ts";

const BYTES = concat(Uint8Array.of(0x1f, 0x8b), noise(2_999_998));
const DIGEST = `sha256:${createHash("sha256").update(BYTES).digest("hex")}`;
const SOURCE = blobSource(BYTES, "kv.par.gz");
const BLOB = /\/blobs\/sha256:(?!44136fa)/;
const UPLOAD = /\/blobs\/uploads\/./;
const MANIFEST = /\/manifests\//;
const OPTIONS = { insecure: true } as const;

/**
 * How long to wait for a registry that says nothing, in milliseconds: short only where the fault is
 * silence, as a busy machine can be silent too, and each such wait costs one more request.
 */
function stallTimeout(fault: string): number {
  return /stalls|never answer/.test(fault) ? 300 : 30_000;
}

/** How a test with a fault ends. */
type Ending = "success" | readonly [code: ErrorCode, message: RegExp];

/** What is left to say about a fault. */
interface FaultCase {
  readonly fault: string;
  readonly rule: Rule;
  readonly ending: Ending;
  /** Looks at what passed the proxy. */
  readonly check?: (
    proxy: FaultProxy,
    waits: readonly number[],
    notes: readonly string[],
  ) => void;
}

function always(method: string, path: RegExp, fault: Fault): Rule {
  return first(Infinity, method, path, fault);
}

function status(code: number, headers: Record<string, string> = {}): Fault {
  const body = JSON.stringify({ errors: [{ code: "TOOMANYREQUESTS", message: "not now" }] });
  return { kind: "answer", status: code, headers, body };
}

/** The requests of a method to a path. */
function count(proxy: FaultProxy, method: string, path: RegExp): number {
  return proxy.requests.filter((request) => request.method === method && path.test(request.path))
    .length;
}

async function conclude(work: Promise<unknown>, ending: Ending): Promise<void> {
  if (ending === "success") return void await work;
  const [code, message] = ending;
  await assert.rejects(work, (error: ParError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, /^Cannot /);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\p{Cc}/u);
    assert(error.message.length < 600, error.message);
    return true;
  });
}

function testPush(
  { fault, rule, ending, check }: FaultCase,
  options: PushArchiveOptions = {},
): void {
  Deno.test({
    name: `pushArchive() ${ending === "success" ? "survives" : "reports"} ${fault}`,
    ignore: !hasDockerRegistry,
    async fn() {
      await using registry = await startDockerRegistry();
      const proxy = startFaultProxy(registry.host, rule);
      await using _ = proxy;
      const clock = instantClock();
      const notes: string[] = [];
      const work = pushArchive(parseReference(`${proxy.host}/kv:1`), SOURCE, {
        ...OPTIONS,
        stallTimeout: stallTimeout(fault),
        chunkSize: 1_000_000,
        clock,
        onNote: (text) => notes.push(text),
        ...options,
      });
      await conclude(work, ending);
      assert(proxy.faults > 0, "the fault never happened");
      check?.(proxy, clock.waits, notes);

      // Whatever happened: the tag names the right archive, or nothing.
      const pulled = await fetch(`http://${registry.host}/v2/kv/manifests/1`, {
        headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
      });
      if (pulled.status === 404) return void await pulled.body?.cancel();
      const { layers } = await pulled.json();
      const blob = await fetch(`http://${registry.host}/v2/kv/blobs/${layers[0].digest}`);
      assert.deepEqual(new Uint8Array(await blob.arrayBuffer()), BYTES);
    },
  });
}

function testPull({ fault, rule, ending, check }: FaultCase): void {
  Deno.test({
    name: `pullArchive() ${ending === "success" ? "survives" : "reports"} ${fault}`,
    ignore: !hasDockerRegistry,
    async fn() {
      await using registry = await startDockerRegistry();
      await pushArchive(parseReference(`${registry.host}/kv:1`), SOURCE, OPTIONS);
      const proxy = startFaultProxy(registry.host, rule);
      await using _ = proxy;
      await using folder = await temporaryFolder();
      const destination = `${folder.path}/kv.par.gz`;
      const clock = instantClock();
      const reference = parseReference(`${proxy.host}/kv:1`);
      const notes: string[] = [];
      const onNote = (text: string): void => void notes.push(text);
      const options = {
        ...OPTIONS,
        stallTimeout: stallTimeout(fault),
        destination,
        clock,
        onNote,
      };
      await conclude(pullArchive(reference, options), ending);
      assert(proxy.faults > 0, "the fault never happened");
      check?.(proxy, clock.waits, notes);

      const left = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
      assert.deepEqual(left, ending === "success" ? ["kv.par.gz"] : []);
      if (ending === "success") {
        assert.deepEqual(new Uint8Array(await Deno.readFile(destination)), BYTES);
      }
    },
  });
}

const PUSH_FAULTS: readonly FaultCase[] = [
  {
    fault: "a reset as it looks for a blob",
    rule: first(2, "HEAD", BLOB, { kind: "reset" }),
    ending: "success",
  },
  {
    fault: "a reset as it begins an upload",
    rule: first(2, "POST", /uploads\/$/, { kind: "reset" }),
    ending: "success",
  },
  {
    fault: "a reset in the middle of a chunk",
    rule: first(1, "PATCH", UPLOAD, { kind: "cut request", after: 400_000 }),
    ending: "success",
  },
  {
    fault: "a chunk whose answer is lost",
    rule: first(1, "PATCH", UPLOAD, { kind: "lose answer" }),
    ending: "success",
  },
  {
    fault: "an upload whose last answer is lost, without sending it again",
    // The first PUT ends the upload of the configuration.
    rule: (() => {
      let puts = 0;
      return ({ method, path }) =>
        method === "PUT" && UPLOAD.test(path) && ++puts === 2 ? { kind: "lose answer" } : undefined;
    })(),
    ending: "success",
    check: (proxy) => assert.equal(count(proxy, "PATCH", UPLOAD), 3),
  },
  {
    fault: "a manifest whose answer is lost",
    rule: first(1, "PUT", MANIFEST, { kind: "lose answer" }),
    ending: "success",
  },
  {
    fault: "a chunk that is never answered",
    rule: first(1, "PATCH", UPLOAD, { kind: "silence" }),
    ending: "success",
  },
  {
    fault: "status 500 four times, and says that it waits",
    rule: first(4, "PATCH", UPLOAD, status(500)),
    ending: "success",
    check(_, waits, notes) {
      assert.equal(waits.length, 4);
      assert.deepEqual(notes.map((note) => note.replace(/: .*/, "")), [
        "retrying (2 of 6)",
        "retrying (3 of 6)",
        "retrying (4 of 6)",
        "retrying in 1 s (5 of 6)",
      ]);
      assert(notes.every((note) => note.includes("answered 500")), `${notes}`);
    },
  },
  {
    fault: "status 500 ten times",
    rule: always("PATCH", UPLOAD, status(500)),
    ending: ["ERR_REGISTRY_UNREACHABLE", /answered 500: TOOMANYREQUESTS: not now; tried 6 times/],
    check: (proxy) => assert.equal(count(proxy, "PATCH", UPLOAD), 6),
  },
  {
    fault: "status 429, as late as the registry asks",
    rule: first(1, "POST", /uploads\/$/, status(429, { "retry-after": "3" })),
    ending: "success",
    check: (_, waits) => assert.deepEqual(waits, [3125]),
  },
  {
    fault: "status 429 that asks for an hour",
    rule: always("POST", /uploads\/$/, status(429, { "retry-after": "3600" })),
    ending: ["ERR_REGISTRY_UNREACHABLE", /answered 429.* of 3600 seconds/],
  },
  {
    fault: "status 403, without trying again",
    rule: always("POST", /uploads\/$/, status(403)),
    ending: ["ERR_REGISTRY_DENIED", /answered 403.*docker login/],
    check: (proxy) => assert.equal(count(proxy, "POST", /uploads\/$/), 1),
  },
  ...[404, 405, 416, 501].map((code): FaultCase => ({
    fault: `status ${code} for chunks, with one request`,
    rule: always("PATCH", UPLOAD, status(code)),
    ending: "success",
    check(proxy, _, notes) {
      assert.equal(count(proxy, "PATCH", UPLOAD), 1);
      const sizes = proxy.requests.filter(({ method }) => method === "PUT")
        .map(({ headers }) => headers.get("content-length"));
      assert(sizes.includes("3000000"), `${sizes}`);
      assert.match(notes.join(), new RegExp(`refuses an upload in chunks \\(${code}\\)`));
    },
  })),
  ...[404, 416].map((code): FaultCase => ({
    fault: `an upload that the registry loses after a chunk (status ${code}), in chunks`,
    rule: (() => {
      let chunks = 0;
      return ({ method }) => method === "PATCH" && ++chunks === 2 ? status(code) : undefined;
    })(),
    ending: "success",
    check(proxy, waits) {
      const lengths = proxy.requests.map(({ headers }) => Number(headers.get("content-length")));
      assert.equal(Math.max(...lengths.filter((length) => length > 0)), 1_000_000);
      assert.equal(waits.length, 1);
    },
  })),
  {
    fault: "status 405 for chunks and 413 for one request",
    rule: ({ method, path, headers }) => {
      if (method === "PATCH") return status(405);
      const large = Number(headers.get("content-length")) > 1_000_000;
      return method === "PUT" && UPLOAD.test(path) && large ? status(413) : undefined;
    },
    ending: ["ERR_REGISTRY_REFUSED", /answered 413/],
  },
  {
    fault: "a limit of nginx on requests, and says which size works",
    rule: ({ headers }) =>
      Number(headers.get("content-length")) > 300_000 ? status(413) : undefined,
    ending: "success",
    check(proxy, _, notes) {
      const lengths = proxy.requests.map(({ headers }) => Number(headers.get("content-length")));
      assert.deepEqual(lengths.filter((length) => length > 100_000).slice(0, 4), [
        1_000_000,
        524_288,
        262_144,
        262_144,
      ]);
      assert.match(notes.join(), /requests of 1000000 bytes \(413\); .*at most 262144 bytes work/);
    },
  },
  {
    fault: "status 413, with what a proxy says",
    rule: always("PATCH", UPLOAD, {
      kind: "answer",
      status: 413,
      headers: { "content-type": "text/plain" },
      body: `too large\u0007\u001b[2J\n${"x".repeat(10_000)}`,
    }),
    ending: ["ERR_REGISTRY_REFUSED", /answered 413: too large \[2J x+…/],
  },
  {
    fault: "a digest of the layer that is not its own",
    rule: (request) =>
      request.method === "PUT" && UPLOAD.test(request.path) &&
        request.path.includes(DIGEST.slice(7))
        ? { kind: "rewrite", headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` } }
        : undefined,
    ending: ["ERR_REGISTRY_DIGEST", /computed the digest sha256:000/],
  },
  {
    fault: "a digest of the manifest that is not its own",
    rule: always("PUT", MANIFEST, {
      kind: "rewrite",
      headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` },
    }),
    ending: ["ERR_REGISTRY_DIGEST", /computed sha256:000/],
  },
  {
    fault: "an upload without a Location",
    rule: always("POST", /uploads\/$/, { kind: "answer", status: 202 }),
    ending: ["ERR_REGISTRY_PROTOCOL", /sent no Location/],
  },
  {
    fault: "a redirect that would make a GET of a chunk",
    rule: always("PATCH", UPLOAD, {
      kind: "answer",
      status: 302,
      headers: { location: "/elsewhere" },
    }),
    ending: ["ERR_REGISTRY_PROTOCOL", /redirects a PATCH with 302/],
  },
  {
    fault: "a Range that stands still, as Amazon ECR sends it",
    rule: always("PATCH", UPLOAD, { kind: "rewrite", headers: { range: "0-0" } }),
    ending: "success",
    check: (proxy) => assert.equal(count(proxy, "PATCH", UPLOAD), 3),
  },
  {
    fault: "a Range that counts the chunk alone",
    rule: always("PATCH", UPLOAD, { kind: "rewrite", headers: { range: "0-999999" } }),
    ending: "success",
    check: (proxy) => assert.equal(count(proxy, "PATCH", UPLOAD), 3),
  },
  {
    fault: "a Range beyond what was sent",
    rule: always("PATCH", UPLOAD, { kind: "rewrite", headers: { range: "0-9000000" } }),
    ending: "success",
    check: (proxy) => assert.equal(count(proxy, "PATCH", UPLOAD), 3),
  },
  {
    fault: "a chunk's answer without Range",
    rule: always("PATCH", UPLOAD, { kind: "rewrite", headers: { range: undefined } }),
    ending: "success",
  },
  ...[200, 201, 204].map((status): FaultCase => ({
    fault: `status ${status} for a chunk`,
    rule: always("PATCH", UPLOAD, { kind: "rewrite", status }),
    ending: "success",
  })),
  ...[200, 202, 204].map((status): FaultCase => ({
    fault: `status ${status} for a manifest`,
    rule: always("PUT", MANIFEST, { kind: "rewrite", status }),
    ending: "success",
  })),
  ...[200, 202, 204].map((status): FaultCase => ({
    fault: `status ${status} at the end of an upload`,
    rule: always("PUT", UPLOAD, { kind: "rewrite", status }),
    ending: "success",
  })),
  ...[200, 201].map((status): FaultCase => ({
    fault: `status ${status} at the start of an upload`,
    rule: always("POST", /uploads\/$/, { kind: "rewrite", status }),
    ending: "success",
  })),
  {
    fault: "an upload whose Location is no address",
    rule: always("POST", /uploads\/$/, {
      kind: "answer",
      status: 202,
      headers: { location: "http://[" },
    }),
    ending: ["ERR_REGISTRY_PROTOCOL", /not a web address/],
  },
  {
    fault: "a registry that finds another digest",
    rule: ({ method, path }) =>
      method === "PUT" && path.includes(DIGEST.slice(7))
        ? { kind: "answer", status: 400, body: '{"errors":[{"code":"DIGEST_INVALID"}]}' }
        : undefined,
    ending: ["ERR_REGISTRY_DIGEST", /answered 400: DIGEST_INVALID; the content changed on its way/],
  },
  {
    fault: "a registry that has more than was sent, after a chunk, and loses it",
    rule: always("PATCH", UPLOAD, {
      kind: "answer",
      status: 202,
      headers: { location: "/v2/kv/blobs/uploads/1", range: `0-${BYTES.length}` },
    }),
    ending: ["ERR_REGISTRY_NOT_FOUND", /answered 404: BLOB_UPLOAD_INVALID/],
  },
  {
    fault: "a registry that has more than was sent, after a break",
    rule: (() => {
      const cut = first(1, "PATCH", UPLOAD, { kind: "cut request", after: 400_000 });
      const boast = always("GET", UPLOAD, {
        kind: "answer",
        status: 204,
        headers: { range: `0-${BYTES.length}` },
      });
      return (request) => cut(request) ?? boast(request);
    })(),
    ending: "success",
    // The upload begins anew: an offset beyond the end cannot be right.
    check: (proxy) => {
      assert.equal(proxy.faults, 2);
      assert.equal(count(proxy, "POST", /uploads\/$/), 3);
    },
  },
  {
    fault: "a registry that accepts chunks and loses them",
    rule: always("PATCH", UPLOAD, {
      kind: "answer",
      status: 202,
      headers: { range: "0-0" },
    }),
    ending: ["ERR_REGISTRY_DIGEST", /answered 400: DIGEST_INVALID/],
  },
];
for (const faultCase of PUSH_FAULTS) testPush(faultCase);

testPush({
  fault: "a reset in the middle of its only request",
  rule: (() => {
    let left = 1;
    return ({ method, path }) =>
      method === "PUT" && path.includes(DIGEST.slice(7)) && left-- > 0
        ? { kind: "cut request", after: 1_000_000 }
        : undefined;
  })(),
  ending: "success",
}, { monolithic: true });

const PULL_FAULTS: readonly FaultCase[] = [
  {
    fault: "a reset instead of the manifest",
    rule: first(3, "GET", MANIFEST, { kind: "reset" }),
    ending: "success",
  },
  {
    fault: "a manifest that breaks off",
    rule: first(1, "GET", MANIFEST, { kind: "cut answer", after: 50 }),
    ending: "success",
  },
  {
    fault: "a reset instead of the layer",
    rule: first(3, "GET", BLOB, { kind: "reset" }),
    ending: "success",
  },
  {
    fault: "a layer that breaks off, by range",
    rule: ({ method, path, headers }) =>
      method === "GET" && BLOB.test(path) && headers.get("range") === "bytes=32768-2999999"
        ? { kind: "cut answer", after: 1_000_000 }
        : undefined,
    ending: "success",
    check: (proxy) => {
      assert.equal(proxy.faults, 1);
      const { headers } = proxy.requests.at(-1) as { headers: ReadonlyMap<string, string> };
      assert.equal(headers.get("range"), "bytes=1032768-2999999");
    },
  },
  {
    fault: "a layer that breaks off again and again",
    rule: (request) => BLOB.test(request.path) ? { kind: "cut answer", after: 300_000 } : undefined,
    ending: "success",
    check: (proxy) => assert.equal(count(proxy, "GET", BLOB), 11),
  },
  {
    fault: "a layer that always breaks off at once",
    rule: always("GET", BLOB, { kind: "cut answer", after: 0 }),
    ending: ["ERR_REGISTRY_UNREACHABLE", /tried 6 times/],
    check: (proxy) => assert.equal(count(proxy, "GET", BLOB), 6),
  },
  {
    fault: "a layer cut short as if that were all",
    rule: first(2, "GET", BLOB, { kind: "shorten", to: 20_000 }),
    ending: "success",
  },
  {
    fault: "a layer always cut short as if that were all",
    rule: always("GET", BLOB, { kind: "shorten", to: 0 }),
    ending: ["ERR_REGISTRY_UNREACHABLE", /sent 0 of 3000000 bytes and no more; tried 6 times/],
  },
  {
    fault: "a layer that stalls",
    rule: first(2, "GET", BLOB, { kind: "stall", after: 10_000 }),
    ending: "success",
  },
  {
    fault: "a layer that always stalls",
    rule: always("GET", BLOB, { kind: "stall", after: 0 }),
    ending: ["ERR_REGISTRY_UNREACHABLE", /nothing moved .* for 0\.3 seconds; tried 6 times/],
  },
  {
    fault: "a registry that accepts connections and never answers",
    rule: always("GET", MANIFEST, { kind: "silence" }),
    ending: ["ERR_REGISTRY_UNREACHABLE", /sent nothing for 0\.3 seconds; check its name/],
    check: (proxy) => assert.equal(proxy.faults, 1),
  },
  {
    fault: "another blob of the same length",
    rule: always("GET", BLOB, {
      kind: "answer",
      status: 200,
      headers: { "docker-content-digest": DIGEST },
      body: noise(3_000_000, 7),
    }),
    ending: ["ERR_REGISTRY_DIGEST", /its 3000000 bytes have the digest sha256:/],
  },
  {
    fault: "another blob that is shorter",
    rule: always("GET", BLOB, { kind: "answer", status: 200, body: noise(1_000_000, 7) }),
    ending: ["ERR_REGISTRY_DIGEST", /sends 1000000 bytes .* has 3000000/],
  },
  {
    fault: "another blob that is longer",
    rule: always("GET", BLOB, { kind: "answer", status: 200, body: noise(4_000_000, 7) }),
    ending: ["ERR_REGISTRY_DIGEST", /sends 4000000 bytes .* has 3000000/],
  },
  {
    fault: "a single byte that is another",
    rule: always("GET", BLOB, {
      kind: "answer",
      status: 200,
      body: BYTES.map((byte, index) => index === 2_000_000 ? byte ^ 1 : byte),
    }),
    ending: ["ERR_REGISTRY_DIGEST", /do not use them/],
  },
  {
    fault: "a blob of another length than the manifest says, by its range",
    rule: always("GET", BLOB, {
      kind: "rewrite",
      headers: { "content-range": "bytes 0-32767/3000001" },
    }),
    ending: ["ERR_REGISTRY_DIGEST", /sends 3000001 bytes/],
  },
  {
    fault: "another range than the requested one",
    rule: always("GET", BLOB, {
      kind: "rewrite",
      headers: { "content-range": "bytes 5-32772/3000000" },
    }),
    ending: "success",
    // The first request with a range, and then one for the whole layer each time.
    check: (proxy) => assert.equal(count(proxy, "GET", BLOB), 3),
  },
  {
    fault: "a digest header that is not the manifest's",
    rule: always("GET", MANIFEST, {
      kind: "rewrite",
      headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` },
    }),
    ending: ["ERR_REGISTRY_DIGEST", /the registry says sha256:000/],
  },
  {
    fault: "a web page instead of the manifest",
    rule: always("GET", MANIFEST, {
      kind: "answer",
      status: 200,
      headers: { "content-type": "text/html" },
      body: "<html>log in first</html>",
    }),
    ending: ["ERR_REGISTRY_CONTENT", /not a JSON object/],
  },
  {
    fault: "a layer without end",
    rule: always("GET", BLOB, { kind: "endless" }),
    ending: ["ERR_REGISTRY_DIGEST", /sends more bytes for a blob .* 3000000/],
  },
  {
    fault: "a manifest without end",
    rule: always("GET", MANIFEST, { kind: "endless" }),
    ending: ["ERR_REGISTRY_PROTOCOL", /more than 4194304 bytes/],
  },
  {
    fault: "a layer whose length is stated too long",
    rule: always("GET", BLOB, { kind: "rewrite", headers: { "content-length": "3000001" } }),
    ending: "success",
  },
  {
    fault: "a layer that pretends to be compressed once more",
    rule: always("GET", BLOB, { kind: "rewrite", headers: { "content-encoding": "gzip" } }),
    ending: "success",
  },
  {
    fault: "status 408 three times",
    rule: first(3, "GET", BLOB, status(408)),
    ending: "success",
  },
  {
    fault: "status 503 three times",
    rule: first(3, "GET", BLOB, status(503)),
    ending: "success",
  },
  {
    fault: "status 500 ten times",
    rule: first(10, "GET", BLOB, status(500)),
    ending: ["ERR_REGISTRY_UNREACHABLE", /answered 500: TOOMANYREQUESTS: not now; tried 6 times/],
    check: (proxy) => assert.equal(proxy.faults, 6),
  },
  {
    fault: "status 429, as late as the registry asks",
    rule: first(1, "GET", BLOB, status(429, { "retry-after": "2" })),
    ending: "success",
    check: (_, waits) => assert.deepEqual(waits, [2125]),
  },
  {
    fault: "status 404, without trying again",
    rule: always("GET", BLOB, status(404)),
    ending: ["ERR_REGISTRY_NOT_FOUND", /answered 404/],
    check: (proxy) => assert.equal(proxy.faults, 1),
  },
  {
    fault: "redirects in a circle",
    rule: always("GET", BLOB, { kind: "answer", status: 307, headers: { location: "?again" } }),
    ending: ["ERR_REGISTRY_PROTOCOL", /redirects more than 10 times/],
  },
  {
    fault: "a redirect to what is no web address",
    rule: always("GET", BLOB, {
      kind: "answer",
      status: 307,
      headers: { location: "file:///etc/passwd" },
    }),
    ending: ["ERR_REGISTRY_PROTOCOL", /not a web address/],
  },
  {
    fault: "a registry that ignores ranges",
    rule: always("GET", BLOB, { kind: "ignore range" }),
    ending: "success",
  },
  {
    fault: "a registry that knows no ranges, and says so",
    rule: ({ path, headers }) => BLOB.test(path) && headers.has("range") ? status(416) : undefined,
    ending: "success",
  },
  ...[400, 403, 501].map((code): FaultCase => ({
    fault: `a registry that refuses ranges with ${code}`,
    rule: ({ path, headers }) => BLOB.test(path) && headers.has("range") ? status(code) : undefined,
    ending: "success",
    check: (proxy) => assert.equal(proxy.faults, 1),
  })),
  {
    fault: "a registry that refuses a layer, with a range and without",
    rule: always("GET", BLOB, status(403)),
    ending: ["ERR_REGISTRY_DENIED", /answered 403/],
    check: (proxy) => assert.equal(proxy.faults, 2),
  },
  {
    fault: "a range without Content-Range",
    rule: always("GET", BLOB, { kind: "rewrite", headers: { "content-range": undefined } }),
    ending: "success",
  },
  {
    fault: "a registry that sends less than the range, again and again",
    rule({ path, headers }) {
      const [, start] = /^bytes=(\d+)-/.exec(headers.get("range") ?? "") ?? [];
      if (!BLOB.test(path) || start === undefined) return undefined;
      const body = BYTES.subarray(Number(start), Number(start) + 500_000);
      const last = Number(start) + body.length - 1;
      return {
        kind: "answer",
        status: 206,
        headers: { "content-range": `bytes ${start}-${last}/3000000` },
        body: body.slice(),
      };
    },
    ending: "success",
    check(proxy, waits) {
      assert.equal(proxy.faults, 7);
      assert.deepEqual(waits, []);
    },
  },
  {
    fault: "a registry that ignores ranges and breaks off",
    rule: (() => {
      let blobs = 0;
      return ({ path }) =>
        !BLOB.test(path)
          ? undefined
          : ++blobs === 2
          ? { kind: "cut answer", after: 1_000_000 }
          : { kind: "ignore range" };
    })(),
    ending: "success",
  },
];
for (const faultCase of PULL_FAULTS) testPull(faultCase);

Deno.test({
  name: "registrySource() stops reading where a registry ignores ranges",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    await pushArchive(parseReference(`${registry.host}/kv:1`), SOURCE, OPTIONS);
    const proxy = startFaultProxy(registry.host, always("GET", BLOB, { kind: "ignore range" }));
    await using _ = proxy;
    using source = registrySource(parseReference(`${proxy.host}/kv:1`), OPTIONS);
    const part = await collect(source.range(500_000, 1000));
    assert.deepEqual(part, BYTES.slice(500_000, 501_000));
    assert(source.bytesRead >= 501_000, `${source.bytesRead}`);
    assert(source.bytesRead < 1_000_000, `${source.bytesRead}`);
  },
});

Deno.test("pushArchive() goes on where the registry says that an upload broke off", async () => {
  const registry = startUploadRegistry();
  await using _registry = registry;
  const proxy = startFaultProxy(
    registry.host,
    first(1, "PATCH", UPLOAD, { kind: "cut request", after: 700_000 }),
  );
  await using _proxy = proxy;
  await pushArchive(parseReference(`${proxy.host}/kv:1`), SOURCE, {
    ...OPTIONS,
    chunkSize: 1_000_000,
    clock: instantClock(),
  });
  assert.deepEqual(registry.blobs.get(DIGEST), BYTES);
  assert.deepEqual(registry.violations, []);
  // The second chunk begins at byte 700 000: no byte of the layer was sent twice.
  assert.deepEqual(registry.chunks, [1_000_000, 1_000_000, 1_000_000, 300_000]);
  assert.equal(registry.received, BYTES.length + "{}".length);
});

Deno.test("pushArchive() keeps the upload's location if a chunk's answer has none", async () => {
  const registry = startUploadRegistry();
  await using _registry = registry;
  const proxy = startFaultProxy(
    registry.host,
    always("PATCH", UPLOAD, { kind: "rewrite", headers: { location: undefined } }),
  );
  await using _proxy = proxy;
  await pushArchive(parseReference(`${proxy.host}/kv:1`), SOURCE, {
    ...OPTIONS,
    chunkSize: 1_000_000,
  });
  assert.deepEqual(registry.blobs.get(DIGEST), BYTES);
  assert.deepEqual(registry.chunks, [1_000_000, 1_000_000, 1_000_000]);
});

Deno.test("pushArchive() asks again how much has arrived, where that answer is lost", async () => {
  const registry = startUploadRegistry();
  await using _registry = registry;
  const cut = first(1, "PATCH", UPLOAD, { kind: "cut request", after: 700_000 });
  const refuse = first(2, "GET", UPLOAD, status(503));
  const proxy = startFaultProxy(registry.host, (request) => cut(request) ?? refuse(request));
  await using _proxy = proxy;
  await pushArchive(parseReference(`${proxy.host}/kv:1`), SOURCE, {
    ...OPTIONS,
    chunkSize: 1_000_000,
    clock: instantClock(),
  });
  assert.equal(proxy.faults, 3);
  // No byte was sent twice, as all would be where the upload began anew.
  assert.equal(registry.received, BYTES.length + "{}".length);
});

Deno.test({
  name: "resolveReference() takes no other manifest than that of the digest in a reference",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    const push = (bytes: Uint8Array<ArrayBuffer>, tag: string) =>
      pushArchive(parseReference(`${registry.host}/kv:${tag}`), blobSource(bytes, "x"), OPTIONS);
    const { digest } = await push(BYTES, "1");
    await push(noise(1000), "2");
    const other = await fetch(`http://${registry.host}/v2/kv/manifests/2`, {
      headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
    });
    const proxy = startFaultProxy(
      registry.host,
      always("GET", MANIFEST, {
        kind: "answer",
        status: 200,
        headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" },
        body: new Uint8Array(await other.arrayBuffer()),
      }),
    );
    await using _ = proxy;
    await conclude(resolveReference(parseReference(`${proxy.host}/kv@${digest}`), OPTIONS), [
      "ERR_REGISTRY_DIGEST",
      new RegExp(`instead of ${digest}`),
    ]);
  },
});

Deno.test({
  name: "a redirect's user and password are not sent",
  ignore: !hasDockerRegistry,
  async fn() {
    await using registry = await startDockerRegistry();
    await pushArchive(parseReference(`${registry.host}/kv:1`), SOURCE, OPTIONS);
    const storage = startFaultProxy(
      undefined,
      () => ({ kind: "answer", status: 200, body: BYTES }),
    );
    await using _storage = storage;
    const front = startFaultProxy(
      registry.host,
      always("GET", BLOB, {
        kind: "answer",
        status: 307,
        headers: { location: `http://me:hunter2@${storage.host}/blob` },
      }),
    );
    await using _front = front;
    using source = registrySource(parseReference(`${front.host}/kv:1`), OPTIONS);
    assert.deepEqual(await collect(source.open()), BYTES);
    assert(storage.requests.length > 0);
    for (const { headers } of storage.requests) assert(!headers.has("authorization"));
  },
});

Deno.test("a port that no web client may reach is told at once", async () => {
  const clock = instantClock();
  await conclude(resolveReference(parseReference("127.0.0.1:1/kv:1"), { ...OPTIONS, clock }), [
    "ERR_REGISTRY_UNREACHABLE",
    /127\.0\.0\.1:1 cannot be reached \(.*\); check its name and port/,
  ]);
  assert.deepEqual(clock.waits, []);
});

Deno.test("pushArchive() survives uploads that break off again and again", async () => {
  const registry = startUploadRegistry();
  await using _registry = registry;
  const proxy = startFaultProxy(
    registry.host,
    always("PATCH", UPLOAD, { kind: "cut request", after: 300_000 }),
  );
  await using _proxy = proxy;
  await pushArchive(parseReference(`${proxy.host}/kv:1`), SOURCE, {
    ...OPTIONS,
    chunkSize: 1_000_000,
    clock: instantClock(),
  });
  assert.deepEqual(registry.blobs.get(DIGEST), BYTES);
  assert.deepEqual(registry.violations, []);
  assert.equal(registry.received, BYTES.length + "{}".length);
});

Deno.test("pushArchive() sends chunks as long as the registry wants them, with their lengths", async () => {
  const registry = startUploadRegistry(800_000);
  await using _ = registry;
  await pushArchive(parseReference(`${registry.host}/kv:1`), SOURCE, {
    ...OPTIONS,
    chunkSize: 100_000,
  });
  assert.deepEqual(registry.chunks, [800_000, 800_000, 800_000, 600_000]);
  assert.deepEqual(registry.violations, []);
  assert.deepEqual(registry.blobs.get(DIGEST), BYTES);
});
