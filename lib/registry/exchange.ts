/**
 * Sending one request and receiving its answer, with a time limit, and naming what went wrong.
 *
 * @module
 */

import { readStream } from "../bytes/streams.ts";
import { ParError } from "../errors.ts";
import { throwIfAborted } from "../bytes/abort.ts";
import type { Answer } from "./answer.ts";
import { oneLine } from "./answer.ts";
import { TransientError } from "./retry.ts";
import type { Content, Transport } from "./transport.ts";

/** A request to send. */
export interface Request {
  /** Its method. */
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT";
  /** Its URL. */
  readonly url: URL;
  /** Its headers, without those that every request has. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Its body. */
  readonly content?: Content | undefined;
  /** Milliseconds to wait for the answer after the body was sent, if longer than usual. */
  readonly patience?: number | undefined;
}

/** Settings of {@linkcode exchange}. */
export interface ExchangeOptions {
  /** Sends the request. */
  readonly transport: Transport;
  /** What is tried, to follow "Cannot ". */
  readonly task: string;
  /** Milliseconds without a byte in either direction after which a connection counts as broken. */
  readonly stallTimeout: number;
  /** The hosts that have answered. One that never has is given up at the first time limit. */
  readonly answered: Set<string>;
  /** Stops the request. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a request once.
 *
 * @param request The request.
 * @param authorization The request's `Authorization` header.
 * @param options The transport and the time limits.
 * @returns The answer, whatever its status.
 * @throws {TransientError} If the connection fails or stalls.
 * @throws {ParError} Category `failed`, if trying again does not help; and any error from reading the
 * content.
 */
export async function exchange(
  request: Request,
  authorization: string | undefined,
  options: ExchangeOptions,
): Promise<Answer> {
  const { transport, task, stallTimeout, answered, signal } = options;
  const { url, method } = request;
  throwIfAborted(signal);
  const controller = new AbortController();
  const stop = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;

  let timer: ReturnType<typeof setTimeout> | undefined;
  let stalled: number | undefined;
  const watchFor = (milliseconds: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      stalled = milliseconds;
      controller.abort();
    }, milliseconds);
  };
  const patience = Math.max(stallTimeout, request.patience ?? 0);

  let contentFailure: unknown;
  const content: Content | undefined = request.content && {
    size: request.content.size,
    open: () => watch(request.content as Content),
  };
  async function* watch({ open, size }: Content): AsyncGenerator<Uint8Array> {
    try {
      let sent = 0;
      for await (const chunk of open()) {
        sent += chunk.length;
        watchFor(sent < size ? stallTimeout : patience);
        yield chunk;
      }
    } catch (cause) {
      contentFailure = cause;
      throw cause;
    }
  }

  const failure = (cause: unknown): Error => {
    clearTimeout(timer);
    if (contentFailure !== undefined) return contentFailure as Error;
    if (signal?.aborted) {
      return new ParError("ERR_ABORTED", `Cannot ${task}: the work was stopped`, signal.reason);
    }
    if (stalled !== undefined) {
      const seconds = `${stalled / 1000} seconds`;
      return answered.has(url.host)
        ? new TransientError(`nothing moved to or from ${url.host} for ${seconds}`)
        : new ParError(
          "ERR_REGISTRY_UNREACHABLE",
          `Cannot ${task}: ${url.host} sent nothing for ${seconds}; check its name and port, and ` +
            "whether a firewall or a proxy is in between",
        );
    }
    return toFailure(cause, url, task);
  };

  const headers = new Headers({
    // A server must not compress a blob on its way: the digest is that of the bytes as they are.
    "accept-encoding": "identity",
    ...request.headers,
  });
  if (authorization !== undefined) headers.set("authorization", authorization);

  let response: Response;
  watchFor(content?.size ? stallTimeout : patience);
  try {
    response = await transport.send(url, { method, headers, content, signal: stop });
  } catch (cause) {
    throw failure(cause);
  }
  clearTimeout(timer);
  answered.add(url.host);

  async function* body(): AsyncGenerator<Uint8Array> {
    if (response.body === null) return;
    const chunks = readStream(response.body);
    try {
      while (true) {
        // Only the wait for the server is timed, not the time that the reader of this takes.
        watchFor(stallTimeout);
        const { done, value } = await chunks.next();
        clearTimeout(timer);
        if (done) return;
        yield value;
      }
    } catch (cause) {
      throw failure(cause);
    } finally {
      clearTimeout(timer);
      await chunks.return(undefined).catch(() => {});
    }
  }

  return {
    method,
    url,
    status: response.status,
    headers: response.headers,
    body,
    async discard() {
      if (response.body?.locked === false) await response.body.cancel().catch(() => {});
    },
  };
}

/** The cause of the error for a server that does not speak TLS. */
export class NotTlsError extends Error {}

/** How systems say that a name has no address. */
const UNRESOLVED =
  /dns error|failed to lookup address|ENOTFOUND|EAI_AGAIN|name resolution|not known|no such host/i;

/** Finds the kind of a failure. `fetch` tells them apart only by their text. */
function toFailure(cause: unknown, url: URL, task: string): Error {
  if (cause instanceof ParError) return cause;
  const unreachable = (problem: string, cause: unknown): ParError =>
    new ParError("ERR_REGISTRY_UNREACHABLE", `Cannot ${task}: ${problem}`, cause);
  const { host } = url;
  if (cause instanceof Deno.errors.NotCapable) {
    return unreachable(
      `Deno may not connect to ${host}; grant the network permission for it`,
      cause,
    );
  }
  const reason = reasonOf(cause);
  const told = new Error(reason);
  if (/InvalidContentType|corrupt message|wrong version number|HTTP\/0\.9/i.test(reason)) {
    return unreachable(
      `${host} does not speak TLS; for a registry on plain HTTP, allow insecure connections`,
      new NotTlsError(reason),
    );
  }
  if (/certificate/i.test(reason)) {
    return new ParError(
      "ERR_REGISTRY_CERTIFICATE",
      `Cannot ${task}: the certificate of ${host} is not trusted (${reason}); give the ` +
        "certificate of the authority that signed it",
      told,
    );
  }
  if (UNRESOLVED.test(reason)) {
    return unreachable(
      `the name of ${host} does not resolve (${reason}); check it for a typing error, and check ` +
        "this machine's network",
      told,
    );
  }
  if (/blocked|bad port/i.test(reason)) {
    return unreachable(`${host} cannot be reached (${reason}); check its name and port`, told);
  }
  return new TransientError(`the connection to ${host} failed (${reason})`, undefined, told);
}

/**
 * Finds the reason of a failure and removes the URL from it. A URL may contain a token: upload
 * locations and signed redirects do.
 */
function reasonOf(cause: unknown): string {
  let deepest = cause;
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause;
  const text = deepest instanceof Error ? deepest.message : String(deepest);
  return oneLine(
    text.replace(/^Fetch failed: |^.*client error \(\w+\): /s, "").replace(
      /\bhttps?:[^\s)]*/g,
      "…",
    ),
  );
}
