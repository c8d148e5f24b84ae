/**
 * The requests of the OCI distribution specification 1.1, each by its name there. One call is one
 * request: it is not tried again here.
 *
 * @module
 */

import { type Answer, isPassing, protocolError, readBody, toError } from "./answer.ts";
import { Authorizer } from "./auth.ts";
import { exchange, type Request } from "./exchange.ts";
import { ACCEPTED_MANIFEST_TYPES } from "./media_types.ts";
import type { RegistryOptions } from "./options.ts";
import { isDigest, type Reference } from "./reference.ts";
import { type BackoffOptions, type Clock, systemClock } from "./retry.ts";
import { type Content, createTransport, type Transport } from "./transport.ts";

/** A manifest as a registry gave it, not yet checked. */
export interface RawManifest {
  /** Its bytes, which have the digest. */
  readonly bytes: Uint8Array;
  /** The `Content-Type` it came with. */
  readonly mediaType: string;
  /** The digest that the registry says it has. */
  readonly digest: string | undefined;
}

/** A blob, or a part of it, as a registry gives it. */
export interface BlobAnswer {
  /** Offset of the first byte that comes. */
  readonly start: number;
  /** The blob's whole length, where the registry said it. */
  readonly total: number | undefined;
  /** The answer, its body not yet read. */
  readonly answer: Answer;
}

/** An upload under way: "Pushing a blob in chunks". */
export interface UploadSession {
  /** Where the next request goes. */
  readonly location: URL;
  /** How many bytes the registry has. */
  readonly offset: number;
  /** The least bytes that a chunk must have, save the last. */
  readonly minimum: number;
}

/** What a client is made for. */
export interface ClientPurpose {
  /** What is tried, to follow "Cannot ". */
  readonly task: string;
  /** Whether blobs and manifests will be written as well as read. */
  readonly push: boolean;
}

const MAX_REDIRECTS = 10;
/** "Pushing Manifests": what every registry must take, and more than any archive's manifest needs. */
const MAX_MANIFEST_LENGTH = 4 * 1024 * 1024;
/** A registry reads a blob whole once more before it answers the request that ends its upload. */
const COMMIT_PATIENCE = 10 * 60_000;
const DEFAULT_STALL_TIMEOUT = 60_000;
const DEFAULT_TRIES = 6;

/** Speaks with one registry about one repository. */
export class RegistryClient {
  /** What is tried, to follow "Cannot ". */
  readonly task: string;
  readonly #reference: Reference;
  readonly #options: RegistryOptions;
  readonly #base: URL;
  readonly #transport: Transport;
  readonly #authorizer: Authorizer;
  readonly #clock: Clock;

