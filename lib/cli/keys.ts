/**
 * The keys a verb signs with: their flags, and where they are looked for.
 *
 * @module
 */

import { type Command, Option } from "npm:commander@15.1.0";
import { ParError } from "../errors.ts";
import { findKey } from "../keystore.ts";
import type { KeyPair } from "../nkey.ts";
import { say } from "./io.ts";

/** The values of the flags that {@linkcode addKeyOptions} adds. */
export interface KeyFlags {
  readonly directory?: string;
  readonly issuer?: string;
  readonly subject?: string;
  readonly disableKeygen?: boolean;
}

/** Adds the flags that say which keys to sign with. */
export function addKeyOptions(command: Command): Command {
  return command
    .addOption(
      new Option("-d, --directory <path>", "the key directory (default: $HOME/.wash/keys)")
        .env("WASH_KEYS"),
    )
    .addOption(
      new Option("-i, --issuer <seed>", "the issuer's seed, or its file: an account key")
        .env("WASH_ISSUER_KEY"),
    )
    .addOption(
      new Option("-s, --subject <seed>", "the provider's seed, or its file: a service key")
        .env("WASH_SUBJECT_KEY"),
    )
    .option("--disable-keygen", "fail where a key is missing, instead of making one");
}

/**
 * Finds the issuer's and the subject's key, and makes those that are missing.
 *
 * @param flags What the command line says.
 * @param stem The file name the subject's key is called after.
 */
export async function findKeys(
  flags: KeyFlags,
  stem: string,
): Promise<{ issuer: KeyPair; subject: KeyPair }> {
  const directory = keyDirectory(flags);
  const { disableKeygen } = flags;
  const shared = { directory, disableKeygen, onGenerate: announce };
  const issuer = await findKey({
    ...shared,
    role: "account",
    title: "issuer",
    given: flags.issuer,
    name: userName(),
  });
  const subject = await findKey({
    ...shared,
    role: "service",
    title: "subject",
    given: flags.subject,
    name: stem,
  });
  return { issuer, subject };
}

/** The key directory: the flag's, the environment's, else the one in the home directory. */
export function keyDirectory(flags: KeyFlags): string {
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

function userName(): string {
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
