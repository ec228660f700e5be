#!/usr/bin/env bash
# Runs go test with the given arguments. As another user than root, it skips the
# tests that need root and lists them at the end.
set -uo pipefail
cd "$(dirname "$0")/.."
if [ "$(id -u)" = 0 ]; then
  exec go test "$@"
fi
JETON_TEST_LEFT_OUT=$(mktemp)
export JETON_TEST_LEFT_OUT
trap 'rm -f "$JETON_TEST_LEFT_OUT"' EXIT
go test -count=1 "$@" # a cached result would not list the skipped tests
status=$?
if [ -s "$JETON_TEST_LEFT_OUT" ]; then
  echo
  echo "Skipped, because they need root:"
  sort -u "$JETON_TEST_LEFT_OUT" | sed 's/^/  /'
  echo "To run them: sudo env PATH=\"\$PATH\" make test"
fi
exit $status
