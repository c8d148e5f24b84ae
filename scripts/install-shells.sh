#!/bin/sh
# Installs the shells whose completions the tests try: zsh and fish, from Debian. Prints nothing and
# changes nothing where they are there.
set -eu

fail() {
  echo "Cannot install the shells: $*" >&2
  exit 1
}

packages=
for shell in bash zsh fish; do
  command -v "$shell" >/dev/null 2>&1 || packages="$packages $shell"
done
[ -n "$packages" ] || exit 0
command -v apt-get >/dev/null 2>&1 || fail "this is no Debian; install by hand:$packages"
[ "$(id -u)" = 0 ] || fail "run it as root; missing:$packages"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
apt-get update >"$log" 2>&1 || true # one list that fails need not be one that matters
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages >>"$log" 2>&1 || {
  cat "$log" >&2
  fail "apt-get could not"
}
echo "Installed$packages"
