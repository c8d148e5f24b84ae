/**
 * How requests reach a server: through `fetch`, which checks certificates, or without the check if
 * the caller asked for that.
 *
 * @module
 */

import type * as https from "node:https";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { ParError } from "../errors.ts";
import { type Bytes, keepAll } from "../bytes/chunks.ts";
import { toStream } from "../bytes/streams.ts";
import { findProxy, type ProxySettings } from "./proxy.ts";

/** The body of a request, whose length is known. */
export interface Content {
  /** Its length in bytes. */
  readonly size: number;
  /** Reads it from the beginning. It can be called again. */
  open(): Bytes;
}

/** Makes the body of a request from bytes. */
export function toContent(bytes: Uint8Array): Content {
  return {
    size: bytes.length,
    async *open() {
      if (bytes.length > 0) yield bytes;
    },
  };
}

/** One request with everything that is sent. */
export interface WireRequest {
  /** Its method. */
  readonly method: string;
  /** All of its headers. */
  readonly headers: Headers;
  /** Its body. */
  readonly content: Content | undefined;
  /** Stops the request, and the reading of its answer. */
  readonly signal: AbortSignal;
}

/** Sends requests. It does not follow redirects. */
export interface Transport {
  /** The most bytes to request at once, because all of an answer may be held in memory. */
  readonly window: number;
  /** Sends one request. */
  send(url: URL, request: WireRequest): Promise<Response>;
  /** Closes all connections. */
  close(): void;
}

/** Which servers a transport trusts. */
export interface TrustOptions {
  /** Certificates of authorities to trust besides the usual ones, in PEM form. */
  readonly caCert?: string | undefined;
  /**
   * Accepts any certificate. Anybody on the network path can read the credentials and change the
   * content.
   */
  readonly insecureSkipTlsVerify?: boolean | undefined;
}

/** Settings of {@linkcode createTransport}. */
export interface TransportOptions extends TrustOptions {
  /**
   * The proxies, such as {@linkcode proxySettings} reads from the environment. If left out, Deno
   * reads the environment itself, by its own rules.
   */
  readonly proxy?: ProxySettings | undefined;
}

/**
 * Makes a transport.
 *
 * @throws {ParError} `ERR_REGISTRY_CERTIFICATE` if `caCert` holds no certificate.
 */
export function createTransport(options: TransportOptions): Transport {
  return options.insecureSkipTlsVerify
    ? new UncheckedTransport(options.proxy)
    : new FetchTransport(options);
}

class FetchTransport implements Transport {
  readonly window = Infinity;
  readonly #options: TransportOptions;
  /** One for each proxy, and one for direct connections. */
  readonly #clients = new Map<string | undefined, Deno.HttpClient>();

  constructor(options: TransportOptions) {
    this.#options = options;
    // Made here so that a wrong certificate is reported as such, and not as a failed request.
    this.#connect(undefined);
  }

  async send(url: URL, { method, headers, content, signal }: WireRequest): Promise<Response> {
    const { proxy } = this.#options;
    return await fetch(url, {
      method,
      headers,
      signal,
      redirect: "manual",
      client: this.#connect(proxy && (await findProxy(url, proxy))?.href),
      ...(content === undefined ? {} : { body: toBody(content) }),
    });
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #connect(proxy: string | undefined): Deno.HttpClient {
    const known = this.#clients.get(proxy);
    if (known) return known;
    const make = (): Deno.HttpClient => createClient(this.#options.caCert, proxy);
    const client = this.#options.proxy ? withoutProxyVariables(make) : make();
    this.#clients.set(proxy, client);
    return client;
  }
}

function createClient(caCert: string | undefined, proxy: string | undefined): Deno.HttpClient {
  // HTTP/2 does not help one request at a time, and its small windows slow uploads down.
  const base = { http2: false, ...(proxy === undefined ? {} : { proxy: { url: proxy } }) };
  if (caCert === undefined) return Deno.createHttpClient(base);
  try {
    // Deno accepts a text without any certificate.
    if (!caCert.includes("-----BEGIN CERTIFICATE-----")) {
      throw new Error("it contains no certificate");
    }
    return Deno.createHttpClient({ ...base, caCerts: [caCert] });
  } catch (cause) {
    throw new ParError(
      "ERR_REGISTRY_CERTIFICATE",
      "Cannot use the authority's certificate: it is not in PEM form; it must begin with " +
        "-----BEGIN CERTIFICATE-----",
      cause,
    );
  }
}

/**
 * Makes a client that ignores the proxies in the environment. Deno reads them whenever a client is
 * made, has its own rules for `NO_PROXY`, and uses a proxy for loopback too; it has no option for
 * this. Everything happens in one step, so no other code of this thread sees the change.
 */
function withoutProxyVariables(make: () => Deno.HttpClient): Deno.HttpClient {
  const removed: [name: string, value: string][] = [];
  for (const upper of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]) {
    for (const name of [upper, upper.toLowerCase()]) {
      try {
        const value = Deno.env.get(name);
        if (value === undefined) continue;
        Deno.env.delete(name);
        removed.push([name, value]);
      } catch {
        // Without the permission Deno's own rules apply.
      }
    }
  }
  try {
    return make();
  } finally {
    for (const [name, value] of removed) Deno.env.set(name, value);
  }
}

