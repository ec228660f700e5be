#!/usr/bin/env bash
# make bench-kubernetes: runs bench/kubernetes in a Kubernetes of this machine. ONLY selects a part.
set -euo pipefail
cd "$(dirname "$0")/../.."

images=pause,jeton-runtime-node,jeton-runtime-python,jeton-runtime-php,jeton-runtime-go,jeton-runtime-rust

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bin/images -only "$images" -output "$work/images"
go build -o "$work/kubernetes" ./test/kubernetes
flags=(-router bin/kube-router)
for image in "$work"/images/*.tar; do flags+=(-image "$image"); done
# The command inside begins in the root folder.
# shellcheck disable=SC2016
"$work/kubernetes" run -dir "$work/cluster" "${flags[@]}" \
  bash -c 'cd "$0" && exec bin/bench/kubernetes "$@"' "$PWD" -only "${ONLY:-}"
