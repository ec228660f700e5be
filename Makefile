# Jeton. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO_BUILD = CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
# Tests and benchmarks with their own dependencies are separate modules. Only the
# targets test, vet and lint join them, by test/go.work.
MODULES = . bench test/chart test/compose test/e2e test/model test/provider test/sdk
PACKAGES = $(MODULES:%=./%/...)
WORKSPACE = GOWORK=$(CURDIR)/test/go.work
# bin/first has programs that replace versions of the machine that are too old; bin
# has programs that the machine lacks.
export PATH := $(CURDIR)/bin/first:$(PATH):$(CURDIR)/bin

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z0-9.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9.-]+):.*## /\1\t/' | column -t -s "$$(printf '\t')"

.PHONY: build
build: ## Build both programs into bin/.
	@mkdir -p bin
	$(GO_BUILD) -o bin/ ./cmd/jeton ./cmd/terraform-provider-scaleway

.PHONY: setup
setup: ## Install what tests and benchmarks need (apt-get as root on Debian or Ubuntu), or print the command.
	@./test/setup.sh bench

.PHONY: setup-test
setup-test: # Install what the tests need.
	@./test/setup.sh

.PHONY: terraform
terraform: ## Build OpenTofu into bin/ if neither terraform nor tofu is installed (minutes, once).
	@./test/terraform.sh

.PHONY: demo
demo: build ## Apply the examples with terraform and call the functions. KEEP=1 keeps the server running.
	@go run ./test/demo $(if $(KEEP),-keep)

.PHONY: demo-cluster
demo-cluster: build setup-test bin/versitygw ## Run a cluster of three nodes on loopback and kill one. FAULTS=1 also measures outages.
	@go run ./test/demo-cluster $(if $(FAULTS),-faults)

.PHONY: demo-kubernetes
demo-kubernetes: setup-kubernetes terraform bin/kube bin/kube-router bin/images ## Install the chart in a Kubernetes of this machine, call a private function and revoke its token.
	@./test/kubernetes/demo.sh

.PHONY: test
test: setup-test test/npm/node_modules test/crates/registry bin/versitygw ## Run the tests with the race detector. Without root, list the skipped tests.
	@$(WORKSPACE) ./test/run.sh -race -timeout 40m $(PACKAGES)

.PHONY: test-postgres
test-postgres: setup-test ## Run the tests of the rules over PostgreSQL instead of SQLite.
	JETON_TEST_STORE=postgres go test -timeout 20m ./internal/functions

.PHONY: test-slow
test-slow: setup-test test/npm/node_modules test/crates/registry ## Run the slow tests: releases, the crate registry, the README as another user.
	@./test/run.sh -tags slow -run '^TestSlow' -timeout 30m ./release ./internal/runtime/... ./test/readme

test/npm/node_modules: test/npm/package-lock.json | setup-test
	cd test/npm && npm ci --no-audit --no-fund
	@touch $@

bin/versitygw: tools/versitygw/go.mod # The S3 server of the tests.
	@mkdir -p bin
	CGO_ENABLED=0 go build -C tools/versitygw -trimpath -ldflags "-s -w" -o ../../bin/versitygw github.com/versity/versitygw/cmd/versitygw
	@touch $@

# A Kubernetes of one node for the tests: etcd, control plane, kubelet, kube-proxy and kubectl.
bin/kube: tools/kubernetes/go.mod tools/kubernetes/main.go tools/kubernetes/build.sh
	tools/kubernetes/build.sh $@
	@touch $@

# The same program of an older version.
bin/kube-1.34: tools/kubernetes/1.34.mod tools/kubernetes/main.go tools/kubernetes/build.sh
	tools/kubernetes/build.sh $@ 1.34.mod
	@touch $@

# What enforces network policies in the tests.
bin/kube-router: tools/kuberouter/go.mod
	@mkdir -p bin
	CGO_ENABLED=0 go build -C tools/kuberouter -trimpath -ldflags "-s -w" -o ../../bin/kube-router github.com/cloudnativelabs/kube-router/v2/cmd/kube-router
	@touch $@

