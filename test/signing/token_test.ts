import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPublicKey, verify } from "node:crypto";
import fc from "npm:fast-check@4.10.2";
import type { Claims } from "../../lib/signing/claims.ts";
import { JsonNumber } from "../../lib/signing/json.ts";
import { publicKeyBytes } from "../../lib/signing/nkey.ts";
import { formatTime, signClaims, verifyToken } from "../../lib/signing/token.ts";
import { base64url, ISSUED_AT, JOSE_HEADER, payloadFor, signToken, tokenOf } from "../_archive.ts";
import { issuerPair, otherIssuerPair } from "../_keys.ts";
import { anyClaimsJson, anyText, isClaimsText } from "../_text.ts";

const CLAIMS = payloadFor() as unknown as Claims;

Deno.test("signClaims() writes the header that every archive has, to the byte", async () => {
  const [header] = (await signClaims(CLAIMS, await issuerPair())).split(".");
  assert.equal(header, "eyJ0eXAiOiJqd3QiLCJhbGciOiJFZDI1NTE5In0");
  assert.equal(header, base64url('{"typ":"jwt","alg":"Ed25519"}'));
});

Deno.test("signClaims() is deterministic, and equal to a token put together by hand", async () => {
  const token = await signClaims(CLAIMS, await issuerPair());
  assert.equal(token, await signToken(CLAIMS));
  assert.equal(token, await signClaims(CLAIMS, await issuerPair()));
});

Deno.test("signClaims() refuses another account's key with ERR_KEY_MISMATCH", async () => {
  await assert.rejects(signClaims(CLAIMS, await otherIssuerPair()), { code: "ERR_KEY_MISMATCH" });
});

Deno.test("signClaims() makes a token whose signature Node's crypto verifies", async () => {
  const pair = await issuerPair();
  const x = base64url(publicKeyBytes(pair.publicKey));
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const isSigned = (token: string): boolean => {
    const [header = "", payload = "", signature = ""] = token.split(".");
    return verify(
      null,
      Buffer.from(`${header}.${payload}`),
      key,
      Buffer.from(signature, "base64url"),
    );
  };
  const token = await signClaims(CLAIMS, pair);
  assert(isSigned(token));
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url");
  assert.deepEqual(JSON.parse(payload.toString()), payloadFor());
  assert(!isSigned(await signToken(CLAIMS, { signer: await otherIssuerPair() })));
});

Deno.test("verifyToken() calls no signature wrong where V8 misreads the header", async () => {
  const header = '{"typ":"jwt","\\u0061lg":"Ed25519"}';
  const token = await signToken(CLAIMS, { header });
  // Some versions of V8 take the escaped name for this one from here on.
  JSON.parse('{"typ":"jwt","\\\\u0":1}');
  const verdict = await verifyToken(token).then(() => "accepted", ({ code }) => code);
  const isMisread = !("alg" in JSON.parse(header));
  assert.equal(verdict, isMisread ? "ERR_TOKEN_MALFORMED" : "accepted");
});

Deno.test("verifyToken() accepts what signClaims() signs, whatever the texts in it", async () => {
  const text = anyText(40).filter(isClaimsText);
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        name: text,
        vendor: text,
        ver: text,
        capid: text,
        config_schema: anyClaimsJson(),
      }),
      async (metadata) => {
        // A text of JSON first: negative zeros have no other spelling there.
        const wascap = JSON.parse(JSON.stringify({ ...CLAIMS.wascap, ...metadata }));
        const token = await signClaims({ ...CLAIMS, wascap }, await issuerPair());
        const verified = await verifyToken(token);
        assert.equal(verified.token, token);
        assert.deepEqual(verified.claims.wascap, wascap);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("signClaims() refuses what verifyToken() would, with ERR_OPTION_INVALID", async () => {
  const deep = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));
  const wrong: Record<string, unknown>[] = [
    { name: "\ud800" },
    { ver: "\0" },
    { vendor: 1 },
    { rev: 0.5 },
    { Vendor: "somebody" },
    { target_hashes: { "x86_64-linux": "" } },
    { config_schema: { maximum: Infinity } },
    { config_schema: NaN },
    { config_schema: new JsonNumber("1e400") },
    { config_schema: JSON.parse('{ "__proto__": 1 }') },
    { config_schema: deep(126) },
    { config_schema: 1n },
  ];
  const pair = await issuerPair();
  for (const each of wrong) {
    const wascap = { ...CLAIMS.wascap, ...each };
    await assert.rejects(signClaims({ ...CLAIMS, wascap }, pair), { code: "ERR_OPTION_INVALID" });
  }
  const wascap = { ...CLAIMS.wascap, config_schema: deep(125) as [] };
  await verifyToken(await signClaims({ ...CLAIMS, wascap }, pair));
});

