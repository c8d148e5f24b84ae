/**
 * Archives, and what is asked of them again and again, for the tests of an archive's whole life.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readArchive, type ReadOptions } from "../../lib/archive/reader.ts";
import type { Claims } from "../../lib/signing/claims.ts";
import { type ErrorCode, ParError } from "../../lib/errors.ts";
import type { KeyPair } from "../../lib/signing/nkey.ts";
import { hostTarget, type Target } from "../../lib/target/target.ts";
import {
  base64url,
  claimsHash,
  gzipped,
  JOSE_HEADER,
  type Payload,
  payloadFor,
} from "../_archive.ts";
import { concat } from "../_bytes.ts";
import { issuerPair, subjectPair } from "../_keys.ts";
import { TAR_END, tarEntry } from "../_tar.ts";
import { signToken } from "../_archive.ts";

/** This machine's target. */
export const HOST: Target = hostTarget() as Target;

/** A target that is not this machine's. */
export const FOREIGN = HOST === "aarch64-macos" ? "x86_64-windows" : "aarch64-macos";

/** The keys that archives of these tests are signed with. */
export async function signers(): Promise<{ issuer: KeyPair; subject: KeyPair }> {
  return { issuer: await issuerPair(), subject: await subjectPair() };
}

/** What a verified archive holds. */
export interface Contents {
  readonly claims: Claims;
  readonly compressed: boolean;
  /** The bytes of each binary by target, and of the WIT by its name. */
  readonly bytes: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

/** Reads an archive through the verifying reader, and keeps what passes. */
export async function readContents(
  archive: string | Uint8Array,
  options: ReadOptions = {},
): Promise<Contents> {
  const parts = new Map<string, Uint8Array[]>();
  const bytes = typeof archive === "string" ? await Deno.readFile(archive) : archive;
  const { claims, compressed } = await readArchive(once(bytes), options, (entry) => {
    const chunks: Uint8Array[] = [];
    parts.set(entry.kind === "wit" ? "world.wasm" : entry.target, chunks);
    return (chunk): void => void chunks.push(chunk.slice());
  });
  const joined = [...parts].map(([name, chunks]) => [name, concat(...chunks)] as const);
  return { claims, compressed, bytes: Object.fromEntries(joined) };
}

/** A stream of one chunk. */
export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** An archive as another, richer writer might have made it: fields that this toolkit does not know. */
export async function richArchive(
  { compressed = false, bend }: { compressed?: boolean; bend?: (payload: Payload) => void } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const binaries = { "aarch64-linux": "an aarch64 binary", "x86_64-linux": "an x86_64 binary" };
  const wit = "\0asm a WIT package";
  const payload = payloadFor(binaries);
  payload["wascap_revision"] = 2;
  payload["origin"] = { made: "elsewhere", list: [1, null, "two"] };
  payload["wascap"].config_schema = { type: "object", properties: { url: { type: "string" } } };
  payload["wascap"].mood = ["cheerful", { why: true }];
  payload["wascap"].target_hashes["world.wasm"] = claimsHash(wit);
  bend?.(payload);
  const archive = concat(
    tarEntry({ name: "claims.jwt", content: await signToken(payload) }),
    tarEntry({ name: "world.wasm", content: wit }),
    ...Object.entries(binaries).map(([target, content]) =>
      tarEntry({ name: `${target}.bin`, content })
    ),
    TAR_END,
  );
  return compressed ? gzipped(archive) : archive;
}

/** The claims without what every signing makes anew, and without the hashes. */
export function lasting(claims: Claims): unknown {
  const { jti: _jti, iat: _iat, ...others } = structuredClone(claims) as unknown as Payload;
  delete others["wascap"].target_hashes;
  return others;
}

/** A token put together from parts, with any signature. */
export function joinToken(
  { header = JOSE_HEADER, payload, signature }: {
    readonly header?: unknown;
    readonly payload: unknown;
    readonly signature: Uint8Array | string;
  },
): string {
  const signed = `${base64url(header)}.${base64url(payload)}`;
  return `${signed}.${typeof signature === "string" ? signature : base64url(signature)}`;
}

/** The front of a shared library for a machine, and some content behind it. */
export function elf(
  machine: "x86_64" | "aarch64" | "riscv64",
  content = "",
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header[16] = 3; // ET_DYN
  header[18] = { x86_64: 62, aarch64: 183, riscv64: 243 }[machine];
  return concat(header, content);
}

/** The front of a shared library that runs on this machine's architecture. */
export function hostElf(content = ""): Uint8Array<ArrayBuffer> {
  return elf(HOST.startsWith("aarch64") ? "aarch64" : "x86_64", content);
}

/** The front of a shared library that this machine cannot run. */
export function foreignElf(content = ""): Uint8Array<ArrayBuffer> {
  return elf("riscv64", content);
}

/** Bytes that do not compress, quickly made. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}

/**
 * Checks that something fails as this toolkit's failures do: by code, with a sentence that says
 * what cannot be done and names the things it should name.
 */
export async function assertFails(
  work: Promise<unknown>,
  code: ErrorCode,
  ...named: readonly string[]
): Promise<ParError> {
  const error = await work.then(() => undefined, (reason: unknown) => reason);
  assert(error instanceof ParError, `it ended with ${error ?? "success"} instead of ${code}`);
  assert.equal(error.code, code, error.message);
  assert.match(error.message, /^Cannot /);
  for (const name of named) assert(error.message.includes(name), `${name} is not in: ${error}`);
  return error;
}

/** The names of a folder's files, hidden ones too, sorted. */
export function listFolder(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
