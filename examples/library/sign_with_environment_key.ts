/**
 * Signs a binary with keys from the environment, as a build server has them: nothing is looked for in
 * a home directory, and no key is made by the way.
 *
 *     deno run --allow-env=WASH_ISSUER_KEY,WASH_SUBJECT_KEY --allow-read --allow-write sign_with_environment_key.ts libfakepay.so fakepay.par.gz
 *
 * @module
 */

import { create, KeyPair, ParError } from "../../mod.ts";
import type { KeyRole } from "../../lib/signing/mod.ts";

async function keyFrom(variable: string, role: KeyRole): Promise<KeyPair> {
  const seed = Deno.env.get(variable);
  if (!seed) throw new ParError("ERR_KEY_NOT_FOUND", `Cannot sign: set ${variable} to a seed`);
  // The name stands in messages, where the seed must not.
  return await KeyPair.fromSeed(seed, role, variable);
}

const [binary = "", destination = ""] = Deno.args;
try {
  const { claims, targets } = await create({
    name: "Fake Payments",
    vendor: "wasmCloud",
    issuer: await keyFrom("WASH_ISSUER_KEY", "account"),
    subject: await keyFrom("WASH_SUBJECT_KEY", "service"),
    binaries: [{ source: binary }],
    destination,
    compress: destination.endsWith(".gz"),
    expires: new Date(Date.now() + 90 * 24 * 60 * 60 * 1000),
  });
  console.log(`${destination}: ${targets.join(", ")}, signed by ${claims.iss}`);
} catch (error) {
  if (!(error instanceof ParError)) throw error;
  console.error(`${error.message} [${error.code}]`);
  Deno.exit(1);
}
