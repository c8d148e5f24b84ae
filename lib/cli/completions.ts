import { ParError } from "../errors.ts";
import { print } from "./io.ts";
import { VERBOSE } from "./plain.ts";
import type { Verb } from "./verb.ts";

/** What can be typed behind `par` and behind each verb. */
interface Words {
  readonly verb: string;
  readonly description: string;
  readonly options: readonly { readonly flags: readonly string[]; readonly description: string }[];
  readonly subcommands: readonly string[];
}

const SCRIPTS: Readonly<Record<string, (verbs: readonly Words[]) => string>> = { bash, zsh, fish };

/**
 * `par completions`.
 *
 * @param verbs What loads each verb to complete.
 */
export function completionsOf(verbs: readonly (() => Promise<Verb>)[]): Verb {
  return {
    name: "completions",
    description: "print a script that completes par's command lines in a shell",
    arguments: [{ name: "<shell>", description: `one of ${Object.keys(SCRIPTS).join(", ")}` }],
    examples: ["source <(par completions bash)", "par completions fish | source"],
    async run([shell = ""]) {
      const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
      if (!script) {
        throw new ParError(
          "ERR_OPTION_INVALID",
          `Cannot complete for ${JSON.stringify(shell)}: the shells are ` +
            Object.keys(SCRIPTS).join(", "),
        );
      }
      await print(script((await Promise.all(verbs.map((load) => load()))).map(toWords)));
    },
  };
}

/** The flags of a group are those of its verbs. */
function toWords({ name, description, flags = [], verbs = [] }: Verb): Words {
  const all = [...flags, ...verbs.flatMap((verb) => verb.flags ?? []), VERBOSE];
  return {
    verb: name,
    description,
    options: all.filter((flag, at) => all.indexOf(flag) === at).map((flag) => ({
      flags: flag.flags.replace(/ <.*/, "").split(", "),
      description: flag.description,
    })),
    subcommands: verbs.map((verb) => verb.name),
  };
}

/** Bash completes words alone; files where a word is no flag. */
function bash(verbs: readonly Words[]): string {
  const cases = verbs.map(({ verb, options, subcommands }) => {
    const flags = options.flatMap((option) => option.flags).join(" ");
    return `    ${verb}) words="${[...subcommands, flags].join(" ").trim()}" ;;`;
  });
  return `# Completes par's command lines in bash: source <(par completions bash)
_par() {
  local word=\${COMP_WORDS[COMP_CWORD]} words=
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${verbs.map(({ verb }) => verb).join(" ")}" -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  local IFS=$'\\n'
  case $word in
    -*) ;;
    *) COMPREPLY+=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -F _par par
`;
}

function zsh(verbs: readonly Words[]): string {
  const quote = (text: string): string => text.replaceAll("'", "'\\''").replaceAll(":", "\\:");
  const cases = verbs.map(({ verb, options, subcommands }) => {
    const flags = options.flatMap((option) =>
      option.flags.map((flag) => `'${flag}:${quote(option.description)}'`)
    );
    return `    ${verb})
      items=(${[...subcommands.map((name) => `'${name}'`), ...flags].join("\n        ")})
      ;;`;
  });
  return `#compdef par
# Completes par's command lines in zsh: source <(par completions zsh)
_par() {
  local -a items verbs
  verbs=(${verbs.map((each) => `'${each.verb}:${quote(each.description)}'`).join("\n    ")})
  if (( CURRENT == 2 )); then
    _describe verb verbs
    return
  fi
  case $words[2] in
${cases.join("\n")}
  esac
  _describe flag items
  _files
}
compdef _par par
`;
}

function fish(verbs: readonly Words[]): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;
  const lines = verbs.flatMap(({ verb, description, options, subcommands }) => [
    `complete -c par -n __fish_use_subcommand -f -a ${verb} -d ${quote(description)}`,
    ...subcommands.map((name) =>
      `complete -c par -n '__fish_seen_subcommand_from ${verb}' -a ${name}`
    ),
    ...options.map((option) => {
      const flags = option.flags.map((flag) =>
        flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`
      );
      return `complete -c par -n '__fish_seen_subcommand_from ${verb}' ${flags.join(" ")} -d ${
        quote(option.description)
      }`;
    }),
  ]);
  return `# Completes par's command lines in fish: par completions fish | source\n${
    lines.join("\n")
  }\n`;
}
