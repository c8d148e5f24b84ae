/**
 * A server of archives that lets other pages read them, and counts who asks.
 *
 * @module
 */

/** A running server. */
export interface ArchiveServer extends AsyncDisposable {
  /** Its address, without a slash at the end. */
  readonly address: string;
  /** The paths that were asked for, in order. */
  readonly asked: readonly string[];
}

/** What a path answers with; nothing is there where it gives `undefined`. */
export type Answer = (path: string) => Response | undefined;

/** Starts a server on the loopback interface. */
export function serveArchives(answer: Answer): ArchiveServer {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const path = new URL(request.url).pathname;
    asked.push(path);
    return answer(path) ?? new Response(null, { status: 404, headers: SHARED });
  });
  return {
    address: `http://127.0.0.1:${server.addr.port}`,
    asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Lets every page read an answer. */
export const SHARED = { "access-control-allow-origin": "*" } as const;
