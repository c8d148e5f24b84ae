/**
 * A process that reads an archive in each way there is, and tells what came of it.
 *
 * Its arguments are the archive's path and the most it may unpack to, or nothing. It prints one line
 * of JSON, the codes that `inspect`, `inspectClaims` and `verify` ended with, or `ok`. Then it is
 * `ready` to end, and waits for a line, so that the memory it took can be looked up.
 *
 * @module
 */

import { inspect, inspectClaims } from "../../lib/verbs/inspect.ts";
import { verify } from "../../lib/verbs/verify.ts";

if (import.meta.main) {
  const [path = "", maxSize] = Deno.args;
  const options = maxSize === undefined ? {} : { limits: { maxSize: Number(maxSize) } };
  const codeOf = (work: Promise<unknown>): Promise<string> =>
    work.then(() => "ok", (error) => String(error.code ?? error));
  const codes = [
    await codeOf(inspect(path, options)),
    await codeOf(inspectClaims(path, options)),
    (await verify(path, options)).checks.at(-1)?.code ?? "ok",
  ];
  console.log(JSON.stringify(codes));
  console.log("ready");
  await Deno.stdin.read(new Uint8Array(8));
}
