#!/usr/bin/env bash
# Installs missing programs that the tests need, with "bench" those that the
# benchmarks need, with "console" Chromium, and with "kubernetes" the container runtime
# of the test cluster. It installs with apt-get as root on
# Debian or Ubuntu; otherwise it prints what to install, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH="$PWD/bin/first:$PATH"
missing=() # packages
absent=()  # programs

need() { # program, packages
  command -v "$1" >/dev/null || { absent+=("$1"); missing+=("${@:2}"); }
}

# version prints the first version number in the output of a program.
version() { "$@" 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1 || true; }

# older reports whether the first version is older than the second.
older() { [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# cargo_packages prints the packages of Rust 1.80 or later. In older releases of
# Debian they have another name: a newer Rust exists only for the web browser.
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
  need unzip unzip # composer needs it
  need zsh zsh # the tests of the shell completion use all shells
  need fish fish
  # Builds and instances have their own file systems.
  [ -x /sbin/mkfs.ext4 ] || need mkfs.ext4 e2fsprogs
  # Debian's initdb is not in PATH.
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need initdb postgresql
  [ -x /usr/sbin/pgbouncer ] || need pgbouncer pgbouncer
  # shellcheck disable=SC2046
  need cargo $(cargo_packages)
  if [ "${1:-}" = console ]; then
    need chromium chromium chromium-driver fonts-dejavu-core
  fi
  if [ "${1:-}" = kubernetes ]; then
    need containerd containerd
    need runc runc
    need iptables iptables
    need ipset ipset
    [ -x /usr/lib/cni/ptp ] || need ptp containernetworking-plugins
  fi
  if [ "${1:-}" = bench ]; then
    need wrk wrk
    need nginx nginx
    need haproxy haproxy
  fi
  # The tests download crates as signed packages of Debian.
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || { absent+=(debian-archive-keyring); missing+=(debian-archive-keyring); }
}

check_version() { # program, minimum version, where to get it
  local have
  have=$(version "$1" --version)
  if older "${have:-0}" "$2"; then
    echo "setup: $1 has version ${have:-unknown}, but the tests need $2 or later: install it from $3" >&2
    exit 1
  fi
}

find_missing "${1:-}"
if [ ${#absent[@]} -gt 0 ]; then
  install="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  if ! command -v apt-get >/dev/null; then
    echo "setup: missing programs: ${absent[*]}: install them (Debian packages: ${missing[*]})" >&2
    exit 1
  fi
  if [ "$(id -u)" != 0 ]; then
    echo "setup: missing programs: ${absent[*]}: run as root:" >&2
    echo "  $install" >&2
    exit 1
  fi
  echo "setup: installing ${missing[*]}"
  apt-get update -qq
  # Before the update the package lists may have been empty.
  find_missing "${1:-}"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
# Debian 12 has Node 18. The npm registry has packages of later versions.
if older "$(version node --version)" 20; then
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) arch= ;;
  esac
  if [ -n "$arch" ]; then
    echo "setup: node has version $(version node --version): installing Node 20 from npm into bin/first"
    npm install --no-save --no-audit --no-fund --loglevel=error --prefix bin/first/packages "node-linux-$arch@20" >/dev/null
    ln -sf "packages/node_modules/node-linux-$arch/bin/node" bin/first/node
  fi
fi
check_version node 20 https://nodejs.org
check_version cargo 1.80 https://rustup.rs
check_version php 8.1 https://www.php.net

./test/terraform.sh
