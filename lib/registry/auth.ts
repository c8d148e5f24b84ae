/**
 * Authentication: Basic (RFC 7617), or a bearer token from the token server that the registry names
 * (distribution registry, "Token Authentication Specification").
 *
 * @module
 */

import { ParError } from "../errors.ts";
import {
  type Answer,
  isPassing,
  protocolError,
  readBody,
  type Standing,
  toError,
} from "./answer.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import { type Credentials, encodePair } from "./credentials.ts";
import { exchange, type ExchangeOptions, type Request } from "./exchange.ts";
import { parseRecord } from "./json.ts";
import type { Clock } from "./retry.ts";
import { toContent } from "./transport.ts";

/** Settings of {@linkcode Authorizer}. */
export interface AuthorizerOptions extends ExchangeOptions {
  /** The registry's host, as in the reference. */
  readonly registry: string;
  /** The address of the repository. The client may change it to plain HTTP. */
  readonly base: URL;
  /** The scope that the work needs: `repository:<name>:pull` or `repository:<name>:pull,push`. */
  readonly scope: string;
  /** Finds the credentials. It is called once, and only if the registry asks for credentials. */
  readonly credentials: () => Promise<Credentials | undefined>;
  /** Tells whether credentials may be sent to a URL over plain HTTP. */
  readonly allowsPlain: (url: URL) => boolean;
  /** Tells when a token has expired. */
  readonly clock: Clock;
}

interface Token {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

interface BearerChallenge {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
}

const MAX_TOKEN_LENGTH = 1024 * 1024;
/** RFC 6750, section 2.1: a header cannot carry any other characters. */
const BEARER_TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** "Token Response Fields": how long a token is valid that does not say so, in seconds. */
const DEFAULT_LIFE = 60;
/** A token is renewed this many milliseconds before it expires, because a request takes time too. */
const MARGIN = 5_000;

/** Sends requests to one registry, and holds its challenge and what answers that. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #secrets = new Set<string>();
  #credentials: Promise<Credentials | undefined> | undefined;
  #basic: string | undefined;
  #bearer: BearerChallenge | undefined;
  #token: Token | undefined;
  #standing: Standing = "anonymous";
  #failure: ParError | undefined;
  /** Whether the registry was asked for a challenge at `/v2/`. */
  #asked = false;

