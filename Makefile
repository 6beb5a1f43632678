# make          what CI runs: format, vet, lint, race tests
# make run      the demo: gateway, sinks, and callbacks in one process
# make help     the rest

GO       ?= go
FUZZTIME ?= 20s
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

.DEFAULT_GOAL := test

.PHONY: run
run: ## start the demo
	$(GO) run ./cmd/callboard demo

.PHONY: test
test: fmt vet lint race ## everything that CI runs

.PHONY: fmt
fmt: ## check the formatting (gofmt -w . mends it)
	@out=$$(gofmt -l .) && if [ -n "$$out" ]; then echo "gofmt -w is missing on:"; echo "$$out"; exit 1; fi

.PHONY: vet
vet:
	$(GO) vet ./...

# The linter is built once from the tools module and then comes from the build cache.
.PHONY: lint
lint: ## golangci-lint, with the import rules
	$(GO) tool -modfile=tools/go.mod golangci-lint run ./...

# The race detector needs a C compiler, which a fresh machine may lack; CI (.ci/run) sees to it. gotestsum runs
# go test and lists what failed and what was skipped.
GOTESTSUM = $(GO) tool -modfile=tools/go.mod gotestsum --format pkgname-and-test-fails --

.PHONY: race
race: ## tests with the race detector
	@if command -v $$($(GO) env CC) >/dev/null; then \
		echo "go test -race ./..."; CGO_ENABLED=1 $(GOTESTSUM) -race ./...; \
	else \
		echo "no C compiler, so without the race detector (apt-get install gcc libc6-dev brings it): go test ./..."; $(GOTESTSUM) ./...; \
	fi
	cd internal/bench/peers && $(GO) test ./...

.PHONY: bench
bench: ## micro benchmarks, matching beside CEL, then Callboard beside a bare forwarder
	$(GO) test -run '^$$' -bench . -benchmem ./...
	cd internal/bench/peers && $(GO) test -run '^$$' -bench . -benchmem ./...
	$(GO) run ./internal/bench

.PHONY: soak
soak: ## kill the gateway at random moments for ten minutes; nothing may be lost
	$(GO) test -v -timeout 20m -run Killed ./internal/soak -last 10m

# go test -fuzz takes one target at a time.
.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME
	@set -e; \
	grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
		sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file" | while read -r target; do \
			echo "== $$(dirname "$$file") $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" </dev/null; \
		done; \
	done

.PHONY: build
build: ## static bin/callboard
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=$(if $(shell git rev-parse HEAD 2>/dev/null),auto,false) -ldflags '-s -w -X main.version=$(VERSION)' -o bin/callboard ./cmd/callboard

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12
