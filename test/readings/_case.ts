/**
 * Cases: an archive in order, and what was done to it. A case is plain data, so that it can be
 * printed, read back, and made smaller by leaving things out.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { claimsHash, JOSE_HEADER, signToken } from "../_archive.ts";
import { concat, noise } from "../_bytes.ts";
import { ISSUER, issuerPair, OTHER_ISSUER, otherIssuerPair, SUBJECT } from "../_keys.ts";
import { bentGzip, type GzipBend } from "./_gzip_bends.ts";
import { bentText, encodeText, type JsonBend, toNode } from "./_json.ts";
import {
  bendTar,
  type Entry,
  entryBytes,
  entryOf,
  type TarBend,
  type TarDraft,
} from "./_tar_bends.ts";

/** An archive in order. */
export interface Base {
  /** How its bytes are packed: as they are, in a gzip member, or in one with an index. */
  readonly packing: "plain" | "gzip" | "index";
  /** The targets, and what is in their binaries. */
  readonly binaries: readonly (readonly [target: string, content: Content])[];
  /** Whether it has a WIT package. */
  readonly wit: boolean;
}

/** What a binary is made of. */
export type Content =
  | "text"
  | "nothing"
  /** Exactly one block. */
  | "a block"
  /** More than what counts as small, and does not compress. */
  | "noise"
  /** Whole tar entries, which a reader that loses its place would take for the archive's own. */
  | "entries"
  /** The same behind two blocks: so long is what a reader takes that believes the token's length. */
  | "blocks and entries"
  /** A gzip member. */
  | "a member";

/** All contents. */
export const CONTENTS: readonly Content[] = [
  "text",
  "nothing",
  "a block",
  "noise",
  "entries",
  "blocks and entries",
  "a member",
];

/** Something done to a token's text. */
export interface TokenBend {
  /** At the start or the end of which of its three parts. */
  readonly part: 0 | 1 | 2;
  readonly side: "start" | "end";
  /** How many characters go. */
  readonly drop: number;
  /** What comes. */
  readonly text: string;
}

/** What can be done to each part of an archive. */
interface Bends {
  readonly payload: JsonBend;
  readonly header: JsonBend;
  readonly token: TokenBend;
  readonly tar: TarBend;
  readonly gzip: GzipBend;
}

/** One thing done to an archive. */
export type Bend = {
  [To in keyof Bends]: { readonly to: To; readonly bend: Bends[To] };
}[keyof Bends];

/** An archive in order, and what was done to it. */
export interface Case {
  readonly base: Base;
  readonly bends: readonly Bend[];
}

const ISSUED_AT = 1_700_000_000;

/** Later than any test is run. */
const EXPIRES_AT = 32_503_680_000;

/** A payload with every member there is. */
export function payloadOf(hashes: Readonly<Record<string, string>>): Record<string, unknown> {
  return {
    exp: EXPIRES_AT,
    jti: "6RJVyJn2vWPyMFcdRV6QTs",
    iat: ISSUED_AT,
    iss: ISSUER.publicKey,
    sub: SUBJECT.publicKey,
    nbf: ISSUED_AT,
    wascap: {
      name: "Fake Payments",
      capid: "examples:payments",
      vendor: "wasmCloud",
      rev: 1,
      ver: "1.0",
      target_hashes: hashes,
      config_schema: { type: "object", maximum: 10 },
    },
    wascap_revision: 3,
  };
}

