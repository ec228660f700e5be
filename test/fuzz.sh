#!/usr/bin/env bash
# Fuzzes every fuzz test of the module, one after another, for the given time.
set -euo pipefail
each=${1:-10s}
grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do
  package=./$(dirname "${file#./}")
  grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | awk '{print $2}' | while read -r name; do
    echo "$package $name"
    go test "$package" -run '^$' -fuzz "^$name\$" -fuzztime "$each" </dev/null | tail -n 1
  done
done
