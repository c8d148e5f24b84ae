/**
 * Builds the page and serves it on the loopback interface, so only to this machine.
 *
 * @module
 */

import { build } from "./build.ts";

const pages = await build();

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ hostname, port }) => console.log(`http://${hostname}:${port}/`),
}, (request) => {
  const name = new URL(request.url).pathname.slice(1) || "index.html";
  const page = pages.get(name);
  if (page === undefined) return new Response("Not found\n", { status: 404 });
  const type = name.endsWith(".txt") ? "text/plain" : "text/html";
  return new Response(page, { headers: { "content-type": `${type}; charset=utf-8` } });
});
