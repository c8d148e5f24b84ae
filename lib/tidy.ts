/**
 * Makes V8 clean up. It lets used buffers pile up by the dozens of megabytes in each thread; memory
 * that is asked for, never touched and forgotten makes it look, and takes none.
 *
 * Workers get this function as text, so it can use nothing from around it.
 */
export function tidy(): void {
  try {
    new ArrayBuffer(64 * 1024 * 1024);
  } catch {
    // Where so much is not to be had, V8 has cleaned up already.
  }
}
