#!/usr/bin/env bash
# Runs the tests of Kubernetes in a cluster of this machine. The test programs are built
# outside, since nothing inside reaches a module proxy. RUN selects tests by a pattern;
# without it, each benchmark runs once, to see that it works.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages=(./test/kubernetes/cluster ./test/kubernetes/installation ./test/kubernetes/functions)
images=pause,jeton,jeton-runtime-node,jeton-runtime-python,jeton-runtime-php,jeton-runtime-go,jeton-runtime-rust

go test -C tools/images ./...
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bin/images -only "$images" -output "$work/images"
go build -o "$work/kubernetes" ./test/kubernetes
go build -C test/chart -o "$work/chart" .
mkdir "$work/charts"
"$work/chart" -set trial.enabled=true >"$work/charts/trial.yaml"
"$work/chart" -set storageSecret=storage,autoscaling.enabled=true,ingress.enabled=true,ingress.apiHost=api.example.com,functions.quota.pods=100 \
  >"$work/charts/storage.yaml"

flags=(-router bin/kube-router)
for image in "$work"/images/*.tar; do flags+=(-image "$image"); done
for package in "${packages[@]}"; do
  name=$(basename "$package")
  go test -c -tags kubernetes -o "$work/$name.test" "$package"
  echo "cd '$PWD/$package' && '$work/$name.test' -test.v -test.timeout 20m -test.run '${RUN:-}' || failed=1"
done >"$work/tests.sh"
if [ -z "${RUN:-}" ]; then
  make -s build
  go build -C bench -trimpath -o ../bin/bench/ ./kubernetes
  echo "cd '$PWD' && JETON_BENCH_SMOKE=1 bin/bench/kubernetes || failed=1" >>"$work/tests.sh"
fi
# shellcheck disable=SC2016
echo 'exit ${failed:-0}' >>"$work/tests.sh"
export JETON_TEST_CHARTS="$work/charts"
"$work/kubernetes" run -dir "$work/cluster" "${flags[@]}" bash "$work/tests.sh"
