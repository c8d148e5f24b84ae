/**
 * The keys a verb signs with: their flags, and where they are looked for.
 *
 * @module
 */

import type { ReadOptions } from "../archive/reader.ts";
import { fileStem } from "../verbs/create.ts";
import { ParError, quote } from "../errors.ts";
import { inspectClaims } from "../verbs/inspect.ts";
import { findKey, findKeyOf, readGivenKey } from "../system/keystore.ts";
import type { KeyPair, PublicKey } from "../signing/nkey.ts";
import type { Resigning } from "../verbs/rewrite.ts";
import type { KeyDirectoryFlags, ResigningFlags, SigningFlags } from "./flags.ts";
import { say } from "./io.ts";
import { parseLimits, sourceDateEpoch } from "./options.ts";
import { withProgress } from "./progress.ts";

/**
 * Finds the issuer's and the subject's key, and makes those that are missing.
 *
 * @param flags What the command line says.
 * @param stem The file name the subject's key is called after.
 */
export async function findKeys(
  flags: SigningFlags,
  stem: string,
): Promise<{ issuer: KeyPair; subject: KeyPair }> {
  return { issuer: await findIssuer(flags), subject: await findSubject(flags, stem) };
}

function findIssuer(flags: SigningFlags): Promise<KeyPair> {
  return find(flags, { ...ISSUER, given: flags.issuer, name: userName() });
}

function findSubject(flags: SigningFlags, stem: string): Promise<KeyPair> {
  return find(flags, { ...SUBJECT, given: flags.subject, name: stem });
}

const ISSUER = { role: "account", title: "issuer" } as const;
const SUBJECT = { role: "service", title: "subject" } as const;

function find(
  flags: SigningFlags,
  lookup: Omit<Parameters<typeof findKey>[0], "directory">,
): Promise<KeyPair> {
  const directory = keyDirectory(flags);
  return findKey({
    ...lookup,
    directory,
    disableKeygen: flags.disableKeygen,
    onGenerate: announce,
  });
}

/** What else the verbs need that sign an archive anew. */
interface Context {
  /** The archive that says whose keys are needed. */
  readonly archive: string;
  /** The binary that a new subject's key is called after; the archive where left out. */
  readonly binary?: string;
  /** What the progress bar says. */
  readonly title: string;
  /** Stops the work. */
  readonly signal: AbortSignal;
}

/**
 * Runs a verb that signs an archive again, with the keys it was signed with and a progress bar.
 *
 * @param flags What the command line says.
 * @param context The archive, the bar's title, the signal.
 * @param work Calls the verb with the options all of them share.
 */
export async function resign<T>(
  flags: ResigningFlags,
  context: Context,
  work: (options: Resigning) => Promise<T>,
): Promise<T> {
  const { archive, binary, title, signal } = context;
  const limits = parseLimits(flags);
  const keys = await findResigningKeys(archive, flags, { limits, signal }, binary);
  return await withProgress(
    title,
    (onProgress) =>
      work({ ...keys, sourceDateEpoch: sourceDateEpoch(), limits, signal, onProgress }),
  );
}

/**
 * Finds the keys an archive was signed with: the flags', else those in the key directory that have
 * its public keys, whatever their files are called.
 *
 * @param archive The archive's path.
 * @param flags What the command line says.
 * @param options Limits and signal for reading the claims.
 * @param binary The binary that a new subject's key is called after.
 * @throws {ParError} `ERR_KEY_NOT_FOUND`, and whatever reading claims and keys throws.
 */
async function findResigningKeys(
  archive: string,
  flags: ResigningFlags,
  options: ReadOptions,
  binary: string = archive,
): Promise<{ issuer: KeyPair; subject: KeyPair; newIdentity: boolean | undefined }> {
  const { claims } = await inspectClaims(archive, { ...options, allowEarly: true });
  const directory = keyDirectory(flags);
  const { newIdentity } = flags;
  const known = async (
    { role, title }: typeof ISSUER | typeof SUBJECT,
    given: string | undefined,
    before: PublicKey,
  ): Promise<KeyPair | undefined> => {
    if (given !== undefined) return await readGivenKey(given, { role, title });
    const pair = await findKeyOf(directory, before);
    if (pair || newIdentity) return pair;
    throw new ParError(
      "ERR_KEY_NOT_FOUND",
      `Cannot sign ${quote(archive)} as before: the seed of its ${title} ${before} is not ` +
        `in ${quote(directory)}; give it, or ask for a new identity`,
    );
  };
  const issuer = await known(ISSUER, flags.issuer, claims.iss);
  const subject = await known(SUBJECT, flags.subject, claims.sub);
  return {
    issuer: issuer ?? await findIssuer(flags),
    subject: subject ?? await findSubject(flags, fileStem(binary)),
    newIdentity,
  };
}

/** The key directory: the flag's, the environment's, else the one in the home directory. */
export function keyDirectory(flags: KeyDirectoryFlags): string {
  if (flags.directory) return flags.directory;
  const home = Deno.env.get("HOME") || Deno.env.get("USERPROFILE");
  if (!home) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      "Cannot find the key directory: HOME is not set; name one (--directory or WASH_KEYS)",
    );
  }
  return `${home.replace(/[/\\]$/, "")}/.wash/keys`;
}

/** The name key files of the issuer begin with. */
export function userName(): string {
  return Deno.env.get(Deno.build.os === "windows" ? "USERNAME" : "USER") || "user";
}

/** The words people know from the document. */
function announce(path: string): void {
  say(
    `No keypair found in "${path}".\n` +
      "We will generate one for you and place it there.\n" +
      "If you'd like to use alternative keys, you can supply them as a flag.\n",
  );
}
