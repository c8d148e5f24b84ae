/**
 * TLS connections through a proxy for `node:https` (RFC 9110, section 9.3.6). The package that does
 * this in Node, https-proxy-agent, needs the permission to read the whole environment.
 *
 * @module
 */

import * as http from "node:http";
import * as https from "node:https";
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import { encodePair } from "./credentials.ts";

/** An agent whose connections are tunnels through a proxy. */
export class TunnelAgent extends https.Agent {
  readonly #proxy: URL;

  /** Makes an agent for one proxy, whose certificate is not checked if it speaks TLS. */
  constructor(proxy: URL) {
    super({ keepAlive: true });
    this.#proxy = proxy;
  }

  /** Asks the proxy for a tunnel, and begins TLS with the server behind it. */
  override createConnection(
    options: http.ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex {
    const fail = (error: Error): void => callback?.(error, undefined as unknown as Duplex);
    const { protocol, hostname, port, username, password } = this.#proxy;
    const host = options.host ?? "";
    const authority = `${host.includes(":") ? `[${host}]` : host}:${options.port ?? 443}`;
    const login = encodePair(decodeURIComponent(username), decodeURIComponent(password));
    const { rejectUnauthorized, ca, signal } = options as https.RequestOptions;
    const { request: begin } = protocol === "https:" ? https : http;
    const request = begin({
      hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
      ...(port && { port }),
      method: "CONNECT",
      path: authority,
      agent: false,
      headers: {
        host: authority,
        ...(username || password ? { "proxy-authorization": `Basic ${login}` } : {}),
      },
      rejectUnauthorized,
      ca,
      ...(signal && { signal }),
    });
    request.on("error", fail);
    request.on("connect", ({ statusCode }, socket) => {
      if (statusCode !== 200) {
        socket.destroy();
        return fail(new Error(`the proxy ${this.#proxy.host} answered ${statusCode}`));
      }
      callback?.(
        null,
        tls.connect({ ...options as tls.ConnectionOptions, socket, servername: host }),
      );
    });
    request.end();
    // Where nothing is returned, Node waits for the callback.
    return undefined as unknown as Duplex;
  }
}
