/**
 * The keys a verb signs with: their flags, and where they are looked for.
 *
 * @module
 */

import type { Signers } from "../archive/pack.ts";
import type { ArchiveSource } from "../bytes/source.ts";
import { readSmallInput, stat } from "../system/files.ts";
import type { BinaryOptions } from "../verbs/binary.ts";
import { keyStem } from "../verbs/create.ts";
import { inFile, ParError, quote } from "../errors.ts";
import { inspectClaims } from "../verbs/inspect.ts";
import {
  findKey,
  findKeyOf,
  type KeyLookup,
  type PreparedKey,
  prepareKey,
} from "../system/keystore.ts";
import type { BundleSigner } from "../signing/bundle_key.ts";
import type { PublicKey } from "../signing/nkey.ts";
import type { Resigning } from "../verbs/rewrite.ts";
import { BUNDLE_KEY, type KEY_DIRECTORY, type RESIGNING, type SIGNING_KEYS } from "./flags.ts";
import { note, say, warn } from "./io.ts";
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
    confirmKeys: async () => {
      const keys = { issuer: await issuer.store(), subject: await subject.store() };
      // Who gave a key knows which signs.
      if (issuer.path !== undefined) {
        note(`the issuer is ${keys.issuer.publicKey}, with the key ${quote(issuer.path)}.`);
      }
      if (subject.path !== undefined) {
        const shared = subject.isNew ? "" : ", which all binaries of this name share";
        note(
          `the provider is ${keys.subject.publicKey}, with the key ${
            quote(subject.path)
          }${shared}.`,
        );
      }
      return keys;
    },
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
  return prepareKey({
    ...lookup,
    // Where the key is given, no directory is needed.
    directory: lookup.given === undefined ? keyDirectories(flags) : "",
    disableKeygen: flags.disableKeygen,
    onGenerate: announce,
    onWarning: warn,
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
  const { signal } = context;
  const limits = { maxSize: flags.maxSize };
  const keys = await findResigningKeys(flags, context);
  return await withHashing(
    context.title,
    (updates) =>
      work({
        ...keys,
        sourceDateEpoch: sourceDateEpoch(),
        limits,
        signal,
        onWarning: warn,
        ...updates,
      }),
  );
}

/**
 * Finds the keys an archive was signed with: the flags', else those in the key directory that have
 * its public keys, whatever their files are called.
 */
async function findResigningKeys(
  flags: Values<typeof RESIGNING>,
  { archive, binary, signal }: Context,
): Promise<Keys & Pick<Resigning, "newIdentity">> {
  const name = typeof archive === "string" ? archive : archive.name;
  if (typeof archive === "string") await stat(archive);
  const limits = { maxSize: flags.maxSize };
  const { claims } = await inspectClaims(archive, { limits, signal, allowEarly: true }).catch(
    (error) => {
      throw error instanceof ParError ? inFile(error, name) : error;
    },
  );
  const { newIdentity } = flags;
  const known = async (
    title: string,
    given: string | undefined,
    before: PublicKey,
  ): Promise<PreparedKey | undefined> => {
    if (given !== undefined) return undefined;
    const directories = keyDirectories(flags);
    const pair = await findKeyOf(directories, before);
    if (pair) return { pair, isNew: false, store: () => Promise.resolve(pair) };
    if (newIdentity) return undefined;
    throw new ParError(
      "ERR_KEY_NOT_FOUND",
      `Cannot sign ${quote(name)} as before: the seed of its ${title} ${before} is not in ${
        directories.map(quote).join(" or ")
      }; give it, or ask for a new identity`,
    );
  };
  const issuer = await known("issuer", flags.issuer, claims.iss);
  const subject = await known("subject", flags.subject, claims.sub);
  return {
    ...toKeys(
      issuer ?? await findIssuer(flags, signal),
      subject ?? await findSubject(flags, keyStem(binary, name), signal),
    ),
    newIdentity,
  };
}

/** No private key in PEM form comes near. */
const MAX_PEM = 2 ** 16;

/**
 * Finds the key that signs bundles: that of `--key` or `--issuer`, else that in `PAR_SIGNING_KEY`, else
 * the issuer's nkey, as `create` finds it. None is ever generated.
 *
 * @param flags What the command line says.
 * @param signal Ends the waiting for a pipe.
 * @throws {ParError} `ERR_KEY_NOT_FOUND`, and whatever reading keys throws.
 */
export async function findSigner(
  flags: Values<typeof BUNDLE_KEY>,
  signal: AbortSignal,
): Promise<BundleSigner> {
  const { parseSigningKey, signerOf } = await import("../signing/bundle_key.ts");
  if (flags.key !== undefined) {
    // Not a file's name, which a message would show.
    if (flags.key.includes("-----BEGIN ")) return await parseSigningKey(flags.key);
    const bytes = await readSmallInput(flags.key, MAX_PEM, signal);
    return await parseSigningKey(new TextDecoder().decode(bytes), `the key ${quote(flags.key)}`);
  }
  const pem = flags.issuer === undefined && Deno.env.get(BUNDLE_KEY.key.env);
  if (pem) return await parseSigningKey(pem, `the key in ${BUNDLE_KEY.key.env}`);
  const given = flags.issuer ?? (Deno.env.get(BUNDLE_KEY.issuer.env) || undefined);
  const pair = await findKey({
    role: "account",
    title: "issuer",
    name: userName(),
    directory: keyDirectories(flags),
    given,
    disableKeygen: true,
    signal,
  });
  return await signerOf(pair);
}

/**
 * The key directories, in which keys are looked for; new ones go into the first.
 *
 * `--directory` and WASH_KEYS name the only one. Without them, they are those of `wash` 0.43, which are
 * its own variables' or the user's data folder, and that of older ones, which `wash build` kept.
 */
export function keyDirectories(flags: Values<typeof KEY_DIRECTORY>): readonly string[] {
  if (flags.directory) {
    // wash's -d is a directory too, and is easily taken for the destination.
    if (/\.par(\.gz)?$/.test(flags.directory)) {
      throw new ParError(
        "ERR_OPTION_INVALID",
        `Cannot keep keys in ${quote(flags.directory)}: it is named like an archive; ` +
          "give the archive with --destination",
      );
    }
    return [flags.directory];
  }
  const home = folderIn("HOME") ?? folderIn("USERPROFILE");
  const data = folderIn("XDG_DATA_HOME", "/wash/keys") ??
    (home && `${home}/.local/share/wash/keys`);
  const usual = [data, home && `${home}/.wash/keys`].filter((folder) => folder !== undefined);
  const all = new Set([
    ...[folderIn("WASH_KEYS_DIR"), folderIn("WASH_DATA_DIR", "/keys")],
    ...usual.filter(isThere),
    // Where none of them is there, a new key goes into the last.
    ...usual.reverse(),
  ]);
  all.delete(undefined);
  if (all.size > 0) return [...all] as string[];
  throw new ParError(
    "ERR_OPTION_INVALID",
    "Cannot find the key directory: HOME is not set; name one (--directory or WASH_KEYS)",
  );
}

/** The folder that a variable names, or one in it. */
function folderIn(variable: string, name = ""): string | undefined {
  const folder = Deno.env.get(variable);
  return folder ? folder.replace(/(?<=.)[/\\]$/, "") + name : undefined;
}

/** Whether there is a file or a folder. */
export function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
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
