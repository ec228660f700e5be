#!/usr/bin/env bash
# Generates docs/provider/ from the provider's schema and from examples/.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/bin:$PATH"

terraform=$(command -v terraform || command -v tofu) || {
  echo "docs: neither terraform nor tofu is in PATH; 'make demo' builds tofu into bin/" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/main.tf" <<'EOF'
terraform {
  required_providers {
    scaleway = { source = "jeton-dev/scaleway" }
  }
}
EOF
cat >"$work/terraform.rc" <<EOF
provider_installation {
  dev_overrides { "jeton-dev/scaleway" = "$PWD/bin" }
  direct {}
}
EOF
# tfplugindocs looks the schema up under an address of its own choice.
(cd "$work" && TF_CLI_CONFIG_FILE="$work/terraform.rc" CHECKPOINT_DISABLE=1 "$terraform" providers schema -json) |
  sed -E 's#registry\.(terraform\.io|opentofu\.org)/jeton-dev/scaleway#registry.terraform.io/hashicorp/scaleway#' >"$work/schema.json"

rm -rf docs/provider
go tool -modfile=tools/go.mod tfplugindocs generate \
  --provider-name scaleway --rendered-provider-name "Jeton" --providers-schema "$work/schema.json" \
  --examples-dir examples --rendered-website-dir docs/provider --website-source-dir docs/templates >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; exit 1; }
