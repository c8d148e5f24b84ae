/**
 * How requests reach a server: over `fetch`, which checks certificates, or past the check where the
 * caller asked for that.
 *
 * @module
 */

import type * as https from "node:https";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { ParError } from "../errors.ts";
import { type Bytes, keepAll } from "../bytes/chunks.ts";
import { toStream } from "../bytes/streams.ts";

/** The content of a request, of known length. */
export interface Content {
  /** Its length in bytes. */
  readonly size: number;
  /** Reads it from the beginning. */
  open(): Bytes;
}

/** One request, as it goes over the wire. */
export interface WireRequest {
  /** Its method. */
  readonly method: string;
  /** Its headers, all of them. */
  readonly headers: Headers;
  /** Its body. */
  readonly content: Content | undefined;
  /** Breaks it off, and the reading of its answer too. */
  readonly signal: AbortSignal;
}

/** Sends requests. Redirects are answers like any other. */
export interface Transport {
  /** The most bytes to ask for at once; what comes may all be held in memory. */
  readonly window: number;
  /** Sends one request. */
  send(url: URL, request: WireRequest): Promise<Response>;
  /** Closes the connections kept for further requests. */
  close(): void;
}

/** Which servers a transport trusts. */
export interface TrustOptions {
  /** Certificates, in PEM form, that may sign a server's, besides those the machine trusts. */
  readonly caCert?: string | undefined;
  /** Trusts any server, whatever its certificate. Whoever is on the way can read and change all. */
  readonly insecureSkipTlsVerify?: boolean | undefined;
}

/**
 * Makes a transport.
 *
 * @throws {ParError} `ERR_REGISTRY_CERTIFICATE` where the authority's certificate is none.
 */
export function createTransport(options: TrustOptions): Transport {
  return options.insecureSkipTlsVerify ? new UncheckedTransport() : new FetchTransport(options);
}

class FetchTransport implements Transport {
  readonly window = Infinity;
  readonly #client: Deno.HttpClient;

  constructor({ caCert }: TrustOptions) {
    // One request at a time gains nothing from HTTP/2, and uploads lose a lot to its small windows.
    const base = { http2: false };
    if (caCert === undefined) {
      this.#client = Deno.createHttpClient(base);
      return;
    }
    try {
      // What holds no certificate at all would pass as one that signs nothing.
      if (!caCert.includes("-----BEGIN CERTIFICATE-----")) throw new Error("there is none in it");
      this.#client = Deno.createHttpClient({ ...base, caCerts: [caCert] });
    } catch (cause) {
      throw new ParError(
        "ERR_REGISTRY_CERTIFICATE",
        "Cannot use the authority's certificate: it is not in PEM form; give one that begins with " +
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
  // Deno sends an empty blob without its length, which servers may take for a body without end.
  return content.size === 0 ? new Uint8Array(0) : new ContentBlob(content);
}

/**
 * A blob that is read from elsewhere. Of all bodies that `fetch` takes, a blob alone is both
 * streamed and sent with its length, which the distribution specification asks for.
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

/** `fetch` has no way past a certificate that fails, once the process runs; `node:https` has. */
class UncheckedTransport implements Transport {
  /** Deno's TLS sockets take all that comes, however slowly it is read. */
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
        ca: [], // else the machine's are read, which needs a permission, to be of no use here
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
