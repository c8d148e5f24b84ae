/**
 * Reads an archive in a process of its own, whose permissions a test chooses, past a certificate that
 * nobody knows: a reference in, the manifest's digest and how many bytes the layer had out.
 *
 * @module
 */

import { registrySource } from "../../lib/registry/pull.ts";
import { parseReference } from "../../lib/registry/reference.ts";

using source = registrySource(parseReference(Deno.args[0] ?? ""), { insecureSkipTlsVerify: true });
let length = 0;
for await (const chunk of source.open()) length += chunk.length;
console.log(JSON.stringify({ digest: (await source.resolve()).digest, length }));
