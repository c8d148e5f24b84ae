/// <reference lib="dom" />
import { ParError } from "../../lib/errors.ts";
import type { ArchiveSource } from "../../lib/bytes/source.ts";
import type { Bytes } from "../../lib/bytes/chunks.ts";
import { readStream } from "../../lib/bytes/streams.ts";
import type { Origin } from "./protocol.ts";

/** Opens a file or an address as a source. Every failure to read it is a `ParError`. */
export function openOrigin(origin: Origin): ArchiveSource {
  return typeof origin === "string" ? addressSource(origin) : chosenFileSource(origin);
}

function chosenFileSource(file: File): ArchiveSource {
  return {
    name: file.name,
    async *open(): Bytes {
      try {
        yield* readStream(file.stream());
      } catch (cause) {
        throw unreadable(
          `Cannot read ${JSON.stringify(file.name)}: it was changed, moved or may not be read; ` +
            "choose it again",
          cause,
        );
      }
    },
    size: () => Promise.resolve(file.size),
  };
}

function addressSource(url: string): ArchiveSource {
  let size: number | undefined;
  return {
    name: url,
    async *open(): Bytes {
      const response = await request(url);
      const length = response.headers.get("content-length");
      size = length === null ? undefined : Number(length);
      if (!response.body) return;
      try {
        yield* readStream(response.body);
      } catch (cause) {
        throw unreadable(`Cannot read ${url} to its end: the connection was lost`, cause);
      }
    },
    size: () => Promise.resolve(size),
  };
}

async function request(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, {
      credentials: "omit",
      referrerPolicy: "no-referrer",
      cache: "no-store",
    });
  } catch (cause) {
    // A browser does not tell scripts which of these it was.
    throw unreadable(
      `Cannot fetch ${url}: the host cannot be reached, does not let other pages read it (CORS), ` +
        "or sends on to another host; download it and choose the file",
      cause,
    );
  }
  if (response.ok) return response;
  throw unreadable(
    `Cannot fetch ${url}: the host answered ${response.status}; check the address, or download the ` +
      "archive and choose the file",
  );
}

function unreadable(message: string, cause?: unknown): ParError {
  return new ParError("ERR_FILE_UNREADABLE", message, cause);
}
