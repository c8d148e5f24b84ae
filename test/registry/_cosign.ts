/**
 * Keys that both cosign and this toolkit sign with, and cosign itself, which is kept off the network.
 *
 * @module
 */

import {
  BundleKey,
  type BundleSigner,
  parseBundleKey,
  parseSigningKey,
  signerOf,
} from "../../lib/signing/bundle_key.ts";
import { issuerPair } from "../_keys.ts";
import { type Output, runTool, temporaryFolder } from "../_tools.ts";
import { run } from "./_registry.ts";

/** A pair of keys. */
export interface CosignKey {
  /** What signs here. */
  readonly signer: BundleSigner;
  /** What verifies here. */
  readonly key: BundleKey;
  /** The path of the private key in PEM form; none for an nkey. */
  readonly pem?: string;
  /** The path of the public key in PEM form. */
  readonly pub: string;
  /** The path of the private key as cosign keeps it; none for an nkey. */
  readonly cosignKey?: string;
}

/** cosign, with a home directory of its own. */
export interface Cosign extends AsyncDisposable {
  /** The folder with the keys. */
  readonly folder: string;
  /** Keys of each kind. */
  readonly keys: Readonly<Record<"p256" | "ed25519" | "nkey", CosignKey>>;
  /** Runs cosign. */
  run(args: readonly string[]): Promise<Output>;
  /** Runs cosign, which must not fail, and gives what it printed. */
  done(args: readonly string[]): Promise<string>;
}

/** Flags of every verification without a transparency log. */
export const OFFLINE = ["--insecure-ignore-tlog=true"] as const;

/** Flags of a signature without services of Sigstore. */
export const SIGN_OFFLINE = ["--yes", "--use-signing-config=false", "--tlog-upload=false"] as const;

/** Makes keys, and prepares cosign. */
export async function openCosign(): Promise<Cosign> {
  const folder = await temporaryFolder();
  const env = { HOME: folder.path, COSIGN_PASSWORD: "" };
  const cosign = (args: readonly string[]): Promise<Output> =>
    runTool("cosign", args, { cwd: folder.path, env });
  const done = async (args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await cosign(args);
    if (code !== 0) throw new Error(`cosign ${args.join(" ")} failed: ${stderr}${stdout}`);
    return stdout;
  };
  const make = async (name: string, algorithm: readonly string[]): Promise<CosignKey> => {
    const pem = `${folder.path}/${name}.pem`;
    const pub = `${folder.path}/${name}.pub.pem`;
    await run("openssl", ["genpkey", ...algorithm, "-out", pem]);
    await run("openssl", ["pkey", "-in", pem, "-pubout", "-out", pub]);
    await done(["import-key-pair", "--key", pem, "--output-key-prefix", name]);
    return {
      signer: await parseSigningKey(await Deno.readTextFile(pem)),
      key: await parseBundleKey(await Deno.readTextFile(pub)),
      pem,
      pub,
      cosignKey: `${folder.path}/${name}.key`,
    };
  };
  const signer = await signerOf(await issuerPair());
  const pub = `${folder.path}/nkey.pub.pem`;
  await Deno.writeTextFile(pub, signer.key.pem());
  return {
    folder: folder.path,
    keys: {
      p256: await make("p256", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
      ed25519: await make("ed25519", ["-algorithm", "ed25519"]),
      nkey: { signer, key: signer.key, pub },
    },
    run: cosign,
    done,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
