# One command for each wish. A new machine needs Python 3.11 or later, make and git; everything else is fetched by pip.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

VENV ?= .venv
PY := $(VENV)/bin/python
BUILD := .build
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)

# The folder with the real bank's ledger; without it, only a machine that calls itself CI fails.
LEDGER_DATA ?= ../shared/data
# How many processes run the tests, half of which wait for a disk or another process; and what else pytest is told.
WORKERS ?= 4
ARGS ?=
# For how many seconds `make demo` goes on; until Ctrl-C where nothing is said and somebody sits there.
FOR ?=
# What keeps the journals of `make demo`, `make story` and `make ledger`: sqlite or postgres, which is then started for it.
STORE ?= sqlite
ON_POSTGRES := $(filter postgres,$(STORE))
# For how long `make soak` goes on.
MINUTES ?= 30

.PHONY: help demo story building test check lint types floors format unit contract fault snippets docs ledger bench soak lower wheel pooler browser clean

help: ## say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

# --- the two that matter -------------------------------------------------------------------------------------------

demo: $(VENV)/.runs$(ON_POSTGRES:%=-on-%) ## a bank with a page to click through; FOR=60 ends it by itself, STORE=postgres
	@$(PY) -m demos.bank $(FOR:%=--for %) $(ON_POSTGRES:%=--store %) $(ARGS)

test: pooler browser check docs ledger ## everything that must hold
	@$(PY) -m pytest -n $(WORKERS) tests $(ARGS)

story: $(VENV)/.runs$(ON_POSTGRES:%=-on-%) ## a smaller bank, told in the terminal alone; STORE=postgres, too
	@$(PY) -m examples.demo $(ON_POSTGRES:%=--store %) $(ARGS)

building: $(VENV)/.runs ## a building that grows step by step, in a page; real permits beside it where they are
	@$(PY) -m demos.building $(FOR:%=--for %) $(if $(wildcard $(LEDGER_DATA)/building-permits.csv.gz),--permits $(LEDGER_DATA)/building-permits.csv.gz) $(ARGS)

# --- parts of `test`, for whoever is in the middle of something ----------------------------------------------------

check: lint types floors ## style, types and floors

lint: $(VENV)/.develops
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --check --quiet --diff .

types: $(VENV)/.develops
	@$(VENV)/bin/mypy
	@$(VENV)/bin/pyright

floors: $(VENV)/.develops
	@$(VENV)/bin/lint-imports --no-logo

format: $(VENV)/.develops ## let ruff mend what it can
	@$(VENV)/bin/ruff check --fix --quiet . || true
	@$(VENV)/bin/ruff format --quiet .

unit contract fault: $(VENV)/.develops ## one folder of the tests
	@$(PY) -m pytest -n $(WORKERS) tests/$@ $(ARGS)

snippets: $(VENV)/.develops ## every code block of README and docs
	@$(PY) -m pytest -n $(WORKERS) tests/docs $(ARGS)

docs: $(VENV)/.develops ## the documentation site, in .build/docs
	@$(PY) -m sphinx --builder html --fail-on-warning --keep-going --nitpicky --jobs auto --quiet \
		--doctree-dir $(BUILD)/doctrees docs $(BUILD)/docs

ledger: $(VENV)/.runs$(ON_POSTGRES:%=-on-%) ## a real bank's 49,070 transactions through actum, each stated balance checked
	@if [ -f $(LEDGER_DATA)/bank-ledger-1993.csv.gz ]; then \
		mkdir -p $(BUILD) && rm -f $(BUILD)/ledger.* && \
		if [ -n "$(ON_POSTGRES)" ]; then $(PY) -m examples.ledger --data $(LEDGER_DATA) --store postgres; else \
			$(PY) -m examples.ledger --data $(LEDGER_DATA) --journal $(BUILD)/ledger.actum && \
			$(PY) -m examples.ledger.rebuilding --data $(LEDGER_DATA) --journal $(BUILD)/ledger.actum; fi; \
	elif [ "$${CI:-}" = true ]; then \
		echo "expected the real ledger in $(LEDGER_DATA), found none; say LEDGER_DATA=folder" >&2; exit 1; \
	else \
		echo "no real ledger in $(LEDGER_DATA): not checked (LEDGER_DATA=folder says where it is)"; \
	fi

# --- longer ones ---------------------------------------------------------------------------------------------------

bench: $(VENV)/.develops ## how fast, beside a raw program and beside eventsourcing
	@$(PY) -m benchmarks $(ARGS)

soak: $(VENV)/.develops ## crashes and races for MINUTES=30
	@SOAK_MINUTES=$(MINUTES) $(PY) -m pytest -m soak tests $(ARGS)

lower: $(VENV)-lower/.develops ## the tests with the oldest versions that pyproject.toml allows
	@$(VENV)-lower/bin/python -m pytest -n $(WORKERS) tests $(ARGS)

wheel: $(VENV)/.develops ## the distribution, in dist/
	@rm -rf dist && $(PY) -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## back to a fresh clone
	@rm -rf $(VENV) $(VENV)-lower $(BUILD) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# --- environments --------------------------------------------------------------------------------------------------

# The one server that pip does not have. Whoever may install packages gets it; elsewhere its tests are not run, and say so.
pooler:
	@PATH="$$PATH:/usr/sbin"; command -v pgbouncer >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "installing pgbouncer" && \
		apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes pgbouncer >/dev/null; } || \
		echo "no pgbouncer on this machine: the tests with a pooler will not be run" >&2

# The browser likewise: Debian's own, since those that come with drivers are a download of their own.
browser:
	@command -v chromium >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "installing chromium" && \
		apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes chromium >/dev/null; } || \
		echo "no chromium on this machine: the tests in a browser will not be run" >&2

PIP := bin/python -m pip install --quiet --disable-pip-version-check

$(VENV)/bin/python $(VENV)-lower/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "expected Python 3.11 or later with its venv module, found none;" \
		"install it (on Debian: apt-get install python3-venv) or say PYTHON=path" >&2; exit 1; }
	@$(PYTHON) -m venv $(@D)/..

$(VENV)/.runs: pyproject.toml | $(VENV)/bin/python
	@[ $(VENV)/.develops -nt pyproject.toml ] || { echo "installing actum into $(VENV)"; $(VENV)/$(PIP) --editable '.[demo]'; }
	@touch $@

$(VENV)/.runs-on-postgres: pyproject.toml | $(VENV)/bin/python
	@[ $(VENV)/.develops -nt pyproject.toml ] || { echo "installing actum and PostgreSQL into $(VENV)"; \
		$(VENV)/$(PIP) --editable '.[demo,postgres,postgres-server]'; }
	@touch $@

$(VENV)/.develops: pyproject.toml | $(VENV)/bin/python
	@echo "installing actum and its tools into $(VENV)"
	@$(VENV)/$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.runs $(VENV)/.runs-on-postgres

$(VENV)-lower/.develops: pyproject.toml | $(VENV)-lower/bin/python
	@$(VENV)-lower/bin/python -c 'import re, tomllib; \
		project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
		extras = project["optional-dependencies"]; \
		wanted = project["dependencies"] + extras["cli"] + extras["client"] + extras["http"] + extras["console"] + extras["postgres"]; \
		print(*(re.sub(r"(\[.*\])?>=([^,]+),.*", r"==\2", one) for one in wanted if ">=" in one), sep="\n")' > $(VENV)-lower/oldest.txt
	@$(VENV)-lower/$(PIP) --constraint $(VENV)-lower/oldest.txt --editable '.[demo,test]'
	@touch $@
