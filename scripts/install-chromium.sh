#!/bin/sh
# Installs Debian's Chromium, which the tests of the web page drive. Prints nothing and changes
# nothing where it is there.
set -eu

fail() {
  echo "Cannot install Chromium: $*" >&2
  exit 1
}

[ ! -x /usr/bin/chromium ] || exit 0
command -v apt-get >/dev/null 2>&1 || fail "this is no Debian; put a Chromium at /usr/bin/chromium"
[ "$(id -u)" = 0 ] || fail "run it as root"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
apt-get update >"$log" 2>&1 || true # one list that fails need not be one that matters
# The fonts are for the picture of the page: without any, text has no letters.
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
  chromium fonts-dejavu-core fonts-liberation >>"$log" 2>&1 || {
  cat "$log" >&2
  fail "apt-get could not install it"
}
[ -x /usr/bin/chromium ] || fail "the package left no /usr/bin/chromium"
echo "Installed Chromium: $(dpkg-query -W -f='${Version}' chromium)"
