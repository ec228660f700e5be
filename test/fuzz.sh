#!/usr/bin/env bash
# Fuzzes every fuzz test of the module, one after another, for the given time.
set -euo pipefail
each=${1:-10s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Inputs that are new are made smaller for a second and no longer: by default a
# minute goes into each, and none into looking for others.
fuzz() { # package, name
  if go test "$1" -run '^$' -fuzz "^$2\$" -fuzztime "$each" -fuzzminimizetime 1s </dev/null >"$log" 2>&1; then
    printf '%-40s %-24s %s\n' "$1" "$2" "$(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
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
