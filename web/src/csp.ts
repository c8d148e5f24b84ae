/**
 * The content security policies of the pages (CSP Level 3).
 *
 * @module
 */

/** The page for files may connect to nothing, the other one only to the address it is given. */
export type PageKind = "files" | "address";

/**
 * Writes a page's policy.
 *
 * @param page Which page.
 * @param scriptHash SHA-256 of the one script, in base64.
 * @param styleHash SHA-256 of the one style sheet, in base64.
 */
export function pagePolicy(page: PageKind, scriptHash: string, styleHash: string): string {
  return [
    "default-src 'none'",
    `script-src 'sha256-${scriptHash}'`,
    `style-src 'sha256-${styleHash}'`,
    "worker-src blob:",
    ...(page === "address" ? ["connect-src https: http:"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/**
 * Writes the policy that the page for addresses puts on itself before it fetches: this address,
 * whatever its query, and nothing else.
 *
 * @param url The address. Without one, the page may connect to nothing.
 */
export function addressPolicy(url: URL | undefined): string {
  if (!url) return "connect-src 'none'";
  // The grammar of host sources has no IPv6 addresses: only the scheme can be stated.
  if (url.hostname.startsWith("[")) return `connect-src ${url.protocol}`;
  const path = url.pathname.replaceAll(";", "%3B").replaceAll(",", "%2C");
  return `connect-src ${url.origin}${path}`;
}

/**
 * Reads an address that can be fetched: absolute, with http or https, and without a user and a
 * password. Browsers would not send those for a script, and the page would show them.
 */
export function parseAddress(text: string): URL | undefined {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return undefined;
  return url;
}
