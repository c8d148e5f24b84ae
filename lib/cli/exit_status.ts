import type { ErrorCategory } from "../errors.ts";

/** Exit statuses of failures; 0 is success. */
export const EXIT_STATUS = { failed: 1, usage: 2, untrusted: 3 } as const satisfies Record<
  ErrorCategory,
  number
>;

/** Ends the process with a status. The reason was printed already. */
export class ExitStatus extends Error {
  /** @param status The status. */
  constructor(readonly status: number) {
    super();
  }
}
