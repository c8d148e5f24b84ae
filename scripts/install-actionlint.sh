#!/bin/sh
# Installs actionlint, which checks the example's workflow, from its Go module at the version below.
# Prints nothing and changes nothing where it is there.
set -eu

actionlint=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

fail() {
  echo "Cannot install actionlint: $*" >&2
  exit 1
}

go=$(command -v go || echo /usr/local/go/bin/go)
bin=${GOBIN:-/usr/local/bin}
[ -x "$go" ] || fail "there is no Go; install it, then run this again"
# A Go program carries the version it was built at.
"$go" version -m "$bin/actionlint" 2>/dev/null |
  grep -q "^[[:space:]]mod[[:space:]].*[[:space:]]${actionlint##*@}[[:space:]]" && exit 0

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
GOBIN=$bin CGO_ENABLED=0 GOFLAGS=-buildvcs=false "$go" install "$actionlint" >"$log" 2>&1 || {
  cat "$log" >&2
  fail "its module did not build"
}
echo "Installed actionlint"
