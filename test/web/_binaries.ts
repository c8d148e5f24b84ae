/**
 * Binaries that are nothing but a header and noise, and archives of them.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { JsonNumber } from "../../lib/signing/json.ts";
import { archiveOf, type ArchiveParts, gzipped, ISSUED_AT, signToken } from "../_archive.ts";
import { concat, noise } from "../_bytes.ts";
import { ISSUER, SUBJECT } from "../_keys.ts";
import { TAR_END, tarEntry, tarHeader } from "../_tar.ts";

/** An ELF library for a machine, by its `e_machine`, of 64 bits and little-endian. */
export function elf(machine: number, length: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(64);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head[16] = 3;
  head[18] = machine;
  return concat(head, noise(length - head.length, machine));
}

/** A PE library for x86_64. */
export function pe(length: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(256);
  head.set([0x4d, 0x5a]);
  head[0x3c] = 128;
  head.set([0x50, 0x45, 0, 0, 0x64, 0x86], 128);
  head.set([0x22, 0x20], 128 + 22);
  return concat(head, noise(length - head.length, 7));
}

/** `e_machine` of the machines here. */
export const MACHINE = { x86_64: 62, aarch64: 183 } as const;

/** The binaries of an archive that people could have made. */
export const LIBRARIES: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  "aarch64-linux": elf(MACHINE.aarch64, 140_000),
  "x86_64-linux": elf(MACHINE.x86_64, 150_000),
  "x86_64-windows": pe(160_000),
};

/** The schema of a link definition. */
export const SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: {
    currency: { type: "string", pattern: "^[A-Z]{3}$" },
    limit: { type: "number", minimum: new JsonNumber("0.0") },
  },
  required: ["currency"],
} as const;

/** An archive in order, unless a part says otherwise. */
export async function providerArchive(parts: ArchiveParts = {}): Promise<Uint8Array<ArrayBuffer>> {
  return gzipped(
    await archiveOf({
      binaries: LIBRARIES,
      ...parts,
      bend(payload) {
        payload["wascap"].config_schema = SCHEMA;
        parts.bend?.(payload);
      },
    }),
  );
}

const BLOCK = 1024 * 1024;

/**
 * Writes a large archive, not compressed, with two binaries.
 *
 * @param path Where to.
 * @param size Its length in MiB, about.
 */
export async function writeLargeArchive(path: string, size: number): Promise<void> {
  const half = Math.floor(size / 2);
  const binaries = [
    { target: "aarch64-linux", machine: MACHINE.aarch64 },
    { target: "x86_64-linux", machine: MACHINE.x86_64 },
  ].map(({ target, machine }) => ({
    target,
    first: elf(machine, BLOCK),
    other: noise(BLOCK, machine + 1),
  }));
  const hashes: Record<string, string> = {};
  for (const { target, first, other } of binaries) {
    const hash = createHash("sha256").update(first);
    for (let i = 1; i < half; i++) hash.update(other);
    hashes[target] = hash.digest("hex").toUpperCase();
  }
  const token = await signToken({
    jti: "6RJVyJn2vWPyMFcdRV6QTs",
    iat: ISSUED_AT,
    iss: ISSUER.publicKey,
    sub: SUBJECT.publicKey,
    wascap: { name: "Large Payments", vendor: "wasmCloud", target_hashes: hashes },
    wascap_revision: 3,
  });
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const write = async (bytes: Uint8Array): Promise<void> => {
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  };
  await write(tarEntry({ name: "claims.jwt", content: token }));
  for (const { target, first, other } of binaries) {
    await write(tarHeader({ name: `${target}.bin`, size: half * BLOCK, mode: 0o755 }));
    await write(first);
    for (let i = 1; i < half; i++) await write(other);
  }
  await write(TAR_END);
}
