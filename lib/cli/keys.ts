import { ParError, quote } from "../errors.ts";
import { keyPath, listKeys, readKey, storeKey } from "../system/keystore.ts";
import { KEY_ROLES, KeyPair, type KeyRole } from "../signing/nkey.ts";
import { print, printJson, printSecret, say } from "./io.ts";
import { OUTPUT } from "./options.ts";
import { DIRECTORY, keyDirectory, userName } from "./signing.ts";
import type { Flag, Verb } from "./verb.ts";

interface KeysFlags {
  readonly directory?: string;
  readonly output: "text" | "json";
}

interface GenFlags extends KeysFlags {
  readonly name?: string;
}

interface GetFlags extends KeysFlags {
  readonly public?: boolean;
}

const SHARED_FLAGS: readonly Flag[] = [DIRECTORY, OUTPUT];

/** `par keys`. */
export const KEYS: Verb = {
  name: "keys",
  description: "make, list and show the keys archives are signed with",
  verbs: [
    {
      name: "gen",
      description: "make a key, put its seed into the key directory, and print its public half",
      arguments: [{
        name: "<kind>",
        description: `what it is for: ${KEY_ROLES.join(", ")}, or an alias of these`,
      }],
      flags: [
        {
          flags: "--name <name>",
          description:
            "the key file's name without _<kind>.nk (default: the user's for an account, " +
            "else the public key)",
        },
        ...SHARED_FLAGS,
      ],
      examples: ["par keys gen account", "par keys gen provider --name libfakepay_provider"],
      run: ([kind = ""], flags: GenFlags) => gen(kind, flags),
    },
    {
      name: "list",
      description: "list the keys in the key directory",
      flags: SHARED_FLAGS,
      examples: ["par keys list", "par keys list -d ci/keys -o json"],
      run: (_args, flags: KeysFlags) => list(flags),
    },
    {
      name: "get",
      description: "print a key's seed, which is a secret",
      arguments: [{ name: "<name>", description: "the key file's name, with or without .nk" }],
      flags: [
        { flags: "--public", description: "print its public half alone" },
        ...SHARED_FLAGS,
      ],
      examples: [
        "par keys get --public kevin_account",
        "par keys get libfakepay_provider_service",
      ],
      run: ([name = ""], flags: GetFlags) => get(name, flags),
    },
  ],
};

/** Other names of the roles, as people know them from elsewhere. */
const ALIASES: ReadonlyMap<string, KeyRole> = new Map([
  ["provider", "service"],
  ["component", "module"],
  ["host", "server"],
  ["x25519", "curve"],
]);

function parseRole(kind: string): KeyRole {
  const name = kind.toLowerCase();
  const role = ALIASES.get(name) ?? KEY_ROLES.find((each) => each === name);
  if (role) return role;
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot make a key of kind ${quote(kind)}: the kinds are ` +
      [...KEY_ROLES, ...ALIASES.keys()].join(", "),
  );
}

async function gen(kind: string, flags: GenFlags): Promise<void> {
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

async function list(flags: KeysFlags): Promise<void> {
  const keys = await listKeys(keyDirectory(flags), (error) => say(`Warning: ${error.message}`));
  if (flags.output === "json") {
    return await printJson({
      keys: keys.map(({ name, pair }) => ({ name, role: pair.role, public_key: pair.publicKey })),
      success: true,
    });
  }
  const width = Math.max(0, ...keys.map(({ name }) => name.length));
  for (const { name, pair } of keys) await print(`${name.padEnd(width)}  ${pair.publicKey}`);
}

async function get(name: string, flags: GetFlags): Promise<void> {
  const path = `${keyDirectory(flags)}/${name.replace(/\.nk$/, "")}.nk`;
  const pair = await readKey(path, { title: "key" });
  const shown = flags.public ? {} : { seed: pair.seed() };
  await printSecret(
    flags.output === "json"
      ? JSON.stringify({ public_key: pair.publicKey, ...shown, success: true }, null, 2)
      : shown.seed ?? pair.publicKey,
  );
}