/** Makes the bytes of a case. */
export async function bytesOf({ base, bends }: Case): Promise<Uint8Array<ArrayBuffer>> {
  const of = <To extends Bend["to"]>(to: To): Bends[To][] =>
    bends.filter((each) => each.to === to).map(({ bend }) => bend as Bends[To]);
  const others = await otherEntries();
  const files = base.binaries.map((
    [target, content],
    i,
  ): [string, Uint8Array] => [`${target}.bin`, contentOf(content, i, others)]);
  if (base.wit) files.unshift(["world.wasm", WIT]);
  const hashes = Object.fromEntries(
    files.map(([name, bytes]) => [name.replace(/\.bin$/, ""), claimsHash(bytes)]),
  );
  const token = bentToken(
    await signed(
      bentText(toNode(JOSE_HEADER), of("header")),
      bentText(toNode(payloadOf(hashes)), of("payload")),
    ),
    of("token"),
  );
  const tar: TarDraft = {
    entries: [
      entryOf("claims.jwt", encodeText(token)),
      ...files.map(([name, bytes]) => entryOf(name, bytes)),
    ],
    end: new Uint8Array(1024),
    others,
    // Whoever believes it finds the same binaries, of another issuer.
    otherToken: JSON.stringify(bends).includes("{token}") ? await otherTokenFor(hashes) : "",
  };
  for (const bend of of("tar")) bendTar(tar, bend);
  const segments = segmentsOf(tar);
  if (base.packing === "plain") return concat(...segments.map(({ bytes }) => bytes));
  const other = concat(...others.map(entryBytes), new Uint8Array(1024));
  const member = bentGzip({ segments, index: base.packing === "index", other }, of("gzip"));
  return new Uint8Array(member);
}

/** Eight bytes that a component of a WIT package begins with, and nothing in it. */
const WIT = Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0);

function contentOf(content: Content, seed: number, others: readonly Entry[]): Uint8Array {
  switch (content) {
    case "text":
      return concat(`binary ${seed}`);
    case "nothing":
      return new Uint8Array(0);
    case "a block":
      return noise(512, seed + 1);
    case "noise":
      return noise(20_000 + seed, seed + 1);
    case "entries":
      return concat(...others.map(entryBytes));
    case "blocks and entries":
      return concat(noise(1024, seed + 1), ...others.map(entryBytes), new Uint8Array(1024));
    case "a member":
      return bentGzip({
        segments: [{ name: "", bytes: concat(...others.map(entryBytes), new Uint8Array(1024)) }],
        index: false,
        other: new Uint8Array(0),
      }, []);
  }
}

/** The entries of an archive of somebody else's, in order too. */
async function otherEntries(): Promise<readonly Entry[]> {
  return await (others ??= (async (): Promise<readonly Entry[]> => {
    // As long as the token: for a reader that keeps one size for all, it fits then.
    const { length } = await otherTokenFor({ "x86_64-linux": claimsHash("") });
    const content = noise(length);
    const token = await otherTokenFor({ "x86_64-linux": claimsHash(content) });
    return [entryOf("claims.jwt", concat(token)), entryOf("x86_64-linux.bin", content)];
  })());
}

/** A token for binaries, of somebody else. */
async function otherTokenFor(hashes: Readonly<Record<string, string>>): Promise<string> {
  const payload = { ...payloadOf(hashes), iss: OTHER_ISSUER.publicKey };
  return await signToken(payload, { signer: await otherIssuerPair() });
}

let others: Promise<readonly Entry[]> | undefined;

const issuer = await issuerPair();

/** Signing takes longest, and most payloads are not bent. */
const signatures = new Map<string, Promise<string>>();

function signed(header: string, payload: string): Promise<string> {
  const key = createHash("sha256").update(header).update("\0").update(encodeText(payload))
    .digest("hex");
  let token = signatures.get(key);
  if (!token) {
    if (signatures.size > 1000) signatures.clear();
    token = signToken(encodeText(payload), { header: encodeText(header), signer: issuer });
    signatures.set(key, token);
  }
  return token;
}

function bentToken(token: string, bends: readonly TokenBend[]): string {
  const parts = token.split(".");
  for (const { part, side, drop, text } of bends) {
    const old = parts[part] ?? "";
    parts[part] = side === "start"
      ? text + old.slice(drop)
      : old.slice(0, Math.max(0, old.length - drop)) + text;
  }
  return parts.join(".");
}

/** The tar stream in the segments that an index names: an entry with what leads to it in each. */
function segmentsOf({ entries, end }: TarDraft): { name: string; bytes: Uint8Array }[] {
  const segments: { name: string; bytes: Uint8Array }[] = [];
  let parts: Uint8Array[] = [];
  for (const entry of entries) {
    parts.push(entryBytes(entry));
    if (entry.leads) continue;
    segments.push({ name: entry.name, bytes: concat(...parts) });
    parts = [];
  }
  return [...segments, { name: "", bytes: concat(...parts, end) }];
}
