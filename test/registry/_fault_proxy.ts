/**
 * A proxy that breaks things. It speaks HTTP/1.1 over bare connections, one request each, so that it
 * can break off anywhere.
 *
 * @module
 */

import { concat } from "../_bytes.ts";

/** A request that passes the proxy. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

/** What to do to a request or its answer. */
export type Fault =
  /** Breaks the connection before a byte of the answer. */
  | { readonly kind: "reset" }
  /** Lets the request through, and breaks the connection instead of answering. */
  | { readonly kind: "lose answer" }
  /** Lets that many bytes of the request's body through, and breaks both connections. */
  | { readonly kind: "cut request"; readonly after: number }
  /** Breaks the connection after that many bytes of the answer's body. */
  | { readonly kind: "cut answer"; readonly after: number }
  /** Answers with the first bytes as if they were all. */
  | { readonly kind: "shorten"; readonly to: number }
  /** Sends that many bytes of the answer's body, and then nothing for ever. */
  | { readonly kind: "stall"; readonly after: number }
  /** Takes the request's body and never answers. */
  | { readonly kind: "silence" }
  /** Answers with this instead. */
  | {
    readonly kind: "answer";
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: Uint8Array | string;
  }
  /** Sets headers of the answer, removes those that are `undefined`, and sets its status. */
  | {
    readonly kind: "rewrite";
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string | undefined>>;
  }
  /** Answers with status 200 and a body without end. */
  | { readonly kind: "endless" }
  /** Hides the request's Range header from the registry. */
  | { readonly kind: "ignore range" };

/** Decides what happens to a request; `undefined` lets it pass. */
export type Rule = (request: ProxiedRequest) => Fault | undefined;

/** The proxy. */
export interface FaultProxy extends AsyncDisposable {
  /** Its host and port, as references have them. */
  readonly host: string;
  /** What has passed. */
  requests: ProxiedRequest[];
  /** How many faults there were. */
  faults: number;
  /** Decides from now on. */
  rule: Rule;
}

/** Starts a proxy before a server; without one, every request must meet a fault. */
export function startFaultProxy(upstream: string | undefined, rule: Rule): FaultProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const running = new Set<Promise<void>>();
  const proxy: FaultProxy = {
    host: `127.0.0.1:${listener.addr.port}`,
    requests: [],
    faults: 0,
    rule,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) close(connection);
      await accepting;
      await Promise.all(running);
    },
  };

  async function serve(client: Deno.Conn): Promise<void> {
    open.add(client);
    let server: Deno.Conn | undefined;
    try {
      const incoming = new Lines(client);
      const head = await incoming.head();
      if (head === undefined) return;
      const [method = "", path = ""] = head.first.split(" ");
      const request = { method, path, headers: new Map(head.headers) };
      proxy.requests.push(request);
      const fault = proxy.rule(request);
      if (fault) proxy.faults++;
      const length = Number(request.headers.get("content-length") ?? 0);
      const chunked = request.headers.has("transfer-encoding");
      if (chunked) throw new Error("a request's body came without its length");

      if (fault?.kind === "reset") return;
      if (fault?.kind === "answer") {
        await incoming.skip(length);
        const body = concat(fault.body ?? "");
        const headers = { "content-length": `${body.length}`, ...fault.headers };
        await write(client, `HTTP/1.1 ${fault.status} X\r\n${lines(headers)}\r\n`);
        return await write(client, body);
      }
      if (fault?.kind === "silence") {
        await incoming.skip(length);
        return await forEver(client);
      }
      if (fault?.kind === "endless") {
        await write(client, "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n\r\n");
        while (true) await write(client, new Uint8Array(64 * 1024));
      }
      if (upstream === undefined) throw new Error("no fault, and no server behind the proxy");

      const [hostname = "", port] = upstream.split(":");
      server = await Deno.connect({ hostname, port: Number(port) });
      open.add(server);
      const kept = head.headers.filter(([name]) =>
        name !== "connection" && !(fault?.kind === "ignore range" && name === "range")
      );
      await write(
        server,
        `${head.first}\r\n${kept.map(([name, value]) => `${name}: ${value}\r\n`).join("")}` +
          "connection: close\r\n\r\n",
      );
      const sent = fault?.kind === "cut request" ? Math.min(fault.after, length) : length;
      await incoming.pass(server, sent);
      if (fault?.kind === "cut request") return;

      const outgoing = new Lines(server);
      const answer = await outgoing.head();
      if (answer === undefined || fault?.kind === "lose answer") return;
      let headers = answer.headers.filter(([name]) => name !== "connection");
      const replace = (name: string, value: string | undefined): void => {
        headers = headers.filter(([other]) => other !== name);
        if (value !== undefined) headers.push([name, value]);
      };
      if (fault?.kind === "rewrite") {
        for (const [name, value] of Object.entries(fault.headers ?? {})) replace(name, value);
        if (fault.status !== undefined) answer.first = `HTTP/1.1 ${fault.status} X`;
      }
      if (fault?.kind === "shorten") replace("content-length", `${fault.to}`);
      await write(
        client,
        `${answer.first}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}` +
          "connection: close\r\n\r\n",
      );
      switch (fault?.kind) {
        case "cut answer":
          return await outgoing.pass(client, fault.after);
        case "shorten":
          return await outgoing.pass(client, fault.to);
        case "stall":
          await outgoing.pass(client, fault.after);
          return await forEver(client);
        default:
          return await outgoing.pass(client, Infinity);
      }
    } catch {
      // One side closed the connection, which tests bring about on purpose.
    } finally {
      for (const connection of [client, server]) {
        if (connection === undefined) continue;
        open.delete(connection);
        close(connection);
      }
    }
  }

  const accepting = (async () => {
    try {
      for await (const client of listener) {
        const serving = serve(client).finally(() => running.delete(serving));
        running.add(serving);
      }
    } catch {
      // The listener was closed.
    }
  })();
  return proxy;
}

