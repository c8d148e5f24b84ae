/**
 * Proving to a registry who asks: Basic (RFC 7617), or a bearer token fetched from the server that
 * the registry names (distribution registry, "Token Authentication Specification").
 *
 * @module
 */

import { ParError } from "../errors.ts";
import { type Answer, protocolError, readBody, toError } from "./answer.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import { exchange, type ExchangeOptions, type Request } from "./exchange.ts";
import type { Clock } from "./retry.ts";

/** Settings of {@linkcode Authorizer}. */
export interface AuthorizerOptions extends ExchangeOptions {
  /** The registry's host, as in the reference. */
  readonly registry: string;
  /** What the work needs: `repository:<name>:pull` or `repository:<name>:pull,push`. */
  readonly scope: string;
  /** Finds the credentials; asked once, and only where the registry wants any. */
  readonly credentials: () => Promise<Credentials | undefined>;
  /** Allows sending credentials over plain HTTP. */
  readonly insecure: boolean;
  /** Tells when a token's life is over. */
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
/** RFC 6750, section 2.1: nothing else can be sent in a header. */
const BEARER_TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;
/** "Token Response Fields": the life of a token that states none, in seconds. */
const DEFAULT_LIFE = 60;
/** Milliseconds before its end at which a token is no longer used: a request takes time as well. */
const MARGIN = 5_000;

/** Keeps what a registry asked for and what it was given, for one piece of work. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, Token>();
  readonly #secrets = new Set<string>();
  #credentials: Promise<Credentials | undefined> | undefined;
  #basic: string | undefined;
  #bearer: BearerChallenge | undefined;

  /** Begins without having been asked for anything. */
  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The `Authorization` header of the next request, where the registry has asked for one. */
  async header(): Promise<string | undefined> {
    if (this.#basic !== undefined) return this.#basic;
    return this.#bearer && `Bearer ${await this.#token(this.#bearer)}`;
  }

  /**
   * Takes a registry's answer 401.
   *
   * @param answer The answer; its body stays unread.
   * @param used The header that the request had.
   * @returns Whether another try with the next {@linkcode header} may go better.
   */
  async challenged(answer: Answer, used: string | undefined): Promise<boolean> {
    const challenges = parseChallenges(answer.headers.get("www-authenticate") ?? "");
    const bearer = challenges.find(({ scheme, parameters }) =>
      scheme === "bearer" && parameters.has("realm")
    );
    if (bearer) {
      this.#basic = undefined;
      this.#bearer = this.#parse(bearer);
      // The token of this scope was refused, or none was sent: the next is a new one.
      this.#tokens.delete(keyOf(this.#bearer));
      return true;
    }
    if (used !== undefined || !challenges.some(({ scheme }) => scheme === "basic")) return false;
    const credentials = await this.#find();
    if (credentials?.kind !== "password") return false;
    this.#basic = basic(credentials);
    return true;
  }

  /** Takes every password and token out of a text: a server may send back what it was sent. */
  hide(text: string): string {
    return [...this.#secrets].filter(Boolean)
      .reduce((rest, secret) => rest.replaceAll(secret, "…"), text);
  }

  async #find(): Promise<Credentials | undefined> {
    const credentials = await (this.#credentials ??= this.#options.credentials());
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
        // What refuses to put it into a header would show it.
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
    const { task, registry, insecure, scope } = this.#options;
    const text = parameters.get("realm") ?? "";
    const realm = URL.canParse(text) ? new URL(text) : undefined;
    if (
      realm === undefined || realm.username || realm.password ||
      !(realm.protocol === "https:" || realm.protocol === "http:")
    ) {
      throw protocolError(task, `${registry} names a token server that is no web address`);
    }
    if (realm.protocol === "http:" && !insecure) {
      throw new ParError(
        "ERR_REGISTRY_PROTOCOL",
        `Cannot ${task}: ${registry} wants credentials sent to ${realm.host} over plain HTTP; ` +
          "where that is meant to be, say that insecure connections are allowed",
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

  async #token(challenge: BearerChallenge): Promise<string> {
    const key = keyOf(challenge);
    const known = this.#tokens.get(key);
    if (known && this.#options.clock.now() < known.expires) return known.value;
    const credentials = await this.#find();
    if (credentials?.kind === "registry") return credentials.registryToken;
    const token = await this.#fetch(challenge, credentials);
    this.#tokens.set(key, token);
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
      throw await toError(answer, task, clock.now(), (text) => this.hide(text));
    }
    const body = await readBody(answer, MAX_TOKEN_LENGTH);
    const { token, access_token, expires_in } = parseToken(body);
    const value = token ?? access_token;
    if (typeof value !== "string" || !BEARER_TOKEN.test(value)) {
      throw protocolError(task, `${challenge.realm.host} answered without a token`);
    }
    const life = typeof expires_in === "number" && expires_in > 0 ? expires_in : DEFAULT_LIFE;
    return { value, expires: clock.now() + Math.max(life * 1000 - MARGIN, life * 500) };
  }
}

/**
 * Joins scopes, the actions on one resource into one scope: a token that may do more is one token
 * less.
 *
 * @param scopes Scopes, `<type>:<name>:<action>[,<action>]`; what is none of these stays as it is.
 * @returns The scopes joined, in order.
 */
export function mergeScopes(scopes: readonly string[]): string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes) {
    if (scope === "") continue;
    const colon = scope.lastIndexOf(":");
    // A name may hold colons: that of a registry's port.
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

/** "Requesting a Token": GET, the credentials in its header. */
function tokenRequest(challenge: BearerChallenge, credentials: Credentials | undefined): Request {
  const url = new URL(challenge.realm);
  if (challenge.service !== undefined) url.searchParams.set("service", challenge.service);
  for (const scope of challenge.scopes) url.searchParams.append("scope", scope);
  if (credentials?.kind === "password") url.searchParams.set("account", credentials.username);
  return { method: "GET", url };
}

/** "OAuth2 Token Authentication": POST, the identity token in its content. */
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
    content: {
      size: bytes.length,
      async *open() {
        yield bytes;
      },
    },
  };
}

function parseToken(
  body: Uint8Array | undefined,
): { token?: unknown; access_token?: unknown; expires_in?: unknown } {
  try {
    return JSON.parse(new TextDecoder().decode(body)) ?? {};
  } catch {
    // The text may hold a token, so no part of it goes into a message.
    return {};
  }
}

function formEncoded(fields: Record<string, string>): string {
  return new URLSearchParams(fields).toString();
}

function keyOf({ realm, service, scopes }: BearerChallenge): string {
  return JSON.stringify([realm.href, service, scopes]);
}

function basic({ username, password }: Extract<Credentials, { kind: "password" }>): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
