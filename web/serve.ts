/**
 * Builds the page and serves it on the loopback interface, to this machine alone.
 *
 * @module
 */

import { build } from "./build.ts";

/** A port to have the same address each time; any free one where left out. */
const port = Number(Deno.args[0] ?? 0);

const folder = await Deno.makeTempDir({ prefix: "par-web-" });
const pages = new Map<string, Uint8Array<ArrayBuffer>>();
for (const path of await build(folder)) {
  pages.set(path.slice(folder.length), await Deno.readFile(path));
}
await Deno.remove(folder, { recursive: true });

Deno.serve({
  hostname: "127.0.0.1",
  port,
  onListen: ({ hostname, port }) => console.log(`http://${hostname}:${port}/`),
}, (request) => {
  const { pathname } = new URL(request.url);
  const page = pages.get(pathname === "/" ? "/index.html" : pathname);
  if (!page) return new Response("Not found\n", { status: 404 });
  const type = pathname.endsWith(".txt") ? "text/plain" : "text/html";
  return new Response(page, { headers: { "content-type": `${type}; charset=utf-8` } });
});
