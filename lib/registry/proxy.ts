/**
 * HTTP proxies: which request goes through which one, as programs in Go decide it.
 *
 * @module
 */

import { ParError } from "../errors.ts";

/** The proxies to use. */
export interface ProxySettings {
  /** The proxy for `http:` URLs. */
  readonly http?: string | undefined;
  /** The proxy for `https:` URLs. */
  readonly https?: string | undefined;
  /**
   * Hosts that are reached directly, separated by commas: `*`, an IP address, a CIDR block, a domain
   * (with its subdomains), `.domain` or `*.domain` (the subdomains alone); each may have a port.
   */
  readonly noProxy?: string | undefined;
}

/**
 * Reads the proxies from the environment.
 *
 * @param env Reads an environment variable: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, the same in
 * lower case, and `REQUEST_METHOD`.
 * @returns The settings.
 */
export function proxySettings(env: (name: string) => string | undefined): ProxySettings {
  const either = (name: string): string | undefined => env(name) || env(name.toLowerCase());
  return {
    // In a CGI program HTTP_PROXY is a header of the request, which anybody can send.
    http: env("REQUEST_METHOD") ? undefined : either("HTTP_PROXY"),
    https: either("HTTPS_PROXY"),
    noProxy: either("NO_PROXY"),
  };
}

/**
 * Finds the proxy for a URL. Loopback addresses never use one.
 *
 * @param url The URL.
 * @param settings The proxies.
 * @returns The proxy's URL, or `undefined` for a direct connection.
 * @throws {ParError} `ERR_OPTION_INVALID` if the proxy's URL is malformed.
 */
export async function findProxy(url: URL, settings: ProxySettings): Promise<URL | undefined> {
  const proxy = url.protocol === "https:" ? settings.https : settings.http;
  if (!proxy || await isDirect(url, settings.noProxy ?? "")) return undefined;
  const text = /^[a-z0-9]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (!parsed || !/^(?:https?|socks5h?):$/.test(parsed.protocol)) {
    // The URL may contain a password, so the message does not show it.
    throw new ParError(
      "ERR_OPTION_INVALID",
      `Cannot use the proxy for ${url.protocol}//: give a URL such as http://proxy.example:3128`,
    );
  }
  return parsed;
}

/** Tells whether a host name or an IP address is this machine's loopback. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d+){3}$/.test(hostname);
}

async function isDirect(url: URL, noProxy: string): Promise<boolean> {
  if (isLoopback(url.hostname)) return true;
  const { BlockList, isIP } = await import("node:net");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const isIn = (address: string, prefix?: string): boolean => {
    const [family, bits] = isIP(address) === 4 ? ["ipv4", 32] as const : ["ipv6", 128] as const;
    const length = Number(prefix ?? bits);
    if (isIP(address) !== isIP(host) || length > bits) return false;
    const block = new BlockList();
    block.addSubnet(address, length, family);
    return block.check(host, family);
  };
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return noProxy.toLowerCase().split(",").map((entry) => entry.trim()).some((entry) => {
    if (entry === "*") return true;
    const [, block = "", prefix] = /^([0-9a-f.:]+)\/([0-9]{1,3})$/.exec(entry) ?? [];
    if (isIP(block)) return isIn(block, prefix);
    const [, bracketed, plain = "", wanted] = isIP(entry)
      ? [entry, undefined, entry]
      : /^(?:\[([^\]]*)\]|([^:]*))(?::([0-9]+))?$/.exec(entry) ?? [];
    const name = bracketed ?? plain;
    if (name === "" || wanted !== undefined && wanted !== port) return false;
    if (isIP(name)) return isIn(name);
    const suffix = name.replace(/^\*\./, ".");
    return suffix.startsWith(".") ? host.endsWith(suffix) : host === suffix ||
      host.endsWith(`.${suffix}`);
  });
}
