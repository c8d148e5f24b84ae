#!/bin/sh
# Installs wasm-tools, which encodes and decodes WIT packages, built from its crate at the version
# below. Prints nothing and changes nothing where it is there.
set -eu

version=1.262.0

fail() {
  echo "Cannot install wasm-tools: $*" >&2
  exit 1
}

# Debian's cargo may be there beside a newer one that is not on the PATH of every shell.
PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
prefix=${PREFIX:-/usr/local}
[ "$("$prefix/bin/wasm-tools" --version 2>/dev/null | cut -d ' ' -f 2)" = "$version" ] && exit 0
command -v cargo >/dev/null 2>&1 || fail "there is no cargo; install Rust, then run this again"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
# It encodes some kilobytes: to optimize it would take longer than it will ever run.
CARGO_PROFILE_DEV_DEBUG=0 cargo install wasm-tools --version "$version" --locked --debug \
  --no-default-features --features component --root "$prefix" --no-track --force \
  >"$log" 2>&1 || {
  cat "$log" >&2
  fail "its crate did not build"
}
echo "Installed wasm-tools"
