/**
 * A forward proxy: `CONNECT` for TLS, requests with a whole URL for plain HTTP. It takes every name
 * for one server, so that tests can use names that do not resolve.
 *
 * @module
 */

import type { Certificate } from "./_registry.ts";

/** The proxy. */
export interface ForwardProxy extends AsyncDisposable {
  /** Its URL. */
  readonly url: string;
  /** The first lines of the requests that it saw. */
  readonly requests: readonly string[];
  /** Their `Proxy-Authorization` headers. */
  readonly authorizations: readonly (string | undefined)[];
}

/** Starts a proxy that sends everything to one server. With a certificate it speaks TLS itself. */
export function startForwardProxy(server: string, tls?: Certificate): ForwardProxy {
  const address = { hostname: "127.0.0.1", port: 0 };
  const listener = tls
    ? Deno.listenTls({
      ...address,
      cert: Deno.readTextFileSync(tls.certificate),
      key: Deno.readTextFileSync(tls.key),
    })
    : Deno.listen(address);
  const [hostname = "", port] = server.split(":");
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const open = new Set<Deno.Conn>();

  async function serve(client: Deno.Conn): Promise<void> {
    open.add(client);
    const upstream = await Deno.connect({ hostname, port: Number(port) });
    open.add(upstream);
    const buffer = new Uint8Array(16 * 1024);
    let head = "";
    while (!head.includes("\r\n\r\n")) {
      const count = await client.read(buffer);
      if (count === null) return;
      // Not a TextDecoder: none of its encodings keeps every byte, and a body may follow the head.
      head += String.fromCharCode(...buffer.subarray(0, count));
    }
    const [first = ""] = head.split("\r\n");
    requests.push(first);
    authorizations.push(/^proxy-authorization: *(.*)$/im.exec(head)?.[1]?.trim());
    if (first.startsWith("CONNECT ")) await write(client, "HTTP/1.1 200 OK\r\n\r\n");
    else {
      // One request for each connection keeps this simple.
      const passed = head.replace(/^(\S+) http:\/\/[^/]*/, "$1 ")
        .replace(/\r\n(?:proxy-)?connection: [^\r]*/gi, "")
        .replace("\r\n", "\r\nConnection: close\r\n");
      await write(upstream, passed);
    }
    await Promise.all([
      client.readable.pipeTo(upstream.writable).catch(() => {}),
      upstream.readable.pipeTo(client.writable).catch(() => {}),
    ]);
  }

  const running = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const client of listener) {
      const serving = serve(client).catch(() => {}).finally(() => running.delete(serving));
      running.add(serving);
    }
  })().catch(() => {});
  return {
    url: `${tls ? "https" : "http"}://127.0.0.1:${listener.addr.port}`,
    requests,
    authorizations,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) {
        try {
          connection.close();
        } catch {
          // It was closed already.
        }
      }
      await accepting;
      await Promise.all(running);
    },
  };
}

async function write(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
