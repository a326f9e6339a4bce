# Two commands do everything on a fresh machine: `make demo` and `make test`.
# Needed beforehand: Python >= 3.11, Go, Node, make and git.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements/dev.lock
GO_MODULES := chaincode tests/integration/gatewaychaincode tests/integration/merklevectors
PYTHON_TREES := client network biometrics auditor tests

.DEFAULT_GOAL := help
.PHONY: help setup demo test check up down soak verifier lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

# The environment is made anew whenever the lock file or the interpreter changes.
STAMP := $(VENV)/installed-$(shell { cat $(LOCK) pyproject.toml; $(PYTHON) -VV; } 2>/dev/null | sha256sum | cut -c1-16)

$(STAMP):
	@scripts/prerequisites
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(LOCK)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@touch $@

setup: $(STAMP) ## Make .venv with everything pinned and hashed

demo: setup ## One whole meeting on a real network, to a verified report; then stopped
	$(BIN)/concordat demo

up: setup ## Start the network and keep it running
	$(BIN)/concordat network up

down: setup ## Stop the network that `make up` started
	$(BIN)/concordat network down

check: setup ## Format, lint and types, for Python and Go
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PYTHON_TREES)
	$(BIN)/lint-imports
	@cd chaincode && go build -o ../.cache/staticcheck honnef.co/go/tools/cmd/staticcheck
	@for module in $(GO_MODULES); do \
	  echo "go: $$module" && cd $(CURDIR)/$$module && \
	  test -z "$$(gofmt -l . | tee /dev/stderr)" && go vet ./... && $(CURDIR)/.cache/staticcheck ./... || exit 1; \
	done

test: check ## The whole suite, with the real network
	@scripts/test-services
	cd chaincode && go test -count=1 ./... # the shared vectors are outside the module, unseen by its cache
	$(BIN)/pytest

soak: setup ## The long runs that CI has no time for
	scripts/soak

verifier: setup ## Build the offline verifier as one file, which any Python runs
	@$(BIN)/python scripts/build-verifier

lock: setup ## Resolve the pinned and hashed lock file again
	scripts/lock

clean: ## Remove what was built and every state (stops nothing: run `make down` first)
	rm -rf $(VENV) .cache build dist var *.egg-info
