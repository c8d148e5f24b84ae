/**
 * The requests of the OCI distribution specification 1.1, one method for each. A method sends its
 * request once; the caller decides whether to try again.
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { type Answer, isPassing, protocolError, readBody } from "./answer.ts";
import { Authorizer } from "./auth.ts";
import { exchange, type ExchangeOptions, NotTlsError, type Request } from "./exchange.ts";
import { parseRecord } from "./json.ts";
import { ACCEPTED_MANIFEST_TYPES, INDEX_TYPE } from "./media_types.ts";
import type { RegistryOptions } from "./options.ts";
import { isLoopback } from "./proxy.ts";
import { isDigest } from "./descriptor.ts";
import type { RegistryReference } from "./reference.ts";
import { MAX_REFERRERS, type Referrer, referrersOf, tooManyReferrers } from "./referrers.ts";
import { type BackoffOptions, systemClock } from "./retry.ts";
import { type Content, createTransport, toContent } from "./transport.ts";

/** A manifest as a registry sent it, not yet checked. */
export interface RawManifest {
  /** Its bytes. */
  readonly bytes: Uint8Array;
  /** The `Content-Type` it came with. */
  readonly mediaType: string;
  /** The digest that the registry stated. */
  readonly digest: string | undefined;
  /** What names this state of the tag for a conditional request, if the registry says it. */
  readonly etag?: string | undefined;
}

/** A blob, or a part of one, as a registry sends it. */
export interface BlobAnswer {
  /** Offset of the first byte that is sent. */
  readonly start: number;
  /** Offset after the last byte that is sent. A registry may send less than was requested. */
  readonly end: number;
  /** The length of the whole blob, if the registry stated it. */
  readonly total: number | undefined;
  /** The answer, its body not yet read. */
  readonly answer: Answer;
}

/** An upload that has begun: "Pushing a blob in chunks". */
export interface UploadSession {
  /** The URL of the next request. */
  readonly location: URL;
  /** How many bytes the registry has received. */
  readonly offset: number;
  /** The fewest bytes that a chunk may have, except for the last one. */
  readonly minimum: number;
}

/** What a client is used for. */
export interface ClientPurpose {
  /** What is tried, to follow "Cannot ". */
  readonly task: string;
  /** Whether blobs and manifests will be written as well as read. */
  readonly push: boolean;
}

const MAX_REDIRECTS = 10;
/** Statuses with which registries, and the storage that they redirect to, refuse a range. */
const RANGE_REFUSALS: readonly number[] = [400, 403, 416, 501];
/** Statuses with which registries say that they keep no list of referrers. */
const NO_REFERRERS: readonly number[] = [400, 404, 405, 406, 501];
/** "Pushing Manifests": the size that every registry must accept. An archive's manifest is far smaller. */
const MAX_MANIFEST_LENGTH = 4 * 1024 * 1024;
/** A registry computes the digest of the whole blob before it answers the request that ends an upload. */
const COMMIT_PATIENCE = 10 * 60_000;
const DEFAULT_STALL_TIMEOUT = 60_000;
const DEFAULT_TRIES = 6;

/** A client of one repository in one registry. */
export class RegistryClient {
  /** What is tried, to follow "Cannot ". */
  readonly task: string;
  /** The registry's host, as messages name it. */
  readonly host: string;
  /** How to retry a request that failed for a reason that may pass. */
  readonly backoff: BackoffOptions;
  readonly #insecure: boolean;
  readonly #base: URL;
  readonly #exchange: ExchangeOptions;
  readonly #authorizer: Authorizer;
  /** Whether the registry supports requests for a part of a blob, as far as known. */
  #ranges = true;

