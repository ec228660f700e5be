#!/usr/bin/env bash
# Runs the tests of Kubernetes in a cluster of this machine. The test programs are built
# outside, since nothing inside reaches a module proxy.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
images=pause,jeton,jeton-runtime-node,jeton-runtime-python,jeton-runtime-php,jeton-runtime-go,jeton-runtime-rust
bin/images -only "$images" -output "$work/images"
go build -o "$work/kubernetes" ./test/kubernetes
flags=()
for image in "$work"/images/*.tar; do flags+=(-image "$image"); done
for package in ./test/kubernetes/cluster; do
  name=$(basename "$package")
  go test -c -tags kubernetes -o "$work/$name.test" "$package"
  cat >>"$work/tests.sh" <<TEST
cd "$PWD/$package" && "$work/$name.test" -test.v -test.timeout 20m ${RUN:+-test.run "$RUN"} || failed=1
TEST
done
echo 'exit ${failed:-0}' >>"$work/tests.sh"
"$work/kubernetes" run -dir "$work/cluster" "${flags[@]}" bash "$work/tests.sh"
