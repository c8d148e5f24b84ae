/**
 * Makes an archive of bytes in memory, in memory, and reads it again.
 *
 *     deno run create_from_memory.ts
 *
 * @module
 */

import { createStream, inspect, KeyPair } from "../../mod.ts";

/** Where a build would put its binaries. */
const binaries = [
  { target: "x86_64-linux", source: new TextEncoder().encode("library for one machine") },
  { target: "aarch64-linux", source: new TextEncoder().encode("library for another") },
];

const { stream } = await createStream({
  name: "Fake Payments",
  vendor: "wasmCloud",
  capid: "examples:payments",
  issuer: await KeyPair.generate("account"),
  subject: await KeyPair.generate("service"),
  binaries,
  compress: true,
});

const { claims, binaries: verified } = await inspect(stream);
console.log(`${claims.wascap.name} by ${claims.wascap.vendor}`);
for (const { target, size } of verified) console.log(`${target}: ${size} bytes`);
