/**
 * The answer of a server, and the error that an answer of failure becomes.
 *
 * @module
 */

import { concat, keep } from "../bytes/chunks.ts";
import { type ErrorCode, ParError } from "../errors.ts";
import { parseRetryAfter, TransientError } from "./retry.ts";

/** A server's answer to one request. */
export interface Answer {
  /** The request's method. */
  readonly method: string;
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

  /** Drops the rest of the body. Call it whenever the body was not read to its end. */
  discard(): Promise<void>;
}

/** A request that the registry refused, with what is needed to try another one. */
export class RefusedError extends ParError {
  /** The request's method. */
  readonly method: string;
  /** The answer's status. */
  readonly status: number;

  /** Makes the error of an answer. */
  constructor(code: ErrorCode, message: string, { method, status }: Answer) {
    super(code, message);
    this.method = method;
    this.status = status;
  }
}

/** Gives what was requested, or `undefined` if the registry does not have it. */
export async function ifFound<T>(requested: Promise<T>): Promise<T | undefined> {
  try {
    return await requested;
  } catch (error) {
    if (error instanceof RefusedError && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * How a request proved who sent it: not at all, with a password or a token that the registry itself
 * checks, or with a token that a token server gave for the credentials.
 */
export type Standing = "anonymous" | "direct" | "token";

/** What the error of an answer needs to know about the request. */
export interface RequestContext {
  /** What was tried, to follow "Cannot ". */
  readonly task: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How the request was authenticated. */
  readonly standing: Standing;
  /** Removes passwords and tokens from a text. */
  hide(text: string): string;
}

/** The most bytes to read of an error's body. No registry writes this much. */
const MAX_ERROR_LENGTH = 64 * 1024;
/** The most characters of an error's text to show. */
const MAX_SHOWN_LENGTH = 300;

/**
 * Reads a whole body into memory.
 *
 * @param answer The answer.
 * @param limit The most bytes it may have.
 * @returns The bytes, or `undefined` if the body is longer than the limit.
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
 * Turns an answer of failure into an error. It reads the body.
 *
 * @param answer The answer.
 * @param context The request that it answers.
 * @returns A {@linkcode TransientError} if trying again may help, else a {@linkcode RefusedError}.
 */
export async function toError(
  answer: Answer,
  { task, now, standing, hide }: RequestContext,
): Promise<Error> {
  const { status, url } = answer;
  const { codes, text } = await readErrors(answer, hide);
  const detail = `${url.host} answered ${status}${text && `: ${text}`}`;
  if (isPassing(status)) {
    return new TransientError(detail, parseRetryAfter(answer.headers.get("retry-after"), now));
  }
  const refused = (code: ErrorCode, advice: string): RefusedError =>
    new RefusedError(code, `Cannot ${task}: ${detail}${advice}`, answer);
  if (status === 401 || status === 403) {
    return refused("ERR_REGISTRY_DENIED", denialAdvice(status, standing));
  }
  if (status === 404) {
    return refused("ERR_REGISTRY_NOT_FOUND", "; check the reference for a typing error");
  }
  if (codes.includes("DIGEST_INVALID")) {
    return refused("ERR_REGISTRY_DIGEST", "; the content changed on its way; try again");
  }
  return refused("ERR_REGISTRY_REFUSED", "");
}

/** Says what to do about a denial. A registry that hides what exists denies a misspelled name too. */
function denialAdvice(status: number, standing: Standing): string {
  if (standing === "anonymous") {
    return "; no credentials were sent: give a user and a password, or log in with docker login, " +
      "and check the repository's name";
  }
  return status === 401 && standing === "direct"
    ? "; the user or the password is wrong, or the token has expired: log in again"
    : "; the credentials are valid, but this account may not do that: check the repository's name, " +
      "or ask for the permission";
}

/** Tells whether the same request may succeed later. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500 && status !== 501;
}

/** Makes the error for an answer that breaks the distribution specification. */
export function protocolError(task: string, reason: string): ParError {
  return new ParError("ERR_REGISTRY_PROTOCOL", `Cannot ${task}: ${reason}; is it a registry?`);
}

/**
 * Makes a text from elsewhere safe to show: one line, no control characters, not too long.
 *
 * @param text What a server sent.
 * @returns The text to show.
 */
export function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return line.length > MAX_SHOWN_LENGTH ? `${line.slice(0, MAX_SHOWN_LENGTH - 1)}…` : line;
}

/**
 * Reads the codes and the text of an error. Registries send JSON (OCI distribution specification 1.1,
 * "Error codes"); a proxy in front of one may send anything.
 */
async function readErrors(
  answer: Answer,
  hide: (text: string) => string,
): Promise<{ codes: unknown[]; text: string }> {
  let body = "";
  try {
    body = new TextDecoder().decode(await readBody(answer, MAX_ERROR_LENGTH));
  } catch {
    // The status is enough to report.
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
