/**
 * A token server after "Docker Registry v2 Bearer token specification", with two users and one
 * repository that everybody may read. What it signs, a real registry verifies.
 *
 * @module
 */

import { createPrivateKey, sign, X509Certificate } from "node:crypto";
import { base64url } from "../_archive.ts";
import type { Certificate } from "./_registry.ts";

/** A request for a token. */
export interface TokenRequest {
  readonly method: string;
  readonly authorization: string | null;
  /** The parameters of the query, or of the form. */
  readonly parameters: URLSearchParams;
}

/** The server. */
export interface TokenServer extends AsyncDisposable {
  /** Where tokens are had. */
  readonly realm: string;
  readonly requests: readonly TokenRequest[];
  /** Answers instead, where set. */
  intercept: ((request: TokenRequest) => Response | undefined) | undefined;
  /** Seconds that a token lives. */
  life: number;
}

/** Who may push, with which password; and the identity token that stands for them. */
export const USER = { username: "me", password: "correct horse", identityToken: "refresh-me" };

/** What the registry is told about the server. */
export const SERVICE = "registry of a test";
/** What the registry is told about the server. */
export const ISSUER = "token server of a test";

/** Starts it; it signs with the key of a certificate that the registry knows. */
export async function startTokenServer(certificate: Certificate): Promise<TokenServer> {
  const key = createPrivateKey(await Deno.readTextFile(certificate.key));
  const { raw } = new X509Certificate(await Deno.readTextFile(certificate.certificate));
  const header = { typ: "JWT", alg: "ES256", x5c: [raw.toString("base64")] };
  const requests: TokenRequest[] = [];

  function makeToken(subject: string, scopes: readonly string[]): string {
    const now = Math.floor(Date.now() / 1000);
    const access = scopes.map((scope) => {
      const [type = "", name = "", actions = ""] = scope.split(":");
      const asked = actions.split(",");
      const public_ = name.startsWith("public/");
      return {
        type,
        name,
        actions: asked.filter((action) => subject !== "" || public_ && action === "pull"),
      };
    });
    const payload = {
      iss: ISSUER,
      sub: subject,
      aud: SERVICE,
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: crypto.randomUUID(),
      access,
    };
    const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`;
    const signature = sign("sha256", new TextEncoder().encode(signed), {
      key,
      dsaEncoding: "ieee-p1363",
    });
    return `${signed}.${base64url(signature)}`;
  }

  async function handle(request: Request): Promise<Response> {
    const authorization = request.headers.get("authorization");
    const parameters = request.method === "POST"
      ? new URLSearchParams(await request.text())
      : new URL(request.url).searchParams;
    const seen = { method: request.method, authorization, parameters };
    requests.push(seen);
    const answer = server.intercept?.(seen);
    if (answer) return answer;
    if (parameters.get("service") !== SERVICE) return new Response(null, { status: 400 });
    const scopes = parameters.getAll("scope").flatMap((scope) => scope.split(" "));
    if (request.method === "POST") {
      const good = parameters.get("grant_type") === "refresh_token" &&
        parameters.get("client_id") &&
        parameters.get("refresh_token") === USER.identityToken;
      if (!good) return new Response(null, { status: 401 });
      return Response.json({
        access_token: makeToken(USER.username, scopes),
        expires_in: server.life,
      });
    }
    const right = `Basic ${btoa(`${USER.username}:${USER.password}`)}`;
    if (authorization !== null && authorization !== right) {
      return Response.json({ errors: [{ code: "UNAUTHORIZED", message: "wrong password" }] }, {
        status: 401,
      });
    }
    const subject = authorization === null ? "" : USER.username;
    return Response.json({ token: makeToken(subject, scopes), expires_in: server.life });
  }

  const listener = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handle);
  const server: TokenServer = {
    realm: `http://127.0.0.1:${listener.addr.port}/token`,
    requests,
    intercept: undefined,
    life: 300,
    [Symbol.asyncDispose]: () => listener.shutdown(),
  };
  return server;
}
