#!/bin/sh
# Installs what Debian offers for building Rust programs for other machines: cargo and rustc in
# /usr/bin, the standard libraries and linkers of aarch64 and armv7 Linux and of x86_64 Windows,
# and qemu to run what was built. Prints nothing and changes nothing where all of it is there.
#
# The arm64 and armhf standard libraries are unpacked beside the host's. Installed as foreign
# packages they would bring a second C library and a second LLVM along.
set -eu

fail() {
  echo "Cannot install the cross toolchain: $*" >&2
  exit 1
}

packages="cargo rustc libstd-rust-dev-windows gcc-mingw-w64-x86-64
  gcc-aarch64-linux-gnu libc6-dev-arm64-cross
  gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
  qemu-user"

# Debian's name of a machine, and Rust's triple for it.
unpacked="arm64:aarch64-unknown-linux-gnu armhf:armv7-unknown-linux-gnueabihf"

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

has_standard_library() {
  for file in "/usr/lib/rustlib/$1/lib"/libstd-*.rlib; do
    [ -e "$file" ] && return 0
  done
  return 1
}

{ command -v apt-get && command -v dpkg-query; } >/dev/null 2>&1 ||
  fail "this is no Debian; use 'rustup target add TARGET' and your system's cross compilers"
machine=$(dpkg --print-architecture)
[ "$machine" = amd64 ] || fail "it is laid out for amd64 machines, and this one is $machine"

missing=
for package in $packages; do
  is_installed "$package" || missing="$missing $package"
done
foreign=
for pair in $unpacked; do
  has_standard_library "${pair#*:}" || foreign="$foreign ${pair%%:*}"
done
[ -n "$missing$foreign" ] || exit 0
[ "$(id -u)" = 0 ] || fail "run it as root; missing:$missing$(
  for name in $foreign; do printf ' libstd-rust-dev:%s' "$name"; done
)"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
log="$scratch/log"
# quietly WHAT COMMAND…: a run that fails shows what apt said; a run that succeeds does not.
quietly() {
  what=$1
  shift
  "$@" >>"$log" 2>&1 || {
    cat "$log" >&2
    fail "apt-get could not $what"
  }
}

if [ -n "$missing" ]; then
  apt-get update >"$log" 2>&1 || true # one list that fails need not be one that matters
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive quietly "install$missing" \
    apt-get install -y --no-install-recommends $missing
fi

if [ -n "$foreign" ]; then
  # Package lists of their own: the system's list of architectures stays as it is.
  mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial"
  # Downloads run as an unprivileged user where the folder lets it.
  chmod 755 "$scratch" && chown -R _apt "$scratch/lists" "$scratch/cache" 2>/dev/null || true
  set -- -o "Dir::State::lists=$scratch/lists" -o "Dir::Cache=$scratch/cache" \
    -o "APT::Architectures::=$machine"
  for name in $foreign; do
    set -- "$@" -o "APT::Architectures::=$name"
  done
  apt-get "$@" update >"$log" 2>&1 || true
  # The compiler takes a standard library of its own build alone.
  version=$(dpkg-query -W -f='${Version}' libstd-rust-dev)
  for name in $foreign; do
    mkdir "$scratch/$name"
    cd "$scratch/$name"
    quietly "download libstd-rust-dev:$name=$version" \
      apt-get "$@" download "libstd-rust-dev:$name=$version"
    dpkg-deb --fsys-tarfile ./*.deb | tar -x -C / ./usr/lib/rustlib ||
      fail "libstd-rust-dev of $name did not unpack"
    cd /
  done
fi

for pair in $unpacked; do
  has_standard_library "${pair#*:}" || fail "no standard library of ${pair#*:} after all"
done
echo "Installed the cross toolchain:$missing$(
  for name in $foreign; do printf ' libstd-rust-dev:%s' "$name"; done
)"
