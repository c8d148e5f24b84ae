import { ParError, quote } from "../errors.ts";
import { keyPath, listKeys, readNamedKey, storeKey } from "../system/keystore.ts";
import { KEY_ROLES, KeyPair, type KeyRole, type PublicKey } from "../signing/nkey.ts";
import { print, printJson, printSecret, say, warn } from "./io.ts";
import { isThere, keyDirectories, userName } from "./signing.ts";
import { columns } from "./style.ts";
import type { Context, Values } from "./verb.ts";
import type { VERBS } from "./verbs.ts";

type Verbs = typeof VERBS.keys.verbs;

/** Other names of the roles, which other tools use. */
const ALIASES: ReadonlyMap<string, KeyRole> = new Map([
  ["provider", "service"],
  ["component", "module"],
  ["host", "server"],
  ["x25519", "curve"],
]);

/** All names of the roles. */
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
  const paths = keyDirectories(flags).map((directory) => keyPath(directory, name, role));
  const [path = ""] = paths;
  const taken = paths.find((each) => isThere(each)) ??
    (await storeKey(path, pair, { onWarning: warn }) ? undefined : path);
  if (taken !== undefined) {
    throw new ParError(
      "ERR_FILE_UNWRITABLE",
      `Cannot make a key of the name ${quote(name)}: ${quote(taken)} is one; choose another name ` +
        "(--name)",
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
  const directories = keyDirectories(flags);
  const keys = await listKeys(directories, (error) => warn(error.message));
  if (flags.output === "json") {
    return await printJson({
      keys: keys.map(({ name, path, pair }) => ({
        name,
        role: pair.role,
        public_key: pair.publicKey,
        file: path,
      })),
      success: true,
    });
  }
  const folderOf = (path: string): string => path.slice(0, path.lastIndexOf("/"));
  const several = new Set(keys.map(({ path }) => folderOf(path))).size > 1;
  const rows = keys.map(({ name, path, pair }) => ({
    name,
    key: several ? `${pair.publicKey}  ${folderOf(path)}` : pair.publicKey,
  }));
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  const room = columns() ?? Infinity;
  const fits = rows.every(({ key }) => width + "  ".length + key.length <= room);
  for (const { name, key } of rows) {
    await print(fits ? `${name.padEnd(width)}  ${key}` : `${name}\n  ${key}`);
  }
}

/** Runs `par keys get`. */
export async function get(
  this: Context,
  flags: Values<Verbs["get"]["flags"]>,
  name: string,
): Promise<void> {
  if (flags.pem && !flags.public) {
    throw new ParError("ERR_USAGE", "Cannot print a seed as PEM: give --public too, for the key");
  }
  const pair = await readNamedKey(keyDirectories(flags), name);
  const { publicKey } = pair;
  const shown = flags.pem
    ? { pem: await pemOf(publicKey) }
    : flags.public
    ? {}
    : { seed: pair.seed() };
  await printSecret(
    flags.output === "json"
      ? JSON.stringify({ public_key: publicKey, ...shown, success: true }, null, 2)
      : shown.pem ?? shown.seed ?? publicKey,
  );
}

async function pemOf(key: PublicKey): Promise<string> {
  const { BundleKey } = await import("../signing/bundle_key.ts");
  return (await BundleKey.fromNkey(key)).pem().trimEnd();
}
