#!/usr/bin/env bash
# Runs every fuzz test of all modules in turn, each for the given time. KEEP=1
# copies the smallest new inputs to testdata/fuzz, where they are seeds of every
# test run.
set -euo pipefail
each=${1:-10s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# keep copies new inputs of a fuzz test to testdata/fuzz.
keep() { # package, name
  [ -n "${KEEP:-}" ] || return 0
  local found to input
  found=$(go env GOCACHE)/fuzz/$(go -C "$1" list .)/$2
  to=$1/testdata/fuzz/$2
  [ -d "$found" ] || return 0
  mkdir -p "$to"
  # Large inputs cover no more code than small ones.
  find "$found" -type f -size -2k -printf '%s %p\n' | sort -n | awk 'NR <= 40' | while read -r _ input; do
    cp -n "$input" "$to/"
  done
}

fuzz() { # package, name
  # -C finds the module of the package. A new input is minimized for one second; the
  # default is a minute, which would leave no time for fuzzing.
  if go test -C "$1" -run '^$' -fuzz "^$2\$" -fuzztime "$each" -fuzzminimizetime 1s </dev/null >"$log" 2>&1; then
    printf '%-40s %-24s %s\n' "$1" "$2" "$(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
    keep "$1" "$2"
    return
  fi
  # On a busy machine a worker may still run at the end of the time, which go test
  # reports as a failure without an input.
  if grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input' "$log"; then
    printf '%-40s %-24s %s\n' "$1" "$2" 'ended late, no failing input'
    return
  fi
  cat "$log"
  exit 1
}

while read -r file; do
  for name in $(grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | awk '{print $2}'); do
    fuzz "./$(dirname "${file#./}")" "$name"
  done
done < <(grep -rlE '^func Fuzz' --include='*_test.go' . | sort)