  /** Makes an authorizer that has seen no challenge yet. */
  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /**
   * Sends a request to the registry, with credentials once it has asked for some.
   *
   * @param request The request.
   * @returns The answer, which may be another denial.
   */
  async send(request: Request): Promise<Answer> {
    const used = await this.#header();
    const answer = await exchange(request, used, this.#options);
    if (!await this.#isChallenged(answer, used)) return answer;
    await answer.discard();
    return await exchange(request, await this.#header(), this.#options);
  }

  async #header(): Promise<string | undefined> {
    if (this.#basic !== undefined) return this.#basic;
    return this.#bearer && `Bearer ${await this.#takeToken(this.#bearer)}`;
  }

  /**
   * Takes the challenge for a request that was denied. Some registries state it only at `/v2/`, and
   * say about everything else that it is forbidden or not there.
   *
   * @param answer The answer; its body is not read.
   * @param used The `Authorization` header that the request had.
   * @returns Whether a second request with the new header may succeed.
   */
  async #isChallenged(answer: Answer, used: string | undefined): Promise<boolean> {
    if (answer.status === 401 && answer.headers.has("www-authenticate")) {
      return await this.#take(answer, used);
    }
    if (used !== undefined || this.#asked || ![401, 403, 404].includes(answer.status)) return false;
    const request: Request = { method: "GET", url: new URL("/v2/", this.#options.base) };
    const base = await exchange(request, undefined, this.#options);
    await base.discard();
    if (isPassing(base.status)) return false;
    this.#asked = true;
    return base.status === 401 && await this.#take(base, undefined);
  }

  async #take(answer: Answer, used: string | undefined): Promise<boolean> {
    const challenges = parseChallenges(answer.headers.get("www-authenticate") ?? "");
    const bearer = challenges.find(({ scheme, parameters }) =>
      scheme === "bearer" && parameters.has("realm")
    );
    if (bearer) {
      this.#basic = undefined;
      this.#bearer = this.#parse(bearer);
      // A token of this scope was refused, or none was sent: fetch a new one.
      this.#token = undefined;
      return true;
    }
    if (used !== undefined || !challenges.some(({ scheme }) => scheme === "basic")) return false;
    const credentials = await this.#find();
    if (this.#failure) throw this.#failure;
    if (credentials?.kind !== "password") return false;
    this.#basic = basic(credentials);
    this.#standing = "direct";
    return true;
  }

  /**
   * Turns an answer of failure into an error. It reads the body.
   *
   * @param answer The answer of the registry, or of its token server.
   * @param standing How the request was authenticated; as the last one to the registry if left out.
   */
  async toError(answer: Answer, standing = this.#standing): Promise<Error> {
    const { status } = answer;
    if (this.#failure && (status === 401 || status === 403)) {
      await answer.discard();
      return this.#failure;
    }
    const { task, clock } = this.#options;
    const hide = (text: string): string => this.#hide(text);
    return await toError(answer, { task, now: clock.now(), standing, hide });
  }

  /** Removes every password and token from a text: a server may repeat what it was sent. */
  #hide(text: string): string {
    return [...this.#secrets].filter(Boolean)
      .reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
  }

  async #find(): Promise<Credentials | undefined> {
    const credentials = await (this.#credentials ??= this.#options.credentials())
      .catch((cause: unknown) => {
        // What everybody may read needs no credentials, so this counts only if a request is denied.
        if (!(cause instanceof ParError) || cause.code !== "ERR_REGISTRY_CREDENTIALS") throw cause;
        this.#failure = cause;
        return undefined;
      });
    switch (credentials?.kind) {
      case "password":
        this.#secrets.add(basic(credentials).slice("Basic ".length)).add(credentials.password);
        break;
      case "identity":
        this.#secrets.add(credentials.identityToken)
          .add(formEncoded({ token: credentials.identityToken }).slice("token=".length));
        break;
      case "registry":
        this.#secrets.add(credentials.registryToken);
        // The error of a header that cannot carry the token would show it.
        if (!BEARER_TOKEN.test(credentials.registryToken)) {
          throw new ParError(
            "ERR_REGISTRY_CREDENTIALS",
            `Cannot log in to ${this.#options.registry}: its token has characters that no token ` +
              "has; check for a stray line break",
          );
        }
    }
    return credentials;
  }

  #parse({ parameters }: Challenge): BearerChallenge {
    const { task, registry, allowsPlain, scope } = this.#options;
    const text = parameters.get("realm") ?? "";
    const realm = URL.canParse(text) ? new URL(text) : undefined;
    if (
      realm === undefined || realm.username || realm.password ||
      !(realm.protocol === "https:" || realm.protocol === "http:")
    ) {
      throw protocolError(task, `${registry} names a token server without a plain web address`);
    }
    if (realm.protocol === "http:" && !allowsPlain(realm)) {
      throw new ParError(
        "ERR_REGISTRY_PROTOCOL",
        `Cannot ${task}: ${registry} wants credentials sent to ${realm.host} over plain HTTP; ` +
          "if that is right, allow insecure connections",
      );
    }
    return {
      realm,
      service: parameters.get("service"),
      scopes: mergeScopes([
        scope,
        ...this.#bearer?.scopes ?? [],
        ...(parameters.get("scope") ?? "").split(" "),
      ]),
    };
  }

  async #takeToken(challenge: BearerChallenge): Promise<string> {
    const known = this.#token;
    if (known && this.#options.clock.now() < known.expires) return known.value;
    const credentials = await this.#find();
    if (credentials?.kind === "registry") {
      this.#standing = "direct";
      return credentials.registryToken;
    }
    const token = await this.#fetch(challenge, credentials);
    this.#standing = credentials === undefined ? "anonymous" : "token";
    this.#token = token;
    this.#secrets.add(token.value);
    return token.value;
  }

  async #fetch(challenge: BearerChallenge, credentials: Credentials | undefined): Promise<Token> {
    const { task, clock } = this.#options;
    const answer = await exchange(
      credentials?.kind === "identity"
        ? oauthRequest(challenge, credentials.identityToken)
        : tokenRequest(challenge, credentials),
      credentials?.kind === "password" ? basic(credentials) : undefined,
      this.#options,
    );
    if (answer.status !== 200) {
      if (this.#failure && !isPassing(answer.status)) {
        await answer.discard();
        throw this.#failure;
      }
      throw await this.toError(answer, credentials === undefined ? "anonymous" : "direct");
    }
    const body = await readBody(answer, MAX_TOKEN_LENGTH);
    const { token, access_token, expires_in } = parseRecord(body) ?? {};
    // Some servers send one of the two, some both, and some an empty one beside the other.
    const value = token || access_token;
    if (typeof value !== "string" || !BEARER_TOKEN.test(value)) {
      throw protocolError(task, `${challenge.realm.host} answered without a token`);
    }
    const life = typeof expires_in === "number" && expires_in > 0 ? expires_in : DEFAULT_LIFE;
    return { value, expires: clock.now() + Math.max(life * 1000 - MARGIN, life * 500) };
  }
}

/**
 * Joins scopes: the actions on one resource become one scope, so that one token serves them all.
 *
 * @param scopes Scopes, `<type>:<name>:<action>[,<action>]`. A scope of another form is kept as it is.
 * @returns The joined scopes, sorted.
 */
export function mergeScopes(scopes: readonly string[]): string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes) {
    if (scope === "") continue;
    const colon = scope.lastIndexOf(":");
    // A name may contain a colon, before a registry's port.
    const whole = colon <= scope.indexOf(":");
    const resource = whole ? scope : scope.slice(0, colon);
    const set = actions.get(resource) ?? new Set();
    actions.set(resource, set);
    if (!whole) scope.slice(colon + 1).split(",").forEach((action) => set.add(action));
  }
  return [...actions].map(([resource, set]) =>
    set.size === 0 ? resource : `${resource}:${[...set].sort().join(",")}`
  ).sort();
}

/** "Requesting a Token": a GET with the credentials in a header. */
function tokenRequest(challenge: BearerChallenge, credentials: Credentials | undefined): Request {
  const url = new URL(challenge.realm);
  if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
  for (const scope of challenge.scopes) url.searchParams.append("scope", scope);
  if (credentials?.kind === "password") url.searchParams.set("account", credentials.username);
  return { method: "GET", url };
}

/** "OAuth2 Token Authentication": a POST with the identity token in its body. */
function oauthRequest(challenge: BearerChallenge, identityToken: string): Request {
  const bytes = new TextEncoder().encode(formEncoded({
    grant_type: "refresh_token",
    client_id: "wasmcloud-par",
    refresh_token: identityToken,
    scope: challenge.scopes.join(" "),
    ...(challenge.service !== undefined && { service: challenge.service }),
  }));
  return {
    method: "POST",
    url: challenge.realm,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    content: toContent(bytes),
  };
}

function formEncoded(fields: Record<string, string>): string {
  return new URLSearchParams(fields).toString();
}

function basic({ username, password }: Extract<Credentials, { kind: "password" }>): string {
  return `Basic ${encodePair(username, password)}`;
}
