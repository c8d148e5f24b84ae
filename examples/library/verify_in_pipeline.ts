/**
 * Lets an archive through from standard input to standard output if a trusted issuer signed it.
 *
 *     deno run verify_in_pipeline.ts A... < fakepay.par.gz > trusted.par.gz
 *
 * @module
 */

import { parsePublicKey, verify } from "../../mod.ts";

const trustedIssuers = Deno.args.map((key) => parsePublicKey(key, "account"));

// All of it is held here, because not a byte may pass before the last one was checked.
const archive = await new Response(Deno.stdin.readable).bytes();
const { trusted, checks } = await verify(archive, { trustedIssuers });
for (const { name, passed, message } of checks) {
  console.error(`${passed ? "ok    " : "FAILED"}  ${name}: ${message}`);
}
if (!trusted) Deno.exit(3);
await ReadableStream.from([archive]).pipeTo(Deno.stdout.writable);
