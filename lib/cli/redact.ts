/** A seed as it is written: 58 characters, the first an S. */
const SEED = /S[A-Z][A-Z2-7]{56}/g;

/**
 * A seed as it is mistyped, or glued to something: a run that is longer than a public key's 56
 * characters, or that begins as a seed does.
 */
const POSSIBLE_SEED = /(?<![A-Z0-9])S[A-Z][A-Z0-9]{30,}|[A-Z0-9]{57,}/gi;

/** A digest, which is as long. */
const SHA256 = /^[0-9a-f]{64}$/i;

const HIDDEN = "[a seed, not shown]";

/**
 * Takes seeds out of a message. Nothing here puts one in on purpose; this is for the seed that a
 * person put where it does not belong, such as behind a mistyped flag.
 *
 * @param text What is about to be shown.
 * @returns The text, each run of characters that could be a seed replaced.
 */
export function redact(text: string): string {
  return text.replace(POSSIBLE_SEED, (run) => SHA256.test(run) ? run : HIDDEN);
}

/** Takes seeds out of a result, which may hold tokens and hashes that only resemble one. */
export function redactResult(text: string): string {
  return text.replace(SEED, HIDDEN);
}
