/**
 * Installs the command `par` into a folder such as `/usr/local`: a launcher into its `bin`, and the
 * command, bundled with its packages, into its `share/par`. The installed command needs no checkout and
 * no network, and starts faster than the sources.
 *
 * `PREFIX` names the folder. `DESTDIR` is put before it, for those who build packages.
 *
 * @module
 */

import { permissionFlags, takesHelpers } from "../lib/cli/permissions.ts";
import { VERBS, WASH_FLAGS, WASH_GROUPS } from "../lib/cli/verbs.ts";
import { bundledLicences, bundleToFolder, ROOT } from "./bundle.ts";

/** The files of the checkout that are installed beside the bundle. */
const FILES: readonly string[] = ["LICENSE", "scripts/deno"];

/** How a launcher runs the command. All members are text of a shell script. */
export interface Launching {
  /** Lines that come first. */
  readonly setup: string;
  /** The program that is Deno. */
  readonly deno: string;
  /** The bundled command. */
  readonly script: string;
  /** The folder with the files of the verbs, if they are not in the script. */
  readonly folder?: string;
}

/**
 * Writes the launcher of what `make install` puts into a folder.
 *
 * @param share The folder.
 */
export function installedLauncher(share: string): string {
  return launcher({
    setup: `share='${share.replaceAll("'", "'\\''")}'`,
    deno: `"$share/scripts/deno"`,
    script: `"$share/lib/cli.js"`,
    folder: `"$share/lib"`,
  });
}

/** Writes a launcher. Each verb has the permissions that it needs, also for an archive in a registry. */
export function launcher({ setup, deno, script, folder }: Launching): string {
  const allow = (pattern: string, ...words: string[]): string => {
    const flags = permissionFlags(words, true);
    const all = [...flags, ...(takesHelpers(words, true) ? ["$(helpers)"] : [])];
    return `  ${pattern}) allowed="${all.join(" ")}" ;;`;
  };
  const cases = Object.entries(VERBS).flatMap(([name, verb]) =>
    "verbs" in verb
      ? Object.keys(verb.verbs).map((inner) => allow(`"${name} ${inner}"`, name, inner))
      : allow(`"${name} "*`, name)
  );
  const run = `set -- ${script} "$@"`;
  const start = folder === undefined ? run : `# Verbs that read no files still read what runs them.
case "$allowed " in
  *"--allow-read "*) ${run} ;;
  *) ${run.replace("--", `-- --allow-read=${folder}`)} ;;
esac`;
  const output = WASH_FLAGS.output.join(" | ");
  const skipped = ["-o*", "--output=*", ...WASH_FLAGS.none, ...WASH_GROUPS].join(" | ");
  return `#!/bin/sh
# Runs par with the permissions that its verb needs.
${setup}

# Gives the permission to run the credential helpers that docker's and podman's files name.
helpers() {
  IFS=:
  for folder in $PATH; do
    for program in "$folder"/docker-credential-*; do
      name=\${program##*/docker-credential-}
      case $name in *[!A-Za-z0-9._-]*) continue ;; esac
      if grep -qsF "\\"$name\\"" "\${REGISTRY_AUTH_FILE:-/dev/null}" \\
        "\${DOCKER_CONFIG:-\${HOME-}/.docker}/config.json" \\
        "\${XDG_RUNTIME_DIR-}/containers/auth.json" \\
        "\${XDG_CONFIG_HOME:-\${HOME-}/.config}/containers/auth.json"; then
        printf ' --allow-run=%s' "docker-credential-$name"
      fi
    done
  done
}

# Deno would take /dev/null for it, and nobody would learn that the result is lost.
if ! { true 3>&1; } 2>/dev/null; then
  echo "Cannot print anything: standard output is closed; redirect it, to /dev/null if need be" >&2
  exit 1
fi

# Finds the verb: wash has verbs in groups, as in wash par create, and takes flags before them.
find_verb() {
  while :; do
    case "\${1-}" in
      ${output}) [ $# -gt 1 ] || break; shift 2 ;;
      ${skipped}) shift ;;
      *) break ;;
    esac
  done
  verb="\${1-} \${2-}"
}

find_verb "$@"
case "$verb" in
${cases.join("\n")}
${allow("*")}
esac
${start}
# shellcheck disable=SC2086 # a list of words
exec ${deno} run --quiet --no-prompt --no-config --no-lock $allowed "$@"
`;
}

/** If the checkout runs a Deno of its own, copies it to where the launcher looks for one. */
async function copyOwnDeno(staged: string): Promise<void> {
  const deno = Deno.execPath();
  if (!deno.startsWith(`${ROOT}/.deno/`)) return;
  const copy = `${staged}${deno.slice(ROOT.length)}`;
  await Deno.mkdir(copy.replace(/\/[^/]*$/, ""), { recursive: true });
  await Deno.copyFile(deno, copy);
  await Deno.chmod(copy, 0o755);
}

async function install(): Promise<void> {
  const prefix = (Deno.env.get("PREFIX") || "/usr/local").replace(/\/+$/, "");
  const share = `${prefix.startsWith("/") ? prefix : `${Deno.cwd()}/${prefix}`}/share/par`;
  const staged = `${Deno.env.get("DESTDIR") ?? ""}${share}`;
  const bin = staged.replace(/share\/par$/, "bin");
  await Deno.remove(staged, { recursive: true }).catch(() => {});
  await Deno.mkdir(`${staged}/scripts`, { recursive: true });
  await bundleToFolder(`${staged}/lib`);
  for (const file of FILES) {
    await Deno.copyFile(`${ROOT}/${file}`, `${staged}/${file}`);
    await Deno.chmod(`${staged}/${file}`, file === "LICENSE" ? 0o644 : 0o755);
  }
  await Deno.writeTextFile(`${staged}/LICENSES.txt`, await bundledLicences());
  await Deno.mkdir(bin, { recursive: true });
  await copyOwnDeno(staged);
  await Deno.writeTextFile(`${bin}/par`, installedLauncher(share));
  await Deno.chmod(`${bin}/par`, 0o755);
  console.log(`Installed ${bin}/par`);
}

if (import.meta.main) await install();
