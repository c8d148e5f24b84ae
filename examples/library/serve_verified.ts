/**
 * Serves the archives of the current folder over HTTP, those that a trusted issuer signed and no
 * others.
 *
 *     deno run --allow-read=. --allow-net serve_verified.ts A...
 *
 * @module
 */

import { parsePublicKey, verify } from "../../mod.ts";

const trustedIssuers = Deno.args.map((key) => parsePublicKey(key, "account"));

async function serve(request: Request): Promise<Response> {
  const [, name] = /^\/([\w.-]+\.par(?:\.gz)?)$/.exec(new URL(request.url).pathname) ?? [];
  const file = name && await Deno.open(name).catch(() => undefined);
  if (!file) return Response.json({ error: "there is no such archive" }, { status: 404 });
  try {
    const { trusted, checks, archive } = await verify(read(file), { trustedIssuers });
    if (!trusted || !archive) {
      file.close();
      const { code, message } = checks.find(({ passed }) => !passed) ?? {};
      return Response.json({ error: message, code }, { status: 403 });
    }
    // The open file is sent that was verified: one put in its place meanwhile is another.
    await file.seek(0, Deno.SeekMode.Start);
    return new Response(file.readable, {
      headers: {
        "content-type": "application/vnd.wasmcloud.provider.archive.layer.v1+par",
        "content-length": String(archive.size),
        "etag": JSON.stringify(archive.claims.jti),
      },
    });
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The file's bytes, without closing it. */
function read(file: Deno.FsFile): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const chunk = new Uint8Array(64 * 1024);
      const count = await file.read(chunk);
      if (count === null) controller.close();
      else controller.enqueue(chunk.subarray(0, count));
    },
  });
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ hostname, port }) => console.log(`http://${hostname}:${port}/`),
}, serve);
