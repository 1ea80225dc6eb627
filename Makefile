PYTHON ?= python3
BIN    := .venv/bin
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check
export DO_NOT_TRACK := 1

.DEFAULT_GOAL := help
.PHONY: help install run test lint docs bench bench-heads clean

help:  ## what each target does
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

# constraints.txt pins every package, so that each machine runs what the tests ran.
$(BIN)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -e . -c constraints.txt
	touch $@

$(BIN)/.installed-test: $(BIN)/.installed
	$(PIP) -e '.[test]' -c constraints.txt
	touch $@

install: $(BIN)/.installed  ## create .venv and install the application

run: install  ## open the demo shop and run one whole night on it
	$(BIN)/fivefold run

test: $(BIN)/.installed-test  ## install the test extras and run every test
	$(BIN)/python -m pytest

lint: $(BIN)/.installed-test  ## ruff and mypy
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

docs: install  ## write docs/dictionary.md and docs/settings.md anew, and the README's answers from the last night
	$(BIN)/python -m warehouse.contracts.dictionary
	$(BIN)/python -m flows.settings_page
	$(BIN)/python docs/refresh_readme.py

bench: $(BIN)/.installed-test  ## every benchmark: a table and one JSON line each
	for file in benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; done

bench-heads: $(BIN)/.installed-test  ## every head beside LightGBM, EASE and naive, goal by goal; fills docs/quality.md
	$(PIP) lightgbm -c constraints.txt
	$(BIN)/python benchmarks/bench_heads.py --write

clean:  ## remove the environment, caches and build products (keeps .fivefold)
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
