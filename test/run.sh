#!/usr/bin/env bash
# Runs go test with the given arguments. As another user than root, it skips the
# tests that need root and lists them at the end.
set -uo pipefail
cd "$(dirname "$0")/.."
# With -count=1 go test keeps no result for the next run. To keep one it notes each file that a test
# looks at; servers look at all files of the caches of builds, which took gigabytes of memory.
if [ "$(id -u)" = 0 ]; then
  exec go test -count=1 "$@"
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
