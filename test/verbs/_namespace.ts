/**
 * File systems of a process' own, where the system lets us have them.
 *
 * @module
 */

import { isInstalled } from "../_tools.ts";

/** Starts what follows as root of a user namespace, where mounts are its own and end with it. */
const UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"];

/** Whether processes may mount file systems of their own here. */
export const CAN_MOUNT: boolean = Deno.build.os === "linux" && succeeds([
  ...UNSHARE,
  ...["sh", "-c", "mount -t tmpfs -o size=1m none /mnt && mount -o remount,ro /mnt"],
]);

function succeeds([program = "", ...args]: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/**
 * A command line that mounts a small file system at `disk`, copies `files` there, runs what follows
 * with its arguments, and copies everything from there to `result`.
 */
export function onSmallDisk(bytes: number): string[] {
  const script = `mount -t tmpfs -o size=${bytes} none disk && cp files/* disk/ && "$@"
    status=$?; cp -a disk/. result/; exit $status`;
  return [...UNSHARE, "sh", "-c", script, "sh"];
}

/** A command line that makes the folder `folder` read-only for what follows. */
export function readOnly(folder: string): string[] {
  const script = `mount --bind ${folder} ${folder} && mount -o remount,bind,ro ${folder} && "$@"`;
  return [...UNSHARE, "sh", "-c", script, "sh"];
}

/** A command line under which no file may grow beyond a size: writing fails, as on a full disk. */
export function withFileSize(kibibytes: number): string[] {
  // Ignored, the signal becomes an error of the write. POSIX counts in blocks of 512 bytes.
  return ["sh", "-c", `trap "" XFSZ; ulimit -f ${2 * kibibytes}; "$@"`, "sh"];
}

/**
 * A command line under which system calls fail, as on file systems that do not have them.
 *
 * @param calls The names of the calls; those that this machine does not have are left out.
 * @param error The name of the error, such as `ENOLCK`.
 */
export function refusing(calls: readonly string[], error: string): string[] {
  const names = calls.map((call) => `?${call}`).join(",");
  const faults = ["-e", `trace=${names}`, "-e", `inject=${names}:error=${error}`];
  return ["strace", "-f", "-qq", "-o", "/dev/null", ...faults, "--"];
}

/** A command line that writes the system calls of what follows, with the files' paths, to a file. */
export function tracing(calls: readonly string[], file: string): string[] {
  return ["strace", "-f", "-qq", "-y", "-o", file, "-e", `trace=${calls}`, "--"];
}

/** Whether {@linkcode refusing} and {@linkcode tracing} work here. */
export const CAN_REFUSE: boolean = isInstalled("strace") &&
  succeeds([...refusing(["chdir"], "EIO"), "sh", "-c", "! cd /"]);

/**
 * A command line that mounts files over others of the folder, for what follows.
 *
 * @param mounts The paths of the file that is mounted, and of the one it is mounted over.
 * @param readOnlyFolder A folder that is read-only, but for the mounts in it.
 */
export function mounting(
  mounts: readonly (readonly [from: string, over: string])[],
  readOnlyFolder?: string,
): string[] {
  const lines = [
    ...(readOnlyFolder ? [`mount --bind ${readOnlyFolder} ${readOnlyFolder}`] : []),
    ...(readOnlyFolder ? [`mount -o remount,bind,ro ${readOnlyFolder}`] : []),
    ...mounts.map(([from, over]) => `mount --bind ${from} ${over}`),
    '"$@"',
  ];
  return [...UNSHARE, "sh", "-c", lines.join(" && "), "sh"];
}
