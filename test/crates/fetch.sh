#!/usr/bin/env bash
# Downloads axum 0.8 and its dependencies into a folder that cargo can use as a
# replacement of crates.io. The crates are packages of Debian testing, downloaded
# with apt and not installed, so that the tests do not need crates.io.
set -euo pipefail
into=$(realpath -m "$1")

packages=(
  atomic-waker axum axum-core bytes form-urlencoded futures-channel futures-core futures-sink futures-task
  futures-util http http-body http-body-util httparse httpdate hyper hyper-util itoa libc log matchit memchr mime
  mio once-cell percent-encoding pin-project-lite pin-utils proc-macro2 quote ryu serde serde-core serde-derive
  serde-json serde-path-to-error serde-urlencoded slab smallvec socket2 socket2-0.5 syn syn-2 sync-wrapper tokio
  tokio-macros tower tower-layer tower-service tracing tracing-core unicode-ident zmij
)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial,debs,root}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian forky main" >"$work/sources.list"
apt=(
  apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root
)
"${apt[@]}" update
names=("${packages[@]/#/librust-}")
(cd "$work/debs" && "${apt[@]}" download "${names[@]/%/-dev}")
for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
rm -rf "$into"
mkdir -p "$(dirname "$into")"
mv "$work/root/usr/share/cargo/registry" "$into"
