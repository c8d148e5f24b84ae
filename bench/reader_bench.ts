import { readArchive } from "../lib/archive/reader.ts";
import { KeyPair } from "../lib/signing/nkey.ts";
import { packArchive } from "../lib/archive/pack.ts";
import { parseTarget } from "../lib/target/target.ts";
import { signClaims, verifyToken } from "../lib/signing/token.ts";

async function* repeated(count: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield CHUNK;
}

const CHUNK = crypto.getRandomValues(new Uint8Array(64 * 1024));
const issuer = await KeyPair.generate("account");
const subject = await KeyPair.generate("service");

async function archive(chunks: number, compress: boolean): Promise<Uint8Array[]> {
  const { bytes } = await packArchive({
    name: "Bench",
    vendor: "wasmCloud",
    issuer,
    subject,
    compress,
    compressLevel: 1,
    binaries: [{ target: parseTarget("x86_64-linux"), open: () => repeated(chunks) }],
  });
  return await Array.fromAsync(bytes);
}

async function* passed(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

for (const compress of [false, true]) {
  const [small, large] = [await archive(1, compress), await archive(1024, compress)];
  const form = compress ? "compressed" : "plain";
  Deno.bench(`readArchive() of 64 KiB, ${form}`, async () => {
    await readArchive(passed(small));
  });
  Deno.bench(`readArchive() of 64 MiB, ${form}`, async () => {
    await readArchive(passed(large));
  });
}

const { claims, token } = await readArchive(passed(await archive(1, false)));

Deno.bench("verifyToken()", async () => {
  await verifyToken(token);
});

Deno.bench("signClaims()", async () => {
  await signClaims(claims, issuer);
});
