/**
 * Verifies an archive at a URL while it is downloaded, and says what it is.
 *
 *     deno run --allow-net inspect_url.ts https://example.com/fakepay.par.gz
 *
 * @module
 */

import { inspect, ParError } from "../../mod.ts";

const [url = ""] = Deno.args;
const response = await fetch(url);
if (!response.ok || !response.body) {
  console.error(`Cannot get ${url}: the server answers ${response.status}`);
  Deno.exit(1);
}

try {
  const { claims, size, binaries } = await inspect(response.body);
  console.log(JSON.stringify({
    name: claims.wascap.name,
    issuer: claims.iss,
    size,
    targets: binaries.map(({ target }) => target),
  }));
} catch (error) {
  if (!(error instanceof ParError)) throw error;
  console.error(`${error.message} [${error.code}]`);
  Deno.exit(error.category === "untrusted" ? 3 : 1);
}
