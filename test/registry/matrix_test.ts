import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { blobSource } from "../../lib/bytes/source.ts";
import { registrySource } from "../../lib/registry/pull.ts";
import { parseReference } from "../../lib/registry/reference.ts";
import { listTags } from "../../lib/registry/tags.ts";
import { readAttachedBundles } from "../../lib/verbs/bundles.ts";
import { copy } from "../../lib/verbs/copy.ts";
import { extract } from "../../lib/verbs/extract.ts";
import { inspectClaims } from "../../lib/verbs/inspect.ts";
import { pull } from "../../lib/verbs/pull.ts";
import { push } from "../../lib/verbs/push.ts";
import { sign } from "../../lib/verbs/sign.ts";
import { verify } from "../../lib/verbs/verify.ts";
import { archiveOf } from "../_archive.ts";
import { noise } from "../_bytes.ts";
import { issuerPair } from "../_keys.ts";
import { temporaryFolder } from "../_tools.ts";
import {
  hasCrane,
  hasDistribution,
  hasDockerRegistry,
  hasOlareg,
  hasOras,
  hasRegctl,
  hasSkopeo,
  type Registry,
  run,
  startCraneRegistry,
  startDockerRegistry,
  startOlareg,
} from "./_registry.ts";

/** Registries of different makers. The last two keep lists of referrers. */
const REGISTRIES: readonly (readonly [string, boolean, () => Promise<Registry>])[] = [
  ["docker-registry 2", hasDockerRegistry, () => startDockerRegistry()],
  ["distribution 3", hasDistribution, () => startDockerRegistry({ program: "registry" })],
  ["crane's registry", hasCrane, startCraneRegistry],
  ["olareg", hasOlareg, startOlareg],
];

const BINARIES = { "x86_64-linux": noise(300_000, 1), "aarch64-linux": noise(200_000, 2) };

for (const [name, present, start] of REGISTRIES) {
  Deno.test({
    name: `every verb works with ${name}`,
    ignore: !present,
    async fn() {
      await using registry = await start();
      await using folder = await temporaryFolder();
      const archive = await archiveOf({ binaries: BINARIES });
      const repository = `${registry.host}/payments/fakepay`;
      const place = parseReference(`${repository}:1.0`);

      const pushed = await push(blobSource(archive, "fakepay.par"), place, {
        tags: ["1", "Stable"],
      });
      assert.equal(pushed.unchanged, false);
      assert((await push(archive, place, { tags: ["1", "Stable"] })).unchanged);
      assert.deepEqual(await listTags(repository), ["1", "1.0", "Stable"]);

      using claims = registrySource(place);
      await inspectClaims(claims);
      assert(claims.bytesRead < archive.length / 4, `${claims.bytesRead}`);
      using part = registrySource(place);
      const output = `${folder.path}/fakepay.so`;
      await extract(part, { outputs: { "aarch64-linux": output } });
      assert.deepEqual(await Deno.readFile(output), BINARIES["aarch64-linux"]);
      assert(part.bytesRead < BINARIES["x86_64-linux"].length, `${part.bytesRead}`);

      const signer = await issuerPair();
      const { key, attached } = await sign(place, { signer });
      const digest = `${repository}@${pushed.digest}`;
      const layout = `oci:${folder.path}/layout:1.0`;
      const copied = await copy(digest, layout);
      assert.deepEqual(copied.referrers, [attached]);
      await copy(layout, `${registry.host}/mirror/fakepay:1.0`);
      const mirror = parseReference(`${registry.host}/mirror/fakepay:1.0`);
      using source = registrySource(mirror);
      const bundles = readAttachedBundles(mirror, pushed.digest, {});
      const report = await verify(source, { keys: [key], manifest: pushed.digest, bundles });
      assert(report.trusted, JSON.stringify(report.checks));

      const { path } = await pull(mirror, { destination: `${folder.path}/pulled.par` });
      assert.deepEqual(await Deno.readFile(path), archive);
    },
  });
}

/** How clients print a manifest, or its digest, in a registry and in a layout. */
const CLIENTS: readonly (readonly [
  string,
  boolean,
  (reference: string) => readonly string[],
  ((folder: string) => readonly string[])?,
])[] = [
  ["crane", hasCrane, (reference) => ["digest", "--insecure", reference]],
  [
    "oras",
    hasOras,
    (reference) => ["resolve", "--plain-http", reference],
    (folder) => ["resolve", "--oci-layout", `${folder}:1.0`],
  ],
  [
    "skopeo",
    hasSkopeo,
    (reference) => [...INSPECT, "--tls-verify=false", `docker://${reference}`],
    (folder) => [...INSPECT, `oci:${folder}:1.0`],
  ],
  [
    "regctl",
    hasRegctl,
    (reference) => ["manifest", "head", reference],
    (folder) => ["manifest", "head", `ocidir://${folder}:1.0`],
  ],
];
// It inspects images alone, unless it is asked for the bytes.
const INSPECT = ["inspect", "--raw"];

for (const [program, present, ofRegistry, ofLayout] of CLIENTS) {
  Deno.test({
    name: `${program} reads what copy() writes`,
    ignore: !present || !hasDockerRegistry,
    async fn() {
      await using registry = await startDockerRegistry();
      await using folder = await temporaryFolder();
      const layout = `${folder.path}/layout`;
      const first = `oci:${folder.path}/first:1.0`;
      const { digest } = await push(await archiveOf(), first);
      const reference = `${registry.host}/payments/fakepay:1.0`;
      await copy(first, reference);
      await copy(reference, `oci:${layout}:1.0`);
      const env = { HOME: folder.path };
      if (program === "regctl") {
        await run("regctl", ["registry", "set", registry.host, "--tls=disabled"], { env });
      }
      const check = async (args: readonly string[]): Promise<void> => {
        const printed = await run(program, args, { env });
        const of = `sha256:${createHash("sha256").update(printed).digest("hex")}`;
        assert([printed.trim(), of].includes(digest), printed);
      };
      await check(ofRegistry(reference));
      if (ofLayout) await check(ofLayout(layout));
    },
  });
}
