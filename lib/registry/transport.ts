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

/**
 * Makes a transport.
 *
 * @throws {ParError} `ERR_REGISTRY_CERTIFICATE` if `caCert` holds no certificate.
 */
export function createTransport(options: TrustOptions): Transport {
  return options.insecureSkipTlsVerify ? new UncheckedTransport() : new FetchTransport(options);
}

class FetchTransport implements Transport {
  readonly window = Infinity;
  readonly #client: Deno.HttpClient;

  constructor({ caCert }: TrustOptions) {
    // HTTP/2 does not help one request at a time, and its small windows slow uploads down.
    const base = { http2: false };
    if (caCert === undefined) {
      this.#client = Deno.createHttpClient(base);
      return;
    }
    try {
      // Deno accepts a text without any certificate.
      if (!caCert.includes("-----BEGIN CERTIFICATE-----")) {
        throw new Error("it contains no certificate");
      }
      this.#client = Deno.createHttpClient({ ...base, caCerts: [caCert] });
    } catch (cause) {
      throw new ParError(
        "ERR_REGISTRY_CERTIFICATE",
        "Cannot use the authority's certificate: it is not in PEM form; it must begin with " +
          "-----BEGIN CERTIFICATE-----",
        cause,
      );
    }
  }

  async send(url: URL, { method, headers, content, signal }: WireRequest): Promise<Response> {
    return await fetch(url, {
      method,
      headers,
      signal,
      redirect: "manual",
      client: this.#client,
      ...(content === undefined ? {} : { body: toBody(content) }),
    });
  }

  close(): void {
    this.#client.close();
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
  readonly #plain: Transport = new FetchTransport({});
  #agent: https.Agent | undefined;

  async send(url: URL, request: WireRequest): Promise<Response> {
    if (url.protocol !== "https:") return await this.#plain.send(url, request);
    const [{ Agent, request: begin }, { Readable }] = await Promise.all([
      import("node:https"),
      import("node:stream"),
    ]);
    this.#agent ??= new Agent({ keepAlive: true });
    const headers: Record<string, string> = Object.fromEntries(request.headers);
    if (request.content) headers["content-length"] = String(request.content.size);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = begin(url, {
        method: request.method,
        headers,
        signal: request.signal,
        agent: this.#agent,
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
    this.#agent?.destroy();
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
