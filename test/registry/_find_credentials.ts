/**
 * Finds credentials in a process of its own, whose permissions and PATH a test chooses: a host and
 * the path of a `config.json` in, the credentials or the error as JSON out.
 *
 * @module
 */

import { ParError } from "../../lib/errors.ts";
import { findCredentials } from "../../lib/registry/credentials.ts";

const [registry = "", ...authFiles] = Deno.args;
try {
  console.log(JSON.stringify(await findCredentials(registry, { authFiles }) ?? null));
} catch (error) {
  if (!(error instanceof ParError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message }));
}
