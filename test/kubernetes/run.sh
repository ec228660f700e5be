#!/usr/bin/env bash
# Runs tests of Kubernetes in a cluster of this machine. The test programs are built outside,
# since nothing inside reaches a module proxy. RUN selects tests by a pattern, and KUBE names the program of Kubernetes.
#
#   run.sh        the tests of the cluster, the chart and the engine, some end-to-end tests and,
#                 without RUN, each benchmark once, to see that it works
#   run.sh e2e    all end-to-end tests that Pods can pass, the suite of engines, and long tests
#   run.sh chaos  the tests of several nodes, of faults and of escapes; each part is killed 5 times
set -euo pipefail
cd "$(dirname "$0")/../.."

suite=${1:-}
faults=(./test/kubernetes/nodes ./test/kubernetes/chaos ./test/kubernetes/policies)
packages=(./test/kubernetes/cluster ./test/kubernetes/installation ./test/kubernetes/functions "${faults[@]}")
e2e='^(TestCall_OfFaultyFunction|TestDeployment_ReplacesRevisionWithoutFailedCalls|TestEnvironment_OfFunction|TestScale_ConcurrentCalls|TestRestart_KeepsFunctionsAndRevocations|TestStop_CompletesCalls|TestCluster_InstancesFollowTheHome|TestBuilds_OfAnotherProjectAreNotUsed)$'
# They wait for timeouts of connections that a policy denies, for the loss of a machine, or for many calls.
long='^(TestBuilds_ReachOnlyWhatTheChartAllows|TestEscape_.*|TestBurst_.*|TestMachine_.*|TestEviction_.*)$'
run=${RUN:-} skip=$long
if [ "$suite" = chaos ]; then
  packages=("${faults[@]}") skip=
  export JETON_TEST_CHAOS_ROUNDS="${JETON_TEST_CHAOS_ROUNDS:-5}"
fi
if [ "$suite" = e2e ]; then
  packages=(./test/kubernetes/enginetest ./test/kubernetes/functions)
  e2e=. run=${RUN:-"^TestSuite$|$long"} skip=
fi
[ -z "${RUN:-}" ] || skip=
images=pause,jeton,jeton-runtime-node,jeton-runtime-python,jeton-runtime-php,jeton-runtime-go,jeton-runtime-rust

[ -n "$suite" ] || go test -C tools/images ./...
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bin/images -only "$images" -output "$work/images"
go build -o "$work/kubernetes" ./test/kubernetes
go build -C test/chart -o "$work/chart" .
CGO_ENABLED=0 go build -ldflags "-s -w" -o "$work/instance" ./test/kubernetes/enginetest/instance
mkdir "$work/charts"
"$work/chart" -set trial.enabled=true >"$work/charts/trial.yaml"
"$work/chart" -set storageSecret=storage,autoscaling.enabled=true,ingress.enabled=true,ingress.apiHost=api.example.com,functions.quota.pods=100 \
  >"$work/charts/storage.yaml"
"$work/chart" -set storageSecret=storage,networkPolicy.egress.deny='{10.0.0.0/8,192.0.2.0/24}' \
  -set networkPolicy.egress.allowBuilds[0].to[0].ipBlock.cidr=192.0.2.1/32,networkPolicy.egress.allowBuilds[0].ports[0].port=4321 \
  >"$work/charts/builds.yaml"

flags=(-kube "${KUBE:-bin/kube}" -router bin/kube-router)
# Pods of a lost machine are evicted soon.
for reason in unreachable not-ready; do flags+=(-apiserver "--default-$reason-toleration-seconds=5"); done
for image in "$work"/images/*.tar; do flags+=(-image "$image"); done
# add NAME DIR PATTERN ENGINE [SKIP] runs the test program NAME in a folder.
add() { echo "cd '$PWD/$2' && JETON_TEST_ENGINE=$4 '$work/$1.test' -test.v -test.timeout 45m -test.parallel 4 -test.run '$3' ${5:+-test.skip '$5'} || failed=1" >>"$work/tests.sh"; }
for package in "${packages[@]}"; do
  name=$(basename "$package")
  go test -c -tags kubernetes -o "$work/$name.test" "$package"
  add "$name" "$package" "$run" "" "$skip"
done
if [ "$suite" != chaos ]; then
  go test -C test/e2e -c -o "$work/e2e.test" .
  add e2e test/e2e "${RUN:-$e2e}" kubernetes
fi
if [ -z "$suite${RUN:-}" ]; then
  make -s build
  go build -C bench -trimpath -o ../bin/bench/ ./kubernetes
  echo "cd '$PWD' && JETON_BENCH_SMOKE=1 bin/bench/kubernetes || failed=1" >>"$work/tests.sh"
fi
# shellcheck disable=SC2016
echo 'exit ${failed:-0}' >>"$work/tests.sh"
export JETON_TEST_CHARTS="$work/charts" JETON_TEST_HELM="$work/chart" JETON_TEST_INSTANCE="$work/instance"
"$work/kubernetes" run -dir "$work/cluster" "${flags[@]}" bash "$work/tests.sh"
