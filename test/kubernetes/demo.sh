#!/usr/bin/env bash
# make demo-kubernetes: installs the chart with Helm's library in a Kubernetes of this machine,
# applies examples/private-function with terraform, calls a function, revokes its token, and shows
# the Pods. One node of Jeton runs without PostgreSQL and a bucket.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "${1:-}" != inside ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  bin/images -only pause,jeton,jeton-runtime-node,jeton-runtime-go -output "$work/images"
  go build -o "$work/kubernetes" ./test/kubernetes
  go build -C test/chart -o "$work/chart" .
  CGO_ENABLED=0 go build -o "$work/" ./cmd/terraform-provider-scaleway
  mkdir "$work/example"
  cp examples/private-function/main.tf "$work/example"
  for language in go node; do
    (cd "examples/private-function/$language" && python3 -m zipfile -c "$work/example/$language.zip" ./*)
  done
  images=()
  for image in "$work"/images/*.tar; do images+=(-image "$image"); done
  "$work/kubernetes" run -dir "$work/cluster" -router bin/kube-router "${images[@]}" "$PWD/test/kubernetes/demo.sh" inside "$work"
  exit
fi

work=$2
show() { printf '\n$ %s\n' "$*"; "$@"; }
call() { curl -s -m 60 -o "$work/answer" -w 'status %{http_code} after %{time_total} s: ' "$@"; cat "$work/answer"; echo; }
value() { sed -nE "s/.*\"$1\": *\"([^\"]*)\".*/\1/p" | head -n 1; }

kubectl create namespace jeton >/dev/null
kubectl label namespace jeton pod-security.kubernetes.io/enforce=restricted >/dev/null
kubectl -n jeton create secret generic storage --from-literal UNUSED= >/dev/null
show "$work/chart" -set storageSecret=storage,replicas=1 install
show kubectl -n jeton rollout status deployment/jeton --timeout=180s

service=$(kubectl -n jeton get service jeton -o 'jsonpath={.spec.clusterIP}')
kubectl -n jeton exec deployment/jeton -- jeton apikey create --permissions=FunctionsFullAccess -o json >"$work/key.json"
SCW_ACCESS_KEY=$(value access_key <"$work/key.json")
SCW_SECRET_KEY=$(value secret_key <"$work/key.json")
SCW_DEFAULT_PROJECT_ID=$(value project_id <"$work/key.json")
export SCW_ACCESS_KEY SCW_SECRET_KEY SCW_DEFAULT_PROJECT_ID SCW_DEFAULT_REGION=fr-par SCW_API_URL="http://$service:8080"
cat >"$work/terraform.rc" <<RC
provider_installation {
  dev_overrides { "jeton-dev/scaleway" = "$work" }
}
RC
export TF_CLI_CONFIG_FILE="$work/terraform.rc" TF_IN_AUTOMATION=1 TF_CLI_ARGS=-no-color CHECKPOINT_DISABLE=1 TF_VAR_languages='["go","node"]'
terraform=$(command -v terraform || command -v tofu)
# The provider of this checkout needs no init.
tf() { "$terraform" -chdir="$work/example" "$@"; }
show tf apply -auto-approve
output() { "$terraform" -chdir="$work/example" output -json "$1" | sed -nE "s/.*\"$2\": *\"([^\"]*)\".*/\1/p"; }
token=$(output tokens node)
host=$(output hosts node)

url="http://$service/world"
printf '\nwithout a token: '; call -H "Host: $host" "$url"
printf 'with a token:    '; call -H "Host: $host" -H "X-Auth-Token: $token" "$url"
[ "$(curl -s -m 60 -o "$work/answer" -w '%{http_code}' -H "Host: $host" -H "X-Auth-Token: $token" "$url")" = 200 ]
show kubectl -n jeton get pods -L jeton.dev/function,app.kubernetes.io/component -o wide
show kubectl -n jeton get networkpolicies
show tf destroy -auto-approve '-target=scaleway_function_token.function["node"]'
printf 'after that:      '; call -H "Host: $host" -H "X-Auth-Token: $token" "$url"
[ "$(curl -s -m 60 -o "$work/answer" -w '%{http_code}' -H "Host: $host" -H "X-Auth-Token: $token" "$url")" = 403 ]
show tf destroy -auto-approve
show "$work/chart" uninstall
