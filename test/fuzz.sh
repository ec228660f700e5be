#!/usr/bin/env bash
# Fuzzes every fuzz test of all modules, one after another, for the given time.
# With KEEP=1 the smallest inputs that were found stay in testdata/fuzz, where
# every run of the tests begins with them.
set -euo pipefail
each=${1:-10s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Inputs that are new are made smaller for a second and no longer: by default a
# minute goes into each, and none into looking for others.
keep() { # package, name
  [ -n "${KEEP:-}" ] || return 0
  local found to input
  found=$(go env GOCACHE)/fuzz/$(go -C "$1" list .)/$2
  to=$1/testdata/fuzz/$2
  [ -d "$found" ] || return 0
  mkdir -p "$to"
  # An input of some kilobytes teaches no more than its smaller sisters.
  find "$found" -type f -size -2k -printf '%s %p\n' | sort -n | awk 'NR <= 40' | while read -r _ input; do
    cp -n "$input" "$to/"
  done
}

fuzz() { # package, name
  # From within the folder, whichever module it is of.
  if go test -C "$1" -run '^$' -fuzz "^$2\$" -fuzztime "$each" -fuzzminimizetime 1s </dev/null >"$log" 2>&1; then
    printf '%-40s %-24s %s\n' "$1" "$2" "$(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
    keep "$1" "$2"
    return
  fi
  # On a busy machine the end of the time can catch a worker at work, which go
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
