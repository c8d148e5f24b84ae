import { ParError } from "../errors.ts";
import { ExitStatus } from "./exit_status.ts";
import type { Context } from "./verb.ts";

/**
 * Does a verb's work for each archive. After a bad archive, it goes on with the next one.
 *
 * @param context Reports what is wrong with an archive.
 * @param archives The archives, as they were typed.
 * @param work Does the work. It gets the archive's name a second time if there are several, so that
 * it can print which one is meant.
 * @throws {ExitStatus} The highest exit status, if there are several archives and one is bad.
 * @throws {ParError} What `work` throws, if there is one archive.
 */
export async function forEachArchive(
  context: Context,
  archives: readonly string[],
  work: (archive: string, label: string | undefined) => Promise<void>,
): Promise<void> {
  if (archives.length === 1) return await work(archives[0] as string, undefined);
  let worst = 0;
  for (const archive of archives) {
    try {
      await work(archive, archive);
    } catch (error) {
      if (error instanceof ExitStatus) worst = Math.max(worst, error.status);
      else if (!(error instanceof ParError) || context.signal.aborted) throw error;
      else worst = Math.max(worst, await context.report(error, archive));
    }
  }
  if (worst > 0) throw new ExitStatus(worst);
}
