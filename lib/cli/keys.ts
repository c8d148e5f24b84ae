import { ParError, quote } from "../errors.ts";
import { keyPath, listKeys, readKey, storeKey } from "../system/keystore.ts";
import { KEY_ROLES, KeyPair, type KeyRole } from "../signing/nkey.ts";
import { print, printJson, printSecret, say, warn } from "./io.ts";
import { keyDirectory, userName } from "./signing.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type Verbs = typeof VERBS.keys.verbs;

/** Other names of the roles, as people know them from elsewhere. */
const ALIASES: ReadonlyMap<string, KeyRole> = new Map([
  ["provider", "service"],
  ["component", "module"],
  ["host", "server"],
  ["x25519", "curve"],
]);

/** What a key can be for, by all names. */
export const KEY_KINDS: readonly string[] = [...KEY_ROLES, ...ALIASES.keys()];

function parseRole(kind: string): KeyRole {
  const name = kind.toLowerCase();
  const role = ALIASES.get(name) ?? KEY_ROLES.find((each) => each === name);
  if (role) return role;
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot make a key of kind ${quote(kind)}: the kinds are ${KEY_KINDS.join(", ")}`,
  );
}

/** Runs `par keys gen`. */
export async function gen(
  this: Context,
  flags: Values<Verbs["gen"]["flags"]>,
  kind: string,
): Promise<void> {
  const role = parseRole(kind);
  const pair = await KeyPair.generate(role);
  const name = flags.name ?? (role === "account" ? userName() : pair.publicKey);
  const path = keyPath(keyDirectory(flags), name, role);
  if (!await storeKey(path, pair)) {
    throw new ParError(
      "ERR_FILE_UNWRITABLE",
      `Cannot put a new key into ${quote(path)}: there is one; choose another name (--name)`,
    );
  }
  if (flags.output === "json") {
    return await printJson({ public_key: pair.publicKey, file: path, success: true });
  }
  await print(pair.publicKey);
  say(`The seed is in ${path}. Whoever has it can sign in this name: keep it secret.`);
}

/** Runs `par keys list`. */
export async function list(this: Context, flags: Values<Verbs["list"]["flags"]>): Promise<void> {
  const keys = await listKeys(keyDirectory(flags), (error) => warn(error.message));
  if (flags.output === "json") {
    return await printJson({
      keys: keys.map(({ name, pair }) => ({ name, role: pair.role, public_key: pair.publicKey })),
      success: true,
    });
  }
  const width = Math.max(0, ...keys.map(({ name }) => name.length));
  for (const { name, pair } of keys) await print(`${name.padEnd(width)}  ${pair.publicKey}`);
}

/** Runs `par keys get`. */
export async function get(
  this: Context,
  flags: Values<Verbs["get"]["flags"]>,
  name: string,
): Promise<void> {
  const path = `${keyDirectory(flags)}/${name.replace(/\.nk$/, "")}.nk`;
  const pair = await readKey(path, { title: "key" });
  const shown = flags.public ? {} : { seed: pair.seed() };
  await printSecret(
    flags.output === "json"
      ? JSON.stringify({ public_key: pair.publicKey, ...shown, success: true }, null, 2)
      : shown.seed ?? pair.publicKey,
  );
}
