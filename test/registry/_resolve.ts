/**
 * Reads an archive in a process of its own, whose permissions a test chooses: a reference, options as
 * JSON, a cache's folder and whether to read the environment in; the manifest's digest, the layer's length and how many bytes came over
 * the network out.
 *
 * @module
 */

import { BlobCache } from "../../lib/registry/cache.ts";
import { registryEnvironment } from "../../lib/registry/options.ts";
import { registrySource } from "../../lib/registry/pull.ts";
import { parseReference } from "../../lib/registry/reference.ts";

const [reference = "", options = "{}", folder, environment] = Deno.args;
using source = registrySource(parseReference(reference), {
  ...(environment ? await registryEnvironment() : {}),
  ...JSON.parse(options),
  ...(folder ? { cache: new BlobCache(folder) } : {}),
});
let length = 0;
for await (const chunk of source.open()) length += chunk.length;
const { digest } = await source.resolve();
console.log(JSON.stringify({ digest, length, bytesRead: source.bytesRead }));