  /** Makes a client; nothing is sent yet. */
  constructor(reference: Reference, purpose: ClientPurpose, options: RegistryOptions) {
    const { registry, repository } = reference;
    this.task = purpose.task;
    this.#reference = reference;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
    this.#base = new URL(`${options.insecure ? "http" : "https"}://${host}/v2/${repository}/`);
    this.#transport = createTransport(options);
    const { credentials } = options;
    this.#authorizer = new Authorizer({
      ...this.#exchangeOptions(),
      registry,
      scope: `repository:${repository}:${purpose.push ? "pull,push" : "pull"}`,
      insecure: options.insecure ?? false,
      clock: this.#clock,
      credentials: async () =>
        typeof credentials === "function" ? await credentials(registry) : credentials,
    });
  }

  /** The most bytes of a blob to ask for at once. */
  get window(): number {
    return this.#transport.window;
  }

  /** How to try again what failed here for a passing reason. */
  get backoff(): BackoffOptions {
    return {
      task: this.task,
      tries: this.#options.tries ?? DEFAULT_TRIES,
      clock: this.#clock,
      signal: this.#options.signal,
    };
  }

  /** Closes the connections. */
  close(): void {
    this.#transport.close();
  }

  /** `GET /v2/<name>/manifests/<reference>` (end-3). */
  async getManifest(reference: string): Promise<RawManifest> {
    const answer = await this.#expect([200], {
      method: "GET",
      url: new URL(`manifests/${reference}`, this.#base),
      headers: { accept: ACCEPTED_MANIFEST_TYPES.join(", ") },
    });
    const bytes = await readBody(answer, MAX_MANIFEST_LENGTH);
    if (bytes === undefined) {
      throw protocolError(this.task, `the manifest has more than ${MAX_MANIFEST_LENGTH} bytes`);
    }
    return {
      bytes,
      mediaType: (answer.headers.get("content-type") ?? "").replace(/;.*$/s, "").trim(),
      digest: digestHeader(answer),
    };
  }

  /**
   * `PUT /v2/<name>/manifests/<reference>` (end-7).
   *
   * @returns The digest that the registry computed, where it says so.
   */
  async putManifest(
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
  ): Promise<string | undefined> {
    const answer = await this.#expect([201], {
      method: "PUT",
      url: new URL(`manifests/${reference}`, this.#base),
      headers: { "content-type": mediaType },
      content: toContent(bytes),
    });
    await answer.discard();
    return digestHeader(answer);
  }

  /** `HEAD /v2/<name>/blobs/<digest>` (end-2): whether the registry has the blob. */
  async headBlob(digest: string): Promise<boolean> {
    const answer = await this.#expect([200, 404], { method: "HEAD", url: this.#blob(digest) });
    await answer.discard();
    return answer.status === 200;
  }

  /**
   * `GET /v2/<name>/blobs/<digest>` (end-2).
   *
   * @param digest The blob's digest.
   * @param range The part wanted, from the first byte's offset to the one after the last. The
   * registry may ignore it and send the whole.
   */
  async getBlob(
    digest: string,
    range?: readonly [start: number, end: number],
  ): Promise<BlobAnswer> {
    const request: Request = { method: "GET", url: this.#blob(digest) };
    if (range === undefined) {
      const answer = await this.#expect([200], request);
      return { answer, start: 0, total: number(answer.headers.get("content-length")) };
    }
    const [start, end] = range;
    const answer = await this.#expect([200, 206, 416], {
      ...request,
      headers: { range: `bytes=${start}-${end - 1}` },
    });
    if (answer.status === 206) {
      // RFC 9110, section 14.4.
      const [, first, total] =
        /^bytes ([0-9]+)-[0-9]+\/([0-9]+|\*)$/.exec(answer.headers.get("content-range") ?? "") ??
          [];
      if (Number(first) === start) return { answer, start, total: number(total) };
      await answer.discard();
      throw protocolError(this.task, "the registry answered with another range than asked for");
    }
    if (answer.status === 200) {
      return { answer, start: 0, total: number(answer.headers.get("content-length")) };
    }
    // No range that is asked for here is outside of the blob, so the registry knows no ranges.
    await answer.discard();
    return await this.getBlob(digest);
  }

  /** `POST /v2/<name>/blobs/uploads/` (end-4a): begins an upload. */
  async postUpload(): Promise<UploadSession> {
    const answer = await this.#expect([202], {
      method: "POST",
      url: new URL("blobs/uploads/", this.#base),
      content: toContent(new Uint8Array(0)),
    });
    await answer.discard();
    return {
      location: this.#location(answer),
      offset: 0,
      minimum: number(answer.headers.get("oci-chunk-min-length")) ?? 0,
    };
  }

  /** `PATCH <location>` (end-5): sends a chunk, from the session's offset on. */
  async patchUpload(session: UploadSession, chunk: Content): Promise<UploadSession> {
    const end = session.offset + chunk.size;
    const answer = await this.#expect([202], {
      method: "PATCH",
      url: session.location,
      headers: {
        "content-type": "application/octet-stream",
        "content-range": `${session.offset}-${end - 1}`,
      },
      content: chunk,
    });
    await answer.discard();
    return {
      ...session,
      location: this.#location(answer),
      offset: receivedOffset(answer) ?? end,
    };
  }

  /**
   * `GET <location>` (end-13): asks how much of an upload has arrived.
   *
   * @returns The session, or `undefined` where the registry does not know it, or does not tell.
   */
  async getUpload(session: UploadSession): Promise<UploadSession | undefined> {
    const answer = await this.#send({ method: "GET", url: session.location });
    if (isPassing(answer.status)) throw await this.#toError(answer);
    await answer.discard();
    const offset = receivedOffset(answer);
    if (answer.status !== 204 && answer.status !== 202 || offset === undefined) return undefined;
    const location = answer.headers.has("location") ? this.#location(answer) : session.location;
    return { ...session, location, offset };
  }

  /**
   * `PUT <location>?digest=<digest>` (end-6): sends the rest of a blob, which may be all of it or
   * nothing, and ends the upload.
   *
   * @returns The digest that the registry computed, where it says so.
   */
  async putUpload(
    session: UploadSession,
    digest: string,
    rest: Content = toContent(new Uint8Array(0)),
  ): Promise<string | undefined> {
    const url = new URL(session.location);
    // Added by hand: to write the other parameters anew could change how they are escaped.
    url.search += `${url.search ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
    const answer = await this.#expect([201], {
      method: "PUT",
      url,
      headers: { "content-type": "application/octet-stream" },
      content: rest,
      patience: COMMIT_PATIENCE,
    });
    await answer.discard();
    return digestHeader(answer);
  }

  async #expect(statuses: readonly number[], request: Request): Promise<Answer> {
    const answer = await this.#send(request);
    if (statuses.includes(answer.status)) return answer;
    throw await this.#toError(answer);
  }

  async #toError(answer: Answer): Promise<Error> {
    const hide = (text: string): string => this.#authorizer.hide(text);
    return await toError(answer, this.task, this.#clock.now(), hide);
  }

  /** Sends a request, with credentials where it goes to the registry, and follows redirects. */
  async #send(request: Request): Promise<Answer> {
    let url = request.url;
    // Credentials are for the registry alone: not for where it sends us, nor for the way back.
    let ours = url.origin === this.#base.origin;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const answer = await this.#authorized({ ...request, url }, ours);
      const location = answer.headers.get("location");
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return answer;
      await answer.discard();
      const reading = request.method === "GET" || request.method === "HEAD";
      // RFC 9110, section 15.4: the other three make a GET of what was no GET.
      if (!reading && answer.status !== 307 && answer.status !== 308) {
        throw protocolError(
          this.task,
          `${url.host} redirects a ${request.method} with ${answer.status}`,
        );
      }
      url = this.#resolve(location, url);
      ours &&= url.origin === this.#base.origin;
    }
    throw protocolError(this.task, `${url.host} redirects more than ${MAX_REDIRECTS} times`);
  }

  async #authorized(request: Request, ours: boolean): Promise<Answer> {
    if (!ours) return await exchange(request, undefined, this.#exchangeOptions());
    const used = await this.#authorizer.header();
    const answer = await exchange(request, used, this.#exchangeOptions());
    if (answer.status !== 401 || !await this.#authorizer.challenged(answer, used)) return answer;
    await answer.discard();
    return await exchange(request, await this.#authorizer.header(), this.#exchangeOptions());
  }

  #exchangeOptions(): Parameters<typeof exchange>[2] {
    return {
      transport: this.#transport,
      task: this.task,
      stallTimeout: this.#options.stallTimeout ?? DEFAULT_STALL_TIMEOUT,
      signal: this.#options.signal,
    };
  }

  #blob(digest: string): URL {
    return new URL(`blobs/${digest}`, this.#base);
  }

  #location(answer: Answer): URL {
    const location = answer.headers.get("location");
    if (location === null) {
      throw protocolError(this.task, `${answer.url.host} began an upload without a Location`);
    }
    return this.#resolve(location, answer.url);
  }

  #resolve(location: string, base: URL): URL {
    const url = URL.canParse(location, base.href) ? new URL(location, base) : undefined;
    if (url === undefined || url.protocol !== "https:" && url.protocol !== "http:") {
      throw protocolError(this.task, `${base.host} leads to what is no web address`);
    }
    if (url.protocol === "http:" && !this.#options.insecure) {
      throw protocolError(
        this.task,
        `${base.host} leads to ${url.host} over plain HTTP, which was not allowed`,
      );
    }
    url.username = url.password = "";
    return url;
  }
}

/** Makes a request's content of bytes. */
export function toContent(bytes: Uint8Array): Content {
  return {
    size: bytes.length,
    async *open() {
      if (bytes.length > 0) yield bytes;
    },
  };
}

/** A header's decimal number, where it is one. */
function number(text: string | null | undefined): number | undefined {
  return /^[0-9]+$/.test(text ?? "") ? Number(text) : undefined;
}

function digestHeader(answer: Answer): string | undefined {
  const digest = answer.headers.get("docker-content-digest");
  return isDigest(digest) ? digest : undefined;
}

/**
 * How much of an upload has arrived: `Range: 0-<last>`. An upload of which nothing has arrived says
 * `0-0`, as one of a single byte would; no chunk sent here is that small.
 */
function receivedOffset(answer: Answer): number | undefined {
  const last = /^(?:bytes=)?0-([0-9]+)$/.exec(answer.headers.get("range") ?? "")?.[1];
  if (last === undefined) return undefined;
  return last === "0" ? 0 : Number(last) + 1;
}
