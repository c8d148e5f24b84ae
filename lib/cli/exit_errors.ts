/**
 * What ends the process with a status of its own; what is wrong was printed already.
 *
 * @module
 */

/** A command line that cannot be understood. */
export class UsageError extends Error {}

/** An archive that `par verify` found not to be in order. */
export class VerificationFailed extends Error {}
