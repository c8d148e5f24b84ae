/**
 * File systems of a process' own, where the system lets us have them.
 *
 * @module
 */

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
