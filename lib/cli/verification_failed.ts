/** Ends `par verify` with its exit status; what failed was printed already. */
export class VerificationFailed extends Error {}
