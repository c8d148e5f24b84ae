#!/bin/sh
# Installs the runtimes that archives must have one reading in, from their npm packages: Node at the
# versions below as node20, node22 and node24, and as deno-oldest the oldest Deno that scripts/deno
# takes. Prints nothing and changes nothing where all of them are there.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
oldest=$(sed -n 's/^minimum=//p' "$root/scripts/deno")
# Each program, the npm package that it is in, and its place there.
runtimes="
  node20=node@20.20.2:node/bin/node
  node22=node@22.23.3:node/bin/node
  node24=node@24.21.0:node/bin/node
  deno-oldest=deno@$oldest:@deno/*/deno
"
bin=${PREFIX:-/usr/local}/bin

fail() {
  echo "Cannot install the runtimes: $*" >&2
  exit 1
}

# is_there PROGRAM VERSION: Node says v20.20.2, and Deno says deno 2.5.4 and more.
is_there() {
  "$bin/$1" --version 2>/dev/null | sed -n -e 's/^v//p' -e 's/^deno \([0-9.]*\).*/\1/p' | grep -qxF "$2"
}

missing=
for runtime in $runtimes; do
  package=${runtime#*=}
  version=${package#*@}
  is_there "${runtime%%=*}" "${version%%:*}" || missing="$missing $runtime"
done
[ -n "$missing" ] || exit 0
command -v npm >/dev/null 2>&1 || fail "there is no npm; install it, then run this again"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
installed=
for runtime in $missing; do
  program=${runtime%%=*}
  package=${runtime#*=}
  folder=$scratch/$program
  npm install --prefix "$folder" --no-save --no-audit --no-fund --loglevel=error \
    "${package%%:*}" >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    fail "npm could not install ${package%%:*}"
  }
  # A pattern on purpose: the package's name has the machine in it.
  for file in "$folder/node_modules/"${package##*:}; do
    # One that runs at this moment cannot be written into.
    { rm -f "$bin/$program" && cp "$file" "$bin/$program"; } || fail "$bin/$program could not be written"
  done
  installed="$installed $program"
done
echo "Installed$installed"