Deno.test("verifyToken() signs and reads claims of half a MiB", async () => {
  const wascap = { ...CLAIMS.wascap, config_schema: "ü".repeat(2 ** 18) };
  const token = await signClaims({ ...CLAIMS, wascap }, await issuerPair());
  assert.equal((await verifyToken(token)).claims.wascap.config_schema, wascap.config_schema);
});

Deno.test("verifyToken() refuses a token with any one character changed", async () => {
  const token = await tokenOf();
  for (let at = 0; at < token.length; at++) {
    const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    await assert.rejects(verifyToken(changed), { category: "untrusted" }, `character ${at}`);
  }
});

Deno.test("verifyToken() says that a token has three parts, no fewer and no more", async () => {
  const good = await tokenOf();
  const [header, payload, signature] = good.split(".");
  const others = [
    "",
    header,
    `${header}.${payload}`,
    `${good}.`,
    `.${good}`,
    `${good}.${signature}`,
  ];
  for (const token of others) {
    await assert.rejects(verifyToken(token ?? ""), {
      code: "ERR_TOKEN_MALFORMED",
      message: /it does not have three parts/,
    }, token);
  }
});

Deno.test("verifyToken() judges at the time it is given", async () => {
  const token = await tokenOf({
    bend: (payload) => {
      payload["nbf"] = ISSUED_AT + 10;
      payload["exp"] = ISSUED_AT + 20;
    },
  });
  const at = (seconds: number): { now: Date } => ({ now: new Date((ISSUED_AT + seconds) * 1000) });
  await assert.rejects(verifyToken(token, at(9.999)), { code: "ERR_TOKEN_NOT_YET_VALID" });
  await verifyToken(token, at(10));
  await verifyToken(token, at(19.999));
  await assert.rejects(verifyToken(token, at(20)), { code: "ERR_TOKEN_EXPIRED" });
  await assert.rejects(verifyToken(token), { code: "ERR_TOKEN_EXPIRED" });
});

Deno.test("verifyToken() does not say of a forged token when it expires", async () => {
  const payload = { ...payloadFor(), exp: 1 };
  const token = await signToken(payload, { signer: await otherIssuerPair() });
  await assert.rejects(verifyToken(token), { code: "ERR_TOKEN_SIGNATURE" });
});

Deno.test("verifyToken() names what it refuses without control characters", async () => {
  const evil = "\u001b[2J\u009b\u202e\n";
  const errors = await Promise.all([
    signToken(payloadFor(), { header: { ...JOSE_HEADER, [evil]: 1 } }),
    signToken(payloadFor(), { header: { ...JOSE_HEADER, alg: evil } }),
    signToken(payloadFor(), { header: { ...JOSE_HEADER, typ: evil } }),
    signToken({ ...payloadFor(), iss: evil }),
    signToken({ ...payloadFor(), sub: evil }),
    signToken({ ...payloadFor(), wascap: { vendor: "x", target_hashes: { [evil]: 1 } } }),
  ].map(async (token) => {
    try {
      await verifyToken(await token);
    } catch (error) {
      return (error as Error).message;
    }
    return assert.fail("a forged token was accepted");
  }));
  for (const message of errors) {
    // deno-lint-ignore no-control-regex -- these are what must not be there
    assert.doesNotMatch(message, /[\x00-\x1f\x7f]/, JSON.stringify(message));
  }
});

Deno.test("formatTime() writes UTC to the second, and any number at all", () => {
  assert.equal(formatTime(0), "1970-01-01T00:00:00Z");
  assert.equal(formatTime(ISSUED_AT), "2023-11-14T22:13:20Z");
  assert.equal(formatTime(Number.MAX_SAFE_INTEGER), "9007199254740991 s");
});
