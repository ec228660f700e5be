#!/usr/bin/env bash
# build.sh OUTPUT [MODULE]: builds the program, static and stripped, with the version that the API
# server and kubectl report. MODULE is the file that has the versions (go.mod).
set -euo pipefail
mkdir -p "$(dirname "$1")"
output=$(realpath "$1")
cd "$(dirname "$0")"
module=${2:-go.mod}
version=$(go list -m -modfile "$module" -f '{{.Version}}' k8s.io/kubernetes)
IFS=. read -r major minor _ <<<"${version#v}"
package=k8s.io/component-base/version
CGO_ENABLED=0 go build -modfile "$module" -p 2 -trimpath -ldflags "-s -w \
	-X $package.gitVersion=$version -X $package.gitMajor=$major -X $package.gitMinor=$minor -X $package.gitTreeState=clean" \
	-o "$output" .
