#!/usr/bin/env bash
# Builds OpenTofu into bin/, unless terraform or tofu is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:$PWD/bin"
if command -v terraform >/dev/null || command -v tofu >/dev/null; then
  exit 0
fi
echo "building OpenTofu into bin/ (once, takes some minutes)"
mkdir -p bin
cd tools/tofu
CGO_ENABLED=0 go build -o ../../bin/tofu github.com/opentofu/opentofu/cmd/tofu