bin/images: $(wildcard tools/images/*.go tools/images/node/*) tools/images/go.mod
	@mkdir -p bin
	go build -C tools/images -trimpath -o ../../bin/images .

.PHONY: images
images: bin/images ## Build all container images into dist/images/ without Docker, reproducibly (Debian, npm).
	bin/images -version "$(VERSION)"

.PHONY: setup-kubernetes
setup-kubernetes: # Install what the test cluster needs.
	@./test/setup.sh kubernetes

.PHONY: test-kubernetes
test-kubernetes: setup-kubernetes bin/kube bin/kube-router bin/images bin/versitygw ## Run the tests of Kubernetes in a cluster of this machine (as root; the first time builds Kubernetes).
	@./test/kubernetes/run.sh

.PHONY: test-kubernetes-e2e
test-kubernetes-e2e: setup-kubernetes bin/kube bin/kube-router bin/images bin/versitygw test/npm/node_modules test/crates/registry ## Run all end-to-end tests and the suite of engines in Pods of that cluster (as root; a quarter of an hour).
	@./test/kubernetes/run.sh e2e

.PHONY: test-kubernetes-chaos
test-kubernetes-chaos: setup-kubernetes bin/kube bin/kube-router bin/images bin/versitygw ## Kill parts of that cluster and of Jeton under load, and try to escape from Pods (as root; 10 minutes).
	@./test/kubernetes/run.sh chaos

.PHONY: test-kubernetes-1.34
test-kubernetes-1.34: setup-kubernetes bin/kube-1.34 bin/kube-router bin/images bin/versitygw ## Run the tests of test-kubernetes on Kubernetes 1.34, whose kubelet reports Pods late (as root; a quarter of an hour).
	@KUBE=bin/kube-1.34 ./test/kubernetes/run.sh

test/crates/registry: test/crates/fetch.sh | setup-test
	test/crates/fetch.sh $@
	@touch $@

.PHONY: test-tofu
test-tofu: ## Run the provider's tests with OpenTofu (built once, in minutes).
	@test -x bin/tofu || (cd tools/tofu && go build -o ../../bin/tofu github.com/opentofu/opentofu/cmd/tofu)
	@# OpenTofu 1.12 does not show diagnostics of Close of ephemeral resources.
	JETON_TEST_CLI=$(CURDIR)/bin/tofu go test -C test/provider -timeout 9m -skip '^TestEphemeralToken_FailedRevocationWarns$$' .

.PHONY: test-scw
test-scw: ## Run the tests that use scw, Scaleway's command line (built once, in a minute).
	@test -x bin/scw || (cd tools/scw && go build -o ../../bin/scw github.com/scaleway/scaleway-cli/v2/cmd/scw)
	go test -tags scw -timeout 10m ./test/scw

test/serverless/node_modules: test/serverless/package-lock.json
	cd test/serverless && npm ci --no-audit --no-fund
	@touch $@

.PHONY: test-serverless
test-serverless: setup-test test/serverless/node_modules ## Run the tests that use the Serverless Framework (as root).
	go test -tags serverless -timeout 15m ./test/serverless

test/console/node_modules: test/console/package-lock.json
	cd test/console && npm ci --no-audit --no-fund
	@touch $@

.PHONY: test-console
test-console: setup-console test/console/node_modules bin/versitygw ## Lint the console, and run its tests in Chromium.
	test/console/node_modules/.bin/eslint -c test/console/eslint.config.mjs internal/console/static test/console
	go test -tags console -count 1 -timeout 20m ./test/console

.PHONY: screenshots
screenshots: setup-console test/console/node_modules ## Make the screenshots of docs/console.md (some minutes).
	JETON_SCREENSHOTS=$(CURDIR)/docs/images/console go test -tags console -timeout 20m -count 1 -run TestConsole_DeploysCallsAndRevokes ./test/console

.PHONY: setup-console
setup-console: # Install Chromium and what the tests need.
	@./test/setup.sh console

.PHONY: test-escape
test-escape: setup-test test/crates/registry ## Run the escape tests of sandboxes (as root).
	go test -tags escape -timeout 20m ./test/escape

.PHONY: lint
lint: ## Check format, style, prose, package boundaries, and that every go.mod is tidy.
	@mkdir -p bin
	go build -modfile=tools/go.mod -o bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	$(WORKSPACE) bin/golangci-lint run --build-tags scw,serverless,escape,slow,console,kubernetes $(PACKAGES)
	@for module in $(MODULES); do go -C $$module mod tidy -diff || exit 1; done
	go run ./test/prose

.PHONY: vet
vet: ## Run go vet over all modules.
	$(WORKSPACE) go vet -tags scw,serverless,escape,slow,console,kubernetes $(PACKAGES)

.PHONY: tidy
tidy: ## Tidy the go.mod of every module.
	@for module in $(MODULES); do go -C $$module mod tidy || exit 1; done

.PHONY: fuzz
fuzz: ## Fuzz every parser for FUZZTIME each (10s). KEEP=1 keeps findings in testdata/fuzz.
	@KEEP=$(KEEP) ./test/fuzz.sh $(or $(FUZZTIME),10s)

.PHONY: docs
docs: build ## Generate the provider's documentation into docs/provider/.
	@./docs/generate.sh

.PHONY: bench-build
bench-build: build
	@mkdir -p bin/bench
	@go build -C bench -trimpath -o ../bin/bench/ ./...

.PHONY: bench
bench: setup bench-build ## Measure the provider and calls; write bench/results.json.
	bin/bench/bench

.PHONY: bench-provider
bench-provider: setup bench-build ## Compare the provider with an empty one.
	bin/bench/bench -only provider

.PHONY: bench-gateway
bench-gateway: setup bench-build ## Compare the gateway with nginx, HAProxy and a Go reverse proxy.
	bin/bench/gateway

.PHONY: bench-api
bench-api: setup bench-build ## Compare the API with its necessary cost (some minutes).
	bin/bench/api

.PHONY: bench-start
bench-start: setup bench-build test/crates/registry ## Measure cold starts, bursts and deployments (as root).
	bin/bench/start

.PHONY: bench-dev
bench-dev: setup bench-build test/crates/registry ## Measure edit to live in five languages, beside the plain server of each (as root).
	bin/bench/dev

.PHONY: bench-cluster
bench-cluster: setup bench-build bin/versitygw ## Measure three servers on PostgreSQL and S3: revocation, forwarding, a million tokens.
	bin/bench/cluster

.PHONY: bench-kubernetes
bench-kubernetes: setup-kubernetes bench-build test/crates/registry bin/kube bin/kube-router bin/images ## Measure functions in Pods of a cluster of this machine (as root). ONLY=cold selects a part.
	@./test/kubernetes/bench.sh

.PHONY: bench-smoke
bench-smoke: setup bench-build test/crates/registry bin/versitygw ## Run every benchmark for seconds, to see that it works. Ignore the figures.
	JETON_BENCH_SMOKE=1 bin/bench/bench
	JETON_BENCH_SMOKE=1 bin/bench/gateway
	JETON_BENCH_SMOKE=1 bin/bench/api
	JETON_BENCH_SMOKE=1 bin/bench/start
	@# Rust is left out: its first build compiles all crates.
	for language in node python php go; do JETON_BENCH_SMOKE=1 bin/bench/dev -only $$language || exit 1; done
	JETON_BENCH_SMOKE=1 bin/bench/cluster

.PHONY: prove
prove: setup-test build test/crates/registry bin/versitygw ## Test the promises of Jeton; print one line per promise.
	@go build -o bin/prove ./test/prove && bin/prove

.PHONY: release
release: ## Pack programs, Debian packages and bills of materials into dist/, reproducibly. RELEASE=1.2.3 sets the version.
	go run ./release -version "$(or $(RELEASE),0.0.0-$(VERSION))"
	go run -C tools/package . -version "$(or $(RELEASE),0.0.0-$(VERSION))" -dir "$(CURDIR)/dist" -source "$(CURDIR)"
	go run ./release -version "$(or $(RELEASE),0.0.0-$(VERSION))" -check
