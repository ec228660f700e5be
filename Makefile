# Jeton. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO_BUILD = CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
# Tests and benchmarks with dependencies of their own are modules of their own,
# which test/go.work joins for tests, vet and lint; nothing else uses it.
MODULES = . bench test/e2e test/model test/provider test/sdk
PACKAGES = $(MODULES:%=./%/...)
WORKSPACE = GOWORK=$(CURDIR)/test/go.work
# What setup gets because the machine's own is too old comes first, and what it
# builds because the machine lacks it comes last.
export PATH := $(CURDIR)/bin/first:$(PATH):$(CURDIR)/bin

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | column -t -s "$$(printf '\t')"

.PHONY: build
build: ## Build both programs into bin/.
	@mkdir -p bin
	$(GO_BUILD) -o bin/ ./cmd/jeton ./cmd/terraform-provider-scaleway

.PHONY: setup
setup: ## Install what tests and benchmarks need, with apt-get (as root on Debian or Ubuntu); elsewhere say what is missing.
	@./test/setup.sh bench

.PHONY: setup-test
setup-test: # What the tests alone need.
	@./test/setup.sh

.PHONY: terraform
terraform: ## Build OpenTofu into bin/ where neither terraform nor tofu is installed (takes minutes, once).
	@./test/terraform.sh

.PHONY: demo
demo: build ## Run the examples with real terraform, and call the functions. KEEP=1 leaves the server running.
	@go run ./test/demo $(if $(KEEP),-keep)

.PHONY: test
test: setup-test test/npm/node_modules test/crates/registry ## Run the tests, with the race detector. Not as root, say which are left out.
	@$(WORKSPACE) ./test/run.sh -race -timeout 20m $(PACKAGES)

.PHONY: test-slow
test-slow: setup-test test/npm/node_modules test/crates/registry ## Run the tests that take minutes: releases, a registry of crates, the README as another user.
	@./test/run.sh -tags slow -run '^TestSlow' -timeout 30m ./release ./internal/runtime/... ./test/readme

test/npm/node_modules: test/npm/package-lock.json | setup-test
	cd test/npm && npm ci --no-audit --no-fund
	@touch $@

test/crates/registry: test/crates/fetch.sh | setup-test
	test/crates/fetch.sh $@
	@touch $@

.PHONY: test-tofu
test-tofu: ## Run the provider's tests with OpenTofu in place of terraform, which takes minutes to build the first time.
	@test -x bin/tofu || (cd tools/tofu && go build -o ../../bin/tofu github.com/opentofu/opentofu/cmd/tofu)
	@# OpenTofu 1.12 shows nothing of what closing an ephemeral resource reports.
	JETON_TEST_CLI=$(CURDIR)/bin/tofu go test -C test/provider -timeout 9m -skip '^TestEphemeralToken_FailedRevocationWarns$$' .

.PHONY: test-scw
test-scw: ## Run the tests that use Scaleway's own command line, which takes a minute to build the first time.
	@test -x bin/scw || (cd tools/scw && go build -o ../../bin/scw github.com/scaleway/scaleway-cli/v2/cmd/scw)
	go test -tags scw -timeout 10m ./test/scw

.PHONY: test-escape
test-escape: setup-test test/crates/registry ## Run the tests whose programs try to get out of where functions run (as root).
	go test -tags escape -timeout 20m ./test/escape

.PHONY: lint
lint: ## Check format, style, the boundaries between packages, and that every go.mod is tidy.
	@mkdir -p bin
	go build -modfile=tools/go.mod -o bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	$(WORKSPACE) bin/golangci-lint run --build-tags scw,escape,slow $(PACKAGES)
	@for module in $(MODULES); do go -C $$module mod tidy -diff || exit 1; done

.PHONY: vet
vet: ## Run go vet over all modules.
	$(WORKSPACE) go vet -tags scw,escape,slow $(PACKAGES)

.PHONY: tidy
tidy: ## Tidy the go.mod of every module.
	@for module in $(MODULES); do go -C $$module mod tidy || exit 1; done

.PHONY: fuzz
fuzz: ## Fuzz every parser for FUZZTIME each (10s). KEEP=1 keeps what is found in testdata/fuzz.
	@KEEP=$(KEEP) ./test/fuzz.sh $(or $(FUZZTIME),10s)

.PHONY: docs
docs: build ## Generate the provider's documentation into docs/provider/.
	@./docs/generate.sh

.PHONY: bench-build
bench-build: build
	@mkdir -p bin/bench
	@go build -C bench -trimpath -o ../bin/bench/ ./...

.PHONY: bench
bench: setup bench-build ## Measure, print tables, and write bench/results.json.
	bin/bench/bench

.PHONY: bench-provider
bench-provider: setup bench-build ## Compare the provider with an empty one.
	bin/bench/bench -only provider

.PHONY: bench-gateway
bench-gateway: setup bench-build ## Compare the gateway with nginx, HAProxy and a Go reverse proxy.
	bin/bench/gateway

.PHONY: bench-api
bench-api: setup bench-build ## Compare the API with the least that it can cost (takes some minutes).
	bin/bench/api

.PHONY: bench-start
bench-start: setup bench-build test/crates/registry ## Measure cold starts, bursts and deployments (as root).
	bin/bench/start

.PHONY: bench-smoke
bench-smoke: setup bench-build test/crates/registry ## Run every benchmark for seconds, to see that it works; the figures mean nothing.
	JETON_BENCH_SMOKE=1 bin/bench/bench
	JETON_BENCH_SMOKE=1 bin/bench/gateway
	JETON_BENCH_SMOKE=1 bin/bench/api
	JETON_BENCH_SMOKE=1 bin/bench/start

.PHONY: prove
prove: setup-test build test/crates/registry ## Try to break what Jeton promises; one line a promise.
	@go build -o bin/prove ./test/prove && bin/prove

.PHONY: release
release: ## Pack both programs for all platforms into dist/, the same bytes each time. RELEASE=1.2.3 names the version.
	go run ./release -version "$(or $(RELEASE),0.0.0-$(VERSION))"
