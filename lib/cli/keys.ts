import { Command } from "npm:commander@15.1.0";
import { ParError } from "../errors.ts";
import { keyPath, listKeys, readKey, storeKey } from "../keystore.ts";
import { KEY_ROLES, KeyPair, type KeyRole } from "../nkey.ts";
import { print, printJson, printSecret, say } from "./io.ts";
import { examples, outputOption } from "./options.ts";
import { directoryOption, keyDirectory, userName } from "./signing.ts";

interface KeysFlags {
  readonly directory?: string;
  readonly output: "text" | "json";
}

/** Builds `par keys`. */
export function keysCommand(): Command {
  const keys = new Command("keys").description(
    "make, list and show the keys archives are signed with",
  );
  const add = (command: Command, ...lines: string[]): Command => {
    command.addOption(directoryOption()).addOption(outputOption());
    keys.addCommand(command.addHelpText("after", examples(...lines)));
    return command;
  };
  add(
    new Command("gen"),
    "par keys gen account",
    "par keys gen provider --name libfakepay_provider",
  )
    .description("make a key, put its seed into the key directory, and print its public half")
    .argument("<kind>", `what it is for: ${KEY_ROLES.join(", ")}, or an alias of these`)
    .option(
      "--name <name>",
      "the key file's name without _<kind>.nk (default: the user's for an account, else the public key)",
    )
    .action(gen);
  add(new Command("list"), "par keys list", "par keys list -d ci/keys -o json")
    .description("list the keys in the key directory")
    .action(list);
  add(
    new Command("get"),
    "par keys get --public kevin_account",
    "par keys get libfakepay_provider_service",
  )
    .description("print a key's seed, which is a secret")
    .argument("<name>", "the key file's name, with or without .nk")
    .option("--public", "print its public half alone")
    .action(get);
  return keys;
}

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
    `Cannot make a key of kind ${JSON.stringify(kind)}: the kinds are ` +
      [...KEY_ROLES, ...ALIASES.keys()].join(", "),
  );
}

async function gen(kind: string, flags: KeysFlags & { readonly name?: string }): Promise<void> {
  const role = parseRole(kind);
  const pair = await KeyPair.generate(role);
  const name = flags.name ?? (role === "account" ? userName() : pair.publicKey);
  const path = keyPath(keyDirectory(flags), name, role);
  if (!await storeKey(path, pair)) {
    throw new ParError(
      "ERR_FILE_UNWRITABLE",
      `Cannot put a new key into ${
        JSON.stringify(path)
      }: there is one; choose another name (--name)`,
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

async function get(name: string, flags: KeysFlags & { readonly public?: boolean }): Promise<void> {
  const path = `${keyDirectory(flags)}/${name.replace(/\.nk$/, "")}.nk`;
  const pair = await readKey(path, { title: "key" });
  const shown = flags.public ? {} : { seed: pair.seed() };
  await printSecret(
    flags.output === "json"
      ? JSON.stringify({ public_key: pair.publicKey, ...shown, success: true }, null, 2)
      : shown.seed ?? pair.publicKey,
  );
}
