/**
 * A process that keeps others from writing a file, the way writers do, until it dies.
 *
 * Its argument is the destination's path. It prints `holding` once the others have to wait.
 *
 * @module
 */

import { writeFile } from "../../lib/system/files.ts";

if (import.meta.main) {
  await writeFile(Deno.args[0] as string, async (sink) => {
    await sink.write(new TextEncoder().encode("half of an archive"));
    console.log("holding");
    // Nobody ever writes there: this ends with the process.
    await Deno.stdin.read(new Uint8Array(1));
    throw new Error("it was to be killed");
  });
}
