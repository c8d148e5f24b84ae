/**
 * Archives for tests, put together by hand: any claims, any header, any entries, in any order.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { KeyPair } from "../lib/signing/nkey.ts";
import { concat } from "./_bytes.ts";
import { ISSUER, issuerPair, SUBJECT } from "./_keys.ts";
import { TAR_END, tarEntry } from "./_tar.ts";

/** A token's payload that tests may bend. */
// deno-lint-ignore no-explicit-any -- tests put anything anywhere
export type Payload = Record<string, any>;

/** What differs from an archive in order. */
export interface ArchiveParts {
  /** The binaries, in the order of their entries. */
  readonly binaries?: Readonly<Record<string, Uint8Array | string>>;
  /** Changes the payload before it is signed. */
  readonly bend?: (payload: Payload) => void;
  /** The JOSE header. */
  readonly header?: unknown;
  /** Who signs. */
  readonly signer?: KeyPair;
  /** The content of `claims.jwt` instead of a signed token. */
  readonly token?: string;
}

/** The header every token has. */
export const JOSE_HEADER = { typ: "jwt", alg: "Ed25519" } as const;

/** When tokens are issued, unless a test says otherwise: seconds since the epoch. */
export const ISSUED_AT = 1_700_000_000;

/** The binaries of an archive whose test does not care for them. */
export const BINARIES: Readonly<Record<string, string>> = {
  "aarch64-linux": "an aarch64 binary",
  "x86_64-linux": "an x86_64 binary",
};

/** SHA-256 as the claims spell it. */
export function claimsHash(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex").toUpperCase();
}

/** The payload of an archive in order. */
export function payloadFor(
  binaries: Readonly<Record<string, Uint8Array | string>> = BINARIES,
): Payload {
  return {
    jti: "6RJVyJn2vWPyMFcdRV6QTs",
    iat: ISSUED_AT,
    iss: ISSUER.publicKey,
    sub: SUBJECT.publicKey,
    wascap: {
      name: "Fake Payments",
      capid: "examples:payments",
      vendor: "wasmCloud",
      rev: 1,
      ver: "1.0",
      target_hashes: Object.fromEntries(
        Object.entries(binaries).map(([target, bytes]) => [target, claimsHash(bytes)]),
      ),
    },
    wascap_revision: 3,
  };
}

/** Signs any payload under any header; both may also be raw text or bytes. */
export async function signToken(
  payload: unknown,
  { header = JOSE_HEADER as unknown, signer }: { header?: unknown; signer?: KeyPair } = {},
): Promise<string> {
  const signed = `${base64url(header)}.${base64url(payload)}`;
  const signature = await (signer ?? await issuerPair()).sign(new TextEncoder().encode(signed));
  return `${signed}.${base64url(signature)}`;
}

/** Base64url without padding; values other than texts and bytes as JSON. */
export function base64url(value: unknown): string {
  const bytes = value instanceof Uint8Array
    ? value
    : concat(typeof value === "string" ? value : JSON.stringify(value));
  return Buffer.from(bytes).toString("base64url");
}

/** The token of an archive. */
export async function tokenOf(parts: ArchiveParts = {}): Promise<string> {
  if (parts.token !== undefined) return parts.token;
  const payload = payloadFor(parts.binaries);
  parts.bend?.(payload);
  return await signToken(payload, parts);
}

/** The entries of an archive: the claims first, then the binaries. */
export async function entriesOf(parts: ArchiveParts = {}): Promise<Uint8Array<ArrayBuffer>[]> {
  return [
    tarEntry({ name: "claims.jwt", content: await tokenOf(parts) }),
    ...Object.entries(parts.binaries ?? BINARIES).map(([target, content]) =>
      tarEntry({ name: `${target}.bin`, content, mode: 0o755 })
    ),
  ];
}

/** A plain archive. */
export async function archiveOf(parts: ArchiveParts = {}): Promise<Uint8Array<ArrayBuffer>> {
  return concat(...await entriesOf(parts), TAR_END);
}

/** One gzip member of the bytes. */
export function gzipped(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(bytes, { level: 9 }));
}
