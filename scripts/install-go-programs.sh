#!/bin/sh
# Installs the programs that the tests compare with and Debian does not have as new, from their Go
# modules at the versions below: crane, oras and regctl, which speak with registries, a registry,
# cosign, which signs what is in them, and actionlint, which checks the example's workflow. Building
# cosign and the registry takes some minutes.
# Prints nothing and changes nothing where all of them are there.
set -eu

programs="
  github.com/google/go-containerregistry/cmd/crane@v0.22.1
  oras.land/oras/cmd/oras@v1.3.6
  github.com/regclient/regclient/cmd/regctl@v0.11.7
  github.com/distribution/distribution/v3/cmd/registry@v3.1.2
  github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3
  github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
"

fail() {
  echo "Cannot install Go programs: $*" >&2
  exit 1
}

go=$(command -v go || echo /usr/local/go/bin/go)
bin=${GOBIN:-/usr/local/bin}
# is_built MODULE@VERSION: a Go program carries the version it was built at.
is_built() {
  path=${1%@*}
  "$go" version -m "$bin/${path##*/}" 2>/dev/null |
    grep -q "^[[:space:]]mod[[:space:]].*[[:space:]]${1##*@}[[:space:]]"
}

missing=
for program in $programs; do
  is_built "$program" || missing="$missing $program"
done
[ -n "$missing" ] || exit 0
[ -x "$go" ] || fail "there is no Go; install it, then run this again:$missing"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
for program in $missing; do
  GOBIN=$bin CGO_ENABLED=0 GOFLAGS=-buildvcs=false "$go" install "$program" >"$log" 2>&1 || {
    cat "$log" >&2
    fail "$program did not build"
  }
done
echo "Installed$missing"
