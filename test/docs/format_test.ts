/**
 * A second implementation of the format, written from `docs/format.md` alone, and held against what
 * the first one writes. The section of the page stands beside what follows from it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, createPublicKey, verify } from "node:crypto";
import { crc32, gunzipSync, inflateRawSync } from "node:zlib";
import { create } from "../../lib/verbs/create.ts";
import { ERROR_CODES } from "../../lib/errors.ts";
import { concat } from "../_bytes.ts";
import { issuerPair, subjectPair } from "../_keys.ts";
import { ROOT, temporaryFolder } from "../_tools.ts";
import { WIT_BYTES } from "../_wit.ts";

interface Segment {
  readonly name: string;
  readonly offset: number;
  readonly deflated: number;
  readonly inflated: number;
}

interface Entry {
  readonly header: Uint8Array;
  readonly name: string;
  readonly content: Uint8Array;
}

/** Section 1.4. */
function readIndex(archive: Uint8Array): Segment[] {
  const view = new DataView(archive.buffer, archive.byteOffset);
  assert.deepEqual([...archive.subarray(0, 4)], [0x1f, 0x8b, 8, 4]);
  const extra = archive.subarray(12, 12 + view.getUint16(10, true));
  assert.deepEqual([...extra.subarray(0, 2)], [0x50, 0x41]);
  assert.equal(view.getUint16(14, true), extra.length - 4);
  assert.equal(extra[4], 1);
  const segments: Segment[] = [];
  let offset = 12 + extra.length;
  for (let at = 5; at < extra.length;) {
    const length = extra[at] ?? 0;
    const name = new TextDecoder().decode(extra.subarray(at + 1, at + 1 + length));
    at += 1 + length;
    const deflated = Number(view.getBigUint64(12 + at, true));
    segments.push({ name, offset, deflated, inflated: Number(view.getBigUint64(20 + at, true)) });
    offset += deflated;
    at += 16;
  }
  return segments;
}

/** Section 1.3, "To inflate one segment alone". */
function inflateAlone(archive: Uint8Array, { offset, deflated }: Segment): Uint8Array {
  const bytes = archive.subarray(offset, offset + deflated);
  return inflateRawSync(concat(bytes, Uint8Array.of(3, 0)));
}

/** Section 1.2. */
function readEntry(bytes: Uint8Array): Entry {
  const header = bytes.subarray(0, 512);
  const text = (offset: number, length: number): string =>
    new TextDecoder().decode(header.subarray(offset, offset + length)).replace(/[\0 ]+$/, "");
  const size = parseInt(text(124, 12), 8);
  assert.equal(bytes.length, 512 + Math.ceil(size / 512) * 512);
  return { header, name: text(0, 100), content: bytes.subarray(512, 512 + size) };
}

