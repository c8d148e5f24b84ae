/**
 * Makes the folder of a release, `dist` or the one that is named. It can be served as it is, or `par`,
 * `par.js` and `SHA256SUMS` can be attached to a release:
 *
 * - `mod.ts`, `cli.ts`, `lib/` and the other files of the module, as they are;
 * - `par.js`, the command in one script, which Deno runs from a file or a URL and fetches nothing for;
 * - `par`, which runs the `par.js` beside it with the permissions of its verb;
 * - `LICENSES.txt`, the licences of the packages in `par.js`;
 * - `SHA256SUMS`, the digests of all of these;
 * - `SHA256SUMS.sigstore.json`, a signature of all files, if `--key` names a private key in PEM, or the
 *   seed of an nkey: a Sigstore bundle, which `cosign verify-blob-attestation` verifies for each file.
 *
 * Equal sources and an equal Deno give equal bytes; a signature with an ECDSA key differs each time.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { globSync } from "node:fs";
import config from "../deno.json" with { type: "json" };
import { bundledLicences, bundleToScript, ROOT } from "./bundle.ts";
import { launcher } from "./install.ts";
import {
  type BundleSigner,
  createBundle,
  KeyPair,
  parseSigningKey,
  PREDICATE_TYPES,
  signerOf,
} from "../lib/signing/mod.ts";

/**
 * Makes the folder anew.
 *
 * @param folder Where to.
 * @param signer Signs the files, if it is given.
 */
export async function makeDist(folder: string, signer?: BundleSigner): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch(() => {});
  // README.md links to documents that are not in a release.
  const module = config.publish.include.filter((pattern) => pattern !== "README.md")
    .flatMap((pattern) => globSync(pattern, { cwd: ROOT }));
  for (const path of module) {
    await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.copyFile(`${ROOT}/${path}`, `${folder}/${path}`);
  }
  const made: Readonly<Record<string, string>> = {
    "par.js": await bundleToScript(),
    "par": await portableLauncher(),
    "LICENSES.txt": await bundledLicences(),
  };
  for (const [path, text] of Object.entries(made)) {
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
  await Deno.chmod(`${folder}/par`, 0o755);
  const subjectOf = async (name: string) => {
    const bytes = await Deno.readFile(`${folder}/${name}`);
    return { name, digest: { sha256: createHash("sha256").update(bytes).digest("hex") } };
  };
  const files = await Promise.all([...module, ...Object.keys(made)].sort().map(subjectOf));
  const sums = files.map(({ name, digest }) => `${digest.sha256}  ${name}\n`).join("");
  await Deno.writeTextFile(`${folder}/SHA256SUMS`, sums);
  if (!signer) return;
  const bundle = await createBundle({
    subject: [await subjectOf("SHA256SUMS"), ...files],
    predicateType: PREDICATE_TYPES.signature,
    predicate: {},
  }, signer);
  await Deno.writeFile(`${folder}/SHA256SUMS.sigstore.json`, bundle);
}

/**
 * Reads a key to sign with.
 *
 * @param path A private key in PEM, or the seed of an nkey.
 */
export async function readSigner(path: string): Promise<BundleSigner> {
  const text = (await Deno.readTextFile(path)).trim();
  return text.startsWith("S") ? signerOf(await KeyPair.fromSeed(text)) : parseSigningKey(text);
}

/** Writes the launcher that runs the `par.js` beside it with the Deno on the PATH. */
async function portableLauncher(): Promise<string> {
  const wrapper = await Deno.readTextFile(`${ROOT}/scripts/deno`);
  const [minimum] = /^minimum=.*$/m.exec(wrapper) ?? [];
  const [newEnough] = /^new_enough\(\) \{$[^]*?^\}$/m.exec(wrapper) ?? [];
  if (!minimum || !newEnough) throw new Error("scripts/deno does not say which Deno is new enough");
  return launcher({
    setup: `here=$(dirname -- "$(readlink -f -- "$0")")
${minimum}
${newEnough}
if ! new_enough deno; then
  echo "Cannot find Deno $minimum or newer on the PATH: install it (https://deno.com)" >&2
  exit 1
fi`,
    deno: "deno",
    script: `"$here/par.js"`,
  });
}

if (import.meta.main) {
  const [flag, key = ""] = Deno.args;
  const signer = flag === "--key" ? await readSigner(key) : undefined;
  const [folder = `${ROOT}/dist`] = signer ? Deno.args.slice(2) : Deno.args;
  await makeDist(folder, signer);
  console.log(`Made ${folder}`);
}
