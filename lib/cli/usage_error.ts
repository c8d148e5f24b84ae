/** A command line that cannot be understood; what is wrong with it was said already. */
export class UsageError extends Error {}
