#!/bin/sh
# Installs the programs of Debian's that the tests compare with, drive or are built by. Prints nothing
# and changes nothing where all of them are there. `test/_programs.ts` lists what tests ask for.
set -eu

fail() {
  echo "Cannot install the programs: $*" >&2
  exit 1
}

packages=
# needs COMMAND PACKAGE…: notes the packages where the command is missing.
needs() {
  command=$1
  shift
  command -v "$command" >/dev/null 2>&1 || packages="$packages $*"
}
# What packs and unpacks.
needs pigz pigz
needs bsdtar libarchive-tools
needs busybox busybox
needs 7zz 7zip
needs cmake cmake
needs python3 python3
# Shells whose completions are tried.
needs zsh zsh
needs fish fish
# Registries, their users, and their certificates.
needs docker-registry docker-registry
needs skopeo skopeo
needs htpasswd apache2-utils
needs openssl openssl
# The example's workflow writes its provenance with it.
needs jq jq
# A C program loads the example provider.
needs cc gcc libc6-dev
# What makes system calls fail.
needs strace strace
# The web page is tried in them. The fonts are for the page's picture: without any, text has no letters.
needs /usr/bin/chromium chromium fonts-dejavu-core fonts-liberation
# Firefox is to be 153 or newer, which Debian's security archive has.
needs /usr/bin/firefox-esr firefox-esr
[ -n "$packages" ] || exit 0

command -v apt-get >/dev/null 2>&1 || fail "this is no Debian; install by hand:$packages"
[ "$(id -u)" = 0 ] || fail "run it as root; missing:$packages"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
apt-get update >"$log" 2>&1 || true # one list that fails need not be one that matters
# The tests start registries of their own, on free ports: RUNLEVEL keeps Debian's from starting.
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
  apt-get install -y --no-install-recommends $packages >>"$log" 2>&1 || {
  cat "$log" >&2
  fail "apt-get could not install$packages"
}
echo "Installed$packages"