/** Lets a fault happen the first times that a request fits, and then no more. */
export function first(
  times: number,
  method: string,
  path: RegExp,
  fault: Fault,
): Rule {
  let left = times;
  return (request) =>
    request.method === method && path.test(request.path) && left-- > 0 ? fault : undefined;
}

/** Reads heads line by line, and bodies as they come. */
class Lines {
  readonly #connection: Deno.Conn;
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  async head(): Promise<{ first: string; headers: [string, string][] } | undefined> {
    while (true) {
      const text = new TextDecoder("latin1").decode(this.#rest);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        this.#rest = this.#rest.slice(end + 4);
        const [first = "", ...fields] = text.slice(0, end).split("\r\n");
        return {
          first,
          headers: fields.map((field) => {
            const colon = field.indexOf(":");
            return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
          }),
        };
      }
      const chunk = await this.#read();
      if (chunk === undefined) return undefined;
      this.#rest = concat(this.#rest, chunk);
    }
  }

  /** Passes on the next bytes, all that come where the limit is infinite. */
  async pass(to: Deno.Conn | undefined, limit: number): Promise<void> {
    for (let left = limit; left > 0;) {
      const chunk = this.#rest.length > 0 ? this.#rest : await this.#read();
      this.#rest = new Uint8Array(0);
      if (chunk === undefined) return;
      const passed = chunk.subarray(0, left);
      left -= passed.length;
      if (to) await write(to, passed);
    }
  }

  async skip(length: number): Promise<void> {
    await this.pass(undefined, length);
  }

  async #read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const buffer = new Uint8Array(64 * 1024);
    const count = await this.#connection.read(buffer);
    return count === null ? undefined : buffer.subarray(0, count);
  }
}

async function write(connection: Deno.Conn, data: Uint8Array | string): Promise<void> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function lines(headers: Readonly<Record<string, string>>): string {
  return Object.entries({ ...headers, connection: "close" })
    .map(([name, value]) => `${name}: ${value}\r\n`).join("");
}

/** Keeps a connection open until the other side, or the end of the test, closes it. */
async function forEver(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(1024);
  while (await connection.read(buffer) !== null);
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
