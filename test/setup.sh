#!/usr/bin/env bash
# Installs what the tests need and this machine lacks; with "bench" what the
# benchmarks need, too. As root on Debian or Ubuntu it installs with apt-get.
# Anywhere else it prints what to install, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH="$PWD/bin/first:$PATH"
missing=() # packages
absent=()  # programs

need() { # program, packages
  command -v "$1" >/dev/null || { absent+=("$1"); missing+=("${@:2}"); }
}

# version prints the first number with dots in what a program prints.
version() { "$@" 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1 || true; }

# older reports whether the first version is older than the second.
older() { [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# cargo_packages are those of Rust 1.80 or later. Debian's web browser needs a
# later Rust than its release has, which is then in packages of another name.
cargo_packages() {
  local candidate
  candidate=$(apt-cache policy cargo 2>/dev/null | sed -n 's/.*Candidate: *\([0-9.]*\).*/\1/p')
  if [ -n "$candidate" ] && ! older "$candidate" 1.80; then echo rustc cargo; else echo rustc-web cargo-web; fi
}

find_missing() {
  missing=() absent=()
  need git git
  need curl curl ca-certificates
  need gcc gcc libc6-dev # the race detector needs cgo
  need node nodejs
  need npm npm
  need python3 python3
  need php php-cli
  need composer composer
  need unzip unzip # composer unpacks with it
  # Builds and instances have file systems of their own.
  [ -x /sbin/mkfs.ext4 ] || need mkfs.ext4 e2fsprogs
  # shellcheck disable=SC2046
  need cargo $(cargo_packages)
  if [ "${1:-}" = bench ]; then
    need wrk wrk
    need nginx nginx
    need haproxy haproxy
  fi
  # The crates of the tests come from Debian, signed.
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || { absent+=(debian-archive-keyring); missing+=(debian-archive-keyring); }
}

check_version() { # program, least version, where to get it
  local have
  have=$(version "$1" --version)
  if older "${have:-0}" "$2"; then
    echo "setup: $1 is ${have:-of no known version}, and the tests need $2 or later: install it from $3" >&2
    exit 1
  fi
}

find_missing "${1:-}"
if [ ${#absent[@]} -gt 0 ]; then
  install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  if ! command -v apt-get >/dev/null; then
    echo "setup: this machine lacks: ${absent[*]}: install them; on Debian they are in: ${missing[*]}" >&2
    exit 1
  fi
  if [ "$(id -u)" != 0 ]; then
    echo "setup: this machine lacks: ${absent[*]}: run as root:" >&2
    echo "  $install" >&2
    exit 1
  fi
  echo "setup: installing ${missing[*]}"
  apt-get update -qq
  # Where the lists were empty, the packages of Rust were not known yet.
  find_missing "${1:-}"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
# Debian 12 has Node 18. The registry of npm has later ones as packages.
if older "$(version node --version)" 20; then
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) arch= ;;
  esac
  if [ -n "$arch" ]; then
    echo "setup: node is $(version node --version): getting Node 20 from npm into bin/first"
    npm install --no-save --no-audit --no-fund --loglevel=error --prefix bin/first/packages "node-linux-$arch@20" >/dev/null
    ln -sf "packages/node_modules/node-linux-$arch/bin/node" bin/first/node
  fi
fi
check_version node 20 https://nodejs.org
check_version cargo 1.80 https://rustup.rs
check_version php 8.1 https://www.php.net

./test/terraform.sh
