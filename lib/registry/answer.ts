/**
 * A server's answer, and what it means where it is none of those hoped for.
 *
 * @module
 */

import { concat, keep } from "../bytes/chunks.ts";
import { ParError } from "../errors.ts";
import { parseRetryAfter, TransientError } from "./retry.ts";

/** A server's answer to one request. */
export interface Answer {
  /** Where it came from, redirects followed. */
  readonly url: URL;
  /** Its status code. */
  readonly status: number;
  /** Its headers. */
  readonly headers: Headers;

  /**
   * Reads the body. Fails with a {@linkcode TransientError} where the connection breaks or nothing
   * comes for too long.
   */
  body(): AsyncGenerator<Uint8Array>;

  /** Takes no more of the body; to be called where it was not read to its end. */
  discard(): Promise<void>;
}

/** More than any registry has to say about an error. */
const MAX_ERROR_LENGTH = 64 * 1024;
/** More than anybody wants to read about one. */
const MAX_SHOWN_LENGTH = 300;

/**
 * Reads a body whole.
 *
 * @param answer The answer.
 * @param limit The most bytes it may have.
 * @returns The bytes, or `undefined` where there are more than that.
 */
export async function readBody(answer: Answer, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.body()) {
    length += chunk.length;
    if (length > limit) return undefined;
    chunks.push(keep(chunk));
  }
  return concat(chunks);
}

/**
 * Makes an error of an answer that is no success, and takes its body.
 *
 * @param answer The answer.
 * @param task What was tried, to follow "Cannot ".
 * @param now Milliseconds since the epoch.
 * @param hide Takes out of a text what nobody may see.
 * @returns A {@linkcode TransientError} where trying again may help, else a `ParError` with
 * `ERR_REGISTRY_DENIED`, `ERR_REGISTRY_NOT_FOUND`, `ERR_REGISTRY_DIGEST` or
 * `ERR_REGISTRY_REFUSED`.
 */
export async function toError(
  answer: Answer,
  task: string,
  now: number,
  hide: (text: string) => string,
): Promise<Error> {
  const { status, url } = answer;
  const { codes, text } = await whatItSaid(answer, hide);
  const detail = `${url.host} answered ${status}${text && `: ${text}`}`;
  if (isPassing(status)) {
    return new TransientError(detail, parseRetryAfter(answer.headers.get("retry-after"), now));
  }
  if (status === 401 || status === 403) {
    return new ParError(
      "ERR_REGISTRY_DENIED",
      `Cannot ${task}: ${detail}; check the repository's name, and give a user and a password ` +
        "that may do this, or log in with docker login",
    );
  }
  if (status === 404) {
    return new ParError(
      "ERR_REGISTRY_NOT_FOUND",
      `Cannot ${task}: ${detail}; check the reference for a typing error`,
    );
  }
  if (codes.includes("DIGEST_INVALID")) {
    return new ParError(
      "ERR_REGISTRY_DIGEST",
      `Cannot ${task}: ${detail}; something changed the content on its way, try again`,
    );
  }
  return new ParError("ERR_REGISTRY_REFUSED", `Cannot ${task}: ${detail}`);
}

/** Whether a status says that the same request may go better later. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500 && status !== 501;
}

/** An answer that no registry gives which follows the specification. */
export function protocolError(task: string, reason: string): ParError {
  return new ParError("ERR_REGISTRY_PROTOCOL", `Cannot ${task}: ${reason}; is it a registry?`);
}

/**
 * Makes a foreign text fit to show: one line, no control characters, not long.
 *
 * @param text What a server sent.
 * @returns What a person may see of it.
 */
export function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return line.length > MAX_SHOWN_LENGTH ? `${line.slice(0, MAX_SHOWN_LENGTH - 1)}…` : line;
}

/** OCI distribution specification 1.1, "Error codes": JSON; proxies before it say what they like. */
async function whatItSaid(
  answer: Answer,
  hide: (text: string) => string,
): Promise<{ codes: unknown[]; text: string }> {
  let body = "";
  try {
    body = new TextDecoder().decode(await readBody(answer, MAX_ERROR_LENGTH));
  } catch {
    // The status says enough.
  }
  await answer.discard();
  try {
    const { errors } = JSON.parse(body) as { errors: { code?: unknown; message?: unknown }[] };
    const texts = errors.map(({ code, message }) =>
      [code, message].filter((part) => typeof part === "string" && part !== "").join(": ")
    );
    return { codes: errors.map(({ code }) => code), text: oneLine(hide(texts.join("; "))) };
  } catch {
    const plain = /^(?:text\/plain|$)/.test(answer.headers.get("content-type") ?? "");
    return { codes: [], text: plain ? oneLine(hide(body)) : "" };
  }
}
