/**
 * Reads the project file `wasmcloud.toml`, with the keys and the defaults of `wash build` 0.43.
 *
 * @module
 */

import { dirname, isAbsolute, join } from "node:path";
import { ParError, quote } from "../../errors.ts";
import { isFolder } from "./files.ts";
import { readToml, Settings } from "./toml.ts";

/** The file's name. */
export const WASMCLOUD_TOML = "wasmcloud.toml";

/** The languages that can be built. */
export type Language = "rust" | "go";

/** The values in a `wasmcloud.toml`. */
export interface WasmcloudToml {
  /** The file's path. */
  readonly path: string;
  readonly language: Language;
  /** The folder to build in. */
  readonly folder: string;
  /** The folder for archives. */
  readonly buildFolder: string;
  readonly witFolder: string;
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly revision?: number | undefined;
  readonly vendor?: string | undefined;
  readonly binName?: string | undefined;
  readonly rustTarget?: string | undefined;
  readonly keyDirectory?: string | undefined;
  readonly cargoPath?: string | undefined;
  readonly targetPath?: string | undefined;
  readonly debug: boolean;
  readonly goPath?: string | undefined;
  readonly goGenerate: boolean;
}

/** The keys that are read, here or by other tools. */
const KEYS = {
  "": [
    ...["language", "type", "name", "version", "revision", "path", "wit", "build"],
    ...["component", "provider", "rust", "tinygo", "go", "dev", "registry", "composition"],
    ...["overrides", "metadata", "actor", "interface"],
  ],
  provider: [
    ...["vendor", "wit_world", "os", "arch", "rust_target", "bin_name", "key_directory"],
  ],
  rust: ["cargo_path", "target_path", "debug"],
  go: ["go_path", "disable_go_generate"],
} as const;

/**
 * Reads the file.
 *
 * @param path The path of the file, or of its folder.
 * @param onWarning Receives warnings, each a sentence.
 * @throws {ParError} Of the category `failed`; `ERR_PROJECT_INVALID` if a value cannot be used.
 */
export async function readWasmcloudToml(
  path: string,
  onWarning?: (message: string) => void,
): Promise<WasmcloudToml> {
  const file = await isFolder(path) ? join(path, WASMCLOUD_TOML) : path;
  const table = overridden(await readToml(file));
  const where = quote(file);
  const all = new Settings(table, where);
  const [provider, rust, go] = [all.table("provider"), all.table("rust"), all.table("go")];
  all.warnOfUnknown(KEYS[""], onWarning);
  provider.warnOfUnknown(KEYS.provider, onWarning);
  rust.warnOfUnknown(KEYS.rust, onWarning);
  go.warnOfUnknown(KEYS.go, onWarning);
  requireProvider(all.text("type"), where);
  const base = dirname(file);
  // A relative path stays relative, so that messages are short.
  const within = (path: string | undefined): string | undefined =>
    path === undefined || isAbsolute(path) ? path : join(base, path);
  const folder = within(all.text("path")) ?? base;
  return {
    path: file,
    language: languageOf(all.text("language"), where),
    folder,
    buildFolder: within(all.text("build")) ?? join(folder, "build"),
    witFolder: within(all.text("wit")) ?? join(folder, "wit"),
    name: all.text("name"),
    version: all.text("version"),
    revision: all.integer("revision"),
    vendor: provider.text("vendor"),
    binName: provider.text("bin_name"),
    rustTarget: provider.text("rust_target"),
    keyDirectory: within(provider.text("key_directory")),
    cargoPath: rust.text("cargo_path"),
    targetPath: within(rust.text("target_path")),
    debug: rust.flag("debug") ?? false,
    goPath: go.text("go_path"),
    goGenerate: !(go.flag("disable_go_generate") ?? false),
  };
}

/** Variables override keys: `WASMCLOUD_NAME` the key `name`, `WASMCLOUD_PROVIDER_VENDOR` the vendor. */
function overridden(table: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const result: Record<string, unknown> = { ...table };
  for (const [section, keys] of Object.entries(KEYS)) {
    for (const key of keys) {
      if (section === "" && key in KEYS) continue;
      const name = ["WASMCLOUD", ...section ? [section] : [], key].join("_").toUpperCase();
      const value = Deno.env.get(name);
      if (!value) continue;
      if (section === "") result[key] = value;
      else result[section] = { ...result[section] as Record<string, unknown>, [key]: value };
    }
  }
  return result;
}

function requireProvider(type: string | undefined, where: string): void {
  if (type?.trim().toLowerCase() === "provider") return;
  throw new ParError(
    "ERR_PROJECT_INVALID",
    type === undefined
      ? `Cannot build what ${where} describes: it has no type; add type = "provider"`
      : `Cannot build what ${where} describes: its type is ${quote(type)}; an archive needs a ` +
        'provider (type = "provider")',
  );
}

function languageOf(text: string | undefined, where: string): Language {
  const language = text?.trim().toLowerCase().replace(/^golang$/, "go");
  if (language === "rust" || language === "go") return language;
  throw new ParError(
    "ERR_PROJECT_INVALID",
    `Cannot build what ${where} describes: its language is ` +
      `${
        text === undefined ? "not stated" : quote(text)
      }; "rust" and "go" can be built; for other ` +
      "languages, build the binaries yourself and use create",
  );
}
