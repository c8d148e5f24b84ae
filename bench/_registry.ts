/**
 * The least of a registry that one archive can be read from, which counts what it gives out.
 *
 * @module
 */

import { CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE } from "../lib/registry/media_types.ts";
import { hex } from "../lib/bytes/hex.ts";
import { createSha256 } from "../lib/bytes/digest.ts";
import { readFile } from "../lib/system/files.ts";

/** A registry that is served as long as the block is run. */
export interface Registry extends AsyncDisposable {
  /** The archive's reference in it. */
  readonly reference: string;
  /** How many bytes of bodies it gave out. */
  readonly sent: () => number;
}

/** Serves an archive under a reference of its own. */
export async function serveArchive(path: string): Promise<Registry> {
  const { size } = await Deno.stat(path);
  const digest = await digestOf(readFile(path));
  const config = new TextEncoder().encode("{}");
  const manifest = new TextEncoder().encode(JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: await digestOf(once(config)), size: config.length },
    layers: [{ mediaType: LAYER_TYPE, digest, size }],
  }));
  const manifestDigest = await digestOf(once(manifest));
  let sent = 0;
  const counted = (): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> =>
    new TransformStream({
      transform(chunk, controller): void {
        sent += chunk.length;
        controller.enqueue(chunk);
      },
    });
  const blob = async (request: Request): Promise<Response> => {
    const [, first = "0", last = `${size - 1}`] =
      /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "") ?? [];
    const start = Number(first);
    const end = Math.min(Number(last || size - 1), size - 1);
    const file = await Deno.open(path);
    await file.seek(start, Deno.SeekMode.Start);
    const body = file.readable.pipeThrough(limited(end - start + 1)).pipeThrough(counted());
    return new Response(body, {
      status: request.headers.has("range") ? 206 : 200,
      headers: {
        "content-length": `${end - start + 1}`,
        "content-range": `bytes ${start}-${end}/${size}`,
        "accept-ranges": "bytes",
      },
    });
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.includes("/manifests/")) {
      sent += request.method === "HEAD" ? 0 : manifest.length;
      return new Response(request.method === "HEAD" ? null : manifest, {
        headers: {
          "content-type": MANIFEST_TYPE,
          "content-length": `${manifest.length}`,
          "docker-content-digest": manifestDigest,
        },
      });
    }
    if (pathname.endsWith(`/blobs/${digest}`)) return blob(request);
    return new Response("{}", { status: pathname === "/v2/" ? 200 : 404 });
  });
  return {
    reference: `127.0.0.1:${server.addr.port}/bench/fake:1.0`,
    sent: () => sent,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function digestOf(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = await createSha256();
  for await (const chunk of bytes) hash.update(chunk);
  return `sha256:${hex(await hash.digest())}`;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Passes on so many bytes and no more. */
function limited(
  length: number,
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let rest = length;
  return new TransformStream({
    transform(chunk, controller): void {
      controller.enqueue(chunk.subarray(0, rest));
      rest -= Math.min(rest, chunk.length);
      if (rest === 0) controller.terminate();
    },
  });
}
