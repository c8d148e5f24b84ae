#!/bin/sh
# Installs what the registry tests talk to and compare with: docker-registry, skopeo and htpasswd
# from Debian, crane and oras built from their Go modules at the versions below. Prints nothing and
# changes nothing where all of it is there.
set -eu

crane=github.com/google/go-containerregistry/cmd/crane@v0.22.1
oras=oras.land/oras/cmd/oras@v1.3.6

fail() {
  echo "Cannot install the registries: $*" >&2
  exit 1
}

packages=
# needs COMMAND PACKAGE: notes the package where the command is missing.
needs() {
  command -v "$1" >/dev/null 2>&1 || packages="$packages $2"
}
needs docker-registry docker-registry
needs skopeo skopeo
needs htpasswd apache2-utils
needs openssl openssl

go=$(command -v go || echo /usr/local/go/bin/go)
bin=${GOBIN:-/usr/local/bin}
# is_built MODULE@VERSION: a Go program carries the version it was built at.
is_built() {
  path=${1%@*}
  "$go" version -m "$bin/${path##*/}" 2>/dev/null |
    grep -q "^[[:space:]]mod[[:space:]].*[[:space:]]${1##*@}[[:space:]]"
}

modules=
for module in "$crane" "$oras"; do
  is_built "$module" || modules="$modules $module"
done
[ -n "$packages$modules" ] || exit 0

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
# quietly WHAT COMMAND…: a run that fails shows what it said; a run that succeeds does not.
quietly() {
  what=$1
  shift
  "$@" >>"$log" 2>&1 || {
    cat "$log" >&2
    fail "could not $what"
  }
}

if [ -n "$packages" ]; then
  command -v apt-get >/dev/null 2>&1 || fail "this is no Debian; install by hand:$packages"
  [ "$(id -u)" = 0 ] || fail "run it as root; missing:$packages"
  apt-get update >"$log" 2>&1 || true # one list that fails need not be one that matters
  # The tests start registries of their own, on free ports: RUNLEVEL keeps Debian's from starting.
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 quietly "install$packages" \
    apt-get install -y --no-install-recommends $packages
fi

if [ -n "$modules" ]; then
  [ -x "$go" ] || fail "there is no Go; install it, then run this again:$modules"
  for module in $modules; do
    GOBIN=$bin CGO_ENABLED=0 GOFLAGS=-buildvcs=false quietly "build $module" "$go" install "$module"
  done
fi
echo "Installed the registries:$packages$modules"
