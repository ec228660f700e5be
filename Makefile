# Jeton. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GO_BUILD = CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
TOOL = go tool -modfile=tools/go.mod

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | column -t -s "$$(printf '\t')"

.PHONY: build
build: ## Build both programs into bin/.
	@mkdir -p bin
	$(GO_BUILD) -o bin/ ./cmd/jeton ./cmd/terraform-provider-scaleway

.PHONY: demo
demo: build ## Run the examples with real terraform, and call the functions. KEEP=1 leaves the server running.
	@go run ./test/demo $(if $(KEEP),-keep)

.PHONY: test
test: test/npm/node_modules test/crates/registry ## Run all tests, with the race detector.
	go test -race -timeout 9m ./...

test/npm/node_modules: test/npm/package-lock.json
	cd test/npm && npm ci --no-audit --no-fund
	@touch $@

test/crates/registry: test/crates/fetch.sh
	test/crates/fetch.sh $@
	@touch $@

.PHONY: test-tofu
test-tofu: ## Run the provider's tests with OpenTofu in place of terraform, which takes minutes to build the first time.
	@test -x bin/tofu || (cd tools/tofu && go build -o ../../bin/tofu github.com/opentofu/opentofu/cmd/tofu)
	@# OpenTofu 1.12 shows nothing of what closing an ephemeral resource reports.
	JETON_TEST_CLI=$(CURDIR)/bin/tofu go test -timeout 9m -skip '^TestEphemeralTokenThatCannotBeRevoked$$' ./test/provider

.PHONY: test-scw
test-scw: ## Run the tests that use Scaleway's own command line, which takes a minute to build the first time.
	@test -x bin/scw || (cd tools/scw && go build -o ../../bin/scw github.com/scaleway/scaleway-cli/v2/cmd/scw)
	go test -tags scw -timeout 5m ./test/scw

.PHONY: test-escape
test-escape: test/crates/registry ## Run the tests whose programs try to get out of where functions run (as root).
	go test -tags escape -timeout 9m ./test/escape

.PHONY: lint
lint: ## Check format, style, and the walls between packages.
	$(TOOL) golangci-lint run --build-tags scw,escape ./...

.PHONY: fuzz
fuzz: ## Fuzz every parser for FUZZTIME each (10s). KEEP=1 keeps what is found in testdata/fuzz.
	@KEEP=$(KEEP) ./test/fuzz.sh $(or $(FUZZTIME),10s)

.PHONY: docs
docs: build ## Generate the provider's documentation into docs/provider/.
	@./docs/generate.sh

.PHONY: bench
bench: build ## Measure, print tables, and write bench/results.json.
	go run ./bench

.PHONY: bench-provider
bench-provider: build ## Measure the provider beside an empty one (needs terraform).
	go run ./bench -only provider

.PHONY: prove
prove: build test/crates/registry ## Try to break what Jeton promises; one line a promise.
	@go build -o bin/prove ./test/prove && bin/prove

.PHONY: bench-gateway
bench-gateway: build ## Measure the gateway beside nginx, HAProxy and a bare proxy (needs wrk, nginx, haproxy).
	go run ./bench/gateway
	go test ./internal/gateway -run '^$$' -bench 'Admission|Refusal'

.PHONY: bench-api
bench-api: build ## Measure the API beside the least that it can cost (needs terraform; takes some minutes).
	go run ./bench/api

.PHONY: bench-start
bench-start: build test/crates/registry ## Measure cold starts, bursts and deployments (as root; needs the five toolchains).
	go run ./bench/start

.PHONY: release
release: ## Pack both programs for all platforms into dist/, the same bytes each time. RELEASE=1.2.3 names the version.
	go run ./release -version "$(or $(RELEASE),0.0.0-$(VERSION))"
