import { ParError, quote } from "../errors.ts";
import { print } from "./io.ts";
import type { Context, Values } from "./verb.ts";
import { SHELLS, type VERBS } from "./verbs.ts";

/** The script for each shell: it asks `par` for the words that can come next, else it proposes files. */
const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  bash: `# Completes par's command lines in bash: source <(par completions bash)
_par() {
  local IFS=$'\\n'
  COMPREPLY=($(par __complete words "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _par par
`,
  zsh: `#compdef par
# Completes par's command lines in zsh: source <(par completions zsh)
_par() {
  local -a items
  items=("\${(@f)$(par __complete zsh "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n $items ]]; then
    _describe par items
  else
    _files
  fi
}
compdef _par par
`,
  fish: `# Completes par's command lines in fish: par completions fish | source
function __par_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l items (par __complete fish $words[2..] 2>/dev/null)
  if test (count $items) -gt 0
    printf '%s\\n' $items
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c par -f -a '(__par_complete)'
`,
};

/** Runs `par completions`. */
export async function run(
  this: Context,
  _flags: Values<typeof VERBS.completions.flags>,
  shell: string,
): Promise<void> {
  const name = SHELLS.find((name) => name === shell);
  if (name) return await print(SCRIPTS[name]);
  throw new ParError(
    "ERR_OPTION_INVALID",
    `Cannot complete for ${quote(shell)}: the shells are ${SHELLS.join(", ")}`,
  );
}
