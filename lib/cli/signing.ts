/**
 * The keys a verb signs with: their flags, and where they are looked for.
 *
 * @module
 */

import type { ReadOptions } from "../archive/reader.ts";
import type { Signers } from "../archive/pack.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import { stat } from "../system/files.ts";
import type { BinaryOptions } from "../verbs/binary.ts";
import { keyStem } from "../verbs/create.ts";
import { inFile, ParError, quote } from "../errors.ts";
import { inspectClaims } from "../verbs/inspect.ts";
import { findKeyOf, type KeyLookup, type PreparedKey, prepareKey } from "../system/keystore.ts";
import type { PublicKey } from "../signing/nkey.ts";
import type { Resigning } from "../verbs/rewrite.ts";
import type { KEY_DIRECTORY, RESIGNING, SIGNING_KEYS } from "./flags.ts";
import { say } from "./io.ts";
import { sourceDateEpoch } from "./options.ts";
import { withHashing } from "./progress.ts";
import type { Values } from "./verb.ts";

/** The keys to sign with; those that are new are stored when they are confirmed. */
type Keys = Signers & Required<Pick<Resigning, "confirmKeys">>;

/**
 * Finds the issuer's and the subject's key, and prepares those that are missing.
 *
 * @param flags What the command line says.
 * @param stem The file name the subject's key is called after, where there is one.
 * @param signal Ends the waiting for a pipe.
 */
export async function findKeys(
  flags: Values<typeof SIGNING_KEYS>,
  stem: string | undefined,
  signal: AbortSignal,
): Promise<Keys> {
  return toKeys(await findIssuer(flags, signal), await findSubject(flags, stem, signal));
}

function toKeys(issuer: PreparedKey, subject: PreparedKey): Keys {
  return {
    issuer: issuer.pair,
    subject: subject.pair,
    confirmKeys: async () => ({ issuer: await issuer.store(), subject: await subject.store() }),
  };
}

function findIssuer(flags: Values<typeof SIGNING_KEYS>, signal: AbortSignal): Promise<PreparedKey> {
  const given = flags.issuer;
  return find(flags, { role: "account", title: "issuer", given, name: userName(), signal });
}

async function findSubject(
  flags: Values<typeof SIGNING_KEYS>,
  stem: string | undefined,
  signal: AbortSignal,
): Promise<PreparedKey> {
  const given = flags.subject;
  if (given === undefined && stem === undefined) {
    throw new ParError(
      "ERR_OPTION_INVALID",
      "Cannot tell which key is the provider's: neither the binary nor the archive has a name; give " +
        "the key (--subject)",
    );
  }
  return await find(flags, { role: "service", title: "subject", given, name: stem ?? "", signal });
}

function find(
  flags: Values<typeof SIGNING_KEYS>,
  lookup: Omit<KeyLookup, "directory">,
): Promise<PreparedKey> {
  const directory = keyDirectory(flags);
  return prepareKey({
    ...lookup,
    directory,
    disableKeygen: flags.disableKeygen,
    onGenerate: announce,
  });
}

/** What else the verbs need that sign an archive anew. */
interface Context {
  /** The archive that says whose keys are needed: the path of one that is changed in its place, or another one. */
  readonly archive: string | ArchiveSource;
  /** The binary that a new subject's key is called after; the archive where left out. */
  readonly binary?: string | undefined;
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
  flags: Values<typeof RESIGNING>,
  context: Context,
  work: (options: Resigning & Pick<BinaryOptions, "onHash">) => Promise<T>,
): Promise<T> {
  const { archive, binary, title, signal } = context;
  const limits = { maxSize: flags.maxSize };
  const keys = await findResigningKeys(archive, flags, { limits, signal }, binary);
  return await withHashing(
    title,
    (updates) => work({ ...keys, sourceDateEpoch: sourceDateEpoch(), limits, signal, ...updates }),
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
  archive: string | ArchiveSource,
  flags: Values<typeof RESIGNING>,
  options: ReadOptions & { readonly signal: AbortSignal },
  binary?: string,
): Promise<Keys & Pick<Resigning, "newIdentity">> {
  const { signal } = options;
  if (typeof archive === "string") await stat(archive);
  const { claims } = await inspectClaims(archive, { ...options, allowEarly: true }).catch(
    (error) => {
      throw error instanceof ParError ? inFile(error, nameOf(archive)) : error;
    },
  );
  const directory = keyDirectory(flags);
  const { newIdentity } = flags;
  const known = async (
    title: string,
    given: string | undefined,
    before: PublicKey,
  ): Promise<PreparedKey | undefined> => {
    if (given !== undefined) return undefined;
    const pair = await findKeyOf(directory, before);
    if (pair) return { pair, store: () => Promise.resolve(pair) };
    if (newIdentity) return undefined;
    throw new ParError(
      "ERR_KEY_NOT_FOUND",
      `Cannot sign ${
        quote(nameOf(archive))
      } as before: the seed of its ${title} ${before} is not ` +
        `in ${quote(directory)}; give it, or ask for a new identity`,
    );
  };
  const issuer = await known("issuer", flags.issuer, claims.iss);
  const subject = await known("subject", flags.subject, claims.sub);
  return {
    ...toKeys(
      issuer ?? await findIssuer(flags, signal),
      subject ?? await findSubject(flags, keyStem(binary, nameOf(archive)), signal),
    ),
    newIdentity,
  };
}

function nameOf(archive: string | ArchiveSource): string {
  return typeof archive === "string" ? archive : archive.name;
}

/** The key directory: the flag's, the environment's, else the one in the home directory. */
export function keyDirectory(flags: Values<typeof KEY_DIRECTORY>): string {
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