/** Section 1.2, the table. */
function expectedHeader(name: string, size: number, mode: string): Uint8Array {
  const header = new Uint8Array(512);
  const put = (offset: number, text: string): void =>
    header.set(Buffer.from(text, "latin1"), offset);
  put(0, name);
  put(100, `${mode}\0`);
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${size.toString(8).padStart(11, "0")}\0`);
  put(136, "00000000000\0");
  put(148, " ".repeat(8));
  put(156, "0");
  put(257, "ustar\x0000");
  put(329, "0000000\x000000000\0");
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return header;
}

/** Section 2. */
function publicKeyBytes(text: string): Uint8Array {
  let bits = "";
  for (const char of text) {
    bits += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(char).toString(2).padStart(5, "0");
  }
  const bytes = Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => parseInt(byte, 2));
  let crc = 0;
  for (const byte of bytes.subarray(0, -2)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1 ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  assert.equal(crc, (bytes.at(-2) ?? 0) | (bytes.at(-1) ?? 0) << 8);
  return bytes.subarray(1, 33);
}

/** Section 3. */
function readToken(token: string): { readonly payload: string; readonly iss: string } {
  const [header = "", payload = "", signature = "", ...rest] = token.split(".");
  assert.equal(rest.length, 0);
  const decode = (text: string): string => Buffer.from(text, "base64url").toString();
  assert.equal(decode(header), '{"typ":"jwt","alg":"Ed25519"}');
  const { iss } = JSON.parse(decode(payload));
  assert.match(iss, /^A/);
  const x = Buffer.from(publicKeyBytes(iss)).toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const signed = Buffer.from(`${header}.${payload}`, "ascii");
  assert(verify(null, signed, key, Buffer.from(signature, "base64url")));
  return { payload: decode(payload), iss };
}

/** Section 4.2. */
function expectedId(payload: string): string {
  const text = payload.replace(/"jti":"\w+"/, '"jti":""');
  let number = BigInt(`0x${createHash("sha256").update(text).digest("hex")}`);
  let id = "";
  for (; id.length < 22; number /= 62n) {
    id += "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[Number(number % 62n)];
  }
  return id;
}

Deno.test("docs/format.md suffices to read what create() writes", async () => {
  await using folder = await temporaryFolder();
  const destination = `${folder.path}/fakepay.par.gz`;
  // More than two blocks of section 1.3, in which matches reach over the borders.
  const large = new Uint8Array(1_200_000).map((_, i) => i * i / 7 & 0xff);
  const binaries = { "aarch64-linux": new Uint8Array(513), "x86_64-linux": large };
  await create({
    name: "Fake Payments",
    vendor: "wasmCloud",
    capid: "examples:payments",
    revision: 1,
    version: "1.0",
    schema: { type: "object" },
    issuer: await issuerPair(),
    subject: await subjectPair(),
    sourceDateEpoch: 1_700_000_000,
    expires: new Date("2100-01-01"),
    wit: WIT_BYTES,
    binaries: Object.entries(binaries).map(([target, source]) => ({ target, source })),
    destination,
    compress: true,
  });
  const archive = await Deno.readFile(destination);
  const segments = readIndex(archive);
  const names = ["claims.jwt", "world.wasm", "aarch64-linux.bin", "x86_64-linux.bin"];
  assert.deepEqual(segments.map(({ name }) => name), [...names, ""]);

  const tar = gunzipSync(archive);
  const parts = segments.slice(0, -1).map((segment) => inflateAlone(archive, segment));
  assert.deepEqual(parts.map(({ length }) => length), segments.slice(0, -1).map((s) => s.inflated));
  assert.deepEqual(concat(...parts, new Uint8Array(1024)), new Uint8Array(tar));
  const end = segments.at(-1);
  assert(end);
  assert.equal(end.inflated, 1024);
  assert.deepEqual([...archive.subarray(-10, -8)], [3, 0]);
  assert.equal(end.offset + end.deflated, archive.length - 8);
  assert.equal(new DataView(archive.buffer).getUint32(archive.length - 8, true), crc32(tar));

  const entries = parts.map(readEntry);
  for (const { header, name, content } of entries) {
    const mode = name.endsWith(".bin") ? "0000755" : "0000644";
    assert.deepEqual(new Uint8Array(header), expectedHeader(name, content.length, mode), name);
  }
  const [claims, wit, ...rest] = entries;
  assert(claims && wit);
  const { payload } = readToken(new TextDecoder().decode(claims.content));
  const { jti, iat, wascap, ...others } = JSON.parse(payload);
  assert.equal(jti, expectedId(payload));
  assert.equal(iat, 1_700_000_000);
  assert.deepEqual(Object.keys(JSON.parse(payload)), [
    ...["exp", "jti", "iat", "iss", "sub", "wascap", "wascap_revision"],
  ]);
  assert.equal(others.wascap_revision, 3);
  assert.deepEqual(Object.keys(wascap), [
    ...["name", "capid", "vendor", "rev", "ver", "target_hashes", "config_schema"],
  ]);
  const hash = (bytes: Uint8Array): string =>
    createHash("sha256").update(bytes).digest("hex").toUpperCase();
  assert.deepEqual(wascap.target_hashes, {
    "world.wasm": hash(wit.content),
    "aarch64-linux": hash(rest[0]?.content ?? new Uint8Array()),
    "x86_64-linux": hash(large),
  });
});

/** Codes that are about a policy, a bundle or a registry, and not about an archive's bytes. */
const NOT_OF_THE_FORMAT = new RegExp(
  "^ERR_(" +
    "ISSUER_UNTRUSTED|ISSUER_NOT_ALLOWED|SUBJECT_MISMATCH|TARGET_REQUIRED|HOST_INCOMPATIBLE|TOO_OLD|" +
    "ATTESTATION_MISSING|ARCHIVE_REVOKED|KEY_REVOKED|BUNDLE_\\w+|LIMIT_REFERRERS|REGISTRY_\\w+" +
    ")$",
);

Deno.test("docs/format.md names every code that refuses an archive, and no other", async () => {
  const text = await Deno.readTextFile(`${ROOT}/docs/format.md`);
  const [, section = ""] = text.split("## 7. ");
  const named = new Set(section.match(/ERR_[A-Z_]+/g));
  const refusing = Object.entries(ERROR_CODES)
    .filter(([code, { category }]) => category === "untrusted" && !NOT_OF_THE_FORMAT.test(code))
    .map(([code]) => code);
  assert.deepEqual([...named].sort(), refusing.sort());
});
