/**
 * Pushes a file and pulls it again in a process of its own, and prints the most memory it took.
 *
 * @module
 */

import { fileSource } from "../../lib/system/files.ts";
import { pullArchive } from "../../lib/registry/pull.ts";
import { pushArchive } from "../../lib/registry/push.ts";
import { parseReference } from "../../lib/registry/reference.ts";

const [text = "", file = "", destination = "", options = "{}"] = Deno.args;
const reference = parseReference(text);
const settings = JSON.parse(options);
const { layerDigest } = await pushArchive(reference, fileSource(file), settings);
const { size } = await pullArchive(reference, { ...settings, destination });
// The kernel's own count of the highest resident set, in KiB (proc_pid_status(5)).
const status = await Deno.readTextFile("/proc/self/status");
const peak = Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
console.log(JSON.stringify({ layerDigest, size, peak }));
