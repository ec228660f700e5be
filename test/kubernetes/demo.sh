#!/usr/bin/env bash
# make demo-kubernetes: installs the chart in a Kubernetes of this machine, deploys a private
# function, calls it, revokes its token, and shows the Pods. One node of Jeton runs without
# PostgreSQL and a bucket.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "${1:-}" != inside ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  bin/images -only pause,jeton,jeton-runtime-node -output "$work/images"
  go build -o "$work/kubernetes" ./test/kubernetes
  go build -C test/chart -o "$work/chart" .
  CGO_ENABLED=0 go build -o "$work/jeton" ./cmd/jeton
  "$work/kubernetes" run -dir "$work/cluster" -router bin/kube-router -image "$work/images/pause.tar" \
    -image "$work/images/jeton.tar" -image "$work/images/jeton-runtime-node.tar" "$PWD/test/kubernetes/demo.sh" inside "$work"
  exit
fi

work=$2
show() { printf '\n$ %s\n' "$*"; "$@"; }
call() { curl -s -m 60 -o "$work/answer" -w 'status %{http_code} after %{time_total} s: ' "$@"; cat "$work/answer"; echo; }
value() { sed -nE "s/.*\"$1\": *\"([^\"]*)\".*/\1/p" | head -n 1; }

kubectl create namespace jeton >/dev/null
kubectl label namespace jeton pod-security.kubernetes.io/enforce=restricted >/dev/null
kubectl -n jeton create secret generic storage --from-literal UNUSED= >/dev/null
# No proxy serves Services here: the API server is at the address of the machine.
cat >"$work/values.yaml" <<'VALUES'
storageSecret: storage
replicas: 1
env:
  - {name: KUBERNETES_SERVICE_HOST, value: "192.0.2.1"}
  - {name: KUBERNETES_SERVICE_PORT, value: "6443"}
VALUES
"$work/chart" -values "$work/values.yaml" | kubectl apply -n jeton -f -
show kubectl -n jeton rollout status deployment/jeton --timeout=180s

node=$(kubectl -n jeton get pods -l app.kubernetes.io/component=node -o 'jsonpath={.items[0].status.podIP}')
JETON_API_KEY=$(kubectl -n jeton exec deployment/jeton -- jeton apikey create --permissions=FunctionsFullAccess -o json | value secret_key)
export JETON_API_KEY JETON_API_URL="http://$node:8080"
mkdir "$work/hello"
echo 'exports.handle = async (event) => ({ statusCode: 200, body: `Hello from a Pod, at ${event.path}` });' >"$work/hello/handler.js"
show "$work/jeton" deploy "$work/hello" --name hello --runtime node24 --handler handler.handle --no-token
"$work/jeton" token create hello -o json >"$work/token.json"
token=$(value token <"$work/token.json")
id=$(value id <"$work/token.json")
url="http://$node:8081/functions/default/hello"

printf '\nwithout a token: '; call "$url"
printf 'with a token:    '; call -H "X-Auth-Token: $token" "$url"
[ "$(curl -s -m 60 -o "$work/answer" -w '%{http_code}' -H "X-Auth-Token: $token" "$url")" = 200 ]
show "$work/jeton" token revoke "$id"
printf 'after that:      '; call -H "X-Auth-Token: $token" "$url"
[ "$(curl -s -m 60 -o "$work/answer" -w '%{http_code}' -H "X-Auth-Token: $token" "$url")" = 403 ]
show kubectl -n jeton get pods -L jeton.dev/function,app.kubernetes.io/component -o wide
show kubectl -n jeton get networkpolicies