function toBody(content: Content): BodyInit {
  // Deno sends an empty blob without a length, and a server may then wait for more.
  return content.size === 0 ? new Uint8Array(0) : new ContentBlob(content);
}

/**
 * A blob whose bytes come from elsewhere. It is the only kind of body that `fetch` both streams and
 * sends with a length, which the distribution specification requires.
 */
class ContentBlob extends Blob {
  readonly #content: Content;

  constructor(content: Content) {
    super();
    this.#content = content;
  }

  override get size(): number {
    return this.#content.size;
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return toStream(this.#content.open());
  }
}

/** `fetch` cannot skip the check of certificates in a running process; `node:https` can. */
class UncheckedTransport implements Transport {
  /** Deno's TLS sockets buffer everything that arrives, however slowly it is read. */
  readonly window: number = 4 * 1024 * 1024;
  readonly #plain: Transport;
  readonly #proxy: ProxySettings | undefined;
  readonly #agents = new Map<string | undefined, https.Agent>();

  constructor(proxy: ProxySettings | undefined) {
    this.#proxy = proxy;
    this.#plain = new FetchTransport({ proxy });
  }

  async send(url: URL, request: WireRequest): Promise<Response> {
    if (url.protocol !== "https:") return await this.#plain.send(url, request);
    const [{ request: begin }, { Readable }] = await Promise.all([
      import("node:https"),
      import("node:stream"),
    ]);
    const agent = await this.#connect(this.#proxy && (await findProxy(url, this.#proxy))?.href);
    const headers: Record<string, string> = Object.fromEntries(request.headers);
    if (request.content) headers["content-length"] = String(request.content.size);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = begin(url, {
        method: request.method,
        headers,
        signal: request.signal,
        agent,
        rejectUnauthorized: false,
        ca: [], // otherwise the system's are read, which needs a permission and changes nothing
      }, resolve);
      outgoing.on("error", reject);
      if (request.content === undefined) {
        outgoing.end();
        return;
      }
      const content = Readable.from(keepAll(request.content.open()), { objectMode: false });
      content.on("error", (cause) => outgoing.destroy(cause));
      content.pipe(outgoing);
    });
    return toResponse(answer, request.method, Readable);
  }

  close(): void {
    this.#plain.close();
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }

  async #connect(proxy: string | undefined): Promise<https.Agent> {
    let agent = this.#agents.get(proxy);
    if (agent) return agent;
    if (proxy === undefined) {
      const { Agent } = await import("node:https");
      agent = new Agent({ keepAlive: true });
    } else if (proxy.startsWith("socks")) {
      throw new ParError(
        "ERR_OPTION_INVALID",
        "Cannot use a SOCKS proxy without checking certificates: give the certificate of the " +
          "authority instead",
      );
    } else {
      const { TunnelAgent } = await import("./tunnel.ts");
      agent = new TunnelAgent(new URL(proxy));
    }
    this.#agents.set(proxy, agent);
    return agent;
  }
}

function toResponse(
  answer: IncomingMessage,
  method: string,
  { toWeb }: typeof Readable,
): Response {
  const headers = new Headers();
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
    headers.append(answer.rawHeaders[at] ?? "", answer.rawHeaders[at + 1] ?? "");
  }
  const status = answer.statusCode ?? 500;
  if (method === "HEAD" || status === 204 || status === 304) {
    answer.resume();
    return new Response(null, { status, headers });
  }
  return new Response(
    toWeb(answer) as ReadableStream<Uint8Array<ArrayBuffer>>,
    { status, statusText: answer.statusMessage ?? "", headers },
  );
}
