/**
 * A registry in memory that keeps what arrived of an upload which broke off, and takes nothing that
 * the distribution specification does not have. The real ones that tests start drop such uploads.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { concat } from "../_bytes.ts";
import type { Registry } from "./_registry.ts";

/** The registry, and what it saw. */
export interface UploadRegistry extends Registry {
  /** Blobs by digest. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** The lengths of the chunks that arrived whole. */
  readonly chunks: readonly number[];
  /** How many bytes of chunks arrived in all. */
  readonly received: number;
  /** What broke the rules. */
  readonly violations: readonly string[];
}

/** Starts it; `minimum` is the least that it takes as a chunk. */
export function startUploadRegistry(minimum = 0): UploadRegistry {
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, Uint8Array>();
  const uploads = new Map<string, { bytes: Uint8Array<ArrayBuffer>; short: boolean }>();
  const chunks: number[] = [];
  const violations: string[] = [];
  let received = 0;
  let names = 0;

  async function handle(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [, kind = "", name = ""] = /^\/v2\/kv\/(blobs\/uploads|blobs|manifests)\/(.*)$/
      .exec(pathname) ?? [];
    const violate = (what: string): Response => {
      violations.push(what);
      return Response.json({ errors: [{ code: "BLOB_UPLOAD_INVALID", message: what }] }, {
        status: 400,
      });
    };
    const state = (status: number): Response => {
      const length = uploads.get(name)?.bytes.length ?? 0;
      return new Response(null, {
        status,
        headers: { location: pathname, range: `0-${Math.max(0, length - 1)}` },
      });
    };
    if (kind === "blobs") return new Response(null, { status: blobs.has(name) ? 200 : 404 });
    if (kind === "manifests") {
      manifests.set(name, new Uint8Array(await request.arrayBuffer()));
      return new Response(null, { status: 201 });
    }
    if (request.method === "POST") {
      const location = `/v2/kv/blobs/uploads/${++names}`;
      uploads.set(`${names}`, { bytes: new Uint8Array(0), short: false });
      return new Response(null, {
        status: 202,
        headers: { location, "oci-chunk-min-length": `${minimum}` },
      });
    }
    const upload = uploads.get(name);
    if (upload === undefined) return new Response(null, { status: 404 });
    if (request.method === "GET") return state(204);
    const length = request.headers.get("content-length");
    if (length === null) return violate("a body without Content-Length");
    if (request.method === "PATCH") {
      const [, start, end] = /^(\d+)-(\d+)$/.exec(request.headers.get("content-range") ?? "") ?? [];
      if (Number(end) - Number(start) + 1 !== Number(length)) {
        return violate("a Content-Range that is not the chunk's");
      }
      if (Number(start) !== upload.bytes.length) return state(416);
      if (upload.short) return violate("a chunk after one that was too short");
      upload.short = Number(length) < minimum;
      chunks.push(Number(length));
    }
    for await (const chunk of request.body ?? []) {
      received += chunk.length;
      upload.bytes = concat(upload.bytes, chunk);
    }
    if (request.method === "PATCH") return state(202);
    const digest = searchParams.get("digest") ?? "";
    if (digest !== `sha256:${createHash("sha256").update(upload.bytes).digest("hex")}`) {
      return Response.json({ errors: [{ code: "DIGEST_INVALID" }] }, { status: 400 });
    }
    uploads.delete(name);
    blobs.set(digest, upload.bytes);
    return new Response(null, { status: 201, headers: { "docker-content-digest": digest } });
  }

  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
    // A request's body may break off, which is what some tests are about.
    handler: (request) => handle(request).catch(() => new Response(null, { status: 500 })),
  });
  return {
    host: `127.0.0.1:${server.addr.port}`,
    blobs,
    chunks,
    violations,
    get received() {
      return received;
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