  /** Makes a client; nothing is sent yet. */
  constructor(
    { registry, repository }: Pick<RegistryReference, "registry" | "repository">,
    purpose: ClientPurpose,
    options: RegistryOptions,
  ) {
    const { task, push } = purpose;
    const { insecure = false, credentials, clock = systemClock, signal } = options;
    const { tries = DEFAULT_TRIES, stallTimeout = DEFAULT_STALL_TIMEOUT, onNote } = options;
    this.task = task;
    this.host = registry;
    this.backoff = { task, tries, clock, onNote, signal };
    this.#insecure = insecure;
    const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
    const path = repository === "" ? "" : `${repository}/`;
    this.#base = new URL(`${insecure ? "http" : "https"}://${host}/v2/${path}`);
    const transport = createTransport(options);
    this.#exchange = { transport, task, stallTimeout, answered: new Set(), signal };
    this.#authorizer = new Authorizer({
      ...this.#exchange,
      registry,
      base: this.#base,
      scope: repository && `repository:${repository}:${push ? "pull,push" : "pull"}`,
      allowsPlain: (url) => this.#allowsPlain(url),
      clock,
      credentials: async () =>
        typeof credentials === "function" ? await credentials(registry, repository) : credentials,
    });
  }

  /** The most bytes of a blob to request at once. */
  get window(): number {
    return this.#exchange.transport.window;
  }

  /** Tells the caller why the work waits or goes another way. */
  note(text: string): void {
    this.backoff.onNote?.(text);
  }

  /** Closes the connections. */
  close(): void {
    this.#exchange.transport.close();
  }

  /** `GET /v2/` (end-1): fails unless the registry accepts the credentials. */
  async getBase(): Promise<void> {
    await this.#command({ method: "GET", url: new URL("/v2/", this.#base) });
  }

  /** `GET /v2/<name>/manifests/<reference>` (end-3). */
  async getManifest(reference: string): Promise<RawManifest> {
    const answer = await this.#expect(this.#manifest("GET", reference));
    const bytes = await readBody(answer, MAX_MANIFEST_LENGTH);
    if (bytes === undefined) {
      throw protocolError(this.task, `the manifest has more than ${MAX_MANIFEST_LENGTH} bytes`);
    }
    return {
      bytes,
      mediaType: (answer.headers.get("content-type") ?? "").replace(/;.*$/s, "").trim(),
      digest: digestHeader(answer),
      etag: answer.headers.get("etag") ?? undefined,
    };
  }

  /**
   * `HEAD /v2/<name>/manifests/<reference>` (end-3).
   *
   * @returns The manifest's digest, or `undefined` if the registry has none there, or does not say.
   */
  async headManifest(reference: string): Promise<string | undefined> {
    const answer = await this.#ask(this.#manifest("HEAD", reference));
    return isSuccess(answer.status) ? digestHeader(answer) : undefined;
  }

  /**
   * `PUT /v2/<name>/manifests/<reference>` (end-7).
   *
   * @param conditions Headers that say what the tag must name now (RFC 9110, section 13.1). Many
   * registries ignore them.
   * @returns The digest that the registry computed, if it states one.
   */
  async putManifest(
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
    conditions: Readonly<Record<string, string>> = {},
  ): Promise<string | undefined> {
    const answer = await this.#command({
      method: "PUT",
      url: new URL(`manifests/${reference}`, this.#base),
      headers: { "content-type": mediaType, ...conditions },
      content: toContent(bytes),
    });
    return digestHeader(answer);
  }

  /**
   * `GET /v2/<name>/referrers/<digest>` (end-12a).
   *
   * @returns The referrers, or `undefined` if the registry keeps no list of them.
   * @throws {ParError} `ERR_LIMIT_REFERRERS` if the list does not end.
   */
  async getReferrers(digest: string): Promise<Referrer[] | undefined> {
    const found = new Map<string, Referrer>();
    let url: URL | undefined = new URL(`referrers/${digest}`, this.#base);
    while (url) {
      const request: Request = { method: "GET", url, headers: { accept: INDEX_TYPE } };
      const answer: Answer = await this.#expect(request, NO_REFERRERS);
      const bytes = await this.#readJson(answer);
      const type = answer.headers.get("content-type") ?? "";
      if (!isSuccess(answer.status) || !type.startsWith(INDEX_TYPE)) return undefined;
      const before = found.size;
      for (const referrer of referrersOf(bytes)) found.set(referrer.digest, referrer);
      if (found.size > MAX_REFERRERS) throw tooManyReferrers(this.task);
      // A registry that links to the same page again would keep this going for ever.
      url = found.size > before ? this.#next(answer) : undefined;
    }
    return [...found.values()];
  }

  /** `GET /v2/<name>/tags/list` (end-8a). */
  async listTags(): Promise<string[]> {
    const found = new Set<string>();
    let url: URL | undefined = new URL("tags/list", this.#base);
    while (url) {
      const answer: Answer = await this.#expect({ method: "GET", url });
      const { tags } = parseRecord(await this.#readJson(answer)) ?? {};
      const before = found.size;
      for (const tag of Array.isArray(tags) ? tags : []) {
        if (typeof tag === "string") found.add(tag);
      }
      // A registry that links to the same page again would keep this going for ever.
      url = found.size > before ? this.#next(answer) : undefined;
    }
    return [...found];
  }

  async #readJson(answer: Answer): Promise<Uint8Array> {
    const bytes = await readBody(answer, MAX_MANIFEST_LENGTH);
    await answer.discard();
    if (bytes) return bytes;
    throw protocolError(this.task, `a list has more than ${MAX_MANIFEST_LENGTH} bytes`);
  }

  /** "Content Discovery": the next page, in a `Link` header (RFC 8288). */
  #next(answer: Answer): URL | undefined {
    const link = /<([^>]*)>\s*;\s*rel="?next"?/i.exec(answer.headers.get("link") ?? "")?.[1];
    return link === undefined ? undefined : this.#resolve(link, answer.url);
  }

  /** `HEAD /v2/<name>/blobs/<digest>` (end-2): tells whether the registry has the blob. */
  async headBlob(digest: string): Promise<boolean> {
    const answer = await this.#command({ method: "HEAD", url: this.#blob(digest) }, [404, 405]);
    return isSuccess(answer.status);
  }

  /**
   * `GET /v2/<name>/blobs/<digest>` (end-2).
   *
   * @param digest The blob's digest.
   * @param range The part to send, from the offset of its first byte to the offset after its last. A
   * registry may ignore it and send the whole blob.
   */
  async getBlob(
    digest: string,
    range?: readonly [start: number, end: number],
  ): Promise<BlobAnswer> {
    const request: Request = { method: "GET", url: this.#blob(digest) };
    if (range === undefined || !this.#ranges) {
      const answer = await this.#expect(request);
      return wholeBlob(answer);
    }
    const [start, end] = range;
    const headers = { range: `bytes=${start}-${end - 1}` };
    const answer = await this.#expect({ ...request, headers }, RANGE_REFUSALS);
    if (answer.status === 206) {
      // RFC 9110, section 14.4.
      const [, first, last, total] =
        /^bytes ([0-9]+)-([0-9]+)\/([0-9]+|\*)$/.exec(answer.headers.get("content-range") ?? "") ??
          [];
      if (Number(first) === start && Number(last) >= start) {
        return { answer, start, end: Math.min(end, Number(last) + 1), total: number(total) };
      }
    } else if (isSuccess(answer.status)) return wholeBlob(answer);
    // If the whole blob can be had, the refusal was about the range alone.
    await answer.discard();
    const whole = await this.getBlob(digest);
    this.#ranges = false;
    return whole;
  }

  /** `POST /v2/<name>/blobs/uploads/` (end-4a): begins an upload. */
  async postUpload(): Promise<UploadSession> {
    const answer = await this.#command({
      method: "POST",
      url: new URL("blobs/uploads/", this.#base),
      content: toContent(new Uint8Array(0)),
    });
    const location = this.#location(answer);
    if (!location) {
      throw protocolError(this.task, `${answer.url.host} began an upload and sent no Location`);
    }
    return {
      location,
      offset: 0,
      minimum: number(answer.headers.get("oci-chunk-min-length")) ?? 0,
    };
  }

  /**
   * `PATCH <location>` (end-5): sends a chunk that begins at the session's offset.
   *
   * A `Range` in the answer counts only if it shows that a part of the chunk arrived. Some registries
   * send one that stands still, or that counts the chunk alone.
   */
  async patchUpload(session: UploadSession, chunk: Content): Promise<UploadSession> {
    const end = session.offset + chunk.size;
    const answer = await this.#command({
      method: "PATCH",
      url: session.location,
      headers: {
        "content-type": "application/octet-stream",
        "content-range": `${session.offset}-${end - 1}`,
      },
      content: chunk,
    });
    const received = receivedOffset(answer) ?? end;
    return {
      ...session,
      location: this.#location(answer) ?? session.location,
      offset: received > session.offset && received < end ? received : end,
    };
  }

  /**
   * `GET <location>` (end-13): asks how much of an upload has arrived.
   *
   * @returns The session, or `undefined` if the registry does not know it or does not say.
   */
  async getUpload(session: UploadSession): Promise<UploadSession | undefined> {
    const answer = await this.#ask({ method: "GET", url: session.location });
    const offset = receivedOffset(answer);
    if (!isSuccess(answer.status) || offset === undefined) return undefined;
    return { ...session, location: this.#location(answer) ?? session.location, offset };
  }

  /**
   * `PUT <location>?digest=<digest>` (end-6): sends the rest of a blob, which may be all or none
   * of it, and ends the upload.
   *
   * @returns The digest that the registry computed, if it states one.
   */
  async putUpload(
    session: UploadSession,
    digest: string,
    rest: Content = toContent(new Uint8Array(0)),
  ): Promise<string | undefined> {
    const url = new URL(session.location);
    // Not through searchParams, which could change how the other parameters are escaped.
    url.search += `${url.search ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
    const answer = await this.#command({
      method: "PUT",
      url,
      headers: { "content-type": "application/octet-stream" },
      content: rest,
      patience: COMMIT_PATIENCE,
    });
    return digestHeader(answer);
  }

  /** Sends a request. An answer that is neither a success nor one of the statuses is an error. */
  async #expect(request: Request, statuses: readonly number[] = []): Promise<Answer> {
    const answer = await this.#send(request);
    if (isSuccess(answer.status) || statuses.includes(answer.status)) return answer;
    throw await this.#authorizer.toError(answer);
  }

  /** Does the same where the answer's body does not matter. */
  async #command(request: Request, statuses?: readonly number[]): Promise<Answer> {
    const answer = await this.#expect(request, statuses);
    await answer.discard();
    return answer;
  }

  /** Sends a request. Only a failure that may pass is an error; the answer's body does not matter. */
  async #ask(request: Request): Promise<Answer> {
    const answer = await this.#send(request);
    if (isPassing(answer.status)) throw await this.#authorizer.toError(answer);
    await answer.discard();
    return answer;
  }

  /**
   * Sends a request. A registry on loopback that does not speak TLS is spoken to over plain HTTP, as
   * docker, crane and podman do it: nobody else can listen there.
   */
  async #send(request: Request): Promise<Answer> {
    try {
      return await this.#follow(request);
    } catch (failure) {
      const { host, hostname, protocol } = this.#base;
      const plain = failure instanceof ParError && failure.cause instanceof NotTlsError &&
        protocol === "https:" && isLoopback(hostname) && !this.#exchange.answered.has(host);
      if (!plain) throw failure;
      this.#base.protocol = "http:";
      const url = new URL(request.url);
      url.protocol = "http:";
      return await this.#follow({ ...request, url });
    }
  }

  #allowsPlain(url: URL): boolean {
    return this.#insecure || this.#base.protocol === "http:" && isLoopback(url.hostname);
  }

  /** Sends a request and follows redirects. Only the registry itself gets credentials. */
  async #follow(request: Request): Promise<Answer> {
    let url = request.url;
    // After a redirect to another host no request gets credentials, even one back to the registry.
    let ours = url.origin === this.#base.origin;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const sent = { ...request, url };
      const answer = ours
        ? await this.#authorizer.send(sent)
        : await exchange(sent, undefined, this.#exchange);
      const location = answer.headers.get("location");
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === null) return answer;
      await answer.discard();
      const reading = request.method === "GET" || request.method === "HEAD";
      // RFC 9110, section 15.4: the other three statuses turn the request into a GET.
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

  #manifest(method: "GET" | "HEAD", reference: string): Request {
    const accept = ACCEPTED_MANIFEST_TYPES.join(", ");
    return { method, url: new URL(`manifests/${reference}`, this.#base), headers: { accept } };
  }

  #blob(digest: string): URL {
    return new URL(`blobs/${digest}`, this.#base);
  }

  #location(answer: Answer): URL | undefined {
    const location = answer.headers.get("location");
    return location === null ? undefined : this.#resolve(location, answer.url);
  }

  #resolve(location: string, base: URL): URL {
    const url = URL.canParse(location, base.href) ? new URL(location, base) : undefined;
    if (url === undefined || url.protocol !== "https:" && url.protocol !== "http:") {
      throw protocolError(
        this.task,
        `${base.host} redirects to an address that is not a web address`,
      );
    }
    if (url.protocol === "http:" && !this.#allowsPlain(url)) {
      throw protocolError(
        this.task,
        `${base.host} redirects to ${url.host} over plain HTTP, which is not allowed`,
      );
    }
    url.username = url.password = "";
    return url;
  }
}

/** Registries choose different statuses for the same success, so any of the family counts. */
function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Reads a header that is a decimal number. */
function number(text: string | null | undefined): number | undefined {
  return /^[0-9]+$/.test(text ?? "") ? Number(text) : undefined;
}

function wholeBlob(answer: Answer): BlobAnswer {
  return { answer, start: 0, end: Infinity, total: number(answer.headers.get("content-length")) };
}

function digestHeader(answer: Answer): string | undefined {
  const digest = answer.headers.get("docker-content-digest");
  return isDigest(digest) ? digest : undefined;
}

/**
 * Reads how much of an upload has arrived: `Range: 0-<last>`. An empty upload states `0-0`, and so
 * would an upload of one byte; no chunk is that small.
 */
function receivedOffset(answer: Answer): number | undefined {
  const last = /^(?:bytes=)?0-([0-9]+)$/.exec(answer.headers.get("range") ?? "")?.[1];
  if (last === undefined) return undefined;
  return last === "0" ? 0 : Number(last) + 1;
}
