/**
 * Project Wycheproof's vectors for Ed25519.
 *
 * @module
 */

import { ROOT } from "../_tools.ts";

/** Beside the checkout, where there is one; a clone elsewhere has none. */
const VECTORS = `${ROOT}/../shared/data/wycheproof-ed25519.json`;

/** What the project publishes. */
export interface Vectors {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly msg: string;
      readonly sig: string;
      readonly result: string;
    }[];
  }[];
}

/** Reads the vectors; gives `undefined` where there is no file of them. */
export function readVectors(): Vectors | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(VECTORS));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
